//! The command `seed`: a million users in minutes, through the store's own way for many at once.
//!
//! The first of them is created by the rules, as a request would; the others are like it but for
//! what is their own.

use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, mpsc};
use std::thread;

use accounts::ledger::{Action, Entry, differences};
use accounts::{Account, Caller, Context, NewAccount, Rights, Scope, tenancy, users};
use anyhow::{Context as _, Result, anyhow, ensure};
use clap::Args;
use jiff::Timestamp;
use scim_protocol::Object;
use scim_protocol::dialect::Dialect;
use scim_protocol::schema::ResourceType;
use serde_json::Value;
use store::{DatabaseUrl, Importer, Store};
use uuid::Uuid;

use crate::bodies::Newcomer;
use crate::load::run_name;
use crate::world::{Manifest, Person};

/// Users of one transaction.
const BATCH: u64 = 5000;

/// The options of `seed`.
#[derive(Args, Clone, Debug)]
pub struct SeedOptions {
    /// The service's database, as `headcount --database` takes it
    #[arg(long, value_name = "URL")]
    pub database: String,
    /// The tenant's name; it must be there
    #[arg(long, value_name = "NAME")]
    pub tenant: String,
    /// The connection whose externalIds the users get; it is made where there is none
    #[arg(long, value_name = "NAME", default_value = "okta")]
    pub connection: String,
    /// The connection's dialect
    #[arg(long, default_value = "okta")]
    pub dialect: String,
    /// How many users to put in
    #[arg(long)]
    pub users: u64,
    /// How many of them to name in the manifest, spread over all
    #[arg(long, default_value_t = 4000)]
    pub sample: u64,
    /// Where to write the manifest for `load`
    #[arg(long, value_name = "FILE")]
    pub manifest: PathBuf,
}

/// Puts users in and writes the manifest.
///
/// # Errors
/// If there is no such tenant, or the database refuses. The pool of seats must not be limited.
pub async fn run(options: &SeedOptions) -> Result<()> {
    let manifest = seed(options).await?;
    let text = serde_json::to_string(&manifest)?;
    fs::write(&options.manifest, text)
        .with_context(|| format!("cannot write {}", options.manifest.display()))
}

/// Puts users in: what there is now of them.
///
/// # Errors
/// As [`run`].
pub async fn seed(options: &SeedOptions) -> Result<Manifest> {
    ensure!(options.users > 0, "give --users");
    let url: DatabaseUrl = options.database.parse()?;
    let run = run_name();
    let store = Store::open(&url)?;
    let first = Newcomer::new(&run, 0);
    let (scope, account) = create(&store, options, &first).await?;
    drop(store);
    let mut sample = Sample::of(options.users, options.sample);
    sample.take(0, &first, account.resource.id);
    let batches = (1..options.users).step_by(BATCH as usize).map(|next| {
        let end = options.users.min(next + BATCH);
        let people = (next..end).map(|number| {
            let newcomer = Newcomer::new(&run, number);
            let import = like(&account, scope, &newcomer);
            sample.take(number, &newcomer, import.account.resource.id);
            import
        });
        people.collect::<Vec<_>>()
    });
    import_all(&url, scope, batches)?;
    let groups = std::collections::BTreeMap::new();
    Ok(Manifest { users: sample.people, groups, total: options.users })
}

/// Puts in what is made meanwhile: SQLite takes it from one, PostgreSQL from several.
fn import_all(
    url: &DatabaseUrl,
    scope: Scope,
    batches: impl Iterator<Item = Vec<NewAccount>>,
) -> Result<()> {
    let importers = if matches!(url, DatabaseUrl::Sqlite(_)) { 1 } else { 2 };
    let (sender, receiver) = mpsc::sync_channel::<Vec<NewAccount>>(2);
    let receiver = Mutex::new(receiver);
    thread::scope(|threads| {
        let work = || -> Result<()> {
            let mut importer = Importer::open(url).map_err(anyhow::Error::from);
            // After a failure too, so that nobody waits for this one.
            while let Ok(Ok(batch)) = receiver.lock().map(|batches| batches.recv()) {
                let Ok(open) = &mut importer else { continue };
                match open.import(scope, &batch) {
                    Ok(true) => {}
                    Ok(false) => importer = Err(anyhow!("a name is somebody's")),
                    Err(error) => importer = Err(error.into()),
                }
            }
            importer.map(|_| ())
        };
        let running: Vec<_> = (0..importers).map(|_| threads.spawn(work)).collect();
        for batch in batches {
            sender.send(batch).context("nobody puts them in")?;
        }
        drop(sender);
        for one in running {
            one.join().map_err(|_| anyhow!("an importer panicked"))??;
        }
        Ok(())
    })
}

