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
        use diesel::sql_types::{BigInt, Nullable, Text};
        use crate::types::{Document, Guid, Instant, Search};
        objects (tenant_id, id) {
            tenant_id -> Guid, id -> Guid, resource_type -> Text, variant -> Text,
            name -> Nullable<Text>, name_key -> Nullable<Text>, document -> Document,
            search -> Search, version -> BigInt, created_at -> Instant, modified_at -> Instant,
            deleted_at -> Nullable<Instant>,
        }
    }
    {
        use diesel::sql_types::{BigInt, Bool};
        use crate::types::Guid;
        catalogue_versions (tenant_id) { tenant_id -> Guid, version -> BigInt, nests -> Bool, }
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
        use diesel::sql_types::{Nullable, Text};
        use crate::types::{Document, Guid, Instant};
        client_credentials (tenant_id, id) {
            tenant_id -> Guid, id -> Text, connection_id -> Guid, lookup -> Text,
            proof -> Document, created_at -> Instant, expires_at -> Nullable<Instant>,
            revoked_at -> Nullable<Instant>,
        }
    }
    {
        use diesel::sql_types::Text;
        use crate::types::{Guid, Instant};
        credential_uses (tenant_id, id) { tenant_id -> Guid, id -> Text, used_at -> Instant, }
    }
    {
        use diesel::sql_types::{BigInt, Bool, Nullable, Text};
        use crate::types::{Document, Guid, Instant, Search};
        users (tenant_id, id) {
            tenant_id -> Guid, id -> Guid, user_name_key -> Text,
            display_name_key -> Nullable<Text>, display -> Text, active -> Bool,
            division_id -> Guid, license_tier -> Text, pending_tier -> Nullable<Text>,
            seat_since -> Nullable<Instant>, capacity_rule_id -> Nullable<Guid>, is_agent -> Bool,
            employee_number_key -> Nullable<Text>, is_employee_number_unique -> Bool,
            manager_key -> Nullable<Text>, activated_at -> Nullable<Instant>,
            activation_sent_at -> Nullable<Instant>,
            activation_expires_at -> Nullable<Instant>,
            deactivated_at -> Nullable<Instant>, locked_until -> Nullable<Instant>,
            document -> Document, search -> Search, version -> BigInt, created_at -> Instant,
            modified_at -> Instant, deleted_at -> Nullable<Instant>,
            erased_at -> Nullable<Instant>,
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
        use diesel::sql_types::{Binary, Bool, Text};
        use crate::types::{Guid, Instant};
        identity_claims (tenant_id, value_hash, kind) {
            tenant_id -> Guid, kind -> Text, value_hash -> Binary, user_id -> Guid,
            is_current -> Bool, burned -> Bool, first_used_at -> Instant, last_used_at -> Instant,
        }
    }
    {
        use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};
        use crate::types::{Document, Guid, Instant, Search};
        groups (tenant_id, id) {
            tenant_id -> Guid, id -> Guid, display_name_key -> Text, display -> Text,
            kind -> Text, enabled -> Bool, capacity_rule_id -> Nullable<Guid>, priority -> Integer,
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
        use diesel::sql_types::{BigInt, Text};
        use crate::types::Guid;
        free_seats (tenant_id, license_tier, number) {
            tenant_id -> Guid, license_tier -> Text, number -> BigInt,
        }
    }
    {
        use diesel::sql_types::{Bool, Nullable, Text};
        use crate::types::{Guid, Instant};
        grants (tenant_id, subject_id, role_id, scope_id) {
            tenant_id -> Guid, subject_id -> Guid, role_id -> Guid, scope_id -> Guid,
            division_id -> Nullable<Guid>, is_group -> Bool, source -> Text, granted_at -> Instant,
            dormant -> Bool, is_primary -> Bool, purge_at -> Nullable<Instant>,
        }
    }
    {
        use diesel::sql_types::{Bool, Integer, Text};
        use crate::types::Guid;
        role_permissions (tenant_id, role_id, permission) {
            tenant_id -> Guid, role_id -> Guid, permission -> Text, division_aware -> Bool,
            blocked_tiers -> Integer,
        }
    }
    {
        use diesel::sql_types::{Bool, Integer};
        use crate::types::Guid;
        skill_assignments (tenant_id, user_id, skill_id) {
            tenant_id -> Guid, user_id -> Guid, skill_id -> Guid, proficiency -> Integer,
            active -> Bool,
        }
    }
    {
        use crate::types::{Guid, Instant};
        last_logins (tenant_id, user_id) { tenant_id -> Guid, user_id -> Guid, at -> Instant, }
    }
    {
        use diesel::sql_types::{BigInt, Bool, Nullable, Text};
        use crate::types::Guid;
        logins (tenant_id, user_id) {
            tenant_id -> Guid, user_id -> Guid, password -> Nullable<Text>, must_change -> Bool,
            failures -> BigInt,
        }
    }
    {
        use diesel::sql_types::{BigInt, Binary, Nullable, Text};
        use crate::types::{Guid, Instant};
        mailed_links (tenant_id, user_id, purpose) {
            tenant_id -> Guid, user_id -> Guid, purpose -> Text, secret_hash -> Nullable<Binary>,
            asked_at -> Instant, expires_at -> Instant, due_at -> Nullable<Instant>,
            attempts -> BigInt,
        }
    }
    {
        use diesel::sql_types::Binary;
        use crate::types::{Guid, Instant};
        sessions (tenant_id, user_id, secret_hash) {
            tenant_id -> Guid, user_id -> Guid, secret_hash -> Binary,
            created_at -> Instant, seen_at -> Instant, expires_at -> Instant,
        }
    }
    {
        use diesel::sql_types::Text;
        use crate::types::Guid;
        dependencies (tenant_id, user_id, kind, reference) {
            tenant_id -> Guid, user_id -> Guid, kind -> Text, reference -> Text,
            disposition -> Text,
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
        use crate::types::{Guid, Instant};
        leniency_uses (tenant_id, connection_id, leniency) {
            tenant_id -> Guid, connection_id -> Guid, leniency -> Text, uses -> BigInt,
            last_seen -> Instant,
        }
    }
    {
        use diesel::sql_types::{Bool, Integer, Nullable};
        use crate::types::{Document, Guid, Instant, Search};
        provisioning_log (tenant_id, id) {
            tenant_id -> Guid, id -> Guid, at -> Instant, connection_id -> Guid,
            resource_id -> Nullable<Guid>, status -> Integer, is_clear -> Bool,
            document -> Document, search -> Search,
        }
    }
    {
        use diesel::sql_types::{BigInt, Binary, Nullable, Text};
        use crate::types::{Document, Guid, Instant};
        change_log (tenant_id, id) {
            tenant_id -> Guid, id -> Guid, at -> Instant, actor_type -> Text,
            actor_id -> Nullable<Guid>, source -> Text, request_id -> Guid, action -> Text,
            resource_type -> Text, resource_id -> Guid, version -> BigInt, rule -> Nullable<Text>,
            reason -> Nullable<Text>, changes -> Nullable<Document>, changes_digest -> Binary,
            mac -> Binary,
        }
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    catalogue_versions,
    change_log,
    client_credentials,
    credential_uses,
    dependencies,
    external_ids,
    free_seats,
    grants,
    groups,
    identity_claims,
    installation_keys,
    last_logins,
    leniency_uses,
    logins,
    mailed_links,
    memberships,
    objects,
    provisioning_log,
    role_permissions,
    sessions,
    skill_assignments,
    tenants,
    tokens,
    user_emails,
    users,
);
