//! SQLite's checkpoints, beside the writer: what is committed goes from the write-ahead log into the
//! file while others are being written, and no change waits for it.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use diesel::prelude::*;
use diesel::sql_types::Integer;

use crate::error::OpenError;
use crate::lane::end_with_the_process;
use crate::sqlite::{Conn, open_checkpointer};

/// From how many pages that are only in the log a checkpoint is worth its two waits for the disk.
const WORTH: i32 = 1000;

/// The thread that makes checkpoints. It ends when this is dropped.
pub(crate) struct Checkpoints {
    /// Room for one: who is at work looks again when it is done, however often it was told.
    committed: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpoints {
    /// Begins to make checkpoints of a file.
    ///
    /// # Errors
    /// If the file cannot be opened, or no thread be had.
    pub(crate) fn start(path: &Path) -> Result<Self, OpenError> {
        let conn = open_checkpointer(path)?;
        let (committed, commits) = sync_channel(1);
        let path = path.to_owned();
        let thread = thread::Builder::new().name("checkpoints".into());
        let work = move || end_with_the_process(|| run(conn, &path, &commits));
        Ok(Self { committed: Some(committed), thread: Some(thread.spawn(work)?) })
    }

    /// Something was committed.
    pub(crate) fn committed(&self) {
        if let Some(committed) = &self.committed {
            // Where it is full, the thread has yet to look.
            let _ = committed.try_send(());
        }
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.committed = None;
        if let Some(thread) = self.thread.take() {
            // It ends the process where it panics.
            let _ = thread.join();
        }
    }
}

/// The pages in the log, and how many of them are in the file too.
#[derive(QueryableByName)]
struct Log {
    #[diesel(sql_type = Integer)]
    log: i32,
    #[diesel(sql_type = Integer)]
    checkpointed: i32,
}

fn run(mut conn: Conn, path: &Path, commits: &Receiver<()>) {
    // Said once: after each commit it would be a line that fills the disk that may be full already.
    let mut is_failing = false;
    while commits.recv().is_ok() {
        let made = checkpoint(&mut conn);
        match &made {
            Err(error) if !is_failing => {
                tracing::warn!(%error, path = %path.display(), "no checkpoint can be made");
            }
            Ok(()) if is_failing => {
                tracing::info!(path = %path.display(), "checkpoints are made again");
            }
            _ => {}
        }
        is_failing = made.is_err();
    }
}

fn checkpoint(conn: &mut Conn) -> QueryResult<()> {
    let log: Log = diesel::sql_query("PRAGMA wal_checkpoint(NOOP)").get_result(conn)?;
    if log.log - log.checkpointed >= WORTH {
        diesel::sql_query("PRAGMA wal_checkpoint(PASSIVE)").execute(conn)?;
    }
    Ok(())
}
