//! The logs: types whose resources come to be by what is done, and are only read.

use std::marker::PhantomData;

use accounts::{Caller, Context, Page, Refusal, Resource, Right, Tx, ledger, provisioning_log};
use scim_protocol::Object;
use scim_protocol::dialect::Leniencies;
use scim_protocol::patch::Edit;
use scim_protocol::query::{Query, Sort};
use scim_protocol::schema::{AttributeRef, ResourceType};
use uuid::Uuid;

use super::{Change, Kind, Methods, Result};

/// `/ChangeLogEntries`: what everybody did.
pub(crate) type ChangeLogEntries = Log<Changes>;
/// `/ProvisioningLogEntries`: what clients asked for lately.
pub(crate) type ProvisioningLogEntries = Log<Requests>;

/// What tells one log from another.
pub(crate) trait Entries: 'static {
    /// The type of its entries.
    fn resource_type() -> &'static ResourceType;
    /// Reads an entry.
    fn get(tx: &mut dyn Tx, caller: &Caller, id: Uuid) -> Result<Resource>;
    /// Finds entries.
    fn list(tx: &mut dyn Tx, caller: &Caller, query: &Query) -> Result<Page>;
    /// As [`Kind::usual_order`].
    fn usual_order() -> Option<Sort> {
        None
    }
}

/// The entries of the change log.
pub(crate) struct Changes;

impl Entries for Changes {
    fn resource_type() -> &'static ResourceType {
        ResourceType::change_log_entry()
    }

    fn get(tx: &mut dyn Tx, caller: &Caller, id: Uuid) -> Result<Resource> {
        ledger::get(tx, caller, id)
    }

    fn list(tx: &mut dyn Tx, caller: &Caller, query: &Query) -> Result<Page> {
        ledger::list(tx, caller, query)
    }
}

/// The entries of the provisioning log.
pub(crate) struct Requests;

impl Entries for Requests {
    fn resource_type() -> &'static ResourceType {
        ResourceType::provisioning_log_entry()
    }

    fn get(tx: &mut dyn Tx, caller: &Caller, id: Uuid) -> Result<Resource> {
        provisioning_log::get(tx, caller, id)
    }

    fn list(tx: &mut dyn Tx, caller: &Caller, query: &Query) -> Result<Page> {
        provisioning_log::list(tx, caller, query)
    }

    /// The newest come first: why a push failed is asked soon after.
    fn usual_order() -> Option<Sort> {
        let attribute = Self::resource_type().schema.attribute("at")?;
        let attribute = AttributeRef { extension: None, attribute, sub: None };
        Some(Sort { attribute, descending: true })
    }
}

/// The endpoint of a log.
pub(crate) struct Log<E>(PhantomData<fn() -> E>);

impl<E: Entries> Kind for Log<E> {
    const READ: Right = Right::Admin;
    const METHODS: Methods = Methods { create: false, change: false, delete: false };

    fn resource_type() -> &'static ResourceType {
        E::resource_type()
    }

    fn usual_order() -> Option<Sort> {
        E::usual_order()
    }

    fn get(tx: &mut dyn Tx, caller: &Caller, id: Uuid) -> Result<Resource> {
        E::get(tx, caller, id)
    }

    fn list(tx: &mut dyn Tx, caller: &Caller, query: &Query) -> Result<Page> {
        E::list(tx, caller, query)
    }

    fn create(
        _: &mut dyn Tx,
        _: &Context,
        id: Uuid,
        _: Object,
        _: &mut Leniencies,
    ) -> Result<Resource> {
        Err(never::<E>(id))
    }

    fn replace(
        _: &mut dyn Tx,
        change: &Change<'_>,
        _: Object,
        _: &[String],
        _: &mut Leniencies,
    ) -> Result<Resource> {
        Err(never::<E>(change.id))
    }

    fn patch(
        _: &mut dyn Tx,
        change: &Change<'_>,
        _: &[Edit],
        _: &mut Leniencies,
    ) -> Result<Resource> {
        Err(never::<E>(change.id))
    }

    fn delete(_: &mut dyn Tx, change: &Change<'_>) -> Result<()> {
        Err(never::<E>(change.id))
    }

    fn complete(
        _: &mut dyn Tx,
        _: &Caller,
        _: &mut [Resource],
        _: &dyn Fn(&str) -> bool,
    ) -> Result<()> {
        Ok(())
    }
}

/// What no route leads to.
fn never<E: Entries>(id: Uuid) -> Refusal {
    Refusal::not_found(E::resource_type().name, id)
}
