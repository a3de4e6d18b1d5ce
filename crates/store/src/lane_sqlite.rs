//! The lanes of SQLite: one writer that commits what waits together, and a few readers.

use accounts::StorageError;
use crossbeam_channel::Receiver;
use diesel::connection::{AnsiTransactionManager, TransactionManager};

use crate::error::failed;
use crate::lane::{Unit, Verdict};
use crate::sqlite::Session;

/// Units in one commit at most: enough to make the disk's part of each small, few enough that
/// none waits long for the others.
const BATCH: usize = 128;

type Transaction = AnsiTransactionManager;

/// Takes what waits, runs it in one transaction - each unit in a savepoint of its own - commits
/// once, and answers after the commit.
pub(crate) fn write(mut session: Session, units: &Receiver<Box<dyn Unit>>) {
    while let Ok(first) = units.recv() {
        // Immediate: a transaction that reads before it writes must not find the file locked then.
        if let Err(error) = Transaction::begin_transaction_sql(&mut session.0, "BEGIN IMMEDIATE") {
            first.answer(Err(failed(error)));
            continue;
        }
        let mut done = Vec::new();
        let mut next = Some(first);
        while let Some(unit) = next {
            if !unit.is_abandoned() {
                done.push(in_savepoint(&mut session, unit));
            }
            next = if done.len() < BATCH { units.try_recv().ok() } else { None };
        }
        let committed = Transaction::commit_transaction(&mut session.0).map_err(failed);
        for (unit, ended) in done {
            unit.answer(match (&ended, &committed) {
                (Ok(()), Err(error)) => Err(StorageError::Unavailable(error.to_string())),
                _ => ended,
            });
        }
    }
}

type Done = (Box<dyn Unit>, Result<(), StorageError>);

fn in_savepoint(session: &mut Session, mut unit: Box<dyn Unit>) -> Done {
    // Inside a transaction this is a savepoint.
    if let Err(error) = Transaction::begin_transaction(&mut session.0) {
        return (unit, Err(failed(error)));
    }
    let ended = match unit.run(session) {
        Verdict::Commit => Transaction::commit_transaction(&mut session.0),
        _ => Transaction::rollback_transaction(&mut session.0),
    };
    (unit, ended.map_err(failed))
}

/// Runs each unit on a snapshot.
pub(crate) fn read(mut session: Session, units: &Receiver<Box<dyn Unit>>) {
    while let Ok(mut unit) = units.recv() {
        if unit.is_abandoned() {
            continue;
        }
        if let Err(error) = Transaction::begin_transaction(&mut session.0) {
            unit.answer(Err(failed(error)));
            continue;
        }
        unit.run(&mut session);
        let ended = Transaction::commit_transaction(&mut session.0).map_err(failed);
        unit.answer(ended);
    }
}
