//! What stands in `deploy/` and in docs/deployment.md is what the program has: settings, flags, ports and
//! versions. Whether other programs can read the files is looked at by `cargo xtask deploy`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::*;

const GUIDE: &str = "docs/deployment.md";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The files of a folder and of those in it.
fn files_in(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder is there").flatten() {
        let path = entry.path();
        if path.is_dir() && !path.ends_with("target") {
            files_in(&path, found);
        } else if path.is_file() {
            found.push(path);
        }
    }
}

/// All that is written about how the service is run, with the names of the files.
fn texts() -> Vec<(String, String)> {
    let mut files = Vec::new();
    files_in(&root().join("deploy"), &mut files);
    files.push(root().join(GUIDE));
    let name = |path: &Path| path.strip_prefix(root()).expect("it is in it").display().to_string();
    let text = |path: &PathBuf| fs::read_to_string(path).expect("it is a text");
    files.iter().map(|path| (name(path), text(path))).collect()
}

/// The settings, from what the program says to a name that is none.
fn settings() -> BTreeSet<String> {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    fs::write(folder.path().join("headcount.toml"), "nonsense = 1").expect("it can be written");
    let refused = headcount_in(folder.path(), &["migrate"], &[]).failed();
    let (_, names) = refused.stderr.split_once("expected one of ").expect("it lists the settings");
    let names = names.lines().next().expect("they are in a line").split(", ");
    names.map(|name| name.trim_matches(['`', ' ']).to_owned()).collect()
}

/// The words of a text that begin like a name, up to where it ends.
fn names_after<'a>(text: &'a str, start: &str) -> Vec<&'a str> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let tails = text.split(start).skip(1);
    tails.map(|tail| &tail[..tail.find(|c| !is_name(c)).unwrap_or(tail.len())]).collect()
}

#[test]
fn every_variable_is_a_setting() {
    let settings = settings();
    assert!(settings.contains("database") && settings.contains("public_url"), "{settings:?}");
    let mut seen = 0;
    for (file, text) in texts() {
        for name in names_after(&text, "HEADCOUNT_") {
            // Those of the tests, of compose itself, of the command line alone, and made in the chart.
            let other =
                name.is_empty() || name.starts_with("TEST_") || name == "PORT" || name == "CONFIG";
            let known = settings.contains(&name.to_lowercase());
            assert!(other || known, "{file}: HEADCOUNT_{name} is no setting");
            seen += usize::from(known);
        }
    }
    assert!(seen > 20, "only {seen} variables were found");
}

#[test]
fn the_file_of_settings_has_every_one_with_a_value_that_is_taken() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let text = read("deploy/headcount.toml");
    let database = "sqlite:test.db";
    let run = |text: &str| {
        fs::write(folder.path().join("headcount.toml"), text).expect("it can be written");
        headcount_in(folder.path(), &["migrate", "--database", database], &[]).succeeded();
    };
    run(&text);
    let is_setting = |line: &str| {
        let name = line.split_once(" = ").map_or("", |(name, _)| name);
        !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
    };
    let shown = text.lines().map(|line| line.strip_prefix("# ").unwrap_or(line));
    let shown: Vec<&str> = shown.filter(|line| is_setting(line)).collect();
    run(&shown.join("\n"));
    let shown: BTreeSet<&str> =
        shown.iter().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name).collect();
    for name in settings() {
        // Those are of single commands.
        let command = ["tenant", "dialect", "connection", "scopes", "expires"].contains(&&*name);
        assert!(command || shown.contains(&*name), "deploy/headcount.toml lacks {name}");
    }
}

#[test]
fn the_guide_has_a_row_for_every_setting() {
    let guide = read(GUIDE);
    let (_, table) = guide.split_once("## Settings").expect("there is such a section");
    let table = table.split("\n## ").next().expect("it ends");
    let cells = table.lines().filter(|line| line.starts_with("| `"));
    let cells = cells.filter_map(|line| line.trim_start_matches("| ").split(" | ").next());
    let rows = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    let rows: BTreeSet<String> = rows.map(str::to_owned).collect();
    assert_eq!(rows, settings());
}

/// The commands of `headcount` in a text: each with its words up to what is no longer its own.
fn commands(text: &str) -> Vec<Vec<String>> {
    const PROGRAMS: [&str; 3] = ["headcount", "headcount-admin", "/usr/local/bin/headcount"];
    let mut commands = Vec::new();
    for block in text.split("```").skip(1).step_by(2) {
        for line in block.replace("\\\n", " ").lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            for index in 0..words.len() {
                let own = words[index + 1..].iter().copied();
                let ends = |word: &str| {
                    PROGRAMS.contains(&word) || word.starts_with(['#', '|', ';', '&', '>'])
                };
                let own: Vec<String> =
                    own.take_while(|word| !ends(word)).map(str::to_owned).collect();
                // Behind a path it is the name of something that is installed.
                let is_command = !own.first().is_some_and(|word| word.contains('/'));
                if PROGRAMS.contains(&words[index]) && is_command {
                    commands.push(own);
                }
            }
        }
    }
    commands
}

