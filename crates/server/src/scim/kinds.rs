//! The resource types of the endpoint: which rules serve them.

mod logs;
mod objects;

use accounts::capacity_rules::CapacityRules;
use accounts::connections::Connections;
use accounts::divisions::Divisions;
use accounts::license_tiers::LicenseTiers;
use accounts::provisioning_rules::ProvisioningRules;
use accounts::rehire_cases::RehireCases;
use accounts::roles::Roles;
use accounts::skills::Skills;
use accounts::tenants::Tenants;
use accounts::user_templates::UserTemplates;
use accounts::users::Known;
use accounts::{
    Caller, Context, Member, Page, Precondition, Refusal, Resource, Right, Tx, groups, users,
};
use logs::{ChangeLogEntries, ProvisioningLogEntries};
pub(crate) use objects::Of;
use scim_protocol::Object;
use scim_protocol::dialect::Leniencies;
use scim_protocol::patch::Edit;
use scim_protocol::query::{Query, Sort};
use scim_protocol::schema::ResourceType;
use uuid::Uuid;

type Result<T> = std::result::Result<T, Refusal>;

/// A resource type and its rules.
pub(crate) trait Kind: 'static {
    /// What a caller must have to read its resources.
    const READ: Right;
    /// What a client can do with its resources.
    const METHODS: Methods = Methods::ALL;

    /// The order of its resources where the client asks for none; that of their identifiers if there
    /// is none.
    fn usual_order() -> Option<Sort> {
        None
    }
    /// Its schema.
    fn resource_type() -> &'static ResourceType;
    /// The schema as a caller has it.
    fn form(_: &Caller) -> &'static ResourceType {
        Self::resource_type()
    }
    /// Creates a resource under a new identifier.
    fn create(
        tx: &mut dyn Tx,
        context: &Context,
        id: Uuid,
        body: Object,
        l: &mut Leniencies,
    ) -> Result<Resource>;
    /// Whether a new resource that was refused may be one that was there before.
    fn may_be_known(_: &Refusal) -> bool {
        false
    }
    /// Finds out whether it is, for another unit of work.
    fn recognise(_: &mut dyn Tx, _: &Context, _: &Object) -> Result<Known> {
        Ok(Known::Nobody)
    }
    /// Brings a resource back that was [recognised](Self::recognise).
    fn bring_back(_: &mut dyn Tx, _: &Context, id: Uuid, _: Object) -> Result<Resource> {
        Err(Refusal::not_found(Self::resource_type().name, id))
    }
    /// Reads a resource.
    fn get(tx: &mut dyn Tx, caller: &Caller, id: Uuid) -> Result<Resource>;
    /// Finds resources.
    fn list(tx: &mut dyn Tx, caller: &Caller, query: &Query) -> Result<Page>;
    /// Replaces a resource; `named` are the attributes that the client gave, also as `null`.
    fn replace(
        tx: &mut dyn Tx,
        change: &Change<'_>,
        body: Object,
        named: &[String],
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
    /// Adds the attributes that are kept beside the resources, if they are wanted.
    fn complete(
        tx: &mut dyn Tx,
        caller: &Caller,
        resources: &mut [Resource],
        wants: &dyn Fn(&str) -> bool,
    ) -> Result<()>;
    /// Whether a changed resource is too large to be sent back without being asked for.
    fn is_large(_: &mut dyn Tx, _: &Caller, _: Uuid) -> Result<bool> {
        Ok(false)
    }
    /// The members of a resource, if they are many.
    fn many_members(_: &mut dyn Tx, _: &Caller, _: Uuid) -> Result<Option<Vec<Member>>> {
        Ok(None)
    }
}

/// Something that is done with any kind.
pub(crate) trait ForKind {
    /// What comes of it.
    type Output;
    /// Does it.
    fn with<K: Kind>(self) -> Self::Output;
}

macro_rules! kinds {
    ($($kind:ty,)*) => {
        /// Does something with the kind that serves a resource type.
        pub(crate) fn with_kind<F: ForKind>(name: &str, what: F) -> Option<F::Output> {
            $(if <$kind>::resource_type().name == name {
                return Some(what.with::<$kind>());
            })*
            None
        }
    };
}

// In the order of `ResourceType::all`.
kinds! {
    Users,
    Groups,
    Of<Roles>,
    Of<Divisions>,
    Of<Skills>,
    Of<LicenseTiers>,
    Of<CapacityRules>,
    Of<UserTemplates>,
    Of<ProvisioningRules>,
    Of<RehireCases>,
    ChangeLogEntries,
    Of<Connections>,
    Of<Tenants>,
    ProvisioningLogEntries,
}

/// What a client can do with the resources of a type, besides reading them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Methods {
    pub(crate) create: bool,
    pub(crate) change: bool,
    pub(crate) delete: bool,
}

impl Methods {
    const ALL: Self = Self { create: true, change: true, delete: true };

    /// The methods of the endpoint of the type.
    pub(crate) fn of_type(self) -> &'static str {
        if self.create { "GET, HEAD, POST" } else { "GET, HEAD" }
    }

    /// The methods of each resource.
    pub(crate) fn of_one(self) -> &'static str {
        match (self.change, self.delete) {
            (true, true) => "GET, HEAD, PUT, PATCH, DELETE",
            (true, false) => "GET, HEAD, PUT, PATCH",
            (false, true) => "GET, HEAD, DELETE",
            (false, false) => "GET, HEAD",
        }
    }
}

/// A change to one resource.
pub(crate) struct Change<'a> {
    pub(crate) context: &'a Context,
    pub(crate) id: Uuid,
    pub(crate) precondition: &'a Precondition,
}

/// `/Users`
pub(crate) struct Users;

impl Kind for Users {
    const READ: Right = Right::ReadUsers;

    fn resource_type() -> &'static ResourceType {
        ResourceType::user()
    }

    fn form(caller: &Caller) -> &'static ResourceType {
        users::form(caller)
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

    fn may_be_known(refusal: &Refusal) -> bool {
        users::may_be_known(refusal)
    }

    fn recognise(tx: &mut dyn Tx, context: &Context, body: &Object) -> Result<Known> {
        users::recognise(tx, context, body)
    }

    fn bring_back(tx: &mut dyn Tx, context: &Context, id: Uuid, body: Object) -> Result<Resource> {
        users::rehire(tx, context, id, body)
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
        named: &[String],
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

    fn complete(
        tx: &mut dyn Tx,
        caller: &Caller,
        resources: &mut [Resource],
        wants: &dyn Fn(&str) -> bool,
    ) -> Result<()> {
        users::complete(tx, caller, resources, wants)
    }
}

/// `/Groups`
pub(crate) struct Groups;

impl Kind for Groups {
    const READ: Right = Right::ReadGroups;

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
        named: &[String],
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

    fn complete(
        tx: &mut dyn Tx,
        caller: &Caller,
        resources: &mut [Resource],
        wants: &dyn Fn(&str) -> bool,
    ) -> Result<()> {
        groups::complete(tx, caller, resources, wants)
    }

    fn is_large(tx: &mut dyn Tx, caller: &Caller, id: Uuid) -> Result<bool> {
        groups::is_large(tx, caller, id)
    }

    fn many_members(tx: &mut dyn Tx, caller: &Caller, id: Uuid) -> Result<Option<Vec<Member>>> {
        groups::many_members(tx, caller, id)
    }
}
