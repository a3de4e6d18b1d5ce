//! The lanes of PostgreSQL: each has a connection, and makes a new one when it breaks.

use std::iter;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use accounts::StorageError;
use diesel::connection::SimpleConnection;

use crate::catalogue::{Catalogue, View};
use crate::keyring::Keyring;
use crate::lane::{Unit, Units, Verdict, unavailable};
use crate::look_up::{Found, LookUp};
use crate::postgres::{Session, bound_statements, open};

/// How often a unit is run that stands in another's way.
const ATTEMPTS: u32 = 5;

/// What a unit waits before it is run again, times how often it was run again already.
const PAUSE: Duration = Duration::from_millis(5);

/// After so many units, and after twice as many each time up to the last, a connection forgets its
/// plans. PostgreSQL keeps a plan until it has looked at a table again, which may be a minute, and so
/// many users later that what was short for few, to read all of them, is longer than all the rest.
const FORGETS_PLANS: RangeInclusive<u64> = 32..=16_384;

/// A connection that is made anew when it breaks.
pub(crate) struct Line {
    url: String,
    keyring: Arc<Keyring>,
    catalogue: Arc<Catalogue>,
    session: Option<Session>,
    /// The units that this connection has begun.
    units: u64,
}

impl Line {
    /// A connection that is made when it is first needed.
    pub(crate) fn new(url: String, keyring: &Arc<Keyring>, catalogue: &Arc<Catalogue>) -> Self {
        let (keyring, catalogue) = (Arc::clone(keyring), Arc::clone(catalogue));
        Self { url, keyring, catalogue, session: None, units: 0 }
    }

    fn session(&mut self) -> Result<&mut Session, StorageError> {
        match &mut self.session {
            Some(session) => Ok(session),
            missing => {
                let opened = open(&self.url).and_then(|mut conn| {
                    bound_statements(&mut conn)?;
                    Ok(conn)
                });
                let conn = opened.map_err(|error| unavailable(&error.to_string()))?;
                let mut view = View::new(Arc::clone(&self.catalogue));
                // What answers now may be another server, which was promoted without the last changes of
                // the one before, and has counted up to the same versions since.
                view.forget();
                self.units = 0;
                Ok(missing.insert(Session::new(conn, Arc::clone(&self.keyring), view)))
            }
        }
    }

    /// A connection for another unit.
    fn next(&mut self) -> Result<&mut Session, StorageError> {
        self.session()?;
        self.units += 1;
        if self.units.is_power_of_two() && FORGETS_PLANS.contains(&self.units) {
            let forgotten = self.session()?.conn.batch_execute("DISCARD PLANS");
            // It broke while it was idle; a new one has no plans.
            if forgotten.is_err() {
                self.session = None;
            }
        }
        self.session()
    }
}

/// Runs each unit in a transaction, and answers after the commit.
pub(crate) fn write(mut line: Line, units: &Units) {
    while let Some(mut unit) = units.take() {
        if unit.is_abandoned() {
            continue;
        }
        let ended = in_transaction(&mut line, &mut *unit);
        units.note_batch(1);
        unit.answer(ended);
    }
}

fn in_transaction(line: &mut Line, unit: &mut dyn Unit) -> Result<(), StorageError> {
    for attempt in 1..=ATTEMPTS {
        let session = line.next()?;
        if let Err(error) = session.begin(attempt > 1) {
            line.session = None;
            return Err(error);
        }
        let verdict = unit.run(session);
        let ended = match verdict {
            Verdict::Commit => session.commit(),
            Verdict::Broken => Ok(()),
            _ => session.roll_back(),
        };
        match (verdict, ended) {
            // Nothing was committed: run it again, and from the second time on a little later than the
            // others.
            (Verdict::Again | Verdict::Unclear, Ok(())) | (_, Err(StorageError::Again)) => {
                thread::sleep(PAUSE * (attempt - 1));
            }
            (Verdict::Broken, _) => {
                // A connection that broke while it was idle was asked for nothing yet.
                let is_untouched = session.is_untouched();
                line.session = None;
                if !is_untouched || attempt > 1 {
                    return Err(unavailable("the connection broke"));
                }
            }
            (_, Err(error)) => {
                line.session = None;
                return Err(error);
            }
            (_, Ok(())) => {
                session.view.settle();
                return Ok(());
            }
        }
    }
    Err(unavailable("other transactions kept standing in the way"))
}

/// Runs each unit without a transaction: what it reads is mostly one statement, for which one
/// would cost two further round trips. It can be run again after a connection broke.
pub(crate) fn read(mut line: Line, units: &Units) {
    while let Some(mut unit) = units.take() {
        if unit.is_abandoned() {
            continue;
        }
        let mut ended = read_once(&mut line, &mut *unit);
        if ended.is_err() {
            ended = read_once(&mut line, &mut *unit);
        }
        unit.answer(ended);
    }
}

/// Units that are looked up for together at most.
const TOGETHER: usize = 16;

/// Runs units that begin with a look-up: what those that wait look up is asked for in one statement,
/// before the first of them runs.
pub(crate) fn look_up(mut line: Line, units: &Units) {
    while let Some(first) = units.take() {
        let others = iter::from_fn(|| units.take_waiting()).take(TOGETHER - 1);
        let mut waiting: Vec<_> = iter::once(first).chain(others).collect();
        waiting.retain(|unit| !unit.is_abandoned());
        let found = look_up_together(&mut line, &waiting);
        for (mut unit, mut found) in waiting.into_iter().zip(found) {
            let mut ended = read_found(&mut line, &mut *unit, found.take());
            if ended.is_err() {
                ended = read_once(&mut line, &mut *unit);
            }
            unit.answer(ended);
        }
    }
}

/// What each of several units looks up, if that could be asked for: one for which it could not asks
/// itself, and is told why not or finds that the connection broke.
fn look_up_together(line: &mut Line, units: &[Box<dyn Unit>]) -> Vec<Option<(LookUp, Found)>> {
    let nothing = || units.iter().map(|_| None).collect();
    let wanted: Option<Vec<&LookUp>> = units.iter().map(|unit| unit.look_up()).collect();
    let Some(wanted) = wanted.filter(|wanted| wanted.len() > 1) else { return nothing() };
    let Ok(found) = line.session().and_then(|session| session.look_up(&wanted)) else {
        return nothing();
    };
    let expected = |(look_up, found): (&LookUp, Option<Found>)| Some((look_up.clone(), found?));
    wanted.into_iter().zip(found).map(expected).collect()
}

fn read_once(line: &mut Line, unit: &mut dyn Unit) -> Result<(), StorageError> {
    read_found(line, unit, None)
}

/// Runs a unit that may know already what it looks up.
fn read_found(
    line: &mut Line,
    unit: &mut dyn Unit,
    found: Option<(LookUp, Found)>,
) -> Result<(), StorageError> {
    let session = line.next()?;
    session.view.begin();
    if let Some((look_up, found)) = found {
        session.view.expect(look_up, found);
    }
    match unit.run(session) {
        Verdict::Broken => {
            line.session = None;
            Err(unavailable("the connection broke"))
        }
        _ => Ok(()),
    }
}
