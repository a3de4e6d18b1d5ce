//! What the service must reach, and whether it does.

use std::fmt::Write as _;

use super::outcome::{DatabaseOutcome, Outcome, Paired, SizeOutcome};

/// One demand on one database.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// What is compared with what.
    pub measure: String,
    /// What it must be.
    pub demand: Demand,
    /// What it is; nothing if it was not measured.
    pub value: Option<f64>,
}

/// A bound of a ratio.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Demand {
    /// It must not be less.
    AtLeast(f64),
    /// It must not be more.
    AtMost(f64),
}

impl Demand {
    /// For people.
    pub fn text(self) -> String {
        match self {
            Self::AtLeast(bound) => format!("≥ {bound}"),
            Self::AtMost(bound) => format!("≤ {bound}"),
        }
    }

    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bound) => value >= bound,
            Self::AtMost(bound) => value <= bound,
        }
    }
}

impl Verdict {
    fn at_least(measure: impl Into<String>, bound: f64, value: Option<f64>) -> Self {
        Self { measure: measure.into(), demand: Demand::AtLeast(bound), value }
    }

    fn at_most(measure: impl Into<String>, bound: f64, value: Option<f64>) -> Self {
        Self { measure: measure.into(), demand: Demand::AtMost(bound), value }
    }

    /// Whether it is reached, if it was measured.
    pub fn reached(&self) -> Option<bool> {
        self.value.map(|value| self.demand.is_met(value))
    }

    /// The same for people.
    pub fn word(&self) -> &'static str {
        match self.reached() {
            Some(true) => "reached",
            Some(false) => "**not reached**",
            None => "not measured",
        }
    }
}

/// All demands on one database, in the order of the page.
pub fn verdicts(database: &DatabaseOutcome) -> Vec<Verdict> {
    let mut all = ceilings(database);
    all.extend(growth(database));
    all.extend(groups(database));
    all.extend(pages(database));
    all
}

/// Rates of many connections beside their ceilings.
fn ceilings(database: &DatabaseOutcome) -> Vec<Verdict> {
    // A one-writer loop is what SQLite can do; pgbench has no HTTP, no JSON and no rules.
    let sqlite = database.name == "SQLite";
    let (write, read) = if sqlite { (1.0, 0.4) } else { (0.5, 0.2) };
    let pair = |workload: &str, bound| {
        let pair = database.pair(workload);
        let ceiling = pair.map_or("its ceiling", |pair| pair.ceiling.as_str());
        let measure = format!("{workload} ÷ {ceiling}");
        Verdict::at_least(measure, bound, pair.and_then(Paired::ratio))
    };
    vec![
        pair("create", write),
        pair("get-id", read),
        pair("eq-userName", read),
        pair("eq-externalId", read),
        pair("eq-email", read),
        pair("patch-active", write),
        pair("patch-attribute", write),
        pair("bulk-1000", 3.0),
        pair("bulk-1000-alone", 3.0),
    ]
}

/// How the cost of one request grows with the tenant, beside that of the database's own query.
fn growth(database: &DatabaseOutcome) -> Vec<Verdict> {
    let Some((small, large)) = ends(database) else { return Vec::new() };
    let span = format!("{} users ÷ {}", thousands(large.users), thousands(small.users));
    let one = |workload: &str| {
        let ours = quotient(large.p50(workload), small.p50(workload));
        let own = quotient(large.own_p50(workload), small.own_p50(workload));
        let measure = format!("{workload}: growth of p50, {span}, ÷ growth of the database's own");
        Verdict::at_most(measure, 1.3, quotient(ours, own))
    };
    let reads = ["get-id", "eq-userName", "eq-email", "eq-externalId", "patch-attribute", "create"];
    let mut all: Vec<Verdict> = reads.into_iter().map(one).collect();
    let memory = |size: &SizeOutcome| size.memory.map(|memory| memory.resident_kib as f64);
    let memory = quotient(memory(large), memory(small));
    all.push(Verdict::at_most(format!("server memory, {span}"), 1.5, memory));
    all
}

