//! What is counted for each connection, and the seats of each tenant.
//!
//! Names are not looked up for a request: it is counted under identifiers, and the names are put there
//! when somebody asks. Those who log and those who go through the tenants have them anyway.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use accounts::Caller;
use accounts::timers::Pool;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use scim_protocol::dialect::Leniency;
use uuid::Uuid;

/// Connections that are told apart, and tenants of which the seats are told. What is more is counted
/// together, under no name.
const MOST: usize = 5_000;

/// Classes of statuses, by their first digit.
const CLASSES: [&str; 6] = ["other", "1xx", "2xx", "3xx", "4xx", "5xx"];

/// A connection of a tenant.
type Whose = (Uuid, Uuid);

/// What the connections and tenants did.
#[derive(Default)]
pub(crate) struct Tenants {
    connections: RwLock<HashMap<Whose, Series>>,
    others: Series,
    names: RwLock<HashMap<Uuid, Arc<str>>>,
    pools: RwLock<HashMap<Uuid, Vec<Pool>>>,
}

/// What one connection did.
struct Series {
    answers: [AtomicU64; CLASSES.len()],
    throttled: AtomicU64,
    leniencies: [AtomicU64; Leniency::ALL.len()],
}

impl Default for Series {
    fn default() -> Self {
        let none = |_| AtomicU64::new(0);
        Self {
            answers: std::array::from_fn(none),
            throttled: AtomicU64::new(0),
            leniencies: std::array::from_fn(none),
        }
    }
}

impl Series {
    fn count(&self, status: u16, leniencies: &[(Leniency, u64)]) {
        let class = usize::from(status / 100);
        let class = if class < CLASSES.len() { class } else { 0 };
        self.answers[class].fetch_add(1, Ordering::Relaxed);
        if status == 429 {
            self.throttled.fetch_add(1, Ordering::Relaxed);
        }
        for (leniency, count) in leniencies {
            self.leniencies[*leniency as usize].fetch_add(*count, Ordering::Relaxed);
        }
    }
}

impl Tenants {
    /// Counts a request of a connection.
    pub(crate) fn answered(&self, caller: &Caller, status: u16, leniencies: &[(Leniency, u64)]) {
        let whose = (caller.tenant, caller.connection);
        let known = self.connections.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(series) = known.get(&whose) {
            return series.count(status, leniencies);
        }
        drop(known);
        let mut known = self.connections.write().unwrap_or_else(PoisonError::into_inner);
        let room = known.len() < MOST;
        match known.entry(whose) {
            Entry::Occupied(there) => there.get().count(status, leniencies),
            Entry::Vacant(new) if room => new.insert(Series::default()).count(status, leniencies),
            Entry::Vacant(_) => self.others.count(status, leniencies),
        }
    }

