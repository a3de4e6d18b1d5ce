//! The resource types that are neither users nor groups, all served in one way.

use std::marker::PhantomData;

use accounts::objects::{self, ObjectType};
use accounts::{Caller, Context, Page, Resource, Right, Tx};
use scim_protocol::Object;
use scim_protocol::dialect::Leniencies;
use scim_protocol::patch::Edit;
use scim_protocol::query::Query;
use scim_protocol::schema::ResourceType;
use uuid::Uuid;

use super::{Change, Kind, Methods, Result};

/// The endpoint of such a type.
pub(crate) struct Of<T>(PhantomData<fn() -> T>);

impl<T: ObjectType> Kind for Of<T> {
    const READ: Right = T::READ;
    const METHODS: Methods =
        Methods { create: T::CREATABLE, change: T::CHANGEABLE, delete: T::DELETABLE };

    fn resource_type() -> &'static ResourceType {
        T::resource_type()
    }

    fn create(
        tx: &mut dyn Tx,
        context: &Context,
        id: Uuid,
        body: Object,
        _: &mut Leniencies,
    ) -> Result<Resource> {
        objects::create::<T>(tx, context, id, body)
    }

    fn get(tx: &mut dyn Tx, caller: &Caller, id: Uuid) -> Result<Resource> {
        objects::get::<T>(tx, caller, id)
    }

    fn list(tx: &mut dyn Tx, caller: &Caller, query: &Query) -> Result<Page> {
        objects::list::<T>(tx, caller, query)
    }

    fn replace(
        tx: &mut dyn Tx,
        change: &Change<'_>,
        body: Object,
        _: &[String],
        _: &mut Leniencies,
    ) -> Result<Resource> {
        objects::replace::<T>(tx, change.context, change.id, change.precondition, body)
    }

    fn patch(
        tx: &mut dyn Tx,
        change: &Change<'_>,
        edits: &[Edit],
        l: &mut Leniencies,
    ) -> Result<Resource> {
        objects::patch::<T>(tx, change.context, change.id, change.precondition, edits, l)
    }

    fn delete(tx: &mut dyn Tx, change: &Change<'_>) -> Result<()> {
        objects::delete::<T>(tx, change.context, change.id, change.precondition)
    }

    fn complete(
        tx: &mut dyn Tx,
        caller: &Caller,
        resources: &mut [Resource],
        wants: &dyn Fn(&str) -> bool,
    ) -> Result<()> {
        T::complete(tx, caller, resources, wants)
    }
}
