//! `headcount backup` and `headcount restore`

use crate::arguments::CopyArguments;
use crate::settings::Settings;

pub(crate) fn back_up(settings: &Settings, arguments: &CopyArguments) -> anyhow::Result<()> {
    let url = settings.database()?;
    for copy in store::back_up(&url, &arguments.file, arguments.overwrite)? {
        eprintln!("wrote {}", copy.display());
    }
    Ok(())
}

/// The database is brought up to date at once: what is said is that it can be used.
pub(crate) fn restore(settings: &Settings, arguments: &CopyArguments) -> anyhow::Result<()> {
    let url = settings.database()?;
    store::restore(&url, &arguments.file, arguments.overwrite)?;
    for step in store::migrate(&url)? {
        eprintln!("applied {step}");
    }
    eprintln!("{url} is what it was when {} was made", arguments.file.display());
    Ok(())
}
