//! A connection to a replica, and what is known of how far that is.

use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use accounts::StorageError;

use super::count::ReadBy;
use super::position::{Origin, Position, Standing, origin, standing};
use crate::catalogue::{Catalogue, View};
use crate::keyring::Keyring;
use crate::lane::unavailable;
use crate::plain::Plain;
use crate::postgres::{Session, bound_statements, open_replica};

/// How long a replica is left alone before it is asked again how far it is.
const PAUSE: Duration = Duration::from_millis(1);

/// How long it is believed what it follows: it might be promoted meanwhile.
const BELIEVED: Duration = Duration::from_secs(1);

/// Why a replica may not answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unfit {
    /// It does not answer itself.
    #[error("it cannot be asked: {}", Plain(.0))]
    Away(#[from] StorageError),
    /// It is not a copy of this primary's database.
    #[error("it is of another system or another database than the primary")]
    Foreign,
    /// It has been promoted, or never was one.
    #[error("it is no replica: it accepts writes")]
    Primary,
    /// It follows another history than the primary has, or it is not known yet that it does not.
    #[error("it is on timeline {0}, the primary on {1}")]
    Timeline(i32, i32),
    /// It has not replayed what was written.
    #[error("it is {0} bytes behind")]
    Behind(i64),
}

impl Unfit {
    pub(super) fn why(&self) -> ReadBy {
        match self {
            Self::Behind(_) => ReadBy::Behind,
            _ => ReadBy::Away,
        }
    }
}

/// How connections to a replica are made.
#[derive(Clone)]
pub(super) struct Source {
    url: String,
    keyring: Arc<Keyring>,
    catalogue: Arc<Catalogue>,
}

impl Source {
    pub(super) fn new(url: &str, keyring: &Arc<Keyring>, catalogue: &Arc<Catalogue>) -> Self {
        let (keyring, catalogue) = (Arc::clone(keyring), Arc::clone(catalogue));
        Self { url: url.to_owned(), keyring, catalogue }
    }

    pub(super) fn connect(&self) -> Result<Follower, Unfit> {
        let opened = open_replica(&self.url).and_then(|mut conn| {
            bound_statements(&mut conn)?;
            Ok(conn)
        });
        let mut conn = opened.map_err(|error| unavailable(&error.to_string()))?;
        let origin = origin(&mut conn)?;
        let view = View::new(Arc::clone(&self.catalogue));
        let session = Session::new(conn, Arc::clone(&self.keyring), view);
        Ok(Follower { session, origin, known: None })
    }
}

/// A connection to a replica.
pub(super) struct Follower {
    pub(super) session: Session,
    origin: Origin,
    /// What it said last, and when.
    known: Option<(Instant, Standing)>,
}

impl Follower {
    /// Waits until the replica has replayed the primary's log up to a position.
    ///
    /// What was replayed stays so: nothing is asked where that is known to be enough.
    ///
    /// # Errors
    /// It has not by then, or is not fit to answer.
    pub(super) fn catch_up(&mut self, to: &Position, until: Instant) -> Result<(), Unfit> {
        if let Some((at, standing)) = self.known
            && at.elapsed() < BELIEVED
            && matches!(self.missing(standing, to), Ok(0))
        {
            return Ok(());
        }
        loop {
            let missing = self.look(to)?;
            if missing == 0 {
                return Ok(());
            }
            if Instant::now() >= until {
                return Err(Unfit::Behind(missing));
            }
            sleep(PAUSE);
        }
    }

    /// How many bytes up to a position the replica has not replayed now.
    pub(super) fn look(&mut self, to: &Position) -> Result<i64, Unfit> {
        let standing = standing(&mut self.session.conn)?;
        self.known = Some((Instant::now(), standing));
        self.missing(standing, to)
    }

    fn missing(&self, standing: Standing, to: &Position) -> Result<i64, Unfit> {
        if self.origin != *to.origin {
            return Err(Unfit::Foreign);
        }
        if !standing.follows {
            return Err(Unfit::Primary);
        }
        if standing.timeline != to.timeline {
            return Err(Unfit::Timeline(standing.timeline, to.timeline));
        }
        Ok((to.lsn - standing.replayed).max(0))
    }
}
