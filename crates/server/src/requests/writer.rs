//! The one who writes the provisioning log: every second what has come, and the last of it when the
//! server stops.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use accounts::provisioning_log::{Entry, Request, Surroundings, oldest, surroundings};
use accounts::tenancy::Tenant;
use accounts::{LeniencyUse, Refusal, StorageError};
use actix_web::rt::time::interval;
use actix_web::web::Data;
use store::Store;
use tokio::sync::Notify;
use uuid::Uuid;

use super::queue::Taken;
use crate::error::told;
use crate::{State, clock};

/// How often.
const PERIOD: Duration = Duration::from_secs(1);

/// Entries of a connection that are written before what is too much of it is taken away.
const SLACK: u32 = 1_000;

/// Entries that one transaction takes away at most.
const BATCH: u32 = 1_000;

/// How many entries of each connection were written since some were taken away.
type Written = HashMap<(Uuid, Uuid), u32>;

/// Writes until it is told to stop, and then what is left.
pub(crate) async fn run(state: Data<State>, stop: Arc<Notify>) {
    let (mut every, mut written) = (interval(PERIOD), Written::new());
    loop {
        let is_over = tokio::select! {
            _ = every.tick() => false,
            () = stop.notified() => true,
        };
        write(&state, &mut written).await;
        if is_over {
            return;
        }
    }
}

/// Writes what waits. What cannot be written is lost: it is a help, and no ledger.
async fn write(state: &State, written: &mut Written) {
    let Taken { requests, uses, lost } = state.requests.take(clock::now().as_second());
    let telemetry = &state.settings.telemetry;
    let metrics = telemetry.metrics();
    metrics.log_lost.inc_by(lost);
    if lost > 0 {
        tracing::warn!(lost, "the provisioning log has no room for so many requests at once");
    }
    for (tenant, requests) in requests {
        let count = requests.len() as u64;
        if let Err(error) = write_requests(state, tenant, requests, written).await {
            metrics.log_lost.inc_by(count);
            let error = told(&error);
            tracing::warn!(%tenant, count, error, "entries of the provisioning log are lost");
        } else {
            metrics.logged.inc_by(count);
        }
    }
    for (tenant, uses) in uses {
        if let Err(error) = count(&state.store, tenant, uses).await {
            let error = told(&error.into());
            tracing::warn!(%tenant, error, "what clients did beyond the standard is not counted");
        }
    }
}

async fn write_requests(
    state: &State,
    tenant: Uuid,
    requests: Vec<Request>,
    written: &mut Written,
) -> Result<(), Refusal> {
    let store = &state.store;
    let Surroundings { policy, connections } =
        store.read(move |tx| surroundings(tx, tenant)).await?;
    learn_names(state, tenant, &connections).await?;
    let is_erased = requests.iter().any(Request::is_erasure);
    let name = |id: Uuid| {
        let known = connections.iter().find(|(connection, _)| *connection == id);
        known.map(|(_, name)| name.as_str())
    };
    let entry = |request: Request| {
        let connection = request.connection;
        request.entry(name(connection), &policy)
    };
    let entries: Vec<Entry> = requests.into_iter().map(entry).collect();
    for entry in &entries {
        *written.entry((tenant, entry.connection)).or_default() += 1;
    }
    store
        .log(move |log| {
            log.insert_requests(tenant, &entries)?;
            if is_erased {
                log.forget_persons(tenant)?;
            }
            Ok::<_, StorageError>(())
        })
        .await?;
    let keep = u32::try_from(policy.keep_entries).unwrap_or(u32::MAX);
    for ((_, connection), count) in written.iter_mut().filter(|((of, _), _)| *of == tenant) {
        if *count >= SLACK {
            *count = 0;
            forget_but(store, tenant, *connection, keep).await?;
        }
    }
    Ok(())
}

/// Tells those who watch the server what the tenant and its connections are called.
async fn learn_names(
    state: &State,
    tenant: Uuid,
    connections: &[(Uuid, String)],
) -> Result<(), StorageError> {
    let known = state.settings.telemetry.tenants();
    known.learn(connections.iter().map(|(id, name)| (*id, name.as_str())));
    if !known.knows(tenant) {
        let tenants = state.store.read(|tx| tx.tenants()).await?;
        known.learn(tenants.iter().map(|tenant| (tenant.id, tenant.name.as_str())));
    }
    Ok(())
}

async fn count(store: &Store, tenant: Uuid, uses: Vec<LeniencyUse>) -> Result<(), StorageError> {
    store.write(move |tx| tx.count_leniencies(tenant, &uses)).await
}

/// Takes away what a tenant keeps no longer (called by the timers).
///
/// # Errors
/// The store's.
pub(crate) async fn forget_old(state: &State, tenant: &Tenant) -> Result<(), Refusal> {
    let (store, id) = (&state.store, tenant.id);
    let Surroundings { policy, connections } = store.read(move |tx| surroundings(tx, id)).await?;
    learn_names(state, id, &connections).await?;
    let oldest = oldest(&policy, clock::now());
    while store.log(move |log| log.forget_requests_before(id, oldest, BATCH)).await? > 0 {}
    let keep = u32::try_from(policy.keep_entries).unwrap_or(u32::MAX);
    for (connection, _) in connections {
        forget_but(store, id, connection, keep).await?;
    }
    Ok(())
}

/// Takes the entries of a connection away but the newest, a few in each transaction.
async fn forget_but(
    store: &Store,
    tenant: Uuid,
    connection: Uuid,
    keep: u32,
) -> Result<(), StorageError> {
    let some =
        move || store.log(move |log| log.forget_requests_but(tenant, connection, keep, BATCH));
    while some().await? > 0 {}
    Ok(())
}
