//! How far a simulation has come.

use indicatif::{ProgressBar, ProgressStyle};
use simulators::provider::Watch;

const TEMPLATE: &str = "  {prefix:24} {bar:32.cyan/dim} {pos:>5}/{len:<5} {msg}";

/// A bar on standard error, if that is a terminal.
pub(super) struct Bar(ProgressBar);

impl Bar {
    pub(super) fn new() -> Self {
        let style =
            ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(0);
        bar.set_style(style.progress_chars("━╸─"));
        Self(bar)
    }

    pub(super) fn end(&self) {
        self.0.finish_and_clear();
    }
}

impl Watch for Bar {
    fn begin(&self, title: &str, steps: usize) {
        self.0.set_prefix(title.to_owned());
        self.0.set_length(u64::try_from(steps).unwrap_or(u64::MAX));
        self.0.set_position(0);
    }

    fn step(&self, requests: u64) {
        self.0.set_message(format!("{requests} requests"));
        self.0.inc(1);
    }
}
