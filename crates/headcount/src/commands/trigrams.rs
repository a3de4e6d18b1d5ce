//! `headcount trigrams`

use anyhow::Context;

use crate::arguments::TrigramCommand;
use crate::settings::Settings;

pub(crate) fn run(settings: &Settings, command: &TrigramCommand) -> anyhow::Result<()> {
    let url = settings.database()?;
    let told = || format!("database {url}");
    match command {
        TrigramCommand::Create => {
            store::migrate(&url).with_context(told)?;
            for name in store::make_trigrams(&url).with_context(told)? {
                eprintln!("created {name}");
            }
            eprintln!("{url} has indexes of trigrams");
        }
        TrigramCommand::Drop => {
            for name in store::drop_trigrams(&url).with_context(told)? {
                eprintln!("dropped {name}");
            }
            eprintln!("{url} has no indexes of trigrams");
        }
    }
    Ok(())
}
