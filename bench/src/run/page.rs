//! docs/performance.md, written from what was measured.

use std::fmt::Write as _;

use super::judge::{thousands, verdicts};
use super::outcome::{DatabaseOutcome, Outcome, SizeOutcome};
use crate::measure::Figures;
use crate::others::Others;
use crate::workload::Workload;

/// The page.
pub fn write(outcome: &Outcome) -> String {
    let mut text = String::from(
        "<!-- Written by `cargo xtask bench` from what it measured. Do not edit. -->\n\n\
         # Performance\n\n",
    );
    if outcome.quick {
        text +=
            "**This was a quick run, to see that everything works. Its figures mean nothing.**\n\n";
    }
    text += &introduction(outcome);
    text += "![Cost against size](performance.svg)\n\n";
    text += "## What must be reached\n\n";
    for database in &outcome.databases {
        text += &demands(database);
    }
    text += "## Rates beside their ceilings\n\n";
    for database in &outcome.databases {
        text += &rates(outcome, database);
    }
    text += &many_at_once(outcome);
    text += "## Cost against size\n\n";
    for database in &outcome.databases {
        text += &sizes(database);
    }
    if let Some(others) = &outcome.others {
        text += &comparison(others);
    }
    text
}

fn introduction(outcome: &Outcome) -> String {
    let machine = &outcome.machine;
    format!(
        "`cargo xtask bench` measures all of this on one machine and writes this page; \
         `cargo xtask bench others` adds the comparison with other servers. The service, the \
         database and the load program share the machine. What is measured is ratios: between the \
         service and what the machine can do at all, and between a large tenant and a small one.\n\n\
         | | |\n|---|---|\n\
         | day | {} |\n| processor | {}, {} cores |\n| memory | {} |\n| file system, size | {} |\n\
         | kernel | {} |\n| PostgreSQL | {}; fsync on, default settings but `shared_buffers` and \
         `max_wal_size` |\n| SQLite | {}; WAL, `synchronous=FULL` |\n| compiler | {} |\n\
         | took | {} s |\n\n\
         How to read it: *p50* is the latency that half of the requests do not exceed, in \
         milliseconds, by one connection, in the middle one of {} rounds. A *ratio* is the median of \
         {} rounds in which the service and its ceiling took turns, with {} connections. Each answer \
         is checked: one that has another status than it should, or is not about what was asked for, \
         fails the run.\n\n",
        machine.day,
        machine.processor,
        machine.cores,
        machine.memory,
        machine.disk,
        machine.kernel,
        machine.postgres,
        machine.sqlite,
        machine.compiler,
        outcome.seconds,
        outcome.rounds,
        outcome.rounds,
        outcome.connections,
    )
}

fn demands(database: &DatabaseOutcome) -> String {
    let mut text =
        format!("### {}\n\n| Measure | Must be | Is | |\n|---|---|---|---|\n", database.name);
    for verdict in verdicts(database) {
        let value = verdict.value.map_or_else(|| "–".to_owned(), |value| format!("{value:.2}"));
        let (demand, word) = (verdict.demand.text(), verdict.word());
        let _ = writeln!(text, "| {} | {demand} | {value} | {word} |", verdict.measure);
    }
    text + "\n"
}

fn rates(outcome: &Outcome, database: &DatabaseOutcome) -> String {
    let mut text = format!(
        "### {}, {} users, {} connections\n\n\
         | Workload | A second | p50 | p99 | Beside | A second | Ratio |\n|---|---|---|---|---|---|---|\n",
        database.name,
        thousands(database.paired_at),
        outcome.connections,
    );
    for pair in &database.paired {
        let (Some((ours, ceiling)), Some(ratio)) = (pair.rates(), pair.ratio()) else { continue };
        let last = pair.rounds.last().map(|round| &round.0);
        let (p50, p99) = last.map_or((0.0, 0.0), |figures| (figures.p50_ms, figures.p99_ms));
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {ratio:.2} |",
            pair.workload,
            rate(ours),
            latency(p50),
            latency(p99),
            pair.ceiling,
            rate(ceiling),
        );
    }
    text + "\n"
}

