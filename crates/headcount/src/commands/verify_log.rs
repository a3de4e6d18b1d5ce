//! `headcount verify-log`

use accounts::ledger::{Audit, audit};
use accounts::tenancy::{self, Tenant};
use anyhow::ensure;
use store::Store;

use super::{open, tenant};
use crate::settings::Settings;

/// Prints a line for everything that is wrong with the change log, and one for each tenant.
pub(crate) async fn run(settings: &Settings) -> anyhow::Result<()> {
    let store = open(settings)?;
    let tenants = match settings.tenant.clone() {
        Some(name) => vec![store.read(move |tx| tenancy::tenant_named(tx, &name)).await?],
        None => tenant::all(&store).await?,
    };
    let mut wrong = 0;
    for tenant in &tenants {
        wrong += verify(&store, tenant).await?;
    }
    ensure!(wrong == 0, "the change log is not as it was written; findings: {wrong}");
    Ok(())
}

/// How much is wrong with the log of a tenant.
async fn verify(store: &Store, tenant: &Tenant) -> anyhow::Result<u64> {
    let (mut at, mut wrong) = (Audit::default(), 0);
    while !at.is_over() {
        let (id, from) = (tenant.id, at);
        let (then, findings) = store.read(move |tx| audit(tx, id, from.clone())).await?;
        for finding in findings {
            println!("{}: {finding}", tenant.name);
            wrong += 1;
        }
        at = then;
    }
    let Audit { entries, resources, .. } = at;
    println!("{}: entries {entries}, resources {resources}, findings {wrong}", tenant.name);
    Ok(wrong)
}
