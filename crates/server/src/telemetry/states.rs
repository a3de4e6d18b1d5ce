//! What is read when somebody asks: whether the server serves, and how busy its store is.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeCounterValue, EncodeGaugeValue, NoLabelSet,
};
use prometheus_client::metrics::MetricType;
use store::{BATCH_BOUNDS, Lane, Load, Store};

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
    let loads = Lane::ALL.map(|lane| ([("lane", lane.as_str())], store.load(lane)));
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
    encode_batches(encoder, &loads[1..])
}

#[allow(clippy::cast_precision_loss, reason = "the bounds are small, and sums may be inexact")]
fn encode_batches(
    encoder: &mut DescriptorEncoder<'_>,
    loads: &[([(&str, &str); 1], Load)],
) -> fmt::Result {
    let (name, help) = ("headcount_store_commit_units", "Units of work in one commit");
    let mut family = encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
    for (lane, load) in loads {
        let counts = load.batches.counts.iter().copied();
        let mut buckets: Vec<(f64, u64)> =
            BATCH_BOUNDS.iter().map(|bound| *bound as f64).zip(counts).collect();
        buckets.push((f64::MAX, 0));
        let count = load.batches.counts.iter().sum();
        let sum = load.batches.units as f64;
        family.encode_family(lane)?.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)?;
    }
    Ok(())
}
