//! What time does: one task that goes through the tenants every few minutes.

use std::time::Duration;

use accounts::timers::{Ticked, tick};
use accounts::{Context, Refusal};
use actix_web::rt::time::interval;
use actix_web::web::Data;
use store::Store;

use crate::{State, clock, requests};

/// How often.
const PERIOD: Duration = Duration::from_secs(300);

/// Goes through the tenants until the server stops.
pub(crate) async fn run(state: Data<State>) {
    let mut every = interval(PERIOD);
    loop {
        every.tick().await;
        if let Err(error) = all(&state.store).await {
            tracing::error!(?error, "what is due could not be done; it is tried again");
        }
    }
}

/// Each tenant in a unit of work of its own, one after the other.
async fn all(store: &Store) -> Result<(), Refusal> {
    let tenants = store.read(|tx| Ok::<_, Refusal>(tx.tenants()?)).await?;
    for tenant in tenants {
        let context = Context::of_system(tenant.id, clock::now(), clock::new_id);
        let ticked = store.of(tenant.id).write(move |tx| tick(tx, &context)).await?;
        report(&tenant.name, &ticked);
        // The log is beside all else, and so is what goes wrong with it.
        if let Err(error) = requests::forget_old(store, &tenant).await {
            tracing::warn!(tenant = %tenant.name, ?error, "the provisioning log keeps too much");
        }
    }
    Ok(())
}

fn report(tenant: &str, ticked: &Ticked) {
    let Ticked { purged, reclaimed, forgotten, drift } = ticked;
    if purged + reclaimed + forgotten > 0 {
        tracing::info!(tenant, purged, reclaimed, forgotten, "time has passed");
    }
    for found in drift {
        tracing::warn!(
            tenant,
            tier = %found.tier,
            total = found.total,
            used = found.seats.used,
            free = found.seats.free,
            "the seats of a tier do not add up (rule R19)"
        );
    }
}
