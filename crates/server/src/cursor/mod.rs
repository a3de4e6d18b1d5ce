//! Cursors (RFC 9865): where a page of a query ended, as a text that only this installation can
//! make and read.
//!
//! Nothing is kept for a cursor: all that the next page needs is in it ([`payload`]), encrypted and
//! authenticated with AES-256-GCM for one connection of one tenant. So a cursor tells nothing of the
//! names by which it is sorted, and a text that was not given to this caller opens as little as one
//! that was never given to anybody. It grants nothing either: every page is a query of its own by
//! whoever asks for it (section 5.2).

mod payload;

use accounts::{Caller, StorageError};
use jiff::Timestamp;
use openssl::error::ErrorStack;
use openssl::sha::sha256;
use scim_protocol::cursor::CURSOR_TIMEOUT;
use scim_protocol::error::Error;
use scim_protocol::query::Parameters;
use store::Store;

pub(crate) use payload::{Cursor, Mark};

use crate::seal::SealingKey;

/// The longest text that is looked at; the longest that is made is shorter.
const MAX_TEXT: usize = 2_048;

/// What seals the cursors of an installation.
pub(crate) struct CursorKey(SealingKey);

impl CursorKey {
    /// The key that all servers on this database share; the first of them makes it.
    ///
    /// # Errors
    /// The store fails, or the system has no randomness to give.
    pub(crate) async fn of_installation(store: &Store) -> Result<Self, StorageError> {
        Ok(Self(SealingKey::of_installation(store, "cursor").await?))
    }

    /// The cursor as a text of unreserved characters (RFC 3986 section 2.3).
    ///
    /// # Errors
    /// The system has no randomness to give.
    pub(crate) fn seal(&self, caller: &Caller, cursor: &Cursor) -> Result<String, ErrorStack> {
        self.0.seal(&audience(caller), &cursor.to_bytes())
    }

    /// The cursor in a text that this caller brings with a query.
    ///
    /// # Errors
    /// `invalidCursor` if the caller was not given it for this query, `expiredCursor` if that was
    /// too long ago, `invalidCount` if the count is another one.
    pub(crate) fn open(
        &self,
        caller: &Caller,
        text: &str,
        asked: &Asked,
        now: Timestamp,
    ) -> Result<Cursor, Error> {
        let cursor = self.unseal(caller, text).ok_or_else(|| {
            Error::invalid_cursor(
                "the cursor is not valid: leave it empty for the first page, then give the \
                 nextCursor of the page before",
            )
        })?;
        if now.as_second() - cursor.issued > i64::from(CURSOR_TIMEOUT) {
            return Err(Error::expired_cursor(format!(
                "the cursor was given more than {CURSOR_TIMEOUT} seconds ago: begin again with the \
                 first page"
            )));
        }
        if cursor.asked.query != asked.query {
            return Err(Error::invalid_cursor(
                "the cursor is that of another query: repeat all parameters of the first page",
            ));
        }
        if cursor.asked.count != asked.count {
            return Err(Error::invalid_count("count must be the same for every page of a query"));
        }
        Ok(cursor)
    }

    fn unseal(&self, caller: &Caller, text: &str) -> Option<Cursor> {
        Cursor::from_bytes(&self.0.open(&audience(caller), text, MAX_TEXT)?)
    }
}

/// Whom a cursor is for: authenticated with it, and not in it.
fn audience(caller: &Caller) -> [u8; 32] {
    let mut audience = [0; 32];
    audience[..16].copy_from_slice(caller.tenant.as_bytes());
    audience[16..].copy_from_slice(caller.connection.as_bytes());
    audience
}

/// What a query asks for, which must be the same for each of its pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asked {
    query: [u8; 32],
    count: u32,
}

impl Asked {
    /// The endpoint is below the base URL, without `/.search`: a page may be asked for by GET and
    /// the next one by POST.
    pub(crate) fn of(endpoint: &str, parameters: &Parameters, count: u32) -> Self {
        let query = format!("{endpoint}\n{}", parameters.of_every_page());
        Self { query: sha256(query.as_bytes()), count }
    }

    /// What is asked for, whatever the size of the pages is.
    pub(crate) fn query(&self) -> [u8; 32] {
        self.query
    }
}

#[cfg(test)]
mod tests;
