//! Tests that failed beside the others, run once more and alone.
//!
//! Tests of time-outs, rates and queues share two cores with two thousand others, on machines that
//! may stand still for seconds. What fails there and passes alone is no fault of the change at hand;
//! it is said at the end of the run, so that somebody mends the test.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, Result, bail};

use crate::process::stream_with;

/// More failures than this are no accident, and stay failures.
const AT_MOST: usize = 3;

/// What the programs of a run said of their tests.
#[derive(Debug, Default, PartialEq, Eq)]
struct Heard {
    begun: usize,
    ended: usize,
    /// How many passed and failed, as the programs count them.
    passed: usize,
    counted: usize,
    failed: Vec<String>,
}

impl Heard {
    fn line(&mut self, line: &str) {
        self.begun += usize::from(line.starts_with("running ") && line.contains(" test"));
        if let Some(result) = line.strip_prefix("test result: ") {
            self.ended += 1;
            self.passed += count(result, " passed");
            self.counted += count(result, " failed");
        }
        let name = line.strip_prefix("test ").and_then(|rest| rest.strip_suffix(" ... FAILED"));
        self.failed.extend(name.map(str::to_owned));
    }

    /// The tests to run again: none if that could hide anything else that went wrong.
    fn again(self) -> Option<Vec<String>> {
        let is_whole = self.begun == self.ended && self.counted == self.failed.len();
        (is_whole && (1..=AT_MOST).contains(&self.failed.len())).then_some(self.failed)
    }
}

/// How many tests ended so, as the last line of a program says: `ok. 3 passed; 0 failed; …`.
fn count(result: &str, how: &str) -> usize {
    let number = result.split([';', '.']).find_map(|part| part.trim().strip_suffix(how));
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// Runs tests with the command that `tests` makes, and those few that fail again, one by one.
///
/// Gives the names of those that passed only then.
///
/// # Errors
/// What failed twice, or failed as more than a few tests.
pub(crate) fn run(tests: impl Fn() -> Command) -> Result<Vec<String>> {
    let (succeeded, heard) = listen(&mut tests())?;
    if succeeded {
        return Ok(Vec::new());
    }
    let Some(names) = heard.again() else { bail!("tests failed") };
    eprintln!("==> again, alone: {}", names.join(", "));
    let mut again = tests();
    again.args(["--", "--test-threads=1", "--exact"]).args(&names);
    let (succeeded, heard) = listen(&mut again)?;
    if !succeeded || heard.passed < names.len() {
        bail!("tests failed twice");
    }
    Ok(names)
}

/// Runs a command, passes on what it prints, and reads along.
fn listen(command: &mut Command) -> Result<(bool, Heard)> {
    command.stdout(Stdio::piped());
    let mut reader = None;
    let status = stream_with(command, |child| {
        let printed = child.stdout.take();
        reader = printed.map(|printed| thread::spawn(move || hear(BufReader::new(printed))));
    })?;
    let reader = reader.context("the output is piped")?;
    let Ok(heard) = reader.join() else { bail!("the output cannot be read") };
    Ok((status.success(), heard?))
}

fn hear(printed: impl BufRead) -> Result<Heard> {
    let mut heard = Heard::default();
    for line in printed.split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        heard.line(&line);
        println!("{line}");
    }
    Ok(heard)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAILED: &str = "printf 'running 1 test\\ntest a ... FAILED\\ntest result: FAILED. 0 passed; 1 failed; 0 ignored\\n'";

    const PASSED: &str = "printf 'test result: ok. 1 passed; 0 failed; 0 ignored\\n'";

    fn heard(printed: &str) -> Option<Vec<String>> {
        hear(printed.as_bytes()).unwrap().again()
    }

    #[test]
    fn a_few_failed_tests_of_programs_that_ended_are_run_again() {
        let printed = "running 2 tests\ntest a::b ... FAILED\ntest c ... ok\n\
            test result: FAILED. 1 passed; 1 failed; 0 ignored\nrunning 1 test\ntest d ... ok\ntest result: ok. 1 passed; 0 failed; 0 ignored\n";
        assert_eq!(heard(printed), Some(vec!["a::b".to_owned()]));
    }

    #[test]
    fn what_crashed_or_failed_in_numbers_is_not() {
        assert_eq!(heard("running 2 tests\ntest a ... FAILED\n"), None);
        assert_eq!(
            heard("running 1 test\ntest a ... ok\ntest result: ok. 1 passed; 0 failed;\n"),
            None
        );
        let one_of_two =
            "running 2 tests\ntest a ... FAILED\ntest result: FAILED. 0 passed; 2 failed; 0";
        assert_eq!(heard(one_of_two), None);
        let many = "test a ... FAILED\n".repeat(AT_MOST + 1);
        assert_eq!(
            heard(&format!("running 9 tests\n{many}test result: FAILED. 5 passed; 4 failed;\n")),
            None
        );
    }

    #[test]
    fn a_test_that_fails_twice_fails() {
        let twice = || {
            let mut command = Command::new("sh");
            command.args(["-c", &format!("{FAILED}; exit 1")]);
            command
        };
        assert!(run(twice).is_err());
    }

    #[test]
    fn a_test_that_is_not_run_again_fails() {
        let none = || {
            let mut command = Command::new("sh");
            command.args(["-c", &format!("{FAILED}; [ $# -gt 0 ]"), "sh"]);
            command
        };
        assert!(run(none).is_err());
    }

    #[test]
    fn a_test_that_passes_alone_is_named() {
        let alone = || {
            let mut command = Command::new("sh");
            command.args(["-c", &format!("{FAILED}; [ $# -gt 0 ] && {PASSED}"), "sh"]);
            command
        };
        assert_eq!(run(alone).unwrap(), ["a"]);
    }
}
