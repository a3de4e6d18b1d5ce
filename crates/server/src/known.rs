//! Who has shown something a moment ago, so that not every request asks the database who is calling.
//!
//! What this server changes - a token that is revoked, a connection that may do less - counts from
//! its next request on; what another process changes, within [`SECONDS`].

use std::sync::Arc;

use accounts::connections::Connection;
use accounts::credentials::Client;
use accounts::tenancy::Credential;
use accounts::{Caller, Rights};
use jiff::{SignedDuration, Timestamp};
use quick_cache::sync::Cache;
use uuid::Uuid;

/// Clients that are known at once.
const CLIENTS: usize = 10_000;

/// How long what was read is believed, in seconds.
pub(crate) const SECONDS: i64 = 1;

/// Who somebody is found to be by what was shown.
#[derive(Debug)]
pub(crate) struct Admitted {
    /// The tenant that it reaches.
    pub(crate) tenant: Uuid,
    connection: Connection,
    /// The public identifier of the token or credential by which it was found.
    pub(crate) credential: String,
    /// SHA-256 of the secret that has to be shown besides, where it is found by what is public.
    pub(crate) secret_hash: Vec<u8>,
    /// What it may do at most of what its connection may do.
    rights: Rights,
    is_revoked: bool,
    /// When it ends, if it does.
    ends: Option<Timestamp>,
}

impl Admitted {
    /// Whoever has this token, and its secret.
    pub(crate) fn of_token(Credential { token, connection }: Credential) -> Self {
        Self {
            tenant: token.tenant,
            connection,
            credential: token.id,
            secret_hash: token.secret_hash,
            rights: Rights::ALL,
            is_revoked: token.revoked.is_some(),
            ends: Some(token.expires),
        }
    }

    /// A client that has proved itself with its credential, or with what was given for that: until then,
    /// and for these rights at most.
    pub(crate) fn of_client(client: Client, rights: Rights, until: Option<Timestamp>) -> Self {
        let Client { credential, connection } = client;
        Self {
            tenant: credential.tenant,
            connection,
            credential: credential.id,
            secret_hash: Vec::new(),
            rights,
            is_revoked: credential.revoked.is_some(),
            ends: credential.expires.into_iter().chain(until).min(),
        }
    }

    /// Whether it is let in at this time.
    pub(crate) fn is_live(&self, now: Timestamp) -> bool {
        !self.is_revoked && self.ends.is_none_or(|end| now < end)
    }

    /// Who calls, at this time.
    pub(crate) fn caller(&self, now: Timestamp) -> Caller {
        let caller = self.connection.caller(self.tenant, now);
        Caller { rights: caller.rights.narrowed_to(self.rights), ..caller }
    }
}

/// One that was admitted, with when that was read and after how many changes of this server.
#[derive(Clone)]
struct Read {
    admitted: Arc<Admitted>,
    at: Timestamp,
    changes: u64,
}

/// Who was admitted, by the public part of a token or the digest of anything else that was shown.
pub(crate) struct Known(Cache<String, Read>);

impl Default for Known {
    fn default() -> Self {
        Self(Cache::new(CLIENTS))
    }
}

impl Known {
    /// Who it is, if that was read a moment ago and nothing has changed since.
    pub(crate) fn get(&self, key: &str, now: Timestamp, changes: u64) -> Option<Arc<Admitted>> {
        let read = self.0.get(key)?;
        let age = now.duration_since(read.at).abs();
        let is_fresh = age < SignedDuration::from_secs(SECONDS) && read.changes == changes;
        is_fresh.then_some(read.admitted)
    }

    /// Whether it was ever good, as far as is remembered.
    pub(crate) fn has_met(&self, key: &str) -> bool {
        self.0.peek(key).is_some()
    }

    /// Keeps who it is, which was read now, after so many changes.
    pub(crate) fn keep(&self, key: &str, admitted: &Arc<Admitted>, now: Timestamp, changes: u64) {
        self.0.insert(key.to_owned(), Read { admitted: Arc::clone(admitted), at: now, changes });
    }
}

#[cfg(test)]
mod tests {
    use accounts::connections::Switches;
    use scim_protocol::dialect::Dialect;

    use super::*;

    fn admitted(rights: Rights, ends: Option<Timestamp>) -> Arc<Admitted> {
        let connection = Connection {
            id: Uuid::nil(),
            name: "Okta".to_owned(),
            dialect: Dialect::Okta,
            rights: Rights::of_provisioning(),
            grantable_roles: None,
            genesys_alias: false,
            basic_authentication: false,
            switches: Switches::default(),
        };
        Arc::new(Admitted {
            tenant: Uuid::nil(),
            connection,
            credential: "a".to_owned(),
            secret_hash: Vec::new(),
            rights,
            is_revoked: false,
            ends,
        })
    }

    #[test]
    fn who_was_admitted_is_believed_for_a_moment_and_until_something_changes() {
        let (known, start) = (Known::default(), Timestamp::UNIX_EPOCH);
        let later = |millis| start + SignedDuration::from_millis(millis);
        known.keep("a", &admitted(Rights::ALL, None), start, 7);
        assert!(known.get("a", later(999), 7).is_some());
        assert!(known.get("a", later(1000), 7).is_none(), "too old");
        assert!(known.get("a", later(-1000), 7).is_none(), "of a clock that was set back");
        assert!(known.get("a", start, 8).is_none(), "something changed");
        assert!(known.has_met("a") && !known.has_met("b"));
        assert!(known.get("b", start, 7).is_none());
    }

    #[test]
    fn a_caller_has_what_both_the_connection_and_the_token_allow() {
        let wanted = Rights::named(["scim.users.read", "admin"]).unwrap();
        let end = Timestamp::from_second(10).unwrap();
        let narrow = admitted(wanted, Some(end));
        let caller = narrow.caller(end);
        assert_eq!(caller.rights.names().collect::<Vec<_>>(), ["scim.users.read"]);
        assert!(narrow.is_live(Timestamp::UNIX_EPOCH) && !narrow.is_live(end));
        let whole = admitted(Rights::ALL, None);
        assert_eq!(whole.caller(end).rights, Rights::of_provisioning());
    }
}
