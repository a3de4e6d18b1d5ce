//! Resources that are neither users nor groups: roles, divisions, skills and the like.
//!
//! What they have in common is here: they are created, read, changed and deleted in one way, with
//! a version, a change log entry and a name that is unique. What a type has of its own is its
//! [`ObjectType`].

use scim_protocol::Object;
use scim_protocol::dialect::Leniencies;
use scim_protocol::fold::fold;
use scim_protocol::immutable;
use scim_protocol::patch::{self, Edit};
use scim_protocol::query::Query;
use scim_protocol::schema::{Mutability, ResourceType};
use serde_json::Value;
use uuid::Uuid;

use crate::ledger::{Action, appearances, append, differences};
use crate::refusal::{Code, Refusal};
use crate::resources::{MAX_NAME, check_size};
use crate::rights::Right;
use crate::tidy::tidy;
use crate::tx::{Page, Resource, Tx};
use crate::{Caller, Context, Precondition};

/// What no two resources of a type have both of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UniqueName {
    /// The part of the type within which the name is unique; empty where there is but one.
    pub variant: String,
    /// The name, folded.
    pub name: String,
}

/// A resource type of [`Objects`](crate::Objects), and what is its own.
pub trait ObjectType: 'static {
    /// What a caller must have to read its resources.
    const READ: Right;
    /// Whether administrators create its resources.
    const CREATABLE: bool = true;
    /// Whether they change them.
    const CHANGEABLE: bool = true;
    /// Whether they delete them.
    const DELETABLE: bool = true;
    /// The longest name, in characters.
    const MAX_NAME: usize = MAX_NAME;

    /// Its schema.
    fn resource_type() -> &'static ResourceType;

    /// What is unique; by default the `name`.
    fn unique_name(attributes: &Object) -> Option<UniqueName> {
        let name = attributes.get("name").and_then(Value::as_str)?;
        Some(UniqueName { variant: String::new(), name: fold(name.trim()) })
    }

    /// Checks a new state, and adds what the service provider says itself. `before` is none for a
    /// resource that is being created.
    ///
    /// # Errors
    /// What the rules of the type refuse.
    fn check(
        _tx: &mut dyn Tx,
        _context: &Context,
        _before: Option<&Resource>,
        _after: &mut Resource,
    ) -> Result<(), Refusal> {
        Ok(())
    }

    /// Does what follows from a state that has been written.
    ///
    /// # Errors
    /// What the rules of the type refuse.
    fn written(
        _tx: &mut dyn Tx,
        _context: &Context,
        _before: Option<&Resource>,
        _after: &Resource,
    ) -> Result<(), Refusal> {
        Ok(())
    }

    /// Checks that a resource may be deleted. Nobody else refers to it anew meanwhile.
    ///
    /// # Errors
    /// What the rules of the type refuse.
    fn removable(
        _tx: &mut dyn Tx,
        _context: &Context,
        _resource: &Resource,
    ) -> Result<(), Refusal> {
        Ok(())
    }

    /// Does what follows from a deletion.
    ///
    /// # Errors
    /// What the rules of the type refuse.
    fn removed(_tx: &mut dyn Tx, _context: &Context, _resource: &Resource) -> Result<(), Refusal> {
        Ok(())
    }

    /// Takes away what a copy of a resource does not have.
    fn copied(_attributes: &mut Object) {}

    /// Adds the attributes that are computed when they are read, if they are wanted.
    ///
    /// # Errors
    /// The store's.
    fn complete(
        _tx: &mut dyn Tx,
        _caller: &Caller,
        _resources: &mut [Resource],
        _wants: &dyn Fn(&str) -> bool,
    ) -> Result<(), Refusal> {
        Ok(())
    }
}

/// Creates a resource under an identifier that was never used.
///
/// # Errors
/// Refuses a name that another resource of the type has, and what the type refuses.
pub fn create<T: ObjectType>(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    body: Object,
) -> Result<Resource, Refusal> {
    context.caller.require(Right::Admin)?;
    let created = Resource {
        id,
        version: 1,
        created: context.now,
        last_modified: context.now,
        attributes: body,
    };
    insert::<T>(tx, context, created)
}

