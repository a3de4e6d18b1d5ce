//! The pages about what clients send say what there is: every leniency, every peculiarity and every
//! conflict, with tests that there are.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use scim_protocol::dialect::{Dialect, Leniency};

const LENIENCIES: &str = include_str!("../docs/leniencies.md");
const QUIRKS: &str = include_str!("../docs/quirks.md");

/// The cells of the rows of all tables of a page.
fn rows(page: &str) -> Vec<Vec<&str>> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    rows.map(|row| row.split(" | ").map(str::trim).collect()).collect()
}

fn row<'a>(rows: &'a [Vec<&'a str>], name: &str) -> &'a [&'a str] {
    let found: Vec<_> = rows.iter().filter(|row| row[0] == name).collect();
    assert_eq!(found.len(), 1, "rows of {name}");
    found[0]
}

#[test]
fn every_leniency_is_on_the_page_with_the_dialects_that_allow_it() {
    let rows = rows(LENIENCIES);
    for leniency in Leniency::ALL {
        let row = row(&rows, &format!("`{}`", leniency.as_str()));
        let allowed = Dialect::ALL.iter().filter(|(_, dialect)| dialect.permits(*leniency));
        let allowed: Vec<_> = allowed.map(|(name, _)| format!("`{name}`")).collect();
        assert_eq!(row[2], allowed.join(", "), "{leniency:?}");
    }
    // The head of the table, and nothing that there is not.
    assert_eq!(rows.len(), Leniency::ALL.len() + 1);
}

/// Files of tests that run the real binary.
fn sources() -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = [here.join("tests/integration"), here.join("../../conformance-tests")];
    let files = folders.iter().flat_map(|folder| fs::read_dir(folder).expect("it is there"));
    let files = files.map(|file| file.expect("it can be read").path());
    files.filter(|file| file.extension().is_some_and(|rs| rs == "rs")).collect()
}

/// The tests that run on both databases, by their names.
fn tests() -> BTreeSet<String> {
    let mut tests = BTreeSet::new();
    for source in sources() {
        let text = fs::read_to_string(source).expect("it can be read");
        let Some((_, listed)) = text.split_once("on_each_database!(") else { continue };
        let (listed, rest) = listed.split_once(");").expect("the list ends");
        let names = listed.split(',').map(str::trim).filter(|name| !name.is_empty());
        for name in names.filter(|name| rest.contains(&format!("fn {name}("))) {
            tests.insert(name.to_owned());
        }
    }
    tests
}

/// The numbers in a test's name: `q4` and `q20` in `q4_q20_nothing_is_created`.
fn numbers(name: &str) -> impl Iterator<Item = String> {
    let parts = name.split('_').take_while(|part| {
        let digits = part.trim_start_matches(['q', 'c', 'r']);
        digits.len() + 1 == part.len() && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    parts.map(str::to_uppercase)
}

#[test]
fn every_peculiarity_and_conflict_has_tests_that_carry_its_number() {
    let (rows, tests) = (rows(QUIRKS), tests());
    let all = (1..=45).map(|q| format!("Q{q}")).chain((1..=12).map(|c| format!("C{c}")));
    for number in all {
        let row = row(&rows, &number);
        let named: BTreeSet<&str> = row[3].split(", ").map(|name| name.trim_matches('`')).collect();
        let carry = tests.iter().filter(|name| numbers(name).any(|carried| carried == number));
        let carry: BTreeSet<&str> = carry.map(String::as_str).collect();
        assert!(!carry.is_empty(), "{number} has no test on both databases");
        assert_eq!(named, carry, "the tests of {number} on the page, and those that there are");
    }
}