    /// Learns what tenants and connections are called.
    pub(crate) fn learn<'a>(&self, names: impl IntoIterator<Item = (Uuid, &'a str)>) {
        let mut known = self.names.write().unwrap_or_else(PoisonError::into_inner);
        for (id, name) in names {
            if known.get(&id).is_none_or(|known| **known != *name) && known.len() < 4 * MOST {
                known.insert(id, name.into());
            }
        }
    }

    /// Whether it is known what a tenant or connection is called.
    pub(crate) fn knows(&self, id: Uuid) -> bool {
        self.names.read().unwrap_or_else(PoisonError::into_inner).contains_key(&id)
    }

    /// Learns how many seats a tenant has and uses.
    pub(crate) fn count_seats(&self, tenant: Uuid, counted: Vec<Pool>) {
        let mut pools = self.pools.write().unwrap_or_else(PoisonError::into_inner);
        if counted.is_empty() {
            pools.remove(&tenant);
        } else if pools.len() < MOST || pools.contains_key(&tenant) {
            pools.insert(tenant, counted);
        }
    }

    fn name(&self, id: Uuid) -> Arc<str> {
        let names = self.names.read().unwrap_or_else(PoisonError::into_inner);
        names.get(&id).cloned().unwrap_or_else(|| id.to_string().into())
    }

    /// The series, with the names of those whose they are, in their order.
    fn named<T>(&self, value: impl Fn(&Series) -> T) -> Vec<(Arc<str>, Arc<str>, T)> {
        let connections = self.connections.read().unwrap_or_else(PoisonError::into_inner);
        let named = connections.iter().map(|((tenant, connection), series)| {
            (self.name(*tenant), self.name(*connection), value(series))
        });
        let mut named: Vec<_> = named.collect();
        drop(connections);
        named.push(("".into(), "".into(), value(&self.others)));
        named.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        tell_apart(&mut named);
        named
    }

    /// Encodes what is counted by a further label, where it is not nothing.
    fn encode_counts(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        (name, help): (&str, &str),
        label: &str,
        counts: impl Fn(&Series) -> Vec<(&'static str, u64)>,
    ) -> fmt::Result {
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (tenant, connection, counts) in self.named(counts) {
            for (value, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
                let labels: [(&str, &str); 3] =
                    [("tenant", &tenant), ("connection", &connection), (label, value)];
                let mut one = family.encode_family(&labels)?;
                one.encode_counter::<NoLabelSet, _, f64>(&count, None)?;
            }
        }
        Ok(())
    }

    fn encode_throttled(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let name = "headcount_rate_limited";
        let help = "Requests of a connection beyond its rate";
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (tenant, connection, count) in
            self.named(|series| series.throttled.load(Ordering::Relaxed))
        {
            if tenant.is_empty() && count == 0 {
                continue;
            }
            let labels: [(&str, &str); 2] = [("tenant", &tenant), ("connection", &connection)];
            let mut one = family.encode_family(&labels)?;
            one.encode_counter::<NoLabelSet, _, f64>(&count, None)?;
        }
        Ok(())
    }

    fn encode_seats(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        type Number = fn(&Pool) -> i64;
        const SEATS: [(&str, &str, Number); 2] = [
            ("headcount_seats", "Seats of a tier that a tenant has", |pool| pool.total),
            ("headcount_seats_used", "Seats of a tier that accounts have", |pool| pool.seats.used),
        ];
        let pools = self.pools.read().unwrap_or_else(PoisonError::into_inner);
        for (name, help, number) in SEATS {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for (tenant, pools) in pools.iter() {
                let tenant = self.name(*tenant);
                for pool in pools {
                    let labels: [(&str, &str); 2] =
                        [("tenant", &tenant), ("tier", pool.tier.name())];
                    family.encode_family(&labels)?.encode_gauge(&number(pool))?;
                }
            }
        }
        Ok(())
    }
}

/// One that was deleted may have had the name of one that is there: nothing may be told twice under the
/// same labels.
fn tell_apart<T>(named: &mut [(Arc<str>, Arc<str>, T)]) {
    let mut before: (Arc<str>, Arc<str>, u32) = ("".into(), "".into(), 0);
    for (tenant, connection, _) in named {
        if (&before.0, &before.1) == (tenant, connection) {
            before.2 += 1;
            *connection = format!("{connection} ({})", before.2).into();
        } else {
            before = (Arc::clone(tenant), Arc::clone(connection), 1);
        }
    }
}

impl fmt::Debug for Tenants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tenants").finish_non_exhaustive()
    }
}

impl Collector for Tenants {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let requests = ("headcount_connection_requests", "Requests of a connection");
        self.encode_counts(&mut encoder, requests, "status", |series| {
            let counts = series.answers.iter().map(|count| count.load(Ordering::Relaxed));
            CLASSES.into_iter().zip(counts).collect()
        })?;
        let leniencies = ("headcount_leniencies", "What clients did beyond the standard");
        self.encode_counts(&mut encoder, leniencies, "leniency", |series| {
            let counts = series.leniencies.iter().map(|count| count.load(Ordering::Relaxed));
            Leniency::ALL.iter().map(|leniency| leniency.as_str()).zip(counts).collect()
        })?;
        self.encode_throttled(&mut encoder)?;
        self.encode_seats(&mut encoder)
    }
}