fn many_at_once(outcome: &Outcome) -> String {
    let mut text = String::from(
        "## Many at once\n\nA quiet tenant, by one connection, alone and while another tenant is \
         provisioned for the first time through 64 connections; in milliseconds. The load program \
         and the database take their part of the processor too.\n\n\
         | Database | Workload | p50 alone | p50 beside | p99 alone | p99 beside |\n\
         |---|---|---|---|---|---|\n",
    );
    for database in &outcome.databases {
        for pair in &database.beside_busy {
            let p50 = pair.medians(|figures| figures.p50_ms);
            let p99 = pair.medians(|figures| figures.p99_ms);
            let (Some((p50, p50_alone)), Some((p99, p99_alone))) = (p50, p99) else { continue };
            let cells = [p50_alone, p50, p99_alone, p99].map(latency).join(" | ");
            let _ = writeln!(text, "| {} | {} | {cells} |", database.name, pair.workload);
        }
    }
    text += "\nTwo servers over one PostgreSQL, beside one; requests a second in all.\n\n\
             | Workload | One server | Two servers | Ratio |\n|---|---|---|---|\n";
    for pair in outcome.databases.iter().flat_map(|database| &database.two_servers) {
        let (Some((two, one)), Some(ratio)) = (pair.rates(), pair.ratio()) else { continue };
        let _ =
            writeln!(text, "| {} | {} | {} | {ratio:.2} |", pair.workload, rate(one), rate(two));
    }
    text + "\n"
}

fn sizes(database: &DatabaseOutcome) -> String {
    let mut text =
        format!("### {}, p50 in milliseconds by one connection\n\n| Workload |", database.name);
    for size in &database.sizes {
        let _ = write!(text, " {} users |", thousands(size.users));
    }
    text += " What |\n|---|";
    text += &"---|".repeat(database.sizes.len() + 1);
    text.push('\n');
    let Some(last) = database.sizes.last() else { return text };
    for name in in_order(last) {
        let about = Workload::named(name).map_or(part(name), |workload| workload.about);
        let cells = row(database, |size| size.p50(name));
        let _ = writeln!(text, "| {name} |{cells} {} |", about.replace('|', "\\|"));
        if last.own.contains_key(name) {
            let cells = row(database, |size| size.own_p50(name));
            let _ = writeln!(text, "| *the database's own* |{cells} |");
        }
    }
    let memory =
        row(database, |size| size.memory.map(|memory| memory.resident_kib as f64 / 1024.0));
    let _ = writeln!(text, "| memory, MiB |{memory} the server's, after all of the above |");
    let seeded = row(database, |size| Some(size.seeded));
    let _ =
        writeln!(text, "| seeding, s |{seeded} the time to put in the users that were missing |");
    text + "\n"
}

fn row(database: &DatabaseOutcome, of: impl Fn(&SizeOutcome) -> Option<f64>) -> String {
    let cell =
        |size| of(size).map_or_else(|| " – |".to_owned(), |value| format!(" {} |", latency(value)));
    database.sizes.iter().map(cell).collect()
}

/// What a part of a workload is.
fn part(name: &str) -> &'static str {
    match name {
        "cursor-first" => "the first tenth of these pages",
        "cursor-last" => "the last tenth of these pages",
        _ => "",
    }
}

/// The names of what was measured, in the order of the workloads; parts after their whole.
fn in_order(size: &SizeOutcome) -> Vec<&str> {
    let place = |name: &&str| {
        let whole = if name.starts_with("cursor-") { "cursor-walk" } else { name };
        let table = &crate::workload::TABLE;
        (table.iter().position(|workload| workload.name == whole), *name != whole)
    };
    let mut names: Vec<&str> = size.ours.keys().map(String::as_str).collect();
    names.sort_by_key(place);
    names
}

