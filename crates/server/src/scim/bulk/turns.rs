//! Whose turn it is: the bulk requests of a tenant are carried out one after the other.
//!
//! Two of them that change the same resources in different orders would wait for each other, and
//! one be begun again, which with a few of them comes to no end. The store settles it between
//! servers (`Savepoints::lock_parts`); here they wait without holding one of its lanes, so that a
//! tenant's bulk requests leave the others room.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use accounts::StorageError;
use tokio::sync::OwnedMutexGuard;
use uuid::Uuid;

/// Requests of one tenant that are at work or wait at most; a further one is refused.
const AT_ONCE: usize = 32;

type Tenant = tokio::sync::Mutex<()>;

/// The turns of every tenant.
#[derive(Default)]
pub(crate) struct Turns(Mutex<HashMap<Uuid, Weak<Tenant>>>);

impl Turns {
    /// Waits for the turn of a request, which lasts until the guard is dropped.
    ///
    /// # Errors
    /// `Unavailable` if too many wait already.
    pub(super) async fn of(&self, tenant: Uuid) -> Result<OwnedMutexGuard<()>, StorageError> {
        let tenant = self.tenant(tenant);
        // This one has its own, as have those that wait or are at work.
        if Arc::strong_count(&tenant) > AT_ONCE {
            return Err(StorageError::Unavailable("too many bulk requests wait".to_owned()));
        }
        store::in_time(tenant.lock_owned()).await
    }

    fn tenant(&self, tenant: Uuid) -> Arc<Tenant> {
        // Nothing panics while it is held.
        let mut tenants = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = tenants.get(&tenant).and_then(Weak::upgrade) {
            return known;
        }
        tenants.retain(|_, other| other.strong_count() > 0);
        let new = Arc::default();
        tenants.insert(tenant, Arc::downgrade(&new));
        new
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::FutureExt;

    use super::*;

    #[actix_web::test]
    async fn rfc7644_3_7_bulk_requests_of_a_tenant_take_turns() {
        let (turns, acme, other) = (Turns::default(), Uuid::from_u128(1), Uuid::from_u128(2));
        let first = turns.of(acme).await.unwrap();
        let mut second = pin!(turns.of(acme));
        assert!(second.as_mut().now_or_never().is_none());
        assert!(turns.of(other).now_or_never().is_some());
        drop(first);
        assert!(second.await.is_ok());
        turns.of(Uuid::from_u128(3)).await.unwrap();
        assert_eq!(turns.0.lock().unwrap().len(), 1, "what nobody holds is forgotten");
    }

    #[actix_web::test]
    async fn rfc7644_3_7_a_few_bulk_requests_of_a_tenant_wait() {
        let (turns, acme) = (Turns::default(), Uuid::from_u128(1));
        let mut waiting: Vec<_> = (0..AT_ONCE).map(|_| Box::pin(turns.of(acme))).collect();
        let first = waiting.remove(0).await.unwrap();
        for other in &mut waiting {
            assert!(other.now_or_never().is_none());
        }
        assert!(matches!(turns.of(acme).await, Err(StorageError::Unavailable(_))));
        drop(first);
        waiting.remove(0).await.unwrap();
        assert!(turns.of(acme).now_or_never().is_none(), "there is room for one");
    }
}