/// How the cost of a change follows the size of a group.
fn groups(database: &DatabaseOutcome) -> Vec<Verdict> {
    let large = database.sizes.last();
    let beside =
        |one: &str, other: &str| large.and_then(|size| quotient(size.p50(one), size.p50(other)));
    let mut sizes = [100_000, 1000].into_iter();
    let most = sizes
        .find(|size| large.is_some_and(|large| large.p50(&format!("member-{size}")).is_some()));
    let most = most.unwrap_or(100_000);
    let text = thousands(most);
    let thousand = large.and_then(|size| quotient(size.p50("add-1000"), size.own_p50("add-1000")));
    vec![
        Verdict::at_most(
            format!("PATCH of one member, p50 in a group of {text} ÷ of 10"),
            1.3,
            beside(&format!("member-{most}"), "member-10"),
        ),
        Verdict::at_most(
            format!("GET of a group without its members, p50, {text} ÷ 10"),
            1.2,
            beside(&format!("group-{most}"), "group-10"),
        ),
        Verdict::at_most("1,000 members in one PATCH ÷ an insert of 1,000 rows", 2.0, thousand),
    ]
}

/// How the cost of a page follows its place.
fn pages(database: &DatabaseOutcome) -> Vec<Verdict> {
    let large = database.sizes.last();
    let users = large.map(|size| thousands(size.users)).unwrap_or_default();
    let beside =
        |one: &str, other: &str| large.and_then(|size| quotient(size.p50(one), size.p50(other)));
    let own = |name: &str| large.and_then(|size| quotient(size.p50(name), size.own_p50(name)));
    vec![
        Verdict::at_most(
            format!("page at 90 % of {users} ÷ first page, in order"),
            1.3,
            beside("page-90", "page-first"),
        ),
        Verdict::at_most(
            format!("cursor walk of {users}, last tenth ÷ first tenth"),
            1.3,
            beside("cursor-last", "cursor-first"),
        ),
        Verdict::at_most(
            format!("compound filter at {users}, first page ÷ the database's own query"),
            2.0,
            own("compound-name"),
        ),
    ]
}

fn ends(database: &DatabaseOutcome) -> Option<(&SizeOutcome, &SizeOutcome)> {
    let (small, large) = (database.sizes.first()?, database.sizes.last()?);
    (small.users < large.users).then_some((small, large))
}

fn quotient(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    one.zip(other).filter(|(_, other)| *other > 0.0).map(|(one, other)| one / other)
}

/// A number with commas.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The verdicts for a terminal.
pub fn table(outcome: &Outcome) -> String {
    let mut text = String::new();
    for database in &outcome.databases {
        let _ = writeln!(text, "\n{}", database.name);
        for verdict in verdicts(database) {
            let value = verdict.value.map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"));
            let _ = writeln!(
                text,
                "  {value:>8}  {:6}  {:16} {}",
                verdict.demand.text(),
                verdict.word().trim_matches('*'),
                verdict.measure
            );
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Figures;

    fn size(users: u64, ours: f64, own: f64) -> SizeOutcome {
        let figures = |p50_ms| Figures { p50_ms, ..Figures::default() };
        let mut size = SizeOutcome { users, ..SizeOutcome::default() };
        size.ours.insert("get-id".to_owned(), figures(ours));
        size.own.insert("get-id".to_owned(), figures(own));
        size
    }

    fn verdict_on(value: f64, demand: Demand) -> Option<bool> {
        Verdict { measure: String::new(), demand, value: Some(value) }.reached()
    }

    #[test]
    fn growth_is_beside_the_databases_own() {
        let sizes = vec![size(1000, 1.0, 1.0), size(1_000_000, 3.0, 2.0)];
        let database = DatabaseOutcome { sizes, ..DatabaseOutcome::default() };
        let verdicts = growth(&database);
        let verdict = &verdicts[0];
        assert!(verdict.measure.starts_with("get-id: growth"), "{}", verdict.measure);
        assert_eq!((verdict.value, verdict.reached()), (Some(1.5), Some(false)));
        assert!(verdict.measure.contains("1,000,000 users ÷ 1,000"));
        assert_eq!(verdicts[1].word(), "not measured");
    }

    #[test]
    fn bounds_are_inclusive() {
        assert_eq!(verdict_on(1.3, Demand::AtMost(1.3)), Some(true));
        assert_eq!(verdict_on(1.31, Demand::AtMost(1.3)), Some(false));
        assert_eq!(verdict_on(0.5, Demand::AtLeast(0.5)), Some(true));
        assert_eq!(verdict_on(0.49, Demand::AtLeast(0.5)), Some(false));
    }

    #[test]
    fn numbers_have_commas() {
        assert_eq!((thousands(10).as_str(), thousands(1000).as_str()), ("10", "1,000"));
        assert_eq!(thousands(1_234_567), "1,234,567");
    }
}