fn comparison(others: &Others) -> String {
    let mut text = format!(
        "## Beside other servers\n\nRight answers a second, {} users, {} connections, measured in one \
         run by `cargo xtask bench others`. Each runs as its makers say, on this machine, as one \
         process.\n\n| Workload |",
        thousands(others.users),
        others.connections
    );
    for server in &others.servers {
        let _ = write!(text, " {} |", server.name);
    }
    text += "\n|---|";
    text += &"---|".repeat(others.servers.len());
    text.push('\n');
    for workload in others.workloads() {
        let cells: String = others
            .servers
            .iter()
            .map(|server| match (server.rate(workload), server.figures.get(workload)) {
                (Some(right), _) => format!(" {} |", rate(right)),
                (None, Some(figures)) => format!(" wrong: {} |", statuses(figures)),
                (None, None) => " – |".to_owned(),
            })
            .collect();
        let _ = writeln!(text, "| {workload} |{cells}");
    }
    text.push('\n');
    for server in others.servers.iter().filter(|server| server.users < others.users) {
        let _ = writeln!(text, "- {} had {} users.", server.name, thousands(server.users));
    }
    for (name, trouble) in
        others.servers.iter().filter_map(|server| Some((&server.name, server.trouble.as_ref()?)))
    {
        let _ = writeln!(text, "- {name}: {trouble}");
    }
    match others.behind().as_slice() {
        [] => text += "\nNone of them is ahead in any workload.\n",
        behind => {
            let _ = writeln!(text, "\n**Behind in:** {}.", behind.join("; "));
        }
    }
    text
}

fn statuses(figures: &Figures) -> String {
    figures.statuses.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// A rate with the digits that mean something.
fn rate(value: f64) -> String {
    if value < 10.0 { format!("{value:.1}") } else { thousands(value.round() as u64) }
}

/// A latency with three digits.
pub fn latency(value: f64) -> String {
    match value {
        0.0..1.0 => format!("{value:.3}"),
        1.0..10.0 => format!("{value:.2}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::others::Other;
    use crate::run::outcome::Paired;

    /// Two sizes of one database, in which everything but the page at 90 % costs the same.
    pub(crate) fn outcome() -> Outcome {
        let figures =
            |p50_ms: f64| Figures { p50_ms, per_second: 1000.0 / p50_ms, ..Figures::default() };
        let mut sizes = Vec::new();
        for users in [1000, 1_000_000] {
            let mut size = SizeOutcome { users, ..SizeOutcome::default() };
            for name in ["get-id", "create", "page-first", "cursor-walk", "cursor-last"] {
                size.ours.insert(name.to_owned(), figures(0.5));
            }
            size.ours.insert("page-90".to_owned(), figures(users as f64 / 1000.0));
            size.own.insert("get-id".to_owned(), figures(0.1));
            sizes.push(size);
        }
        let mut pair = Paired::new("create", "a one-writer loop that commits each");
        pair.add(figures(1.0), figures(0.5));
        let name = "SQLite".to_owned();
        let database = DatabaseOutcome {
            name,
            sizes,
            paired_at: 1000,
            beside_busy: vec![pair.clone()],
            two_servers: vec![pair.clone()],
            paired: vec![pair],
        };
        let (machine, quick) = (crate::run::machine::Machine::default(), false);
        let databases = vec![database];
        Outcome { machine, quick, connections: 16, rounds: 1, seconds: 5, databases, others: None }
    }

    #[test]
    fn the_page_says_what_is_not_reached() {
        let page = write(&outcome());
        for line in [
            "| create ÷ a one-writer loop that commits each | ≥ 1 | 0.50 | **not reached** |",
            "| page at 90 % of 1,000,000 ÷ first page, in order | ≤ 1.3 | 2000.00 | **not reached** |",
            "| cursor-walk | 0.500 | 0.500 | all users once, in pages of 200 |\n| cursor-last |",
            "| *the database's own* | 0.100 | 0.100 | |",
        ] {
            assert!(page.contains(line), "{line:?} in {page}");
        }
    }

    #[test]
    fn all_rows_of_a_table_have_its_columns() {
        let mut outcome = outcome();
        let server = |name: &str, ours| Other { name: name.to_owned(), ours, ..Other::default() };
        let servers = vec![server("ours", true), server("theirs", false)];
        outcome.others = Some(Others { users: 10_000, connections: 16, servers });
        let page = write(&outcome);
        let mut columns = None;
        for line in page.lines() {
            if !line.starts_with('|') {
                columns = None;
                continue;
            }
            let these = line.matches('|').count();
            assert_eq!(*columns.get_or_insert(these), these, "{line}");
        }
        assert!(page.contains("theirs had 0 users"));
    }

    #[test]
    fn latencies_have_three_digits() {
        assert_eq!([0.1234, 1.234, 12.34, 123.4].map(latency), ["0.123", "1.23", "12.3", "123"]);
    }
}