#[test]
fn every_flag_of_the_guides_is_one_of_its_command() {
    let mut seen = 0;
    for file in [GUIDE, "docs/operations.md", "README.md"] {
        for command in commands(&read(file)) {
            let is_name = |word: &&String| word.starts_with(|c: char| c.is_ascii_lowercase());
            let path: Vec<&str> =
                command.iter().take_while(is_name).take(2).map(|word| &**word).collect();
            let help = help(&path);
            for flag in command.iter().filter(|word| word.starts_with("--")) {
                let flag = flag.split_once('=').map_or(&**flag, |(flag, _)| flag);
                let known = help.split([' ', '\n', ',']).any(|word| word == flag);
                assert!(known, "{file}: headcount {command:?}: there is no {flag}");
                seen += 1;
            }
        }
    }
    assert!(seen > 20, "only {seen} flags were found");
}

/// What a command says of itself; of a word that is an argument and no command, what its command says.
fn help(path: &[&str]) -> String {
    let asked = headcount(&[path, &["--help"]].concat());
    match path {
        [of, _] if !asked.status.success() => help(&[of]),
        _ => asked.succeeded().stdout,
    }
}

#[test]
fn versions_and_ports_agree() {
    let version = env!("CARGO_PKG_VERSION");
    let file = read("deploy/Dockerfile");
    assert!(file.contains(&format!("image.version=\"{version}\"")), "the image's label");
    let (_, rust) = file.split_once("FROM rust:").expect("it is built with Rust");
    let minor =
        |text: &str| text.split(['.', '-']).nth(1).and_then(|text| text.parse::<u32>().ok());
    assert!(minor(rust) >= minor(env!("CARGO_PKG_RUST_VERSION")), "the image's Rust is too old");
    let compose = read("deploy/compose/compose.yaml");
    assert!(compose.contains(&format!("image: headcount:{version}\n")), "the image of compose");
    let chart = read("deploy/helm/headcount/Chart.yaml");
    for line in [format!("\nversion: {version}\n"), format!("\nappVersion: \"{version}\"\n")] {
        assert!(chart.contains(&line), "the chart's{line}");
    }
    for (file, text) in texts() {
        for tail in text.split("headcount:").skip(1) {
            let end = tail.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(tail.len());
            let tag = tail[..end].trim_end_matches('.');
            assert!(tag.is_empty() || tag == version, "{file}: headcount:{tag}");
        }
    }

    let template = read("deploy/helm/headcount/templates/deployment.yaml");
    let values = read("deploy/helm/headcount/values.yaml");
    let unit = read("deploy/headcount.toml");
    for (text, place) in [
        (&file, "HEADCOUNT_LISTEN=0.0.0.0:8080"),
        (&compose, ":8080\"]"),
        (&template, "containerPort: 8080"),
        (&template, "\"0.0.0.0:8080\""),
        (&unit, "listen = \"127.0.0.1:8080\""),
        (&file, "HEADCOUNT_TELEMETRY_LISTEN=127.0.0.1:9464"),
        (&file, "http://127.0.0.1:9464/healthz"),
        (&compose, "http://127.0.0.1:9464/readyz"),
        (&values, "port: 9464"),
        (&unit, "telemetry_listen = \"127.0.0.1:9464\""),
    ] {
        assert!(text.contains(place), "{place}");
    }
}

/// The first number behind a text.
fn number_after(text: &str, start: &str) -> u32 {
    let (_, tail) = text.split_once(start).unwrap_or_else(|| panic!("there is no {start}"));
    let end = tail.find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len());
    tail[..end].parse().unwrap_or_else(|_| panic!("{start} is no number"))
}

#[test]
fn whoever_kills_what_does_not_end_waits_long_enough() {
    // What is in flight has 30 seconds, and the rest five, after it has drained.
    const TO_FINISH: u32 = 35;
    let drain = number_after(&read("deploy/headcount.toml"), "drain_delay = \"");
    let unit = number_after(&read("deploy/headcount.service"), "\nTimeoutStopSec=");
    let compose = read("deploy/compose/compose.yaml");
    let (_, server) = compose.split_once("\n  headcount:\n").expect("it has a server");
    let compose = number_after(server, "stop_grace_period: ");
    let docker = number_after(&read(GUIDE), "(`--time ");
    for time in [unit, compose, docker] {
        assert!(time >= drain + TO_FINISH, "{time} s");
    }
    // The chart tells the program what it adds to the time to finish.
    let template = read("deploy/helm/headcount/templates/deployment.yaml");
    assert!(
        template.contains(
            "HEADCOUNT_DRAIN_DELAY\n              value: \"{{ .Values.drainSeconds }}s\""
        )
    );
    let more =
        number_after(&template, "terminationGracePeriodSeconds: {{ add .Values.drainSeconds ");
    assert!(more >= TO_FINISH, "{more} s");
}

#[test]
fn every_test_that_the_threat_model_names_is_there() {
    let model = read("SECURITY.md");
    let mut sources = Vec::new();
    files_in(&root().join("crates"), &mut sources);
    let named = model.split('`').skip(1).step_by(2).filter_map(|name| name.split_once("::"));
    let mut seen = 0;
    for (file, test) in named {
        let is_file = |path: &&PathBuf| path.ends_with(format!("{file}.rs"));
        let has_test = |path: &PathBuf| {
            let text = fs::read_to_string(path).expect("it is a text");
            text.contains(&format!("fn {test}("))
        };
        assert!(sources.iter().filter(is_file).any(has_test), "there is no {file}::{test}");
        seen += 1;
    }
    assert!(seen > 30, "only {seen} tests were found");
}
