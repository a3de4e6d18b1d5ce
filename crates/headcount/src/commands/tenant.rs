//! `headcount tenant`

use accounts::tenancy::{self, Tenant};
use accounts::{Refusal, StorageError};
use server::clock;
use store::Store;

use super::open;
use crate::settings::Settings;

pub(crate) async fn create(settings: &Settings, name: String) -> anyhow::Result<()> {
    let tenant = insert(&open(settings)?, name).await?;
    eprintln!(
        "created tenant {}; next: headcount token create --tenant {:?}",
        tenant.name, tenant.name
    );
    println!("{}", tenant.id);
    Ok(())
}

pub(crate) async fn insert(store: &Store, name: String) -> Result<Tenant, Refusal> {
    let (id, now) = (clock::new_id(), clock::now());
    store.write(move |tx| tenancy::create_tenant(tx, &name, id, now, clock::new_id)).await
}

pub(crate) async fn all(store: &Store) -> Result<Vec<Tenant>, StorageError> {
    store.read(|tx| tx.tenants()).await
}

pub(crate) async fn list(settings: &Settings) -> anyhow::Result<()> {
    for tenant in all(&open(settings)?).await? {
        println!("{}  {}  {}", tenant.id, tenant.created, tenant.name);
    }
    Ok(())
}
