//! Mails: sent beside the requests that cause them, by one task of each server.
//!
//! What is to be mailed is a row that was written with what caused it. The task takes a few such rows at
//! a time, which are then nobody else's for some minutes; gives each link its secret; sends the mail; and
//! writes down that it was sent, or when it is tried again. A server that dies in between leaves the row
//! to the others; a mail that is sent twice for that has another link, and only the last one is good.

mod text;
mod transport;

use std::sync::Arc;
use std::time::Duration;

use accounts::login::letters::{self, LEASE, Letter};
use accounts::{Context, DueLink, Purpose, Refusal};
use actix_web::web::{Data, block};
use futures_util::future::join_all;
use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval};

pub use transport::{MailError, Transport};

use crate::login::{ACTIVATION, RESET};
use crate::secret::{Kind, NewSecret};
use crate::{State, clock};

/// How often it is looked whether there is anything to send.
const PERIOD: Duration = Duration::from_secs(1);

/// Mails that are sent side by side.
const AT_ONCE: u32 = 8;

/// How mails are sent.
#[derive(Debug, Clone)]
pub struct Mailer {
    /// By which way.
    pub transport: Arc<Transport>,
    /// Who sends them: an address, with a name or without.
    pub from: String,
    /// The URL above the paths of links, without a slash at its end.
    pub base: String,
}

/// Why a mail was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failed {
    /// It may be sent later.
    ForNow,
    /// It is refused for good.
    ForGood,
}

/// Sends what is due, until the server stops.
pub(crate) async fn run(state: Data<State>, mailer: Mailer, stop: Arc<Notify>) {
    let mut every = interval(PERIOD);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = every.tick() => {}
            () = stop.notified() => return,
        }
        if let Err(error) = round(&state, &mailer).await {
            tracing::error!(?error, "mails could not be looked for; it is tried again");
        }
    }
}

/// Sends what is due now.
async fn round(state: &State, mailer: &Mailer) -> Result<(), Refusal> {
    loop {
        let now = clock::now();
        let until = now.checked_add(LEASE).unwrap_or(now);
        let due = state.store.write(move |tx| tx.take_due_links(now, until, AT_ONCE)).await?;
        let is_last = due.len() < AT_ONCE as usize;
        for sent in join_all(due.into_iter().map(|due| one(state, mailer, due))).await {
            sent?;
        }
        if is_last {
            return Ok(());
        }
    }
}

/// Sends one mail, and writes down how that went.
async fn one(state: &State, mailer: &Mailer, due: DueLink) -> Result<(), Refusal> {
    let (kind, path) = match due.purpose {
        Purpose::Activation => (Kind::Activation, ACTIVATION),
        Purpose::Reset => (Kind::Reset, RESET),
    };
    let Ok(secret) = NewSecret::make(kind, due.tenant, due.user) else { return Ok(()) };
    let (context, hash) = (system(due), secret.hash.clone());
    let store = state.store.of(due.tenant);
    let prepared =
        store.write(move |tx| letters::prepare(tx, &context.caller, &due, &hash)).await?;
    let Some(letter) = prepared else { return Ok(()) };
    let link = format!("{}{path}/{}", mailer.base, secret.text);
    let until = match send(mailer, &letter, &link).await {
        Ok(()) => None,
        Err(failed) => {
            let (tenant, account, attempts) = (&letter.tenant, due.user, due.attempts);
            let for_good = failed == Failed::ForGood;
            tracing::warn!(tenant, %account, attempts, for_good, "a mail could not be sent");
            (!for_good).then(|| letters::again(due.attempts, clock::now()))
        }
    };
    let link = (due.user, due.purpose);
    store.write(move |tx| tx.put_off_link(due.tenant, link, &secret.hash, until)).await?;
    Ok(())
}

fn system(due: DueLink) -> Context {
    Context::of_system(due.tenant, clock::now(), clock::new_id)
}

async fn send(mailer: &Mailer, letter: &Letter, link: &str) -> Result<(), Failed> {
    let message = text::message(&mailer.from, letter, link).map_err(|error| {
        tracing::warn!(error = %error, "an address cannot be written to");
        Failed::ForGood
    })?;
    let transport = Arc::clone(&mailer.transport);
    let sent = block(move || transport.send(&message)).await;
    match sent {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => {
            tracing::warn!(error = %error, "the mail server");
            Err(if error.is_permanent() { Failed::ForGood } else { Failed::ForNow })
        }
        Err(_) => Err(Failed::ForNow),
    }
}
