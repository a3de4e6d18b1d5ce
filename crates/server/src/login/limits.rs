//! How often somebody may knock: requests from one address, and logins under one name, in a minute. Each
//! server counts for itself, in memory that is bounded.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

/// Length of a window, in seconds.
const WINDOW: i64 = 60;

/// Logins under one name in a window. An account is locked sooner; this is for names that nobody has,
/// too, so that nobody can tell them apart.
const PER_NAME: u32 = 10;

/// What is counted at once at most.
const MAX_COUNTED: usize = 100_000;

/// Counts by what they are of, as the hash of that.
#[derive(Default)]
struct Counts(HashMap<u64, (i64, u32)>);

impl Counts {
    /// Counts one more; after how many seconds to come again, if it is one too many.
    fn add(&mut self, key: u64, limit: u32, now: i64) -> Result<(), i64> {
        if self.0.len() >= MAX_COUNTED {
            self.0.retain(|_, (start, _)| now - *start < WINDOW);
        }
        if self.0.len() >= MAX_COUNTED {
            self.0.clear();
        }
        let (start, count) = self.0.entry(key).or_insert((now, 0));
        if now - *start >= WINDOW || now < *start {
            (*start, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        if *count > limit { Err(*start + WINDOW - now) } else { Ok(()) }
    }
}

/// What was counted of late.
pub(crate) struct Limits {
    counts: Mutex<Counts>,
    hasher: RandomState,
    per_address: u32,
}

impl Limits {
    /// `per_address` requests in a minute from each address; 0 for as many as come.
    pub(crate) fn new(per_address: u32) -> Self {
        Self { counts: Mutex::default(), hasher: RandomState::new(), per_address }
    }

    /// Counts a request from an address.
    ///
    /// # Errors
    /// After how many seconds to come again.
    pub(crate) fn of_address(&self, address: Option<IpAddr>, now: Timestamp) -> Result<(), i64> {
        let Some(address) = address.filter(|_| self.per_address > 0) else { return Ok(()) };
        // Whoever has an IPv6 address has the other 2 to the power of 64 beside it.
        let address = address.to_canonical();
        let network = match address {
            IpAddr::V4(address) => u64::from(address.to_bits()),
            IpAddr::V6(address) => (address.to_bits() >> 64) as u64,
        };
        self.add(("address", address.is_ipv4(), network), self.per_address, now)
    }

    /// Counts a login under a name of a tenant, whether anybody has it or not.
    ///
    /// # Errors
    /// After how many seconds to come again.
    pub(crate) fn under_name(&self, tenant: &str, name: &str, now: Timestamp) -> Result<(), i64> {
        self.add(("name", tenant, name), PER_NAME, now)
    }

    fn add(&self, what: impl Hash, limit: u32, now: Timestamp) -> Result<(), i64> {
        let key = self.hasher.hash_one(what);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.add(key, limit, now.as_second())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn an_address_may_knock_so_often_in_a_minute() {
        let limits = Limits::new(2);
        let from = |address: &str, second| limits.of_address(address.parse().ok(), at(second));
        assert_eq!([from("10.0.0.1", 0), from("10.0.0.1", 5)], [Ok(()), Ok(())]);
        assert_eq!(from("10.0.0.1", 20), Err(40));
        assert_eq!(from("::ffff:10.0.0.1", 20), Err(40), "the same address");
        assert_eq!(from("10.0.0.2", 20), Ok(()), "another one");
        assert_eq!(from("10.0.0.1", 60), Ok(()), "another minute");
        assert_eq!([from("2001:db8::1", 0), from("2001:db8::2", 0)], [Ok(()), Ok(())]);
        assert_eq!(from("2001:db8::ffff", 0), Err(60), "one network");
        let none = Limits::new(0);
        assert!((0..1000).all(|_| none.of_address("10.0.0.1".parse().ok(), at(0)).is_ok()));
    }

    #[test]
    fn a_name_may_be_tried_so_often_in_a_minute() {
        let limits = Limits::new(0);
        let under = |tenant, name| limits.under_name(tenant, name, at(0));
        assert!((0..PER_NAME).all(|_| under("acme", "ada").is_ok()));
        assert_eq!(under("acme", "ada"), Err(60));
        assert_eq!([under("acme", "bob"), under("other", "ada")], [Ok(()), Ok(())]);
    }

    #[test]
    fn memory_is_bounded() {
        let mut counts = Counts::default();
        for key in 0..250_000 {
            assert_eq!(counts.add(key, 1, 0), Ok(()));
        }
        assert!(counts.0.len() <= MAX_COUNTED);
    }
}
