//! Licence tiers and their seats (rules R11 to R13).
//!
//! What a tier has is the catalogue's to say; how many seats of it a tenant has is the only thing
//! that is changed. A tier without a number of seats has as many as are needed.

use scim_protocol::error::Error;
use scim_protocol::schema::ResourceType;
use serde_json::{Value, json};

use crate::authorization::Tier;
use crate::objects::{ObjectType, insert};
use crate::refusal::{Code, Refusal};
use crate::rights::Right;
use crate::tx::{Resource, Tx};
use crate::{Caller, Context};

/// The most seats of one tier, which is more than a tenant of a million accounts takes: each free one
/// is a row.
pub const MAX_SEATS: i64 = 2_000_000;

const TOTAL: &str = "totalSeats";

/// `/LicenseTiers`
pub struct LicenseTiers;

impl ObjectType for LicenseTiers {
    const READ: Right = Right::ReadUsers;
    const CREATABLE: bool = false;
    const DELETABLE: bool = false;

    fn resource_type() -> &'static ResourceType {
        ResourceType::license_tier()
    }

    fn check(
        _: &mut dyn Tx,
        _: &Context,
        _: Option<&Resource>,
        after: &mut Resource,
    ) -> Result<(), Refusal> {
        let Some(total) = after.attributes.get(TOTAL) else { return Ok(()) };
        if total.as_i64().is_some_and(|total| (0..=MAX_SEATS).contains(&total)) {
            return Ok(());
        }
        let detail = format!("{TOTAL} is a number from 0 to {MAX_SEATS}, or nothing for no limit");
        Err(Error::invalid_value(detail).into())
    }

    /// Makes the pool as large as it is to be: a free seat is a row that can be taken.
    fn written(
        tx: &mut dyn Tx,
        context: &Context,
        _: Option<&Resource>,
        after: &Resource,
    ) -> Result<(), Refusal> {
        let (tenant, tier) = (context.caller.tenant, tier(after)?);
        // Nobody takes or gives back a seat meanwhile.
        tx.hold_alone(tenant, tenant)?;
        let seats = tx.seats(tenant, tier)?;
        let free = match total(after) {
            None => 0,
            Some(total) if total >= seats.used => total - seats.used,
            Some(total) => {
                return Err(Refusal::rule(
                    Code::SeatsInUse,
                    format!(
                        "{TOTAL}: {} seats of {tier} are used, more than {total}: deactivate \
                         accounts first, or give them another tier",
                        seats.used
                    ),
                ));
            }
        };
        tx.resize_pool(tenant, tier, free - seats.free)?;
        Ok(())
    }

    fn complete(
        tx: &mut dyn Tx,
        caller: &Caller,
        tiers: &mut [Resource],
        wants: &dyn Fn(&str) -> bool,
    ) -> Result<(), Refusal> {
        if !wants("usedSeats") && !wants("freeSeats") {
            return Ok(());
        }
        for resource in tiers {
            let seats = tx.seats(caller.tenant, tier(resource)?)?;
            let limit = total(resource);
            resource.attributes.insert("usedSeats".to_owned(), seats.used.into());
            if limit.is_some() {
                resource.attributes.insert("freeSeats".to_owned(), seats.free.into());
            }
        }
        Ok(())
    }
}

fn total(resource: &Resource) -> Option<i64> {
    resource.attributes.get(TOTAL).and_then(Value::as_i64)
}

fn tier(resource: &Resource) -> Result<Tier, Refusal> {
    let name = resource.attributes.get("name").and_then(Value::as_str).unwrap_or_default();
    Ok(Tier::read(name)?)
}

/// Gives a new tenant the tiers, with as many seats as are needed.
pub(crate) fn furnish(tx: &mut dyn Tx, context: &Context) -> Result<(), Refusal> {
    for tier in Tier::ALL {
        let capabilities: Vec<_> = tier.capabilities().iter().map(|one| one.name()).collect();
        let comprises: Vec<_> = tier.comprises().map(Tier::name).collect();
        let attributes = json!({
            "name": tier.name(),
            "displayName": tier.display_name(),
            "capabilities": capabilities,
            "comprises": comprises,
            "listPrice": tier.list_price(),
        });
        let mut attributes = attributes.as_object().cloned().unwrap_or_default();
        attributes.retain(|_, value| value.as_array().is_none_or(|values| !values.is_empty()));
        insert::<LicenseTiers>(
            tx,
            context,
            Resource {
                id: (context.new_id)(),
                version: 1,
                created: context.now,
                last_modified: context.now,
                attributes,
            },
        )?;
    }
    Ok(())
}
