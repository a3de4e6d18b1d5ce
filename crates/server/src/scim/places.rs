//! Where pages by index ended (RFC 7644 section 3.4.2.4), so that a client that asks for one page after
//! the other is sent on from there, instead of passing over all that is before the page again. What
//! comes and goes meanwhile then neither repeats nor hides a resource, and the query is counted once.
//!
//! It is only known to this process and for a while: without it a page is found by counting, and says
//! the same.

use accounts::Caller;
use quick_cache::sync::Cache;
use uuid::Uuid;

use crate::cursor::{Asked, Mark};

/// Pages that are remembered at most, of all clients.
const PAGES: usize = 10_000;

/// How long a page is remembered, in seconds: longer than a client takes for the next one, and not
/// so long that the numbers of resources mean something else.
const SECONDS: i64 = 60;

/// Whose page of which query, and with which number the next page begins.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Page {
    tenant: Uuid,
    connection: Uuid,
    query: [u8; 32],
    next: u64,
}

/// Where a page ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Place {
    /// Its last resource.
    pub(super) mark: Mark,
    /// How many resources the query had when the first page was read.
    pub(super) total: u64,
}

/// Where pages ended.
pub(crate) struct Places(Cache<Page, (i64, Place)>);

impl Default for Places {
    fn default() -> Self {
        Self(Cache::new(PAGES))
    }
}

impl Places {
    /// Where the page before the one with this first resource ended; `now` in seconds.
    pub(super) fn before(
        &self,
        caller: &Caller,
        asked: &Asked,
        first: u64,
        now: i64,
    ) -> Option<Place> {
        let (at, place) = self.0.get(&page(caller, asked, first))?;
        (now - at <= SECONDS).then_some(place)
    }

    /// Remembers where a page ended that comes before the resource with the number `next`.
    pub(super) fn keep(&self, caller: &Caller, asked: &Asked, next: u64, now: i64, place: Place) {
        self.0.insert(page(caller, asked, next), (now, place));
    }
}

fn page(caller: &Caller, asked: &Asked, next: u64) -> Page {
    Page { tenant: caller.tenant, connection: caller.connection, query: asked.query(), next }
}
