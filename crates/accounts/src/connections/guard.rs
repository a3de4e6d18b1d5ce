//! What the guard against mass deprovisioning says of a connection (rule R57): kept with the
//! connection, for administrators to see and to lift. [`guard`](crate::guard) decides.

use jiff::{SignedDuration, Timestamp};
use scim_protocol::Object;
use scim_protocol::error::Error;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Connections;
use crate::ledger::Action;
use crate::objects::change;
use crate::policy::{GuardAction, GuardPolicy};
use crate::refusal::Refusal;
use crate::rights::Right;
use crate::tx::{Resource, Tx};
use crate::users::settings::Settings;
use crate::{Context, Precondition};

/// Where a connection has it.
pub(super) const GUARD: &str = "guard";

/// What the guard says of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing was too much, or nobody asks.
    Quiet,
    /// There was too much, and it was let through.
    Watching,
    /// What is too much is refused.
    Holding,
    /// An administrator lets everything through for a time.
    Released,
}

impl State {
    const ALL: [Self; 4] = [Self::Quiet, Self::Watching, Self::Holding, Self::Released];

    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Quiet => "off",
            Self::Watching => "watching",
            Self::Holding => "holding",
            Self::Released => "released",
        }
    }
}

/// The guard of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guard {
    /// What it says.
    pub state: State,
    /// Since when it watches or holds.
    pub since: Option<Timestamp>,
    /// Until when an administrator has released it.
    pub until: Option<Timestamp>,
    /// How many deactivations there were when it was raised.
    pub count: Option<u64>,
}

impl Guard {
    /// The guard of a connection with these attributes.
    pub fn of(connection: &Object) -> Self {
        let part = |name| connection.get(GUARD).and_then(|guard| guard.get(name));
        let text = |name| part(name).and_then(Value::as_str);
        let instant = |name| text(name).and_then(|text| text.parse().ok());
        let state = State::ALL.into_iter().find(|state| text("state") == Some(state.as_str()));
        Self {
            state: state.unwrap_or(State::Quiet),
            since: instant("since"),
            until: instant("until"),
            count: part("count").and_then(Value::as_u64),
        }
    }

    /// Whether an administrator lets everything through now.
    pub fn is_released(&self, now: Timestamp) -> bool {
        self.state == State::Released && self.until.is_some_and(|until| now < until)
    }

    /// Whether it needs nobody counted: an administrator lets everything through, or somebody is to be
    /// told of what is too much and was told in this window.
    pub fn lets_through(&self, policy: &GuardPolicy, now: Timestamp) -> bool {
        let only_tells = policy.action == GuardAction::Alert;
        self.is_released(now) || only_tells && self.was_raised(State::Watching, policy, now)
    }

    /// Whether it was raised in this window.
    fn was_raised(&self, state: State, policy: &GuardPolicy, now: Timestamp) -> bool {
        let window = SignedDuration::from_secs(policy.window_seconds);
        let in_window = |since| now.duration_since(since) < window;
        self.state == state && self.since.is_some_and(in_window)
    }

    fn write(&self, connection: &mut Object) {
        let mut guard = Object::from_iter([("state".to_owned(), self.state.as_str().into())]);
        let instants = [("since", self.since), ("until", self.until)];
        let instants = instants.into_iter().filter_map(|(name, at)| Some((name, json!(at?))));
        let count = self.count.map(|count| ("count", count.into()));
        guard.extend(instants.chain(count).map(|(name, value)| (name.to_owned(), value)));
        connection.insert(GUARD.to_owned(), Value::Object(guard));
    }
}

/// Writes that the caller's connection has deactivated too many: for a unit of work of its own, after
/// the one that was refused. Only the first time in a window, so that a client that tries again and
/// again fills no log. Whether it was written.
///
/// # Errors
/// Refuses a connection that does not exist.
pub fn raise(
    tx: &mut dyn Tx,
    context: &Context,
    policy: &GuardPolicy,
    count: u64,
) -> Result<bool, Refusal> {
    let state = match policy.action {
        GuardAction::Off => return Ok(false),
        GuardAction::Alert => State::Watching,
        GuardAction::Hold => State::Holding,
    };
    let (now, always) = (context.now, Precondition::default());
    let mut raised = false;
    let id = context.caller.connection;
    change::<Connections>(tx, context, id, &always, Action::Update, |connection| {
        let guard = Guard::of(connection);
        if !guard.is_released(now) && !guard.was_raised(state, policy, now) {
            raised = true;
            Guard { state, since: Some(now), until: None, count: Some(count) }.write(connection);
        }
        Ok(())
    })?;
    Ok(raised)
}

/// Lets a connection deactivate as many as it wants until an instant, or for as long as the guard
/// looks back: an administrator has looked.
///
/// # Errors
/// Refuses who is no administrator, an unknown connection, and a time that is past.
pub fn release(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    until: Option<Timestamp>,
) -> Result<Resource, Refusal> {
    context.caller.require(Right::Admin)?;
    let window = Settings::of(tx, context)?.policy.guard.window_seconds;
    let until = until
        .map_or_else(|| context.now.saturating_add(SignedDuration::from_secs(window)).ok(), Some);
    let until = until.unwrap_or(Timestamp::MAX);
    if until <= context.now {
        return Err(Error::invalid_value("until must be a time to come").into());
    }
    let always = Precondition::default();
    change::<Connections>(tx, context, id, &always, Action::Update, |connection| {
        let guard = Guard::of(connection);
        Guard { state: State::Released, until: Some(until), ..guard }.write(connection);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r57_a_guard_is_written_as_it_is_read() {
        let at = |second| Timestamp::from_second(second).unwrap();
        for guard in [
            Guard { state: State::Quiet, since: None, until: None, count: None },
            Guard { state: State::Holding, since: Some(at(1)), until: None, count: Some(26) },
            Guard {
                state: State::Released,
                since: Some(at(1)),
                until: Some(at(9)),
                count: Some(26),
            },
        ] {
            let mut connection = Object::new();
            guard.write(&mut connection);
            assert_eq!(Guard::of(&connection), guard);
        }
        assert_eq!(Guard::of(&Object::new()).state, State::Quiet);
    }

    #[test]
    fn r57_a_release_ends() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let until = Some(at(9));
        let guard = Guard { state: State::Released, since: None, until, count: None };
        assert!(guard.is_released(at(8)));
        assert!(!guard.is_released(at(9)));
        assert!(!Guard { state: State::Holding, ..guard }.is_released(at(8)));
    }
}
