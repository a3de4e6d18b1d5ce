//! What an operator sees of a server: whether it lives and is ready, and what it counts
//! (`docs/telemetry.md`). It is served on an address of its own, for it names tenants and asks nobody for
//! a token.
//!
//! A request finds its counters with its route (`route`), and costs one look-up, in the table of
//! connections (`tenants`). What is only a state - queues, memory, seats - is read when somebody asks.

mod endpoint;
mod life;
mod metrics;
mod process;
mod route;
mod spans;
mod states;
mod tenants;

use std::fmt;
use std::sync::Arc;

use prometheus_client::registry::Registry;

pub use endpoint::Watch;
pub(crate) use life::Life;
pub(crate) use metrics::Metrics;
pub(crate) use route::{Route, Routed};
pub use spans::PERSONAL;
pub(crate) use spans::Requests;
pub(crate) use tenants::Tenants;

use crate::clock;

/// The telemetry of one server. What is cloned is the same one.
#[derive(Clone)]
pub struct Telemetry(Arc<All>);

struct All {
    metrics: Metrics,
    tenants: Arc<Tenants>,
    life: Arc<Life>,
    registry: Registry,
}

impl Telemetry {
    /// That of a server that starts now.
    pub fn new() -> Self {
        let mut registry = Registry::default();
        let (tenants, life) = (Arc::new(Tenants::default()), Arc::new(Life::default()));
        let metrics = Metrics::register(&mut registry);
        registry.register_collector(Box::new(Arc::clone(&tenants)));
        registry.register_collector(Box::new(states::States::new(Arc::clone(&life))));
        registry.register_collector(Box::new(process::Process { started: clock::now() }));
        Self(Arc::new(All { metrics, tenants, life, registry }))
    }

    /// What is counted.
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// What is counted for each connection and tenant.
    pub(crate) fn tenants(&self) -> &Tenants {
        &self.0.tenants
    }

    /// Whether the server starts, serves or stops.
    pub(crate) fn life(&self) -> &Life {
        &self.0.life
    }

    fn registry(&self) -> &Registry {
        &self.0.registry
    }
}

impl Default for Telemetry {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telemetry").finish_non_exhaustive()
    }
}
