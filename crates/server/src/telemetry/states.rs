//! What is read when somebody asks: whether the server serves, and how busy its store is.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeCounterValue, EncodeGaugeValue, NoLabelSet,
};
use prometheus_client::metrics::MetricType;
use store::{BATCH_BOUNDS, Counts, Lane, Load, ReplicaLoad, Store, WAIT_BOUNDS};

use super::Life;

/// Encodes a gauge without labels.
pub(super) fn gauge(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    value: &impl EncodeGaugeValue,
) -> fmt::Result {
    encoder.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(value)
}

/// Encodes a counter without labels, whose name is without `_total`.
pub(super) fn counter(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    value: &impl EncodeCounterValue,
) -> fmt::Result {
    let mut encoder = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    encoder.encode_counter::<NoLabelSet, _, f64>(value, None)
}

/// The states of a server.
pub(super) struct States(Arc<Life>);

impl States {
    pub(super) fn new(life: Arc<Life>) -> Self {
        Self(life)
    }
}

impl fmt::Debug for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("States").finish_non_exhaustive()
    }
}

impl Collector for States {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let serves = i64::from(self.0.is_serving());
        gauge(&mut encoder, "headcount_serving", "1 while requests are taken in", &serves)?;
        let Some(state) = self.0.state() else { return Ok(()) };
        encode_store(&mut encoder, &state.store)?;
        if let Some(load) = state.store.replica_load() {
            encode_replica(&mut encoder, &load)?;
        }
        let (waiting, omitted) = state.requests.load();
        gauge(
            &mut encoder,
            "headcount_provisioning_log_waiting",
            "Entries of the provisioning log that wait to be written",
            &waiting,
        )?;
        counter(
            &mut encoder,
            "headcount_provisioning_log_omitted",
            "Requests that are not logged, because their connections have many that succeed",
            &omitted,
        )
    }
}

type Number = fn(&Load) -> u64;

fn encode_store(encoder: &mut DescriptorEncoder<'_>, store: &Store) -> fmt::Result {
    const GAUGES: [(&str, &str, Number); 3] = [
        ("headcount_store_lanes", "Lanes of the store", |load| load.lanes as u64),
        ("headcount_store_lanes_busy", "Lanes that run a unit of work", |load| load.busy as u64),
        ("headcount_store_waiting", "Units of work that wait for a lane", |load| {
            load.waiting as u64
        }),
    ];
    const COUNTERS: [(&str, &str, Number); 2] = [
        ("headcount_store_units", "Units of work that lanes have begun", |load| load.units),
        ("headcount_store_refused", "Units of work for which the queue had no room", |load| {
            load.refused
        }),
    ];
    let of = |lane: &Lane| Some(([("lane", lane.as_str())], store.load(*lane)?));
    let loads: Vec<_> = Lane::ALL.iter().filter_map(of).collect();
    for (name, help, number) in GAUGES {
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (lane, load) in &loads {
            family.encode_family(lane)?.encode_gauge(&number(load))?;
        }
    }
    for (name, help, number) in COUNTERS {
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (lane, load) in &loads {
            let mut one = family.encode_family(lane)?;
            one.encode_counter::<NoLabelSet, _, f64>(&number(load), None)?;
        }
    }
    #[allow(clippy::cast_precision_loss, reason = "the bounds are small")]
    let batches = BATCH_BOUNDS.map(|bound| bound as f64);
    let (name, help) = ("headcount_store_commit_units", "Units of work in one commit");
    let writing: Vec<_> = [Lane::Write, Lane::Log].iter().filter_map(of).collect();
    encode_counts(encoder, (name, help), &batches, 1.0, &writing, |load| &load.batches)?;
    #[allow(clippy::cast_precision_loss, reason = "the bounds are small")]
    let waits = WAIT_BOUNDS.map(|bound| bound as f64 / NANOSECONDS);
    let (name, help) =
        ("headcount_store_wait_seconds", "Time that units of work wait until a lane takes them");
    encode_counts(encoder, (name, help), &waits, NANOSECONDS, &loads, |load| &load.waits)
}

fn encode_replica(encoder: &mut DescriptorEncoder<'_>, load: &ReplicaLoad) -> fmt::Result {
    let (name, help) = ("headcount_reads", "Reads that a replica might answer, by who did and why");
    let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    for (by, count) in &load.reads {
        let labels = [("database", by.database()), ("why", by.why())];
        let mut one = family.encode_family(&labels)?;
        one.encode_counter::<NoLabelSet, _, f64>(count, None)?;
    }
    let (name, help) = ("headcount_replica_used", "1 while reads are sent to the replica");
    gauge(encoder, name, help, &i64::from(load.is_used))?;
    let Some(lag) = load.lag else { return Ok(()) };
    let help = "Bytes of the primary's log that the replica had not replayed a moment ago";
    gauge(encoder, "headcount_replica_lag_bytes", help, &lag)
}

const NANOSECONDS: f64 = 1e9;

/// Encodes what is counted of each kind of lanes by its size, of which so many are one of the unit that is
/// told.
#[allow(clippy::cast_precision_loss, reason = "sums may be inexact")]
fn encode_counts(
    encoder: &mut DescriptorEncoder<'_>,
    (name, help): (&str, &str),
    bounds: &[f64],
    unit: f64,
    loads: &[([(&str, &str); 1], Load)],
    of: fn(&Load) -> &Counts,
) -> fmt::Result {
    let mut family = encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
    for (lane, load) in loads {
        let Counts { counts, sum } = of(load);
        let bounds = bounds.iter().copied().chain([f64::INFINITY]);
        let buckets: Vec<(f64, u64)> = bounds.zip(counts.iter().copied()).collect();
        let (sum, count) = (*sum as f64 / unit, counts.iter().sum());
        family.encode_family(lane)?.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)?;
    }
    Ok(())
}
