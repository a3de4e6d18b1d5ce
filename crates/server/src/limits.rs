//! How much a client may ask: so many requests a second for each connection, and so many tokens that
//! nobody has for each address (`docs/limits.md`).
//!
//! Both are kept by this process alone: of several servers each grants as much.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use accounts::Caller;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use jiff::{SignedDuration, Timestamp};
use quick_cache::sync::Cache;
use uuid::Uuid;

/// Requests a second of a connection whose own rate says nothing else, unless an operator says otherwise.
/// No identity provider sends as many; it keeps one that has gone mad from taking a whole processor.
pub const USUAL_RATE: NonZeroU32 = NonZeroU32::new(1_000).unwrap();

/// How many seconds' worth of requests may come at once after a pause.
const BURST_SECONDS: u32 = 2;

/// Tokens that nobody has which an address may show each second, and all at once after a pause.
const STRANGE: NonZeroU32 = NonZeroU32::new(20).unwrap();
const STRANGE_AT_ONCE: NonZeroU32 = NonZeroU32::new(100).unwrap();

/// How long a token is taken for unknown without asking again.
const UNKNOWN_FOR: SignedDuration = SignedDuration::from_secs(60);

/// What is remembered at most: connections, addresses, tokens that nobody has.
const REMEMBERED: usize = 10_000;

/// The requests of connections.
pub(crate) struct Rates {
    usual: Option<NonZeroU32>,
    known: Cache<(Uuid, Uuid), Arc<(NonZeroU32, DefaultDirectRateLimiter)>>,
}

impl Rates {
    /// The rate of connections that have none of their own, if they have one.
    pub(crate) fn new(usual: Option<NonZeroU32>) -> Self {
        Self { usual, known: Cache::new(REMEMBERED) }
    }

    /// Counts a request.
    ///
    /// # Errors
    /// In how many seconds there is room for it, if there is none now.
    pub(crate) fn admit(&self, caller: &Caller) -> Result<(), u64> {
        let Some(rate) = caller.switches.rate_limit.or(self.usual) else { return Ok(()) };
        // Of people each counts alone, as of connections.
        let whose = (caller.tenant, caller.person.unwrap_or(caller.connection));
        let known = self.known.get(&whose).filter(|known| known.0 == rate);
        let known = known.unwrap_or_else(|| {
            let burst = rate.saturating_mul(NonZeroU32::MIN.saturating_add(BURST_SECONDS - 1));
            let limiter = RateLimiter::direct(Quota::per_second(rate).allow_burst(burst));
            let new = Arc::new((rate, limiter));
            self.known.insert(whose, Arc::clone(&new));
            new
        });
        known
            .1
            .check()
            .map_err(|later| seconds(later.wait_time_from(DefaultClock::default().now())))
    }
}

/// Whole seconds, as `Retry-After` has them: those of Entra ID read nothing else.
fn seconds(wait: std::time::Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

/// Who shows a token that is none.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Stranger {
    /// Somebody at an address, with tokens that were not seen before.
    Guessing(IpAddr),
    /// Somebody who goes on with one token, or with what is no token.
    Insisting(IpAddr, String),
}

/// What a stranger did.
struct Tries {
    limiter: DefaultDirectRateLimiter,
    /// Until when nothing of the stranger is looked up, in milliseconds since 1970.
    shut_until: AtomicI64,
}

/// Those who show tokens that nobody has.
///
/// Many clients may share an address: the servers of an identity provider, or a proxy. So a token that was
/// valid once is always looked up, one that is repeated does not count as guessing, and only who guesses is
/// shut out - which for a moment also keeps out a token that this process has never seen.
pub(crate) struct Strangers {
    tries: Cache<Stranger, Arc<Tries>>,
    /// The public parts of tokens that nobody has, with when that was found out.
    unknown: Cache<String, Timestamp>,
}

impl Default for Strangers {
    fn default() -> Self {
        Self { tries: Cache::new(REMEMBERED), unknown: Cache::new(REMEMBERED) }
    }
}

impl Strangers {
    /// Whether nobody had this token a moment ago.
    pub(crate) fn is_unknown(&self, id: &str, now: Timestamp) -> bool {
        self.unknown.get(id).is_some_and(|at| now.duration_since(at).abs() < UNKNOWN_FOR)
    }

    /// Remembers that nobody has this token.
    pub(crate) fn remember(&self, id: &str, now: Timestamp) {
        self.unknown.insert(id.to_owned(), now);
    }

    /// Whether a token that was never seen is looked up.
    ///
    /// # Errors
    /// In how many seconds it would be.
    pub(crate) fn admit(&self, address: Option<IpAddr>, now: Timestamp) -> Result<(), u64> {
        let Some(address) = address else { return Ok(()) };
        let Some(tries) = self.tries.get(&Stranger::Guessing(network(address))) else {
            return Ok(());
        };
        match tries.shut_until.load(Ordering::Relaxed) - now.as_millisecond() {
            left @ 1.. => Err(u64::try_from(left).unwrap_or_default().div_ceil(1_000)),
            _ => Ok(()),
        }
    }

