//! What is known of the server's data.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::bodies::Newcomer;

/// Somebody who is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    /// The server's identifier.
    pub id: String,
    /// The name that logs in.
    pub user_name: String,
    /// The identity provider's identifier.
    pub external_id: Option<String>,
    /// An e-mail address.
    pub email: Option<String>,
}

/// What a program that seeded the database says of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Some of the users, spread over all of them.
    pub users: Vec<Person>,
    /// Groups by the number of their members.
    pub groups: BTreeMap<u64, String>,
    /// How many users there are.
    pub total: u64,
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// If the file cannot be read, is no manifest, or names nobody.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let manifest: Self = serde_json::from_slice(&text)
            .with_context(|| format!("{} is no manifest", path.display()))?;
        ensure!(!manifest.users.is_empty(), "{} names no users", path.display());
        Ok(manifest)
    }
}

/// What the workloads know of the server's data.
#[derive(Debug)]
pub struct World {
    /// In every name that this run makes.
    pub run: String,
    /// How many users there were when the run began.
    pub total: u64,
    /// Some of them, spread over all.
    pub people: Vec<Person>,
    /// Groups by the number of their members.
    pub groups: BTreeMap<u64, String>,
    /// People who are in no group.
    pub outsiders: Vec<String>,
    /// Groups that are filled while a mix runs.
    pub sync_groups: Vec<String>,
    /// An instant of the server before which nothing of this run was changed.
    pub since: String,
    next: AtomicU64,
}

impl World {
    /// What a manifest says, and what was made for this run.
    pub fn new(
        run: String,
        manifest: Manifest,
        outsiders: Vec<String>,
        sync_groups: Vec<String>,
        since: String,
    ) -> Self {
        let Manifest { users: people, groups, total } = manifest;
        Self { run, total, people, groups, outsiders, sync_groups, since, next: AtomicU64::new(0) }
    }

    /// A number that nothing else of this run has.
    pub fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Somebody who is not there yet.
    pub fn newcomer(&self) -> Newcomer {
        Newcomer::new(&self.run, self.number())
    }

    /// A title that nobody has.
    pub fn title(&self) -> String {
        format!("Agent {} {}", self.run, self.number())
    }

    /// The group with so many members.
    ///
    /// # Errors
    /// If there is none.
    pub fn group(&self, size: u64) -> Result<&str> {
        let group = self.groups.get(&size).map(String::as_str);
        group.with_context(|| format!("there is no group of {size}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_read_as_it_is_written() {
        let text = r#"{"users":[{"id":"1","userName":"ada","externalId":"x","email":null}],
            "groups":{"10":"g10","1000":"g1000"},"total":5}"#;
        let folder = std::env::temp_dir().join(format!("manifest-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("manifest.json");
        fs::write(&file, text).unwrap();
        let manifest = Manifest::read(&file).unwrap();
        assert_eq!((manifest.total, manifest.groups[&1000].as_str()), (5, "g1000"));
        assert_eq!(manifest.users[0].user_name, "ada");
        let again: Manifest =
            serde_json::from_str(&serde_json::to_string(&manifest).unwrap()).unwrap();
        assert_eq!(again, manifest);
        fs::write(&file, r#"{"users":[],"groups":{},"total":0}"#).unwrap();
        assert!(Manifest::read(&file).is_err(), "nobody to ask for");
        fs::remove_dir_all(&folder).unwrap();
    }
}
