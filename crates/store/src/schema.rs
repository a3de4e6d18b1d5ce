//! The tables, as the migrations make them.

#![allow(missing_docs, unreachable_pub)]

macro_rules! tables {
    ($($table:tt)*) => { $(diesel::table! $table)* };
}

tables! {
    {
        use diesel::sql_types::{Binary, Text};
        use crate::types::Instant;
        installation_keys (purpose) {
            purpose -> Text, key_bytes -> Binary, created_at -> Instant,
        }
    }
    {
        use diesel::sql_types::Text;
        use crate::types::{Guid, Instant};
        tenants (id) { id -> Guid, name -> Text, name_key -> Text, created_at -> Instant, }
    }
    {
        use diesel::sql_types::Text;
        use crate::types::{Guid, Instant};
        connections (tenant_id, id) {
            tenant_id -> Guid, id -> Guid, name -> Text, name_key -> Text, dialect -> Text,
            created_at -> Instant,
        }
    }
    {
        use diesel::sql_types::{Binary, Nullable, Text};
        use crate::types::{Guid, Instant};
        tokens (tenant_id, id) {
            tenant_id -> Guid, id -> Text, connection_id -> Guid, secret_hash -> Binary,
            created_at -> Instant, expires_at -> Instant, revoked_at -> Nullable<Instant>,
        }
    }
    {
        use diesel::sql_types::{BigInt, Bool, Nullable, Text};
        use crate::types::{Document, Guid, Instant, Search};
        users (tenant_id, id) {
            tenant_id -> Guid, id -> Guid, user_name_key -> Text,
            display_name_key -> Nullable<Text>, display -> Text, active -> Bool,
            document -> Document, search -> Search, version -> BigInt, created_at -> Instant,
            modified_at -> Instant, deleted_at -> Nullable<Instant>,
        }
    }
    {
        use diesel::sql_types::{Bool, Integer, Nullable, Text};
        use crate::types::Guid;
        user_emails (tenant_id, user_id, position) {
            tenant_id -> Guid, user_id -> Guid, position -> Integer,
            value_key -> Nullable<Text>, type_key -> Nullable<Text>, is_primary -> Nullable<Bool>,
        }
    }
    {
        use diesel::sql_types::{Bool, Text};
        use crate::types::{Guid, Instant};
        identity_claims (tenant_id, kind, value_key) {
            tenant_id -> Guid, kind -> Text, value_key -> Text, user_id -> Guid,
            is_current -> Bool, first_used_at -> Instant, last_used_at -> Instant,
        }
    }
    {
        use diesel::sql_types::{BigInt, Nullable, Text};
        use crate::types::{Document, Guid, Instant, Search};
        groups (tenant_id, id) {
            tenant_id -> Guid, id -> Guid, display_name_key -> Text, display -> Text,
            document -> Document, search -> Search, version -> BigInt, created_at -> Instant,
            modified_at -> Instant, deleted_at -> Nullable<Instant>,
        }
    }
    {
        use diesel::sql_types::Bool;
        use crate::types::{Guid, Instant};
        memberships (tenant_id, group_id, member_id) {
            tenant_id -> Guid, group_id -> Guid, member_id -> Guid, is_group -> Bool,
            added_at -> Instant,
        }
    }
    {
        use diesel::sql_types::Text;
        use crate::types::Guid;
        external_ids (tenant_id, resource_id, connection_id) {
            tenant_id -> Guid, connection_id -> Guid, resource_type -> Text, resource_id -> Guid,
            external_id -> Text,
        }
    }
    {
        use diesel::sql_types::{BigInt, Text};
        use crate::types::{Document, Guid, Instant};
        change_log (tenant_id, id) {
            tenant_id -> Guid, id -> Guid, at -> Instant, actor_id -> Guid, request_id -> Guid,
            action -> Text, resource_type -> Text, resource_id -> Guid, changes -> Document,
            version -> BigInt,
        }
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    change_log,
    connections,
    external_ids,
    groups,
    identity_claims,
    installation_keys,
    memberships,
    tenants,
    tokens,
    user_emails,
    users,
);
