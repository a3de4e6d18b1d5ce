//! What the administrators of a tenant define - its settings, roles, divisions, skills, licence tiers,
//! rules, connections and tokens - is asked for by nearly every request, and seldom written. It is
//! kept in memory under the version that the tenant's catalogue had when it was read.
//!
//! The version is a row in the database that triggers count up in each transaction which writes any
//! of this. A unit of work reads it before the first use, so that no server answers by what another
//! has changed; and one that has written itself keeps nothing, for it may yet be rolled back.

use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use accounts::authorization::PermissionSet;
use accounts::tenancy::Credential;
use accounts::{Resource, Scope};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use uuid::Uuid;

use crate::departures::Departures;
use crate::look_up::{self, By, LookUp};
use crate::unit::{Holdings, Remembered};

/// What all tenants together take at most, in bytes of JSON, which is half of what it takes about.
const CAPACITY: u64 = 64 * 1024 * 1024;
/// What one resource takes besides its attributes.
const OVERHEAD: u64 = 256;
/// Entries that are expected, by which the cache makes its tables.
const ENTRIES: usize = 10_000;

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Wanted {
    /// The resource of a type with an identifier.
    Id(&'static str, Uuid),
    /// The resources of a type with a name, folded.
    Name(&'static str, String),
    /// All resources of a type.
    All(&'static str),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    tenant: Uuid,
    version: i64,
    wanted: Wanted,
}

#[derive(Clone)]
struct Found {
    resources: Arc<[Arc<Resource>]>,
    weight: u64,
}

#[derive(Clone)]
struct OneWeight;

impl Weighter<Key, Found> for OneWeight {
    fn weight(&self, _: &Key, found: &Found) -> u64 {
        found.weight
    }
}

/// What all sessions of a store have read.
pub(crate) struct Catalogue {
    found: Cache<Key, Found, OneWeight>,
    /// By the public part of a token, with the version of its tenant's catalogue.
    credentials: Cache<String, (i64, Arc<Credential>)>,
    /// What each role of a tenant gives, in the version of its catalogue.
    permissions: Cache<(Uuid, i64, Uuid), PermissionSet>,
    /// How often this store has changed it.
    changes: AtomicU64,
    departures: Departures,
}

impl Catalogue {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            found: Cache::with_weighter(ENTRIES, CAPACITY, OneWeight),
            credentials: Cache::new(ENTRIES),
            permissions: Cache::new(ENTRIES),
            changes: AtomicU64::new(0),
            departures: Departures::new(),
        })
    }

    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }
}

/// What a unit of work asks about a tenant before anything else.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OfTenant {
    /// The version of its catalogue, where it has one.
    pub(crate) version: Option<i64>,
    /// Whether any of its groups is in another.
    pub(crate) nests: bool,
}

/// What one session knows of it in one unit of work.
pub(crate) struct View {
    catalogue: Arc<Catalogue>,
    /// The version that a tenant's catalogue has, once it was asked for.
    known: Option<(Uuid, i64)>,
    /// A tenant of which no group is in another.
    flat: Option<Uuid>,
    /// Whether this unit of work has written any of it.
    written: bool,
    /// Whether any has that was committed since it was last [settled](Self::settle).
    unsettled: bool,
    /// The seal of the entry of a version of a resource that was locked.
    seal: Option<(Uuid, i64, Vec<u8>)>,
    /// What people hold, which is no part of the catalogue, but remembered in the same way.
    remembered: Remembered,
    /// What the unit of work looks up first, if that was asked before it ran.
    ahead: Option<(LookUp, look_up::Found)>,
}

impl View {
    pub(crate) fn new(catalogue: Arc<Catalogue>) -> Self {
        Self {
            catalogue,
            known: None,
            flat: None,
            written: false,
            unsettled: false,
            seal: None,
            remembered: Remembered::default(),
            ahead: None,
        }
    }

    /// Knows nothing, as a unit of work must begin.
    pub(crate) fn begin(&mut self) {
        (self.known, self.flat, self.written) = (None, None, false);
        self.ahead = None;
        self.undo();
    }

    /// Has the answer of a question that the unit of work, which has just begun, is going to ask.
    pub(crate) fn expect(&mut self, look_up: LookUp, found: look_up::Found) {
        self.ahead = Some((look_up, found));
    }

    /// What a look-up found that was expected, once: asked again, it may have changed.
    pub(crate) fn expected(
        &mut self,
        scope: Scope,
        is_it: impl Fn(&By) -> bool,
    ) -> Option<look_up::Found> {
        let (look_up, found) = self.ahead.take()?;
        (look_up.scope == scope && is_it(&look_up.by)).then_some(found)
    }

    /// Keeps nothing more in this unit of work.
    pub(crate) fn write(&mut self) {
        (self.written, self.unsettled) = (true, true);
    }

    /// What was written is committed, and others are to know.
    pub(crate) fn settle(&mut self) {
        if mem::take(&mut self.unsettled) {
            self.catalogue.changes.fetch_add(1, Ordering::Release);
        }
    }

