//! The commands, one file each.

pub(crate) mod backup;
pub(crate) mod credential;
pub(crate) mod migrate;
pub(crate) mod probe;
pub(crate) mod serve;
pub(crate) mod simulate;
pub(crate) mod tenant;
pub(crate) mod token;
pub(crate) mod trigrams;
pub(crate) mod verify_log;

use anyhow::Context;
use store::{DatabaseUrl, Store};

use crate::settings::Settings;

/// Opens the database of the settings and brings it up to date.
pub(crate) fn open(settings: &Settings) -> anyhow::Result<Store> {
    open_url(&settings.database()?, None)
}

/// Opens a database and brings it up to date; what only reads may be answered by a replica of it.
pub(crate) fn open_url(url: &DatabaseUrl, replica: Option<&DatabaseUrl>) -> anyhow::Result<Store> {
    Store::open_with(url, replica).with_context(|| format!("database {url}"))
}
