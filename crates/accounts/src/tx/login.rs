//! What is kept at the login door: passwords, links that are mailed, and sessions.

use jiff::Timestamp;
use uuid::Uuid;

use super::StorageResult;

/// What an account logs in with. It has no `Debug`: nothing may print it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Login {
    /// The hash of the password, as a PHC string; none if there is no password to log in with.
    pub password: Option<String>,
    /// Whether the password is good for choosing another one and for nothing else (rule R67).
    pub must_change: bool,
    /// Logins that failed one after the other (rule R65).
    pub failures: i64,
}

/// What a mailed link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The first password of an account (rule R60).
    Activation,
    /// Another password (rule R67).
    Reset,
}

impl Purpose {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::Activation, Self::Reset];

    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Activation => "activation",
            Self::Reset => "reset",
        }
    }
}

/// A link that is to be mailed or was. There is one of a purpose for an account; a new one takes the
/// place of the old one, which is void then.
#[derive(Clone, PartialEq, Eq)]
pub struct MailedLink {
    /// The account.
    pub user: Uuid,
    /// What it is for.
    pub purpose: Purpose,
    /// SHA-256 of its secret, which is made when the mail is; before that there is none.
    pub secret_hash: Option<Vec<u8>>,
    /// When it was asked for.
    pub asked: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
}

/// A link that is to be mailed now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueLink {
    /// The tenant.
    pub tenant: Uuid,
    /// The account.
    pub user: Uuid,
    /// What it is for.
    pub purpose: Purpose,
    /// How often it was tried, this time included.
    pub attempts: i64,
}

/// A person who is logged in.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// The account.
    pub user: Uuid,
    /// SHA-256 of its secret, by which it is found.
    pub secret_hash: Vec<u8>,
    /// When the person logged in.
    pub created: Timestamp,
    /// When it was last used, as far as that was written down.
    pub seen: Timestamp,
    /// When it ends at the latest.
    pub expires: Timestamp,
}

/// The tables of the login door.
pub trait Logins {
    /// What an account logs in with, if anything was ever kept of it.
    fn login_of(&mut self, tenant: Uuid, user: Uuid) -> StorageResult<Option<Login>>;
    /// Keeps it, in the place of what was kept before.
    fn put_login(&mut self, tenant: Uuid, user: Uuid, credentials: &Login) -> StorageResult<()>;
    /// The link of a purpose.
    fn link(
        &mut self,
        tenant: Uuid,
        user: Uuid,
        purpose: Purpose,
    ) -> StorageResult<Option<MailedLink>>;
    /// Has a link mailed from an instant on, in the place of what was there.
    fn queue_link(&mut self, tenant: Uuid, link: &MailedLink) -> StorageResult<()>;
    /// Removes the link of a purpose.
    fn remove_link(&mut self, tenant: Uuid, user: Uuid, purpose: Purpose) -> StorageResult<()>;
    /// Removes the links of every purpose.
    fn remove_links(&mut self, tenant: Uuid, user: Uuid) -> StorageResult<()>;
    /// Links of all tenants, at most so many, that are due at an instant; until another they are
    /// nobody else's to send.
    fn take_due_links(
        &mut self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> StorageResult<Vec<DueLink>>;
    /// Gives a link its secret.
    fn set_link_secret(
        &mut self,
        tenant: Uuid,
        user: Uuid,
        purpose: Purpose,
        secret_hash: &[u8],
    ) -> StorageResult<()>;
    /// A link with this secret is not due before an instant; never again, if there is none. One that
    /// took its place meanwhile stays due.
    fn put_off_link(
        &mut self,
        tenant: Uuid,
        link: (Uuid, Purpose),
        secret_hash: &[u8],
        until: Option<Timestamp>,
    ) -> StorageResult<()>;
    /// Adds a session.
    fn insert_session(&mut self, tenant: Uuid, session: &Session) -> StorageResult<()>;
    /// The session of an account that has this secret.
    fn session(
        &mut self,
        tenant: Uuid,
        user: Uuid,
        secret_hash: &[u8],
    ) -> StorageResult<Option<Session>>;
    /// Writes down that a session was used.
    fn see_session(&mut self, tenant: Uuid, session: &Session, now: Timestamp)
    -> StorageResult<()>;
    /// Ends a session; whether there was one.
    fn remove_session(
        &mut self,
        tenant: Uuid,
        user: Uuid,
        secret_hash: &[u8],
    ) -> StorageResult<bool>;
    /// Ends every session of an account.
    fn remove_sessions(&mut self, tenant: Uuid, user: Uuid) -> StorageResult<()>;
    /// Takes sessions away that ended before an instant or were last used before another, at most so
    /// many; how many.
    fn forget_sessions(
        &mut self,
        tenant: Uuid,
        ended: Timestamp,
        unused_since: Timestamp,
        limit: u32,
    ) -> StorageResult<usize>;
}
