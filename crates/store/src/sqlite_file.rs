//! Files of `SQLite` as such: whether they are damaged, and how they are copied. What is in them is
//! not looked at here.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, Error, ErrorCode, OpenFlags};

/// How many steps of its own SQLite makes between two looks at the time.
const STEPS: i32 = 200;

/// How long a lock of somebody else is waited for.
const LOCKED: Duration = Duration::from_secs(5);

/// Pages of any file, at most: they are copied in one go, so that they are one snapshot.
const ALL_PAGES: i32 = i32::MAX;

/// Looks for damage, for so long at most or to the end; what was found.
pub(crate) fn damage(path: &Path, limit: Option<Duration>) -> rusqlite::Result<Option<String>> {
    let checked = open(path).and_then(|conn| {
        if let Some(limit) = limit {
            let start = Instant::now();
            conn.progress_handler(STEPS, Some(move || start.elapsed() > limit))?;
        }
        // The full check also compares indexes with their tables, which takes much longer.
        let check =
            if limit.is_some() { "PRAGMA quick_check(1)" } else { "PRAGMA integrity_check(1)" };
        conn.query_row(check, [], |row| row.get::<_, String>(0))
    });
    match checked {
        Ok(found) if found == "ok" => Ok(None),
        Ok(found) => Ok(Some(found)),
        Err(error) => match error.sqlite_error_code() {
            // The time is over: nothing was found until here.
            Some(ErrorCode::OperationInterrupted) if limit.is_some() => Ok(None),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Ok(Some(error.to_string()))
            }
            _ => Err(error),
        },
    }
}

/// Copies what a file holds at one moment, whoever writes to it, into a new file that nobody but its
/// owner can read.
pub(crate) fn copy(from: &Path, to: &Path) -> rusqlite::Result<()> {
    let (source, mut target) = (open(from)?, open(to)?);
    let start = Instant::now();
    {
        let copying = Backup::new(&source, &mut target)?;
        while copying.step(ALL_PAGES)? != StepResult::Done {
            if start.elapsed() > LOCKED {
                return Err(locked());
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
    // The copy is one file: it says of itself that it has a write-ahead log, as the original has.
    target.pragma_update(None, "journal_mode", "DELETE")
}

/// Makes an empty file that nobody but its owner can read.
pub(crate) fn create_private(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Whether somebody has the file open. What they wrote is in the file then, and not beside it.
pub(crate) fn is_in_use(path: &Path) -> rusqlite::Result<bool> {
    let conn = open(path)?;
    conn.busy_timeout(Duration::ZERO)?;
    // Whoever has a file with a write-ahead log open holds a lock that this one excludes.
    conn.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    match conn.execute_batch("BEGIN EXCLUSIVE; COMMIT") {
        Err(error) if is_busy(&error) => Ok(true),
        // Or it is damaged, and to be replaced for that reason.
        Ok(()) | Err(_) => Ok(false),
    }
}

/// Puts a file in the place of another, with which all goes that is beside it.
pub(crate) fn replace(path: &Path, by: &Path) -> std::io::Result<()> {
    File::open(by)?.sync_all()?;
    // First: a write-ahead log beside a file that it does not belong to would be applied to it.
    remove_what_is_beside(path)?;
    fs::rename(by, path)?;
    sync_folder(path)
}

/// Removes a file and all that is beside it, if it is there.
pub(crate) fn remove(path: &Path) -> std::io::Result<()> {
    remove_what_is_beside(path)?;
    remove_file(path)
}

fn remove_what_is_beside(path: &Path) -> std::io::Result<()> {
    ["-wal", "-shm", "-journal"].into_iter().try_for_each(|end| remove_file(&with_end(path, end)))
}

fn remove_file(path: &Path) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// A path with more at its end.
pub(crate) fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// A name is on disk when its folder is.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Opens a file that is there.
fn open(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(LOCKED)?;
    Ok(conn)
}

fn is_busy(error: &Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

fn locked() -> Error {
    let busy = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
    Error::SqliteFailure(busy, Some("somebody else has it to themselves".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of some megabytes in which the first pages of a table, which are looked at last, are not what
    /// SQLite wrote.
    fn damaged(path: &Path) {
        let conn = Connection::open(path).unwrap();
        conn.execute_batch(
            "CREATE TABLE t (x TEXT); WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n \
             WHERE i < 20000) INSERT INTO t SELECT printf('%0200d', i) FROM n",
        )
        .unwrap();
        drop(conn);
        let mut bytes = fs::read(path).unwrap();
        bytes[8_192..40_960].fill(0xA5);
        fs::write(path, bytes).unwrap();
    }

    #[test]
    fn looking_for_damage_ends_with_its_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        damaged(&path);
        assert!(damage(&path, None).unwrap().is_some());
        assert!(damage(&path, Some(Duration::from_secs(60))).unwrap().is_some());
        assert_eq!(damage(&path, Some(Duration::ZERO)).unwrap(), None);
    }

    #[test]
    fn what_belonged_to_the_file_before_goes_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let (path, by) = (folder.path().join("a.db"), folder.path().join("b"));
        for (path, text) in [(&path, "old"), (&with_end(&path, "-wal"), "old"), (&by, "new")] {
            fs::write(path, text).unwrap();
        }
        replace(&path, &by).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert!(!with_end(&path, "-wal").exists() && !by.exists());
    }

    #[test]
    fn a_copy_is_its_owners_alone_and_has_what_is_not_in_the_file_yet() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (path, to) = (folder.path().join("a.db"), folder.path().join("b.db"));
        let conn = Connection::open(&path).unwrap();
        conn.execute_batch(
            "PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (7)",
        )
        .unwrap();
        drop(create_private(&to).unwrap());
        copy(&path, &to).unwrap();
        let mode = fs::metadata(&to).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let copied = Connection::open(&to).unwrap();
        let x: i64 = copied.query_row("SELECT x FROM t", [], |row| row.get(0)).unwrap();
        assert_eq!(x, 7);
        assert!(!with_end(&to, "-wal").exists(), "it is one file");
    }
}
