//! The rules over a store, for one caller.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use accounts::connections::Switches;
use accounts::tenancy::Tenant;
use accounts::{Caller, Code, Context, Refusal, RequestLog, Resource, Rights, Tx, tenancy};
use jiff::Timestamp;
use scim_protocol::dialect::{Dialect, Leniencies};
use scim_protocol::patch::{self, Edit};
use scim_protocol::resource::parse;
use scim_protocol::schema::ResourceType;
use scim_protocol::{Object, message};
use serde_json::{Value, json};
use store::{Store, UnitError};
use tokio::runtime::Runtime;
use uuid::Uuid;

use super::TestDatabase;

/// An open store and a caller.
pub(crate) struct World {
    pub(crate) store: Arc<Store>,
    pub(crate) runtime: Runtime,
}

impl World {
    pub(crate) fn on(database: &TestDatabase) -> Self {
        Self::founded(database, |tx| {
            tenancy::create_tenant(tx, "Acme", CALLER.tenant, context().now, new_id)
        })
    }

    /// With a tenant that is made so.
    pub(crate) fn founded(
        database: &TestDatabase,
        found: impl Fn(&mut dyn Tx) -> Result<Tenant, Refusal> + Send + 'static,
    ) -> Self {
        let store = Store::open(&database.url).expect("the store can be opened");
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build();
        let world =
            Self { store: Arc::new(store), runtime: runtime.expect("threads can be started") };
        // Where a database is opened again, the tenant is there.
        let made = world.write(found);
        assert!(matches!(made, Ok(_) | Err(Refusal::Rule { code: Code::TenantNameTaken, .. })));
        world
    }

    pub(crate) fn write<T, E>(
        &self,
        unit: impl Fn(&mut dyn Tx) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: UnitError,
    {
        self.runtime.block_on(self.store.write(unit))
    }

    pub(crate) fn read<T, E>(
        &self,
        unit: impl Fn(&mut dyn Tx) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: UnitError,
    {
        self.runtime.block_on(self.store.read(unit))
    }

    /// Writes to the provisioning log.
    pub(crate) fn log<T, E>(
        &self,
        unit: impl Fn(&mut dyn RequestLog) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: UnitError,
    {
        self.runtime.block_on(self.store.log(unit))
    }

    /// Runs units at once; their results in the order in which they were handed in.
    pub(crate) fn write_together<T: Send + 'static>(
        &self,
        units: Vec<Unit<T>>,
    ) -> Vec<Result<T, Refusal>> {
        let writes: Vec<_> = units
            .into_iter()
            .map(|unit| {
                let store = Arc::clone(&self.store);
                self.runtime.spawn(async move { store.write(unit).await })
            })
            .collect();
        let results = writes.into_iter().map(|write| self.runtime.block_on(write));
        results.map(|result| result.expect("the task ends")).collect()
    }

    pub(crate) fn create_user(&self, body: Object) -> Result<Uuid, Refusal> {
        self.write(move |tx| Ok(new_user(tx, &context(), body.clone())?.id))
    }

    pub(crate) fn create_group(&self, body: Object) -> Result<Uuid, Refusal> {
        self.write(move |tx| Ok(new_group(tx, &context(), body.clone(), Dialect::Strict)?.id))
    }
}

/// A unit of work.
pub(crate) type Unit<T> = Box<dyn Fn(&mut dyn Tx) -> Result<T, Refusal> + Send>;

/// The caller of every test.
pub(crate) const CALLER: Caller = Caller {
    tenant: Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001),
    connection: Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0002),
    dialect: Dialect::Strict,
    rights: Rights::ALL,
    genesys: false,
    switches: Switches::NONE,
    person: None,
    // Between what the population calls now, and what the rules do.
    now: Timestamp::constant(1_750_000_000, 0),
};

/// What a rule is given; each time a new request at a later instant.
pub(crate) fn context() -> Context {
    static REQUESTS: AtomicU64 = AtomicU64::new(0);
    let micros = 1_800_000_000_000_000 + REQUESTS.fetch_add(1, Ordering::Relaxed);
    let now = Timestamp::from_microsecond(micros.cast_signed()).expect("it is an instant");
    Context::of_scim(CALLER, new_id(), now, new_id)
}

/// Identifiers that ascend, in the form of version 7.
fn new_id() -> Uuid {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    Uuid::from_u128(0x0190_0000_0001_7000_8000_0000_0000_0000 + u128::from(next))
}

/// Creates a user.
pub(crate) fn new_user(
    tx: &mut dyn Tx,
    context: &Context,
    body: Object,
) -> Result<Resource, Refusal> {
    accounts::users::create(tx, context, (context.new_id)(), body)
}

/// Creates a group.
pub(crate) fn new_group(
    tx: &mut dyn Tx,
    context: &Context,
    body: Object,
    dialect: Dialect,
) -> Result<Resource, Refusal> {
    let mut leniencies = Leniencies::new(dialect);
    accounts::groups::create(tx, context, (context.new_id)(), body, &mut leniencies)
}

/// A user's body.
pub(crate) fn user(name: &str) -> Object {
    strict_body(ResourceType::user(), json!({"userName": name}))
}

/// A group's body.
pub(crate) fn group(name: &str, members: &[Uuid]) -> Object {
    let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
    strict_body(ResourceType::group(), json!({"displayName": name, "members": members}))
}

/// A body in its kept form, read as the RFC has it.
pub(crate) fn strict_body(kind: &'static ResourceType, mut body: Value) -> Object {
    body["schemas"] = json!(scim_protocol::resource::schemas(kind, body.as_object().unwrap()));
    parse(kind, &body, &mut Leniencies::new(Dialect::Strict))
        .unwrap_or_else(|error| panic!("{body}: {error}"))
}

/// The edits of a PATCH with one operation.
pub(crate) fn edits(kind: &'static ResourceType, operation: &Value) -> Vec<Edit> {
    let body = json!({"schemas": [message::PATCH_OP], "Operations": [operation]});
    patch::parse(kind, &body, &mut Leniencies::new(Dialect::Strict))
        .unwrap_or_else(|error| panic!("{operation}: {error}"))
}
