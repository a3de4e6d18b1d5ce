//! What time does: one task that goes through the tenants every few minutes.

use std::time::Duration;

use accounts::timers::{Ticked, tick};
use accounts::{Context, Refusal};
use actix_web::rt::time::interval;
use actix_web::web::Data;

use crate::error::told;
use crate::{State, clock, requests};

/// How often.
const PERIOD: Duration = Duration::from_secs(300);

/// Goes through the tenants until the server stops.
pub(crate) async fn run(state: Data<State>) {
    let mut every = interval(PERIOD);
    loop {
        every.tick().await;
        if let Err(error) = all(&state).await {
            let error = told(&error);
            tracing::error!(error, "what is due could not be done; it is tried again");
        } else {
            let metrics = state.settings.telemetry.metrics();
            metrics.timers_done.set(clock::now().as_second());
        }
    }
}

/// Each tenant in a unit of work of its own, one after the other.
async fn all(state: &State) -> Result<(), Refusal> {
    let (store, known) = (&state.store, state.settings.telemetry.tenants());
    let tenants = store.read(|tx| Ok::<_, Refusal>(tx.tenants()?)).await?;
    for tenant in tenants {
        let context = Context::of_system(tenant.id, clock::now(), clock::new_id);
        let ticked = store.of(tenant.id).write(move |tx| tick(tx, &context)).await?;
        report(&tenant.name, &ticked);
        known.learn([(tenant.id, tenant.name.as_str())]);
        known.count_seats(tenant.id, ticked.pools);
        // The log is beside all else, and so is what goes wrong with it.
        if let Err(error) = requests::forget_old(state, &tenant).await {
            let error = told(&error);
            tracing::warn!(tenant = %tenant.name, error, "the provisioning log keeps too much");
        }
    }
    Ok(())
}

fn report(tenant: &str, ticked: &Ticked) {
    let Ticked { purged, reclaimed, forgotten, pools } = ticked;
    if purged + reclaimed + forgotten > 0 {
        tracing::info!(tenant, purged, reclaimed, forgotten, "time has passed");
    }
    for found in pools.iter().filter(|pool| !pool.adds_up()) {
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
