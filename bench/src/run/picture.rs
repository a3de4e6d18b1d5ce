//! docs/performance.svg: cost against size, both axes logarithmic.

use std::fmt::Write as _;

use super::judge::thousands;
use super::outcome::{DatabaseOutcome, Outcome};
use super::page::latency;

/// What is drawn, how it is called, and in which colour.
const SERIES: [(&str, &str, &str); 8] = [
    ("get-id", "GET by id", "#2563eb"),
    ("eq-userName", "userName eq", "#0891b2"),
    ("eq-email", "emails.value eq", "#7c3aed"),
    ("patch-attribute", "PATCH attribute", "#ea580c"),
    ("create", "create", "#16a34a"),
    ("compound-name", "compound filter", "#db2777"),
    ("page-90", "page at 90 %", "#854d0e"),
    ("cursor-last", "cursor, last tenth", "#475569"),
];

const WIDTH: f64 = 520.0;
const HEIGHT: f64 = 460.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 150.0;
const TOP: f64 = 56.0;
const BOTTOM: f64 = 52.0;
/// The least distance of two labels.
const LABEL: f64 = 15.0;

/// The picture: a panel for each database.
pub fn draw(outcome: &Outcome) -> String {
    let panels = outcome.databases.len().max(1) as f64;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {HEIGHT}\" \
         font-family=\"Inter, 'Segoe UI', 'DejaVu Sans', Helvetica, Arial, sans-serif\" \
         role=\"img\" aria-label=\"The cost of a request against the size of the tenant\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n",
        WIDTH * panels
    );
    let Some(frame) = Frame::around(outcome) else { return text + "</svg>\n" };
    for (place, database) in outcome.databases.iter().enumerate() {
        let _ = writeln!(text, "<g transform=\"translate({} 0)\">", WIDTH * place as f64);
        text += &panel(database, &frame);
        text += "</g>\n";
    }
    text + "</svg>\n"
}

/// The powers of ten around what is drawn.
struct Frame {
    users: (f64, f64),
    millis: (f64, f64),
}

impl Frame {
    /// The frame in which all points are; nothing if there are none.
    fn around(outcome: &Outcome) -> Option<Self> {
        let points: Vec<(f64, f64)> = outcome
            .databases
            .iter()
            .flat_map(|database| SERIES.iter().flat_map(|(name, ..)| points(database, name)))
            .collect();
        let bound = |pick: fn(&(f64, f64)) -> f64, fold: fn(f64, f64) -> f64| {
            points.iter().map(pick).map(f64::log10).reduce(fold)
        };
        let x = (bound(|point| point.0, f64::min)?, bound(|point| point.0, f64::max)?);
        let y = (bound(|point| point.1, f64::min)?, bound(|point| point.1, f64::max)?);
        Some(Self {
            users: (x.0, if x.1 > x.0 { x.1 } else { x.0 + 1.0 }),
            millis: (y.0.floor(), y.1.ceil().max(y.0.floor() + 1.0)),
        })
    }

    fn x(&self, users: f64) -> f64 {
        let share = (users.log10() - self.users.0) / (self.users.1 - self.users.0);
        LEFT + share * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, millis: f64) -> f64 {
        let share = (millis.log10() - self.millis.0) / (self.millis.1 - self.millis.0);
        HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
    }
}

/// The sizes and latencies of a workload.
fn points(database: &DatabaseOutcome, workload: &str) -> Vec<(f64, f64)> {
    let point = |size: &super::outcome::SizeOutcome| {
        Some((size.users as f64, size.p50(workload).filter(|millis| *millis > 0.0)?))
    };
    database.sizes.iter().filter_map(point).collect()
}

fn panel(database: &DatabaseOutcome, frame: &Frame) -> String {
    let mut text = format!(
        "<text x=\"{LEFT}\" y=\"26\" font-size=\"17\" font-weight=\"600\" fill=\"#0f172a\">{}</text>\n\
         <text x=\"{LEFT}\" y=\"43\" font-size=\"11.5\" fill=\"#64748b\">p50 of a request in \
         milliseconds, one connection</text>\n",
        database.name
    );
    text += &axes(database, frame);
    let mut ends = Vec::new();
    for (workload, label, colour) in SERIES {
        let points = points(database, workload);
        let Some(&(_, last)) = points.last() else { continue };
        let _ = writeln!(text, "{}", curve(&points, frame, colour));
        ends.push((frame.y(last), format!("{label}  {}", latency(last)), colour));
    }
    text + &labels(ends)
}