/// Creates a resource that is like another but for its name. Without a name it is called after the
/// other.
///
/// # Errors
/// As [`create`]; also an unknown identifier.
pub fn copy<T: ObjectType>(
    tx: &mut dyn Tx,
    context: &Context,
    from: Uuid,
    name: Option<&str>,
) -> Result<Resource, Refusal> {
    context.caller.require(Right::Admin)?;
    let mut body = get::<T>(tx, &context.caller, from)?.attributes;
    let own = &T::resource_type().schema.attributes;
    for attribute in own.iter().filter(|a| a.mutability == Mutability::ReadOnly) {
        body.shift_remove(&attribute.name);
    }
    body.shift_remove("externalId");
    T::copied(&mut body);
    let original = body.get("name").and_then(Value::as_str).unwrap_or_default();
    let name = name.map_or_else(|| format!("{original} (copy)"), str::to_owned);
    body.insert("name".to_owned(), name.into());
    create::<T>(tx, context, (context.new_id)(), body)
}

/// Adds a resource that a rule makes, whoever asks.
pub(crate) fn insert<T: ObjectType>(
    tx: &mut dyn Tx,
    context: &Context,
    mut created: Resource,
) -> Result<Resource, Refusal> {
    let (kind, tenant) = (T::resource_type(), context.caller.tenant);
    tidy(kind, T::MAX_NAME, &mut created.attributes)?;
    T::check(tx, context, None, &mut created)?;
    check_size(&created.attributes)?;
    created.attributes = in_order::<T>(created.attributes);
    if !tx.insert_object(tenant, kind, T::unique_name(&created.attributes), &created)? {
        return Err(name_taken::<T>());
    }
    T::written(tx, context, None, &created)?;
    let changes = appearances(kind, created.attributes.clone());
    append(tx, context, Action::Create, kind.name, &created, changes)?;
    Ok(created)
}

/// Reads a resource.
///
/// # Errors
/// Refuses an identifier that the caller cannot see.
pub fn get<T: ObjectType>(tx: &mut dyn Tx, caller: &Caller, id: Uuid) -> Result<Resource, Refusal> {
    caller.require(T::READ)?;
    let kind = T::resource_type();
    tx.object(caller.scope(), kind, id)?.ok_or_else(|| Refusal::not_found(kind.name, id))
}

/// The resources of a query.
///
/// # Errors
/// Refuses to filter or sort by what cannot be searched.
pub fn list<T: ObjectType>(
    tx: &mut dyn Tx,
    caller: &Caller,
    query: &Query,
) -> Result<Page, Refusal> {
    caller.require(T::READ)?;
    Ok(tx.objects(caller.scope(), T::resource_type(), query)?)
}

/// Replaces a resource (RFC 7644 section 3.5.1): what the body leaves out is cleared.
///
/// # Errors
/// As [`create`]; also an unknown identifier and a version that is not the expected one.
pub fn replace<T: ObjectType>(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    precondition: &Precondition,
    mut body: Object,
) -> Result<Resource, Refusal> {
    context.caller.require(Right::Admin)?;
    change::<T>(tx, context, id, precondition, Action::Update, |attributes| {
        immutable::carry_over(T::resource_type(), attributes, &mut body)?;
        keep_read_only::<T>(attributes, &mut body);
        *attributes = body;
        Ok(())
    })
}

/// Changes a resource by a sequence of edits (RFC 7644 section 3.5.2), all or none.
///
/// # Errors
/// As [`replace`], and what [`patch::apply`] refuses.
pub fn patch<T: ObjectType>(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    precondition: &Precondition,
    edits: &[Edit],
    leniencies: &mut Leniencies,
) -> Result<Resource, Refusal> {
    context.caller.require(Right::Admin)?;
    change::<T>(tx, context, id, precondition, Action::Update, |attributes| {
        patch::apply(T::resource_type(), attributes, edits, leniencies)?;
        Ok(())
    })
}

/// Deletes a resource as far as clients can see: its row and its history stay.
///
/// # Errors
/// Refuses an unknown identifier, a version that is not the expected one, and what the type
/// refuses.
pub fn delete<T: ObjectType>(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    precondition: &Precondition,
) -> Result<(), Refusal> {
    context.caller.require(Right::Admin)?;
    let (kind, tenant) = (T::resource_type(), context.caller.tenant);
    tx.hold_alone(tenant, id)?;
    let mut object = for_update::<T>(tx, context, id)?;
    precondition.check(object.version)?;
    T::removable(tx, context, &object)?;
    object.version += 1;
    object.last_modified = context.now;
    tx.tombstone_object(tenant, &object)?;
    let changes = differences(kind, &object.attributes, &Object::new());
    append(tx, context, Action::Tombstone, kind.name, &object, changes)?;
    T::removed(tx, context, &object)
}

