//! `headcount migrate`

use anyhow::Context;

use crate::settings::Settings;

pub(crate) fn run(settings: &Settings) -> anyhow::Result<()> {
    let url = settings.database()?;
    let applied = store::migrate(&url).with_context(|| format!("database {url}"))?;
    for step in &applied {
        eprintln!("applied {step}");
    }
    eprintln!("{url} is up to date");
    Ok(())
}
