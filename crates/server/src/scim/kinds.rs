//! The resource types of the endpoint: which rules serve them.

use std::collections::HashMap;

use accounts::{
    Caller, Context, MAX_MEMBERS_IN_ANSWER, MemberKind, Page, Precondition, Refusal, Resource, Tx,
    groups, users,
};
use scim_protocol::Object;
use scim_protocol::dialect::Leniencies;
use scim_protocol::patch::Edit;
use scim_protocol::query::Query;
use scim_protocol::schema::ResourceType;
use serde_json::{Value, json};
use uuid::Uuid;

type Result<T> = std::result::Result<T, Refusal>;

/// A resource type and its rules.
pub(crate) trait Kind: 'static {
    /// The attribute whose values are kept beside the resource, not in it.
    const RELATED: &'static str;

    /// Its schema.
    fn resource_type() -> &'static ResourceType;
    /// Creates a resource under a new identifier.
    fn create(
        tx: &mut dyn Tx,
        context: &Context,
        id: Uuid,
        body: Object,
        l: &mut Leniencies,
    ) -> Result<Resource>;
    /// Reads a resource.
    fn get(tx: &mut dyn Tx, caller: &Caller, id: Uuid) -> Result<Resource>;
    /// Finds resources.
    fn list(tx: &mut dyn Tx, caller: &Caller, query: &Query) -> Result<Page>;
    /// Replaces a resource; `named` are the attributes that the client gave, also as `null`.
    fn replace(
        tx: &mut dyn Tx,
        change: &Change<'_>,
        body: Object,
        named: &[&str],
        l: &mut Leniencies,
    ) -> Result<Resource>;
    /// Changes a resource.
    fn patch(
        tx: &mut dyn Tx,
        change: &Change<'_>,
        edits: &[Edit],
        l: &mut Leniencies,
    ) -> Result<Resource>;
    /// Deletes a resource.
    fn delete(tx: &mut dyn Tx, change: &Change<'_>) -> Result<()>;
    /// The values of [`Self::RELATED`] of each of these resources.
    fn related(tx: &mut dyn Tx, tenant: Uuid, ids: &[Uuid], base: &str) -> Result<Related>;
    /// Whether a changed resource is too large to be sent back without being asked for.
    fn is_large(tx: &mut dyn Tx, tenant: Uuid, id: Uuid) -> Result<bool>;
}

/// Values by resource.
pub(crate) type Related = HashMap<Uuid, Vec<Value>>;

/// A change to one resource.
pub(crate) struct Change<'a> {
    pub(crate) context: &'a Context,
    pub(crate) id: Uuid,
    pub(crate) precondition: &'a Precondition,
}

/// `/Users`
pub(crate) struct Users;

impl Kind for Users {
    const RELATED: &'static str = "groups";

    fn resource_type() -> &'static ResourceType {
        ResourceType::user()
    }

    fn create(
        tx: &mut dyn Tx,
        context: &Context,
        id: Uuid,
        body: Object,
        _: &mut Leniencies,
    ) -> Result<Resource> {
        users::create(tx, context, id, body)
    }

    fn get(tx: &mut dyn Tx, caller: &Caller, id: Uuid) -> Result<Resource> {
        users::get(tx, caller, id)
    }

    fn list(tx: &mut dyn Tx, caller: &Caller, query: &Query) -> Result<Page> {
        users::list(tx, caller, query)
    }

    fn replace(
        tx: &mut dyn Tx,
        change: &Change<'_>,
        body: Object,
        named: &[&str],
        _: &mut Leniencies,
    ) -> Result<Resource> {
        users::replace(tx, change.context, change.id, change.precondition, body, named)
    }

    fn patch(
        tx: &mut dyn Tx,
        change: &Change<'_>,
        edits: &[Edit],
        l: &mut Leniencies,
    ) -> Result<Resource> {
        users::patch(tx, change.context, change.id, change.precondition, edits, l)
    }

    fn delete(tx: &mut dyn Tx, change: &Change<'_>) -> Result<()> {
        users::delete(tx, change.context, change.id, change.precondition)
    }

    fn related(tx: &mut dyn Tx, tenant: Uuid, ids: &[Uuid], base: &str) -> Result<Related> {
        let mut related = Related::new();
        for found in tx.memberships_of(tenant, ids)? {
            related.entry(found.member).or_default().push(json!({
                "value": found.group,
                "$ref": format!("{base}/Groups/{}", found.group),
                "display": found.display,
                "type": "direct",
            }));
        }
        Ok(related)
    }

    fn is_large(_: &mut dyn Tx, _: Uuid, _: Uuid) -> Result<bool> {
        Ok(false)
    }
}

/// `/Groups`
pub(crate) struct Groups;

impl Kind for Groups {
    const RELATED: &'static str = "members";

    fn resource_type() -> &'static ResourceType {
        ResourceType::group()
    }

    fn create(
        tx: &mut dyn Tx,
        context: &Context,
        id: Uuid,
        body: Object,
        l: &mut Leniencies,
    ) -> Result<Resource> {
        groups::create(tx, context, id, body, l)
    }

    fn get(tx: &mut dyn Tx, caller: &Caller, id: Uuid) -> Result<Resource> {
        groups::get(tx, caller, id)
    }

    fn list(tx: &mut dyn Tx, caller: &Caller, query: &Query) -> Result<Page> {
        groups::list(tx, caller, query)
    }

    fn replace(
        tx: &mut dyn Tx,
        change: &Change<'_>,
        body: Object,
        named: &[&str],
        l: &mut Leniencies,
    ) -> Result<Resource> {
        groups::replace(tx, change.context, change.id, change.precondition, body, named, l)
    }

    fn patch(
        tx: &mut dyn Tx,
        change: &Change<'_>,
        edits: &[Edit],
        l: &mut Leniencies,
    ) -> Result<Resource> {
        groups::patch(tx, change.context, change.id, change.precondition, edits, l)
    }

    fn delete(tx: &mut dyn Tx, change: &Change<'_>) -> Result<()> {
        groups::delete(tx, change.context, change.id, change.precondition)
    }

    fn related(tx: &mut dyn Tx, tenant: Uuid, ids: &[Uuid], base: &str) -> Result<Related> {
        let mut related = Related::new();
        for (group, member) in tx.members_of(tenant, ids)? {
            let (kind, endpoint) = match member.kind {
                MemberKind::User => ("User", "Users"),
                MemberKind::Group => ("Group", "Groups"),
            };
            let mut value = json!({
                "value": member.id,
                "$ref": format!("{base}/{endpoint}/{}", member.id),
                "type": kind,
            });
            if let Some(display) = member.display {
                value["display"] = display.into();
            }
            related.entry(group).or_default().push(value);
        }
        Ok(related)
    }

    fn is_large(tx: &mut dyn Tx, tenant: Uuid, id: Uuid) -> Result<bool> {
        let members = tx.members(tenant, id, MAX_MEMBERS_IN_ANSWER + 1)?;
        Ok(members.len() > MAX_MEMBERS_IN_ANSWER as usize)
    }
}