    /// Forgets what others may have changed while this unit of work waited.
    pub(crate) fn expire(&mut self) {
        (self.known, self.flat) = (None, None);
    }

    /// Forgets what was read, of transactions that were never committed or of a server that is gone.
    pub(crate) fn forget(&mut self) {
        self.catalogue.found.clear();
        self.catalogue.credentials.clear();
        self.catalogue.permissions.clear();
        self.catalogue.departures.clear();
    }

    /// The departures that the guard has allowed ahead.
    pub(crate) fn departures(&self) -> &Departures {
        &self.catalogue.departures
    }

    pub(crate) fn has_written(&self) -> bool {
        self.written
    }

    pub(crate) fn known(&self, tenant: Uuid) -> Option<i64> {
        self.known.filter(|(of, _)| *of == tenant).map(|(_, version)| version)
    }

    /// Whether there is no need to ask about a tenant.
    pub(crate) fn knows(&self, tenant: Uuid) -> bool {
        self.written || self.known(tenant).is_some()
    }

    /// Whether none of a tenant's groups is in another, as far as is known.
    pub(crate) fn is_flat(&self, tenant: Uuid) -> bool {
        self.flat == Some(tenant)
    }

    /// Learns what came with something that was read, which it gives back.
    pub(crate) fn learned<T>(&mut self, tenant: Uuid, known: OfTenant, read: T) -> T {
        self.known = known.version.map(|version| (tenant, version));
        self.flat = (!known.nests).then_some(tenant);
        read
    }

    pub(crate) fn holdings(&self, tenant: Uuid, holders: &[Uuid]) -> Option<Arc<Holdings>> {
        self.remembered.get(tenant, holders)
    }

    pub(crate) fn keep_holdings(&mut self, tenant: Uuid, holders: &[Uuid], held: &Arc<Holdings>) {
        self.remembered.keep(tenant, holders, held);
    }

    /// Forgets what was read of the unit's own writes, some of which are undone.
    pub(crate) fn undo(&mut self) {
        (self.seal, self.flat) = (None, None);
        self.remembered.forget();
    }

    pub(crate) fn keep_seal(&mut self, resource: Uuid, version: i64, seal: Option<Vec<u8>>) {
        self.seal = seal.map(|seal| (resource, version, seal));
    }

    pub(crate) fn seal(&self, resource: Uuid, version: i64) -> Option<Vec<u8>> {
        let known = self.seal.as_ref().filter(|(of, at, _)| (*of, *at) == (resource, version));
        known.map(|(_, _, seal)| seal.clone())
    }

    /// A resource was locked: others may have changed what people hold meanwhile.
    pub(crate) fn lock(&mut self) {
        self.remembered.expire();
    }

    /// What people hold changes.
    pub(crate) fn change_holdings(&mut self) {
        self.remembered.forget();
    }

    /// A group is in another from now on.
    pub(crate) fn nest(&mut self) {
        self.flat = None;
    }

    /// A user is new, who holds nothing yet.
    pub(crate) fn add_user(&mut self, user: Uuid) {
        self.remembered.add(user);
    }

    pub(crate) fn get(
        &self,
        tenant: Uuid,
        version: i64,
        wanted: Wanted,
    ) -> Option<Arc<[Arc<Resource>]>> {
        let found = self.catalogue.found.get(&Key { tenant, version, wanted })?;
        Some(found.resources)
    }

    pub(crate) fn keep(
        &self,
        tenant: Uuid,
        version: i64,
        wanted: Wanted,
        resources: &[Arc<Resource>],
    ) {
        let weight = OVERHEAD + resources.iter().map(|resource| size(resource)).sum::<u64>();
        let found = Found { resources: resources.into(), weight };
        self.catalogue.found.insert(Key { tenant, version, wanted }, found);
    }

    pub(crate) fn permissions(
        &self,
        tenant: Uuid,
        version: i64,
        role: Uuid,
    ) -> Option<PermissionSet> {
        self.catalogue.permissions.get(&(tenant, version, role))
    }

    pub(crate) fn keep_permissions(
        &self,
        tenant: Uuid,
        version: i64,
        role: Uuid,
        given: PermissionSet,
    ) {
        self.catalogue.permissions.insert((tenant, version, role), given);
    }

    /// The credential of a token, with the version under which it was read.
    pub(crate) fn credential(&self, token_id: &str) -> Option<(i64, Arc<Credential>)> {
        self.catalogue.credentials.get(token_id)
    }

    pub(crate) fn keep_credential(&self, version: i64, credential: &Credential) {
        let kept = (version, Arc::new(credential.clone()));
        self.catalogue.credentials.insert(credential.token.id.clone(), kept);
    }
}

/// About what a resource takes.
fn size(resource: &Resource) -> u64 {
    let attributes = serde_json::to_vec(&resource.attributes).map_or(0, |json| json.len());
    OVERHEAD + u64::try_from(attributes).unwrap_or(u64::MAX / 2)
}
