//! The time taken for each byte of input, which must not depend on how many there are.
//!
//! Each shape of input is parsed at sizes from a hundred bytes to a megabyte, with limits raised as
//! far as they go. Criterion says what each of them takes; the table at the end has the nanoseconds
//! per byte of the fastest stretch of iterations, which is what a busy machine disturbs least, and
//! the ratio of the slowest size to the fastest.

#![allow(clippy::cast_precision_loss, reason = "nobody reads that many digits of a time")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use scim_filter_parser::{Filter, Options, Path};

const SIZES: [usize; 5] = [100, 1_000, 10_000, 100_000, 1_000_000];

const BOUNDLESS: Options = Options {
    max_length: usize::MAX,
    max_depth: Options::DEPTH_CEILING,
    max_terms: usize::MAX,
    unquoted_values: false,
};

/// Timings shorter than this say more about the clock, and much longer ones about other programs.
const STRETCH: Duration = Duration::from_micros(200);

/// A kind of input: its name, what makes one of about so many bytes, and what parses it.
type Shape = (&'static str, fn(usize) -> String, fn(&str) -> bool);

const SHAPES: [Shape; 13] = [
    ("and", |size| joined("userName eq \"bjensen\"", " and ", size), is_filter),
    ("or", |size| joined("userName eq \"bjensen\"", " or ", size), is_filter),
    ("and/or", |size| joined("title pr and active eq true", " or ", size), is_filter),
    ("not", |size| joined("not (title pr)", " and ", size), is_filter),
    ("value paths", |size| joined(WORK, " or ", size), is_filter),
    ("schema URNs", |size| joined(&format!("{ENTERPRISE}:department pr"), " or ", size), is_filter),
    ("parentheses", |size| joined(&nested("(", ")", size), " or ", size), is_filter),
    ("nested not", |size| joined(&nested("not (", ")", size), " or ", size), is_filter),
    // Lists in lists of the same kind become one, whose operands are moved on each level.
    (
        "nested and",
        |size| nested("(", &format!("{})", " and b pr".repeat(size / 600)), size),
        is_filter,
    ),
    ("plain string", |size| string("Barbara Jensen ", size), is_filter),
    ("escapes", |size| string(r"\n\u00e9\ud83d\ude00é\\", size), is_filter),
    ("path", |size| format!("emails[{}].value", joined("type eq \"work\"", " or ", size)), is_path),
    ("refused", |size| format!("{} and", joined("a pr", " or ", size)), is_refused),
];

const WORK: &str = "emails[type eq \"work\" and value co \"@example.com\"]";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn joined(part: &str, with: &str, size: usize) -> String {
    let count = size / (part.len() + with.len());
    vec![part; count.max(1)].join(with)
}

/// As deep as it goes, but for what is to be small.
fn nested(open: &str, close: &str, size: usize) -> String {
    let depth = (size / (open.len() + close.len())).min(Options::DEPTH_CEILING);
    format!("{}a pr{}", open.repeat(depth), close.repeat(depth))
}

fn string(part: &str, size: usize) -> String {
    format!("displayName eq \"{}\"", part.repeat(size / part.len()))
}

fn is_filter(text: &str) -> bool {
    Filter::parse_with(text, &BOUNDLESS).is_ok()
}

fn is_path(text: &str) -> bool {
    Path::parse_with(text, &BOUNDLESS).is_ok()
}

fn is_refused(text: &str) -> bool {
    !is_filter(text)
}

/// Measures one input, and notes the nanoseconds per byte of the fastest stretch.
fn measure(criterion: &mut Criterion, (name, make, parse): Shape, size: usize) -> f64 {
    let input = make(size);
    assert!(parse(&input), "{name}: not what it should be");
    let mut fastest = f64::INFINITY;
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Bytes(input.len() as u64)).sampling_mode(SamplingMode::Flat);
    group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
        bencher.iter_custom(|iterations| {
            let (started, mut left, mut stretch) = (Instant::now(), iterations, 1);
            while left > 0 {
                let count = stretch.min(left);
                let took = time(count, || parse(black_box(&input)));
                if took >= STRETCH {
                    fastest = fastest.min(took.as_secs_f64() * 1e9 / count as f64);
                } else {
                    stretch *= 2;
                }
                left -= count;
            }
            started.elapsed()
        });
    });
    group.finish();
    fastest / input.len() as f64
}

fn time<T>(count: u64, work: impl Fn() -> T) -> Duration {
    let started = Instant::now();
    for _ in 0..count {
        black_box(work());
    }
    started.elapsed()
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(400))
        .configure_from_args();
    let mut table = BTreeMap::new();
    for shape in SHAPES {
        for size in SIZES {
            table.insert((shape.0, size), measure(&mut criterion, shape, size));
        }
    }
    criterion.final_summary();
    print(&table);
}

/// Prints what was measured: nothing, if this ran as a test.
fn print(table: &BTreeMap<(&str, usize), f64>) {
    let sizes = SIZES.map(|size| format!("{size:>9}")).concat();
    let mut heading = Some(format!("\nns/byte       {sizes}   ratio"));
    for (name, ..) in SHAPES {
        let row = SIZES.map(|size| table[&(name, size)]);
        let least = row.into_iter().fold(f64::INFINITY, f64::min);
        let most = row.into_iter().filter(|each| each.is_finite()).fold(0.0, f64::max);
        // What the command line left out has not been measured.
        if least.is_infinite() {
            continue;
        }
        if let Some(heading) = heading.take() {
            println!("{heading}");
        }
        let cells = row.map(|each| format!("{each:9.2}")).concat();
        println!("{name:14}{cells}{:8.1}", most / least);
    }
}
