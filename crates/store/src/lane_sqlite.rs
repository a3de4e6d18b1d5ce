//! The lanes of SQLite: one writer that commits what waits together, and a few readers.

use std::path::Path;
use std::time::{Duration, Instant};

use accounts::StorageError;
use diesel::connection::{AnsiTransactionManager, TransactionManager};

use crate::error::OpenError;
use crate::error::failed;
use crate::lane::{Unit, Units, Verdict, unavailable};
use crate::sqlite::{Conn, Session, run_prepared};

/// Units in one commit at most.
const BATCH: usize = 128;

/// How long one commit takes units in: long enough to make the disk's part of each small, short
/// enough that none waits long for those of others.
const BATCH_TIME: Duration = Duration::from_millis(10);

type Transaction = AnsiTransactionManager;

/// How the file of a lane is opened.
type Open = fn(&Path) -> Result<Conn, OpenError>;

/// Takes what waits, runs it in one transaction - each unit in a savepoint of its own - commits
/// once, and answers after the commit.
///
/// `open` makes a connection where there is none of use any more; `on_commit` is called after each
/// commit.
pub(crate) fn write(
    path: &Path,
    open: Open,
    mut session: Session,
    units: &Units,
    on_commit: impl Fn(),
) {
    while let Some(first) = units.take() {
        // Immediate: a transaction that reads before it writes must not find the file locked then.
        if let Err(error) = Transaction::begin_transaction_sql(&mut session.conn, "BEGIN IMMEDIATE")
        {
            first.answer(Err(failed(error)));
            reopen(path, open, &mut session);
            continue;
        }
        let (done, is_sound) = batch(&mut session, first, units);
        units.note_batch(done.len());
        let committed = if is_sound {
            Transaction::commit_transaction(&mut session.conn).map_err(failed)
        } else {
            Err(unavailable("the transaction was lost"))
        };
        if committed.is_err() {
            session.view.forget();
            reopen(path, open, &mut session);
        }
        session.view.settle();
        for (unit, ended) in done {
            unit.answer(match (&ended, &committed) {
                (Ok(()), Err(StorageError::Full(why))) => Err(StorageError::Full(why.clone())),
                (Ok(()), Err(error)) => Err(unavailable(&error.to_string())),
                _ => ended,
            });
        }
        on_commit();
    }
}

type Done = (Box<dyn Unit>, Result<(), StorageError>);

/// Runs what waits. Where a savepoint fails SQLite may have ended the whole transaction - the disk
/// is full, say - and what ran after that would be committed by itself: the batch is not sound.
fn batch(session: &mut Session, first: Box<dyn Unit>, units: &Units) -> (Vec<Done>, bool) {
    let (mut done, start) = (Vec::<Done>::new(), Instant::now());
    let mut next = Some(first);
    while let Some(unit) = next {
        if !unit.is_abandoned() {
            let (unit, ended) = in_savepoint(session, unit);
            let is_sound = ended.is_ok();
            done.push((unit, ended));
            if !is_sound {
                return (done, false);
            }
        }
        let has_room = done.len() < BATCH && start.elapsed() < BATCH_TIME;
        next = if has_room { units.take_waiting() } else { None };
    }
    (done, true)
}

fn in_savepoint(session: &mut Session, mut unit: Box<dyn Unit>) -> Done {
    // Inside a transaction this is a savepoint.
    if let Err(error) = Transaction::begin_transaction(&mut session.conn) {
        return (unit, Err(failed(error)));
    }
    session.view.begin();
    let ended = match unit.run(session) {
        Verdict::Commit => Transaction::commit_transaction(&mut session.conn),
        _ => Transaction::rollback_transaction(&mut session.conn),
    };
    (unit, ended.map_err(failed))
}

/// Takes a new connection; closing the old one rolls back what it left open.
fn reopen(path: &Path, open: Open, session: &mut Session) {
    match open(path) {
        Ok(opened) => session.conn = opened,
        Err(error) => tracing::error!(%error, "the database cannot be opened anew"),
    }
}

/// Runs each unit on a snapshot.
pub(crate) fn read(mut session: Session, units: &Units) {
    while let Some(mut unit) = units.take() {
        if unit.is_abandoned() {
            continue;
        }
        if let Err(error) = run_prepared(&mut session.conn, "BEGIN") {
            unit.answer(Err(failed(error)));
            continue;
        }
        session.view.begin();
        unit.run(&mut session);
        let ended = run_prepared(&mut session.conn, "COMMIT").map_err(failed);
        if ended.is_err() {
            // What is still open would stand in the way of the next; if nothing is, that is right too.
            let _ = run_prepared(&mut session.conn, "ROLLBACK");
        }
        unit.answer(ended.map(drop));
    }
}
