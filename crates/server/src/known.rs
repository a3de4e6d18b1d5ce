//! The credentials that requests have shown a moment ago, so that not every request asks the database
//! who is calling.
//!
//! What this server changes - a token that is revoked, a connection that may do less - counts from
//! its next request on; what another process changes, within [`SECONDS`].

use std::sync::Arc;

use accounts::tenancy::Credential;
use jiff::{SignedDuration, Timestamp};
use quick_cache::sync::Cache;

/// Tokens that are known at once.
const TOKENS: usize = 10_000;

/// How long a credential is believed, in seconds.
pub(crate) const SECONDS: i64 = 1;

/// A credential with when it was read, and after how many changes of this server.
#[derive(Clone)]
struct Read {
    credential: Arc<Credential>,
    at: Timestamp,
    changes: u64,
}

/// Credentials by the public part of their tokens.
pub(crate) struct Known(Cache<String, Read>);

impl Default for Known {
    fn default() -> Self {
        Self(Cache::new(TOKENS))
    }
}

impl Known {
    /// The credential of a token, if it was read a moment ago and nothing has changed since.
    pub(crate) fn get(&self, id: &str, now: Timestamp, changes: u64) -> Option<Arc<Credential>> {
        let read = self.0.get(id)?;
        let age = now.duration_since(read.at).abs();
        let is_fresh = age < SignedDuration::from_secs(SECONDS) && read.changes == changes;
        is_fresh.then_some(read.credential)
    }

    /// Whether a token was ever good, as far as is remembered.
    pub(crate) fn has_met(&self, id: &str) -> bool {
        self.0.peek(id).is_some()
    }

    /// Keeps a credential that was read now, after so many changes.
    pub(crate) fn keep(&self, credential: &Arc<Credential>, now: Timestamp, changes: u64) {
        let id = credential.token.id.clone();
        self.0.insert(id, Read { credential: Arc::clone(credential), at: now, changes });
    }
}

#[cfg(test)]
mod tests {
    use accounts::Rights;
    use accounts::connections::{Connection, Switches};
    use accounts::tenancy::Token;
    use scim_protocol::dialect::Dialect;
    use uuid::Uuid;

    use super::*;

    fn credential(id: &str) -> Arc<Credential> {
        let (tenant, connection, created) = (Uuid::nil(), Uuid::nil(), Timestamp::UNIX_EPOCH);
        let token = Token {
            id: id.to_owned(),
            tenant,
            connection,
            secret_hash: Vec::new(),
            created,
            expires: created,
            revoked: None,
        };
        let connection = Connection {
            id: connection,
            name: "Okta".to_owned(),
            dialect: Dialect::Okta,
            rights: Rights::of_provisioning(),
            grantable_roles: None,
            genesys_alias: false,
            switches: Switches::default(),
        };
        Arc::new(Credential { token, connection })
    }

    #[test]
    fn a_credential_is_believed_for_a_moment_and_until_something_changes() {
        let (known, start) = (Known::default(), Timestamp::UNIX_EPOCH);
        let later = |millis| start + SignedDuration::from_millis(millis);
        known.keep(&credential("a"), start, 7);
        assert!(known.get("a", later(999), 7).is_some());
        assert!(known.get("a", later(1000), 7).is_none(), "too old");
        assert!(known.get("a", later(-1000), 7).is_none(), "of a clock that was set back");
        assert!(known.get("a", start, 8).is_none(), "something changed");
        assert!(known.has_met("a") && !known.has_met("b"));
        assert!(known.get("b", start, 7).is_none());
    }
}