/// The grid and its numbers.
fn axes(database: &DatabaseOutcome, frame: &Frame) -> String {
    let mut text = String::new();
    let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    for power in frame.millis.0 as i32..=frame.millis.1 as i32 {
        let (value, strong) = (10f64.powi(power), "#e2e8f0");
        let y = frame.y(value);
        let _ = writeln!(
            text,
            "<line x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{right}\" y2=\"{y:.1}\" stroke=\"{strong}\"/>\
             <text x=\"{}\" y=\"{:.1}\" font-size=\"11.5\" text-anchor=\"end\" \
             fill=\"#475569\">{value}</text>",
            LEFT - 8.0,
            y + 4.0
        );
    }
    for size in &database.sizes {
        let x = frame.x(size.users as f64);
        let _ = writeln!(
            text,
            "<line x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{bottom}\" stroke=\"#f1f5f9\"/>\
             <text x=\"{x:.1}\" y=\"{:.1}\" font-size=\"11.5\" text-anchor=\"middle\" \
             fill=\"#475569\">{}</text>",
            bottom + 18.0,
            thousands(size.users)
        );
    }
    let _ = writeln!(
        text,
        "<text x=\"{:.1}\" y=\"{:.1}\" font-size=\"11.5\" text-anchor=\"middle\" \
         fill=\"#64748b\">users of the tenant</text>",
        f64::midpoint(LEFT, right),
        bottom + 38.0
    );
    text
}

fn curve(points: &[(f64, f64)], frame: &Frame, colour: &str) -> String {
    let place = |&(users, millis): &(f64, f64)| (frame.x(users), frame.y(millis));
    let places: Vec<(f64, f64)> = points.iter().map(place).collect();
    let path: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let mut text = format!(
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2.2\" \
         stroke-linejoin=\"round\" stroke-linecap=\"round\"/>",
        path.join(" ")
    );
    for (x, y) in places {
        let _ = write!(
            text,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.4\" fill=\"#ffffff\" stroke=\"{colour}\" \
             stroke-width=\"2\"/>"
        );
    }
    text
}

/// The names of the curves at their ends, moved apart until none covers another.
fn labels(mut ends: Vec<(f64, String, &str)>) -> String {
    ends.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut text = String::new();
    let places = apart(&ends.iter().map(|end| end.0).collect::<Vec<_>>());
    for ((end, label, colour), place) in ends.iter().zip(places) {
        let x = WIDTH - RIGHT;
        let _ = writeln!(
            text,
            "<path d=\"M{:.1} {end:.1}L{:.1} {place:.1}\" stroke=\"{colour}\" \
             stroke-opacity=\"0.45\" fill=\"none\"/><text x=\"{:.1}\" y=\"{:.1}\" \
             font-size=\"11.5\" xml:space=\"preserve\" fill=\"{colour}\">{label}</text>",
            x + 5.0,
            x + 15.0,
            x + 18.0,
            place + 4.0
        );
    }
    text
}

/// Ascending places, moved as little as needed to be a label's height apart and in the panel.
fn apart(places: &[f64]) -> Vec<f64> {
    let mut moved = places.to_vec();
    for _ in 0..200 {
        for at in 1..moved.len() {
            let lack = LABEL - (moved[at] - moved[at - 1]);
            if lack > 0.0 {
                moved[at - 1] -= lack / 2.0;
                moved[at] += lack / 2.0;
            }
        }
        if let Some(last) = moved.last_mut() {
            *last = last.min(HEIGHT - BOTTOM + 4.0);
        }
        if let Some(first) = moved.first_mut() {
            *first = first.max(TOP);
        }
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::page::tests::outcome;

    #[test]
    fn a_curve_has_a_point_for_each_size() {
        let picture = draw(&outcome());
        let drawn = SERIES.iter().filter(|(_, label, _)| picture.contains(*label)).count();
        assert_eq!(drawn, 4, "{picture}");
        assert_eq!(picture.matches("<polyline").count(), drawn);
        assert_eq!(picture.matches("<circle").count(), 2 * drawn);
        assert!(picture.contains("1,000,000"), "{picture}");
        assert!(!picture.contains("NaN") && !picture.contains("inf"), "{picture}");
    }

    #[test]
    fn nothing_measured_is_an_empty_picture() {
        let picture = draw(&Outcome { databases: Vec::new(), ..outcome() });
        assert!(picture.ends_with("</svg>\n") && !picture.contains("<g"));
    }

    #[test]
    fn labels_do_not_cover_each_other() {
        let places = apart(&[100.0, 101.0, 102.0, 300.0]);
        for pair in places.windows(2) {
            assert!(pair[1] - pair[0] > LABEL - 0.5, "{places:?}");
        }
        assert!((places[3] - 300.0).abs() < 0.1, "{places:?}");
    }
}