/// Creates the first user by the rules, in the name of the connection.
async fn create(
    store: &Store,
    options: &SeedOptions,
    newcomer: &Newcomer,
) -> Result<(Scope, Account)> {
    let (tenant, connection) = (options.tenant.clone(), options.connection.clone());
    let dialect: Dialect = options.dialect.parse()?;
    let attributes = attributes(newcomer);
    let made = store.write(move |tx| {
        let tenant = tenancy::tenant_named(tx, &tenant)?.id;
        let system = Context::of_system(tenant, now(), new_id);
        let connection = tenancy::ensure_connection(tx, &system, &connection, dialect, None)?.id;
        let rights = Rights::of_provisioning();
        let caller = Caller {
            tenant,
            connection,
            dialect,
            rights,
            genesys: false,
            switches: accounts::connections::Switches::NONE,
            person: None,
            now: now(),
        };
        let context = Context::of_scim(caller, new_id(), now(), new_id);
        let user = users::create(tx, &context, new_id(), attributes.clone())?;
        Ok::<_, accounts::Refusal>((caller.scope(), tx.user(caller.scope(), user.id)?))
    });
    let (scope, account) = made.await?;
    Ok((scope, account.context("the first user is not there")?))
}

/// The attributes of what Okta sends, as they are kept.
fn attributes(newcomer: &Newcomer) -> Object {
    let mut body = newcomer.create();
    let mut attributes = body.as_object_mut().map(std::mem::take).unwrap_or_default();
    for name in ["schemas", "groups", "password"] {
        attributes.shift_remove(name);
    }
    attributes
}

/// Somebody who has been given what another one has been given.
fn like(account: &Account, scope: Scope, newcomer: &Newcomer) -> NewAccount {
    let mut account = account.clone();
    let at = now();
    let resource = &mut account.resource;
    (resource.id, resource.created, resource.last_modified) = (new_id(), at, at);
    account.standing.seat_since = account.standing.seat_since.map(|_| at);
    let mut attributes = attributes(newcomer);
    // In the order of the other one's, which is that of the schemas.
    for (name, value) in &mut resource.attributes {
        if let Some(own) = attributes.shift_remove(name) {
            *value = in_order_of(value, own);
        }
    }
    let changes = differences(ResourceType::user(), &Object::new(), &resource.attributes);
    let caller = accounts::Actor::ScimClient(scope.connection);
    let entry = Entry {
        id: new_id(),
        at,
        actor: caller,
        source: accounts::Source::Scim,
        request: new_id(),
        action: Action::Create,
        resource_type: "User",
        resource: resource.id,
        changes: Value::Array(changes),
        reason: None,
        rule: None,
        version: 1,
    };
    NewAccount { account, entry }
}

/// A value whose members, and those of its elements, come as those of another one.
fn in_order_of(other: &Value, value: Value) -> Value {
    match (other, value) {
        (Value::Object(other), Value::Object(mut value)) => {
            let mut ordered = Object::new();
            for (name, theirs) in other {
                if let Some(own) = value.shift_remove(name) {
                    ordered.insert(name.clone(), in_order_of(theirs, own));
                }
            }
            ordered.extend(value);
            Value::Object(ordered)
        }
        (Value::Array(other), Value::Array(value)) => {
            let place = |(at, own): (usize, Value)| match other.get(at) {
                Some(theirs) => in_order_of(theirs, own),
                None => own,
            };
            value.into_iter().enumerate().map(place).collect()
        }
        (_, value) => value,
    }
}

/// Some of all, at equal distances.
struct Sample {
    step: u64,
    people: Vec<Person>,
}

impl Sample {
    fn of(all: u64, some: u64) -> Self {
        Self { step: (all / some.max(1)).max(1), people: Vec::new() }
    }

    fn take(&mut self, number: u64, newcomer: &Newcomer, id: Uuid) {
        if number.is_multiple_of(self.step) {
            self.people.push(Person {
                id: id.to_string(),
                user_name: newcomer.user_name.clone(),
                external_id: Some(newcomer.external_id.clone()),
                email: Some(newcomer.user_name.clone()),
            });
        }
    }
}

/// The time, in the milliseconds that the service keeps.
#[allow(clippy::disallowed_methods, reason = "this program has no rules, and no tests of instants")]
fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}

#[allow(clippy::disallowed_methods, reason = "as above")]
fn new_id() -> Uuid {
    Uuid::now_v7()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_spread_over_all() {
        let mut sample = Sample::of(1000, 10);
        (0..1000).for_each(|n| sample.take(n, &Newcomer::new("r", n), Uuid::nil()));
        assert_eq!(sample.people.len(), 10);
        assert_eq!(sample.people[9].user_name, Newcomer::new("r", 900).user_name);
        let mut all = Sample::of(5, 10);
        (0..5).for_each(|n| all.take(n, &Newcomer::new("r", n), Uuid::nil()));
        assert_eq!(all.people.len(), 5);
    }

    #[test]
    fn values_come_in_the_order_of_others() {
        let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let other = value(r#"[{"value":1,"type":2,"primary":3}]"#);
        let ordered = in_order_of(&other, value(r#"[{"primary":6,"type":5,"value":4},7]"#));
        assert_eq!(ordered.to_string(), r#"[{"value":4,"type":5,"primary":6},7]"#);
    }
}
