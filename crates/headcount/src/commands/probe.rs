//! `headcount probe`

use std::time::Duration;

use anyhow::{Context, bail};

/// How long a server may take to answer: it gives its database five seconds itself.
const PATIENCE: Duration = Duration::from_secs(6);

/// How much of what it says is passed on.
const LONGEST: u64 = 4096;

/// Fails unless the page is there; what a server says that is not ready is in the error.
pub(crate) fn run(url: &str) -> anyhow::Result<()> {
    // Through a proxy it would be asked whether somebody else is well.
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .build();
    let mut answer = config.new_agent().get(url).call().with_context(|| url.to_owned())?;
    if answer.status().is_success() {
        return Ok(());
    }
    let said = answer.body_mut().with_config().limit(LONGEST).read_to_string();
    bail!("{url}: {} {}", answer.status(), said.unwrap_or_default())
}
