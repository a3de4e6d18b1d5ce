//! `/ProvisioningLogEntries`: what clients asked for lately, to be read.

use accounts::{Caller, Context, Page, Refusal, Resource, Right, Tx, provisioning_log};
use scim_protocol::Object;
use scim_protocol::dialect::Leniencies;
use scim_protocol::patch::Edit;
use scim_protocol::query::{Query, Sort};
use scim_protocol::schema::{AttributeRef, ResourceType};
use uuid::Uuid;

use super::{Change, Kind, Methods, Result};

/// `/ProvisioningLogEntries`
pub(crate) struct ProvisioningLogEntries;

/// What no route leads to.
fn never(id: Uuid) -> Refusal {
    Refusal::not_found(ResourceType::provisioning_log_entry().name, id)
}

impl Kind for ProvisioningLogEntries {
    const READ: Right = Right::Admin;
    const METHODS: Methods = Methods { create: false, change: false, delete: false };

    /// The newest come first: why a push failed is asked soon after.
    fn usual_order() -> Option<Sort> {
        let kind = Self::resource_type();
        let attribute = kind.schema.attribute("at")?;
        Some(Sort {
            attribute: AttributeRef { extension: None, attribute, sub: None },
            descending: true,
        })
    }

    fn resource_type() -> &'static ResourceType {
        ResourceType::provisioning_log_entry()
    }

    fn get(tx: &mut dyn Tx, caller: &Caller, id: Uuid) -> Result<Resource> {
        provisioning_log::get(tx, caller, id)
    }

    fn list(tx: &mut dyn Tx, caller: &Caller, query: &Query) -> Result<Page> {
        provisioning_log::list(tx, caller, query)
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