    /// Counts a token that nobody has and that was looked up.
    ///
    /// # Errors
    /// As [`Self::insists`].
    pub(crate) fn guesses(&self, address: Option<IpAddr>, now: Timestamp) -> Result<(), u64> {
        self.count(address.map(|address| Stranger::Guessing(network(address))), now)
    }

    /// Counts one token that is shown again, by its public part, or what is no token, by nothing.
    ///
    /// # Errors
    /// In how many seconds the address may show another, if these are too many.
    pub(crate) fn insists(
        &self,
        address: Option<IpAddr>,
        id: &str,
        now: Timestamp,
    ) -> Result<(), u64> {
        let stranger = |address| Stranger::Insisting(network(address), id.to_owned());
        self.count(address.map(stranger), now)
    }

    fn count(&self, stranger: Option<Stranger>, now: Timestamp) -> Result<(), u64> {
        let Some(stranger) = stranger else { return Ok(()) };
        let tries = self.tries.get(&stranger).unwrap_or_else(|| {
            let limiter =
                RateLimiter::direct(Quota::per_second(STRANGE).allow_burst(STRANGE_AT_ONCE));
            let new = Arc::new(Tries { limiter, shut_until: AtomicI64::new(0) });
            self.tries.insert(stranger, Arc::clone(&new));
            new
        });
        let Err(later) = tries.limiter.check() else { return Ok(()) };
        let wait = seconds(later.wait_time_from(DefaultClock::default().now()));
        let until = now.as_millisecond().saturating_add_unsigned(wait.saturating_mul(1_000));
        tries.shut_until.store(until, Ordering::Relaxed);
        Err(wait)
    }
}

/// What one client has of addresses: of IPv6 a network of 64 bits.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)))
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use accounts::Context;
    use accounts::connections::Switches;

    use super::*;

    fn caller(connection: u128, rate: Option<u32>) -> Caller {
        let new_id = || Uuid::nil();
        let mut caller = Context::of_system(Uuid::nil(), Timestamp::UNIX_EPOCH, new_id).caller;
        caller.connection = Uuid::from_u128(connection);
        caller.switches = Switches { rate_limit: rate.and_then(NonZeroU32::new), ..Switches::NONE };
        caller
    }

    #[test]
    fn each_connection_has_a_rate_and_may_have_its_own() {
        let rates = Rates::new(NonZeroU32::new(5));
        let admitted = |caller: &Caller| (0..50).filter(|_| rates.admit(caller).is_ok()).count();
        assert_eq!(admitted(&caller(1, None)), 10, "two seconds' worth");
        assert_eq!(rates.admit(&caller(1, None)), Err(1));
        assert_eq!(admitted(&caller(2, Some(2))), 4);
        assert_eq!(admitted(&caller(2, Some(7))), 14, "it was changed");
        assert_eq!(admitted(&caller(3, None)), 10, "another connection");
        let none = Rates::new(None);
        assert!((0..50_000).all(|_| none.admit(&caller(1, None)).is_ok()));
        assert!(none.admit(&caller(1, Some(1))).is_ok(), "it has its own");
    }

    #[test]
    fn the_usual_rate_is_more_than_providers_ask_for() {
        assert!(USUAL_RATE.get() >= 25);
    }

    #[test]
    fn whoever_guesses_is_shut_out_and_whoever_insists_is_not_taken_for_one() {
        let (strangers, now) = (Strangers::default(), Timestamp::UNIX_EPOCH);
        let (address, other) = (Some([10, 0, 0, 1].into()), Some([10, 0, 0, 2].into()));
        let most = usize::try_from(STRANGE_AT_ONCE.get()).unwrap();
        let insisted = (0..2 * most).filter(|_| strangers.insists(address, "a", now).is_ok());
        assert!((most..most + 5).contains(&insisted.count()));
        assert_eq!(strangers.admit(address, now), Ok(()), "others of the address are heard");
        let guessed = (0..2 * most).filter(|_| strangers.guesses(address, now).is_ok());
        assert!((most..most + 5).contains(&guessed.count()));
        assert_eq!(strangers.admit(address, now), Err(1));
        assert_eq!(strangers.admit(other, now), Ok(()));
        let later = now + SignedDuration::from_secs(1);
        assert_eq!(strangers.admit(address, later), Ok(()));
    }

    #[test]
    fn what_nobody_has_is_asked_for_once_a_minute() {
        let (strangers, now) = (Strangers::default(), Timestamp::UNIX_EPOCH);
        assert!(!strangers.is_unknown("a", now));
        strangers.remember("a", now);
        assert!(strangers.is_unknown("a", now + SignedDuration::from_secs(59)));
        assert!(!strangers.is_unknown("a", now + UNKNOWN_FOR));
    }

    #[test]
    fn of_ipv6_a_client_has_a_network() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::2:3"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
        assert_ne!(of("10.0.0.1"), of("10.0.0.2"));
    }
}
