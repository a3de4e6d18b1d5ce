//! Backups of `SQLite`: of both files, while the service goes on, and back again.
//!
//! `PostgreSQL` has tools of its own for that, which its operators know.

use std::path::{Path, PathBuf};

use crate::error::OpenError;
use crate::sqlite_file::{self, with_end};
use crate::url::DatabaseUrl;
use crate::{migrate, sqlite};

/// Why there is no backup, or nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database is none of SQLite.
    #[error(
        "PostgreSQL is backed up and restored by its own tools: pg_dump --format=custom --file=FILE \
         URL, and pg_restore --dbname=URL --clean --if-exists --exit-on-error FILE"
    )]
    Postgres,
    /// There is something that would be overwritten.
    #[error("{} is there already: name another file, or say --overwrite", .0.display())]
    Exists(PathBuf),
    /// A database cannot be a backup of itself.
    #[error("{} is the database itself: name another file", .0.display())]
    Same(PathBuf),
    /// There is nothing to copy.
    #[error("{} is not there", .0.display())]
    Missing(PathBuf),
    /// The database is being used.
    #[error("{} is in use: stop the service first", .0.display())]
    InUse(PathBuf),
    /// A copy is not whole, so that it is of no use.
    #[error("the copy of {} is damaged: {what}", .path.display())]
    Damaged {
        /// What was copied.
        path: PathBuf,
        /// What SQLite says of it.
        what: String,
    },
    /// It is a database, and no backup of this service's.
    #[error("{} is no backup of headcount", .0.display())]
    Foreign(PathBuf),
    /// The backup cannot be used by this program.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// SQLite fails.
    #[error("SQLite: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A file cannot be made, moved or removed.
    #[error("{}: {error}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
}

/// Copies a database of SQLite into `file`, and the file of its provisioning log into the one beside
/// that, while others go on reading and writing. Each is what there was at one moment, has been
/// checked in full, and can be read by its owner alone. The paths of both copies.
///
/// # Errors
/// The copies are there already and are not to be overwritten, or cannot be made; what was there
/// stays.
pub fn back_up(
    url: &DatabaseUrl,
    file: &Path,
    overwrite: bool,
) -> Result<[PathBuf; 2], BackupError> {
    let database = database(url, file)?;
    let copies = [file.to_owned(), sqlite::log_path(file)];
    if let Some(there) = copies.iter().find(|copy| !overwrite && copy.exists()) {
        return Err(BackupError::Exists(there.clone()));
    }
    let copy = staged(database, &copies[0])?;
    let log = staged(&sqlite::log_path(database), &copies[1]).inspect_err(|_| discard(&copy))?;
    place(&copy, &copies[0])?;
    place(&log, &copies[1])?;
    Ok(copies)
}

/// Makes a database of SQLite what it was when `file` was made of it. The provisioning log is
/// restored if its file is beside that; else it begins anew.
///
/// # Errors
/// There is a database and it is not to be overwritten, or it is in use; the backup is damaged, of
/// something else, or of a newer program. Then nothing has been changed.
pub fn restore(url: &DatabaseUrl, file: &Path, overwrite: bool) -> Result<(), BackupError> {
    let database = database(url, file)?;
    let (log, log_file) = (sqlite::log_path(database), sqlite::log_path(file));
    for path in [database, log.as_path()] {
        if path.exists() && !overwrite {
            return Err(BackupError::Exists(path.to_owned()));
        }
        if path.exists() && sqlite_file::is_in_use(path)? {
            return Err(BackupError::InUse(path.to_owned()));
        }
    }
    let copy = staged(file, database)?;
    if let Err(error) = usable(&copy, file) {
        discard(&copy);
        return Err(error);
    }
    let log_copy = if log_file.exists() {
        Some(staged(&log_file, &log).inspect_err(|_| discard(&copy))?)
    } else {
        None
    };
    place(&copy, database)?;
    match log_copy {
        Some(copy) => place(&copy, &log),
        // That of another database is none of this one's.
        None => sqlite_file::remove(&log).map_err(|error| BackupError::File { path: log, error }),
    }
}

/// The file of SQLite, which is not the backup.
fn database<'a>(url: &'a DatabaseUrl, file: &Path) -> Result<&'a Path, BackupError> {
    let DatabaseUrl::Sqlite(database) = url else { return Err(BackupError::Postgres) };
    let files = |path: &Path| {
        [path.to_owned(), sqlite::log_path(path)].map(|path| path.canonicalize().ok())
    };
    let (of_database, of_backup) = (files(database), files(file));
    if of_backup.iter().flatten().any(|path| of_database.iter().flatten().any(|own| own == path)) {
        return Err(BackupError::Same(file.to_owned()));
    }
    Ok(database)
}

/// A copy beside its place, checked in full.
fn staged(from: &Path, to: &Path) -> Result<PathBuf, BackupError> {
    if !from.exists() {
        return Err(BackupError::Missing(from.to_owned()));
    }
    let copy = with_end(to, ".partial");
    // Of one that was broken off.
    discard(&copy);
    sqlite_file::create_private(&copy)
        .map_err(|error| BackupError::File { path: copy.clone(), error })?;
    whole_copy(from, &copy).inspect_err(|_| discard(&copy))?;
    Ok(copy)
}

fn whole_copy(from: &Path, copy: &Path) -> Result<(), BackupError> {
    let damaged = |what| BackupError::Damaged { path: from.to_owned(), what };
    sqlite_file::copy(from, copy).map_err(|error| match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
            damaged(error.to_string())
        }
        _ => error.into(),
    })?;
    sqlite_file::damage(copy, None)?.map_or(Ok(()), |what| Err(damaged(what)))
}

/// Whether this program can go on with a backup.
fn usable(copy: &Path, file: &Path) -> Result<(), BackupError> {
    let mut conn = sqlite::open_as_it_is(copy)?;
    if migrate::applied_to_sqlite(&mut conn)? == 0 {
        return Err(BackupError::Foreign(file.to_owned()));
    }
    Ok(())
}

/// Puts a copy in its place, in one step.
fn place(copy: &Path, to: &Path) -> Result<(), BackupError> {
    sqlite_file::replace(to, copy).map_err(|error| BackupError::File { path: to.to_owned(), error })
}

fn discard(copy: &Path) {
    if let Err(error) = sqlite_file::remove(copy) {
        tracing::warn!(%error, file = %copy.display(), "a copy that is of no use cannot be removed");
    }
}