/// Brings a deleted resource back, as it was.
///
/// # Errors
/// Refuses an identifier of which nothing is deleted, a name that another resource has meanwhile,
/// and what the type refuses of a new one.
pub fn restore<T: ObjectType>(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
) -> Result<Resource, Refusal> {
    context.caller.require(Right::Admin)?;
    let (kind, tenant) = (T::resource_type(), context.caller.tenant);
    tx.hold_alone(tenant, id)?;
    let deleted = tx.deleted_object(tenant, kind, id)?;
    let mut object = deleted.ok_or_else(|| Refusal::not_found(kind.name, id))?;
    T::check(tx, context, None, &mut object)?;
    object.attributes = in_order::<T>(object.attributes);
    object.version += 1;
    object.last_modified = context.now;
    if !tx.restore_object(tenant, kind, T::unique_name(&object.attributes), &object)? {
        return Err(name_taken::<T>());
    }
    T::written(tx, context, None, &object)?;
    let changes = appearances(kind, object.attributes.clone());
    append(tx, context, Action::Restore, kind.name, &object, changes)?;
    Ok(object)
}

/// Has a type alone until this transaction ends, for a rule over all resources of it: others that ask
/// for the same wait. Who only refers to its resources does not.
pub(crate) fn hold_type_alone<T: ObjectType>(
    tx: &mut dyn Tx,
    context: &Context,
) -> Result<(), Refusal> {
    // No resource has this identifier: it is the name of the type.
    let name = T::resource_type().name.bytes();
    let id = name.fold(0_u128, |id, byte| id.rotate_left(8) ^ u128::from(byte));
    Ok(tx.hold_alone(context.caller.tenant, Uuid::from_u128(id))?)
}

/// The one way in which a resource changes; a change that changes nothing leaves no trace.
pub(crate) fn change<T: ObjectType>(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    precondition: &Precondition,
    action: Action,
    edit: impl FnOnce(&mut Object) -> Result<(), Refusal>,
) -> Result<Resource, Refusal> {
    let (kind, tenant) = (T::resource_type(), context.caller.tenant);
    let before = for_update::<T>(tx, context, id)?;
    precondition.check(before.version)?;
    let mut after = before.clone();
    edit(&mut after.attributes)?;
    tidy(kind, T::MAX_NAME, &mut after.attributes)?;
    T::check(tx, context, Some(&before), &mut after)?;
    check_size(&after.attributes)?;
    after.attributes = in_order::<T>(after.attributes);
    if after.attributes == before.attributes {
        return Ok(before);
    }
    after.version += 1;
    after.last_modified = context.now;
    if !tx.update_object(tenant, kind, T::unique_name(&after.attributes), &after)? {
        return Err(name_taken::<T>());
    }
    T::written(tx, context, Some(&before), &after)?;
    let changes = differences(kind, &before.attributes, &after.attributes);
    append(tx, context, action, kind.name, &after, changes)?;
    Ok(after)
}

/// Gives a resource a version and an entry of its own for something that changed beside its attributes, and
/// that the entry tells.
pub(crate) fn note<T: ObjectType>(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    action: Action,
    change: Value,
) -> Result<(), Refusal> {
    let (kind, tenant) = (T::resource_type(), context.caller.tenant);
    let mut object = for_update::<T>(tx, context, id)?;
    object.version += 1;
    object.last_modified = context.now;
    if !tx.update_object(tenant, kind, T::unique_name(&object.attributes), &object)? {
        return Err(name_taken::<T>());
    }
    append(tx, context, action, kind.name, &object, vec![change])
}

/// A resource that no other transaction can change before this one ends.
pub(crate) fn for_update<T: ObjectType>(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
) -> Result<Resource, Refusal> {
    let kind = T::resource_type();
    let found = tx.object_for_update(context.caller.scope(), kind, id)?;
    found.ok_or_else(|| Refusal::not_found(kind.name, id))
}

/// What the service provider says itself is not in a body, and stays.
fn keep_read_only<T: ObjectType>(before: &Object, after: &mut Object) {
    let own = &T::resource_type().schema.attributes;
    for attribute in own.iter().filter(|a| a.mutability == Mutability::ReadOnly) {
        if let Some(value) = before.get(&attribute.name) {
            after.insert(attribute.name.clone(), value.clone());
        }
    }
}

fn in_order<T: ObjectType>(attributes: Object) -> Object {
    scim_protocol::resource::in_schema_order(T::resource_type(), attributes)
}

fn name_taken<T: ObjectType>() -> Refusal {
    let name = T::resource_type().name;
    Refusal::rule(
        Code::NameTaken,
        format!("another {name} has the name: find it by name and update it, or choose another"),
    )
}
