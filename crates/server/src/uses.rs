//! When tokens and credentials were last used, for the administrators who look for those that nobody
//! needs any more.
//!
//! It is noted where a credential is looked up anyway, about once a second while it is used, and
//! written beside the requests: each at most once a minute.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use accounts::StorageError;
use accounts::tenancy::Use;
use actix_web::rt::time::interval;
use actix_web::web::Data;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::{State, clock};

/// How often it is looked whether there is something to write.
const PERIOD: Duration = Duration::from_secs(5);

/// How often a use of the same credential is written at most.
const PAUSE: SignedDuration = SignedDuration::from_secs(60);

/// The most that are remembered at once; uses of more are not noted.
const MOST: usize = 10_000;

/// Uses that are noted, by tenant and identifier.
#[derive(Default)]
pub(crate) struct Uses(Mutex<HashMap<(Uuid, String), Noted>>);

#[derive(Clone, Copy)]
struct Noted {
    used: Timestamp,
    written: Option<Timestamp>,
}

impl Uses {
    /// Notes a use.
    pub(crate) fn note(&self, tenant: Uuid, id: &str, now: Timestamp) {
        let mut uses = self.lock();
        let count = uses.len();
        let key = (tenant, id.to_owned());
        if let Some(noted) = uses.get_mut(&key) {
            noted.used = noted.used.max(now);
        } else if count < MOST {
            uses.insert(key, Noted { used: now, written: None });
        }
    }

    /// What is to be written now, or anyhow where everything ends. What was not used for long is
    /// forgotten.
    fn due(&self, now: Timestamp, is_end: bool) -> Vec<Use> {
        let mut uses = self.lock();
        uses.retain(|_, noted| {
            noted.written.is_none_or(|written| {
                noted.used > written || now.duration_since(written).abs() < PAUSE
            })
        });
        let mut due = Vec::new();
        for ((tenant, id), noted) in uses.iter_mut() {
            let is_due = noted.written.is_none_or(|written| {
                noted.used > written && (is_end || now.duration_since(written).abs() >= PAUSE)
            });
            if is_due {
                noted.written = Some(now.max(noted.used));
                due.push(Use { tenant: *tenant, id: id.clone(), at: noted.used });
            }
        }
        // In one order, so that two servers never wait for each other's rows.
        due.sort_by(|a, b| (a.tenant, &a.id).cmp(&(b.tenant, &b.id)));
        due
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(Uuid, String), Noted>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes until the server stops, and then the rest.
pub(crate) async fn run(state: Data<State>, ends: Arc<Notify>) {
    let mut every = interval(PERIOD);
    loop {
        let is_end = tokio::select! {
            _ = every.tick() => false,
            () = ends.notified() => true,
        };
        if let Err(error) = write(&state, is_end).await {
            tracing::warn!(?error, "when credentials were used could not be noted");
        }
        if is_end {
            return;
        }
    }
}

async fn write(state: &State, is_end: bool) -> Result<(), StorageError> {
    let due = state.uses.due(clock::now(), is_end);
    if due.is_empty() {
        return Ok(());
    }
    state.store.write(move |tx| tx.note_uses(&due)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_is_written_at_once_and_then_once_a_minute() {
        let (uses, tenant) = (Uses::default(), Uuid::nil());
        let at = |second| Timestamp::from_second(second).unwrap();
        let written = |now, is_end| {
            let due = uses.due(at(now), is_end);
            due.into_iter().map(|of| of.at.as_second()).collect::<Vec<_>>()
        };
        uses.note(tenant, "a", at(0));
        uses.note(tenant, "a", at(3));
        assert_eq!(written(5, false), [3]);
        for second in 6..60 {
            uses.note(tenant, "a", at(second));
            assert_eq!(written(second, false), [0; 0], "{second}");
        }
        assert_eq!(written(65, false), [59]);
        uses.note(tenant, "a", at(66));
        assert_eq!(written(67, true), [66], "the rest, where everything ends");
        assert_eq!(written(200, false), [0; 0]);
        assert!(uses.lock().is_empty(), "what is not used is forgotten");
    }
}
