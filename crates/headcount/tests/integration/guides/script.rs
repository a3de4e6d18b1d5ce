//! Runs the commands of a guide in one shell, as whoever follows it would.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::page::{Commands, Page, Printed};
use crate::harness::{Database, Server, run};

/// The address that the guides use.
const EXAMPLE: &str = "https://scim.example.com";
/// Printed between two commands.
const END: &str = "\u{1e}";
/// Where a guide waits, the machine of its reader has nothing else to do; this one has tests.
const SLEEP: &str = "sleep() { command sleep $(($1 * 5)); }";

/// Runs every command of a guide, and compares what is printed with what the guide says.
pub(super) fn follow(database: Database, page: &Page) {
    let server = Server::start(database);
    let here = server.base_url().strip_suffix("/scim/v2").expect("the base URL ends so");
    let commands = page.commands();
    let scripts = commands.iter().map(|one| format!("{}\nprintf '{END}'\n", one.script));
    let script: String = scripts.collect();
    let script = format!("set -eu\nexec 2>&1\n{SLEEP}\n{}", script.replace(EXAMPLE, here));
    let folder = Path::new(env!("CARGO_BIN_EXE_headcount")).parent().expect("it is in a folder");
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    let mut bash = Command::new("bash");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("HEADCOUNT_") {
            bash.env_remove(name);
        }
    }
    bash.args(["-c", &script]).env("PATH", path).current_dir(server.database().folder());
    bash.env("HEADCOUNT_DATABASE", server.database().url());
    let printed = run(&mut bash, Duration::from_secs(120)).succeeded().stdout;
    let printed = printed.replace(here, EXAMPLE);
    let mut printed = printed.split(END);
    for command in &commands {
        let real = printed.next().expect("every command ends").trim();
        compare(command, real);
    }
}

fn compare(command: &Commands, real: &str) {
    let script = &command.script;
    match &command.printed {
        None => {}
        Some(Printed::Text(text)) => {
            assert!(is_like(text.trim(), real), "{script}\nprints\n{real}\nnot\n{text}");
        }
        Some(Printed::Json(text)) => {
            let said: Value = serde_json::from_str(text).expect("the guide has JSON");
            let real: Value = serde_json::from_str(real)
                .unwrap_or_else(|error| panic!("{script}\nprints no JSON ({error}): {real}"));
            assert!(has(&said, &real), "{script}\nprints\n{real:#}\nnot\n{text}");
        }
    }
}

/// Whether a text is what the guide says, in which `…` stands for anything.
fn is_like(said: &str, real: &str) -> bool {
    let mut parts = said.split('…');
    let Some(mut rest) = real.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut is_open = false;
    for part in parts {
        is_open = part.is_empty();
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    is_open || rest.is_empty()
}

/// Whether an answer has what the guide shows of it.
fn has(said: &Value, real: &Value) -> bool {
    match (said, real) {
        (Value::Object(said), Value::Object(_)) => {
            said.iter().all(|(name, value)| has(value, &real[name]))
        }
        (Value::Array(said), Value::Array(real)) => {
            said.len() == real.len() && said.iter().zip(real).all(|(said, real)| has(said, real))
        }
        (Value::String(said), Value::String(real)) => is_like(said, real),
        _ => said == real,
    }
}

#[test]
fn what_is_left_out_may_be_anything_and_the_rest_not() {
    assert!(is_like("hc_…", "hc_1_2") && is_like("a … b", "a x b") && is_like("a", "a"));
    assert!(!is_like("a … b", "a x c") && !is_like("a", "ab") && !is_like("…a", "ab"));
    let real = serde_json::json!({"a": [{"b": "cd", "e": 1}]});
    assert!(has(&serde_json::json!({"a": [{"b": "c…"}]}), &real));
    assert!(!has(&serde_json::json!({"a": []}), &real));
    assert!(!has(&serde_json::json!({"f": null, "a": [{"b": "d"}]}), &real));
}
