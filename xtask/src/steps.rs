//! The list of steps of a chore: what ran, how long it took, what failed.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;

/// What became of the steps so far.
pub(crate) struct Steps {
    started: Instant,
    done: Vec<Step>,
    notices: Vec<String>,
}

/// One step that has ended.
struct Step {
    name: &'static str,
    took: Duration,
    ok: bool,
}

impl Steps {
    /// An empty list; the total time counts from here.
    pub(crate) fn start() -> Self {
        Self { started: Instant::now(), done: Vec::new(), notices: Vec::new() }
    }

    /// Runs one step and notes how it went. `None` means that it failed, which has been said.
    pub(crate) fn run<T>(
        &mut self,
        name: &'static str,
        step: impl FnOnce() -> Result<T>,
    ) -> Option<T> {
        eprintln!("==> {name}");
        let started = Instant::now();
        let result = step();
        self.done.push(Step { name, took: started.elapsed(), ok: result.is_ok() });
        result.inspect_err(|error| eprintln!("error: {name}: {error:#}")).ok()
    }

    /// Says now, and again at the end, something that a reader must not overlook.
    pub(crate) fn notice(&mut self, text: &str) {
        eprintln!("notice: {text}");
        self.notices.push(text.to_owned());
    }

    /// Prints the summary and gives the exit code: non-zero if any step failed.
    pub(crate) fn finish(self) -> ExitCode {
        for notice in &self.notices {
            eprintln!("notice: {notice}");
        }
        let ok = self.done.iter().all(|step| step.ok);
        eprintln!("{}", summary(ok, self.started.elapsed(), &self.done));
        if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// The one line at the end: verdict, total time, and the seconds of each step.
fn summary(ok: bool, total: Duration, steps: &[Step]) -> String {
    let steps: Vec<String> = steps
        .iter()
        .map(|step| {
            let mark = if step.ok { "" } else { " FAILED" };
            format!("{} {:.1}s{mark}", step.name, step.took.as_secs_f64())
        })
        .collect();
    let verdict = if ok { "passed" } else { "FAILED" };
    format!("xtask {verdict} in {:.1}s: {}", total.as_secs_f64(), steps.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summary_names_every_step_and_marks_failures() {
        let steps = [
            Step { name: "fmt", took: Duration::from_millis(500), ok: true },
            Step { name: "tests", took: Duration::from_secs(2), ok: false },
        ];
        let line = summary(false, Duration::from_secs(3), &steps);
        assert_eq!(line, "xtask FAILED in 3.0s: fmt 0.5s, tests 2.0s FAILED");
    }

    #[test]
    fn a_failed_step_yields_nothing_and_fails_the_whole() {
        let mut steps = Steps::start();
        assert_eq!(steps.run("good", || Ok(1)), Some(1));
        assert_eq!(steps.run("bad", || anyhow::bail!("no") as Result<()>), None);
        assert_eq!(steps.finish(), ExitCode::FAILURE);
    }
}
