//! Putting in many accounts at once, as they are: for moving in what another system holds, and for
//! measuring with a million of them.

use std::sync::Arc;

use accounts::{NewAccount, Scope, StorageError};
use diesel::connection::SimpleConnection;

use crate::catalogue::{Catalogue, View};
use crate::error::OpenError;
use crate::{DatabaseUrl, migrate, postgres, sqlite};

/// Names are hashed, and so come in no order: most of their index is to stay in memory.
const CACHE: &str = "PRAGMA cache_size = -262144";

/// A connection of its own that puts accounts in.
///
/// No rule is asked and no seat is taken: whoever calls this has seen to it that the accounts are as
/// [`accounts::users::create`] would have made them, and that seats are not limited.
pub struct Importer(Session);

enum Session {
    Sqlite(Box<sqlite::Session>),
    Postgres(Box<postgres::Session>),
}

impl Importer {
    /// Opens a database and brings it up to date.
    ///
    /// # Errors
    /// The database cannot be opened or migrated.
    pub fn open(url: &DatabaseUrl) -> Result<Self, OpenError> {
        migrate(url)?;
        let view = View::new(Catalogue::new());
        Ok(Self(match url {
            DatabaseUrl::Sqlite(path) => {
                let mut conn = sqlite::open_writer(path)?;
                conn.batch_execute(CACHE).map_err(OpenError::Query)?;
                let keyring = Arc::new(sqlite::keyring(&mut conn)?);
                Session::Sqlite(Box::new(sqlite::Session::new(conn, keyring, view)))
            }
            DatabaseUrl::Postgres(url) => {
                let mut conn = postgres::open(url)?;
                let keyring = Arc::new(postgres::keyring(&mut conn)?);
                Session::Postgres(Box::new(postgres::Session::new(conn, keyring, view)))
            }
        }))
    }

    /// Puts accounts in, all or none, with their addresses, identities, `externalId`s and entries;
    /// `false` if a name of theirs is somebody's.
    ///
    /// # Errors
    /// The database fails.
    pub fn import(&mut self, scope: Scope, users: &[NewAccount]) -> Result<bool, StorageError> {
        match &mut self.0 {
            Session::Sqlite(session) => session.import(scope, users),
            Session::Postgres(session) => session.import(scope, users),
        }
    }
}
