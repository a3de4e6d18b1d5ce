//! `/ChangeLogEntries`: what everybody did, to be read.

use accounts::{Caller, Context, Page, Refusal, Resource, Right, Tx, ledger};
use scim_protocol::Object;
use scim_protocol::dialect::Leniencies;
use scim_protocol::patch::Edit;
use scim_protocol::query::Query;
use scim_protocol::schema::ResourceType;
use uuid::Uuid;

use super::{Change, Kind, Methods, Result};

/// `/ChangeLogEntries`
pub(crate) struct ChangeLogEntries;

/// What no route leads to.
fn never(id: Uuid) -> Refusal {
    Refusal::not_found(ResourceType::change_log_entry().name, id)
}

impl Kind for ChangeLogEntries {
    const READ: Right = Right::Admin;
    const METHODS: Methods = Methods { create: false, change: false, delete: false };

    fn resource_type() -> &'static ResourceType {
        ResourceType::change_log_entry()
    }

    fn get(tx: &mut dyn Tx, caller: &Caller, id: Uuid) -> Result<Resource> {
        ledger::get(tx, caller, id)
    }

    fn list(tx: &mut dyn Tx, caller: &Caller, query: &Query) -> Result<Page> {
        ledger::list(tx, caller, query)
    }

    fn create(
        _: &mut dyn Tx,
        _: &Context,
        id: Uuid,
        _: Object,
        _: &mut Leniencies,
    ) -> Result<Resource> {
        Err(never(id))
    }

    fn replace(
        _: &mut dyn Tx,
        change: &Change<'_>,
        _: Object,
        _: &[String],
        _: &mut Leniencies,
    ) -> Result<Resource> {
        Err(never(change.id))
    }

    fn patch(
        _: &mut dyn Tx,
        change: &Change<'_>,
        _: &[Edit],
        _: &mut Leniencies,
    ) -> Result<Resource> {
        Err(never(change.id))
    }

    fn delete(_: &mut dyn Tx, change: &Change<'_>) -> Result<()> {
        Err(never(change.id))
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
