//! Whether a limited pool of seats makes creating accounts slower: 32 callers create accounts in one
//! tenant, in a pool without a limit and in one with, turn by turn. Rule R13 must not cost what a
//! counter would: that every create waits for the one before it.
//!
//! `cargo xtask postgres -- cargo bench -p store --bench seat_pool` runs it on both databases; without
//! PostgreSQL, on SQLite.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run says so")]
#![allow(clippy::cast_precision_loss, reason = "the numbers are small")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use accounts::license_tiers::LicenseTiers;
use accounts::{Caller, Context, Precondition, Refusal, Rights, objects, tenancy, users};
use jiff::Timestamp;
use scim_protocol::dialect::{Dialect, Leniencies};
use scim_protocol::resource::parse;
use scim_protocol::schema::ResourceType;
use serde_json::json;
use store::{DatabaseUrl, Store};
use tokio::runtime::Runtime;
use uuid::Uuid;

/// Callers at once.
const CALLERS: usize = 32;
/// Accounts that each creates in one turn.
const EACH: usize = 40;
/// Turns with each kind of pool.
const TURNS: usize = 15;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = DatabaseUrl::Sqlite(folder.path().join("bench.db"));
    measure("SQLite", &sqlite);
    match std::env::var("HEADCOUNT_TEST_POSTGRES") {
        Ok(url) => measure("PostgreSQL", &url.parse().unwrap()),
        Err(_) => println!("PostgreSQL: not measured, HEADCOUNT_TEST_POSTGRES is not set"),
    }
}

fn measure(database: &str, url: &DatabaseUrl) {
    let store = Arc::new(Store::open(url).unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let tenants = [("unlimited", None), ("limited", Some(CALLERS * EACH * (TURNS + 2)))];
    let tenants = tenants.map(|(name, seats)| (name, tenant(&runtime, &store, seats)));
    let mut took: [Vec<Duration>; 2] = [Vec::new(), Vec::new()];
    // Cargo says so. As a test it only has to work.
    let turns = if std::env::args().any(|argument| argument == "--bench") { TURNS } else { 1 };
    for turn in 0..=turns {
        for (at, (_, tenant)) in tenants.iter().enumerate() {
            let duration = create_many(&runtime, &store, *tenant);
            // The first turn warms up.
            if turn > 0 {
                took[at].push(duration);
            }
        }
    }
    let rates = took.map(|mut turns| {
        turns.sort();
        (CALLERS * EACH) as f64 / turns[turns.len() / 2].as_secs_f64()
    });
    for ((name, _), rate) in tenants.iter().zip(rates) {
        println!("{database}: {name} pool: {rate:.0} accounts/s (median of {turns} turns)");
    }
    println!("{database}: limited/unlimited = {:.3}", rates[1] / rates[0]);
}

/// A tenant with so many seats of the default tier.
fn tenant(runtime: &Runtime, store: &Store, seats: Option<usize>) -> Uuid {
    let id = new_id();
    runtime.block_on(async {
        let name = id.to_string();
        let made = store.write(move |tx| tenancy::create_tenant(tx, &name, id, now(), new_id));
        made.await.unwrap();
        let limited = store.write(move |tx| {
            let tiers = tx.objects_named(id, ResourceType::license_tier(), &["cx1".to_owned()])?;
            let mut body = tiers[0].attributes.clone();
            let Some(seats) = seats else { return Ok(()) };
            body.insert("totalSeats".to_owned(), seats.into());
            let context = context(id);
            let any = Precondition::default();
            objects::replace::<LicenseTiers>(tx, &context, tiers[0].id, &any, body)?;
            Ok::<_, Refusal>(())
        });
        limited.await.unwrap();
    });
    id
}

fn create_many(runtime: &Runtime, store: &Arc<Store>, tenant: Uuid) -> Duration {
    let started = Instant::now();
    runtime.block_on(async {
        let callers = (0..CALLERS).map(|_| {
            let store = Arc::clone(store);
            tokio::spawn(async move {
                for _ in 0..EACH {
                    create(&store, tenant).await;
                }
            })
        });
        for caller in callers.collect::<Vec<_>>() {
            caller.await.unwrap();
        }
    });
    started.elapsed()
}

async fn create(store: &Store, tenant: Uuid) {
    let id = new_id();
    let user = ResourceType::user();
    let address = format!("{id}@example.com");
    let body = json!({
        "schemas": [user.schema.id],
        "userName": address,
        "externalId": id,
        "displayName": "Ada King",
        "name": {"givenName": "Ada", "familyName": "King"},
        "emails": [{"value": address, "type": "work", "primary": true}],
    });
    let body = parse(user, &body, &mut Leniencies::new(Dialect::Strict)).unwrap();
    let created =
        store.write(move |tx| users::create(tx, &context(tenant), id, body.clone()).map(drop));
    created.await.unwrap();
}

fn context(tenant: Uuid) -> Context {
    let (dialect, rights) = (Dialect::Strict, Rights::ALL);
    let now = now();
    let caller = Caller {
        tenant,
        connection: tenant,
        dialect,
        rights,
        genesys: false,
        switches: accounts::connections::Switches::NONE,
        person: None,
        now,
    };
    Context::of_scim(caller, new_id(), now, new_id)
}

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

/// Identifiers whose first part ascends and whose last part is random enough, as version 7 has it.
fn new_id() -> Uuid {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let random = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) & 0x3FFF_FFFF_FFFF_FFFF;
    Uuid::from_u64_pair(number << 16 | 0x7000, 0x8000_0000_0000_0000 | random)
}
