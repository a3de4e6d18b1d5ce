//! Whether the change log is whole: every entry as it was written, one for every version of every
//! resource, and none besides.
//!
//! Every entry is sealed with a key of the installation, together with the seal of the entry before
//! it of the same resource. So the writes of a tenant have nothing in common that they would wait
//! for, and a resource's entries are one chain. What is not found out: a resource that is taken away
//! with all of its entries, one that is put back with its last entries taken away, and what is written
//! by somebody who has the key.

use std::fmt;

use uuid::Uuid;

use crate::refusal::Refusal;
use crate::tx::Tx;

/// How many entries are looked at in one unit of work.
const PAGE: u32 = 1_000;

/// What the seal of an entry says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seal {
    /// The entry is as it was written; or was emptied when its account was erased.
    Whole,
    /// It is not.
    Broken,
    /// Nobody can tell: the entry before it, which is part of the seal, is missing.
    Unclear,
}

/// An entry, looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The identifier of the entry.
    pub id: Uuid,
    /// The kind of its resource.
    pub resource_type: String,
    /// Its resource.
    pub resource: Uuid,
    /// The version that it tells of.
    pub version: i64,
    /// The version that the resource has; none if there is no such resource.
    pub current: Option<i64>,
    /// What its seal says.
    pub seal: Seal,
}

/// A resource without any entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unlogged {
    /// Its kind.
    pub resource_type: String,
    /// Its identifier.
    pub resource: Uuid,
    /// Its version.
    pub version: i64,
}

/// Something that is wrong with the change log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// An entry is not as it was written.
    Changed(Checked),
    /// An entry tells of a version that no resource had.
    Surplus(Checked),
    /// There is no entry of these versions, the first to the last.
    Missing {
        /// The kind of the resource.
        resource_type: String,
        /// The resource.
        resource: Uuid,
        /// The first version without an entry.
        first: i64,
        /// The last.
        last: i64,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed(Checked { id, resource_type, resource, version, .. }) => {
                write!(f, "changed: {resource_type} {resource} version {version}, entry {id}")
            }
            Self::Surplus(Checked { id, resource_type, resource, version, .. }) => {
                write!(f, "surplus: {resource_type} {resource} version {version}, entry {id}")
            }
            Self::Missing { resource_type, resource, first, last } if first == last => {
                write!(f, "missing: {resource_type} {resource} version {first}")
            }
            Self::Missing { resource_type, resource, first, last } => {
                write!(f, "missing: {resource_type} {resource} versions {first} to {last}")
            }
        }
    }
}

/// How far the log of a tenant was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audit {
    position: Position,
    /// How many entries were looked at.
    pub entries: u64,
    /// Of how many resources.
    pub resources: u64,
}

/// Where an audit goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Position {
    /// At the first entry.
    #[default]
    Start,
    /// Behind this entry.
    Entry(Checked),
    /// At the resources without entries, behind this one.
    Unlogged(Option<Uuid>),
    /// Nowhere: all was looked at.
    End,
}

impl Audit {
    /// Whether all was looked at.
    pub fn is_over(&self) -> bool {
        self.position == Position::End
    }
}

/// Looks at the next page of a tenant's log, and says what is wrong there; to be called until the
/// audit is over, each time in a unit of work of its own. Others may write meanwhile.
///
/// # Errors
/// The store fails.
pub fn audit(
    tx: &mut dyn Tx,
    tenant: Uuid,
    audit: Audit,
) -> Result<(Audit, Vec<Finding>), Refusal> {
    let Audit { position, mut entries, mut resources } = audit;
    let mut findings = Vec::new();
    let position = match position {
        Position::End => Position::End,
        Position::Unlogged(after) => {
            let unlogged = tx.unlogged(tenant, after, PAGE)?;
            findings.extend(unlogged.iter().filter_map(all_missing));
            unlogged.last().map_or(Position::End, |last| Position::Unlogged(Some(last.resource)))
        }
        Position::Start | Position::Entry(_) => {
            let mut last = match position {
                Position::Entry(last) => Some(last),
                _ => None,
            };
            let after = last.as_ref().map(|last| (last.resource, last.version));
            let page = tx.checked_entries(tenant, after, PAGE)?;
            let is_last = page.is_empty();
            for entry in page {
                entries += 1;
                resources += u64::from(!continues(last.as_ref(), &entry));
                check(last.as_ref(), &entry, &mut findings);
                last = Some(entry);
            }
            match last {
                Some(last) if !is_last => Position::Entry(last),
                last => {
                    findings.extend(last.as_ref().and_then(missing_after));
                    Position::Unlogged(None)
                }
            }
        }
    };
    Ok((Audit { position, entries, resources }, findings))
}

fn continues(last: Option<&Checked>, entry: &Checked) -> bool {
    last.is_some_and(|last| last.resource == entry.resource)
}

/// What is wrong with an entry, coming after `last`, and between the two.
fn check(last: Option<&Checked>, entry: &Checked, findings: &mut Vec<Finding>) {
    let mut expected = 1;
    if let Some(last) = last {
        if continues(Some(last), entry) {
            expected = last.version.max(0) + 1;
        } else {
            findings.extend(missing_after(last));
        }
    }
    let current = entry.current.unwrap_or(0);
    findings.extend(missing(entry, expected, current.min(entry.version - 1)));
    if entry.version < expected || entry.version > current {
        findings.push(Finding::Surplus(entry.clone()));
    } else if entry.seal == Seal::Broken {
        findings.push(Finding::Changed(entry.clone()));
    }
}

/// The versions behind a resource's last entry.
fn missing_after(last: &Checked) -> Option<Finding> {
    missing(last, last.version.max(0) + 1, last.current.unwrap_or(0))
}

fn missing(of: &Checked, first: i64, last: i64) -> Option<Finding> {
    let Checked { resource_type, resource, .. } = of;
    (first <= last).then(|| Finding::Missing {
        resource_type: resource_type.clone(),
        resource: *resource,
        first,
        last,
    })
}

fn all_missing(unlogged: &Unlogged) -> Option<Finding> {
    let Unlogged { resource_type, resource, version } = unlogged;
    (*version > 0).then(|| Finding::Missing {
        resource_type: resource_type.clone(),
        resource: *resource,
        first: 1,
        last: *version,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(resource: u128, version: i64, current: impl Into<Option<i64>>) -> Checked {
        Checked {
            id: Uuid::from_u128(resource * 1000 + u128::from(version.unsigned_abs())),
            resource_type: "User".to_owned(),
            resource: Uuid::from_u128(resource),
            version,
            current: current.into(),
            seal: Seal::Whole,
        }
    }

    /// What is wrong with these entries, each as one word and the version.
    fn wrong(entries: &[Checked]) -> Vec<String> {
        let mut findings = Vec::new();
        let mut last = None;
        for entry in entries {
            check(last, entry, &mut findings);
            last = Some(entry);
        }
        findings.extend(last.and_then(missing_after));
        let said = findings.iter().map(|finding| match finding {
            Finding::Changed(entry) => format!("changed {}", entry.version),
            Finding::Surplus(entry) => format!("surplus {}", entry.version),
            Finding::Missing { first, last, .. } => format!("missing {first}-{last}"),
        });
        said.collect()
    }

    #[test]
    fn r81_a_log_with_one_entry_for_every_version_is_whole() {
        assert!(wrong(&[]).is_empty());
        let log = [entry(1, 1, 2), entry(1, 2, 2), entry(2, 1, 1)];
        assert!(wrong(&log).is_empty());
    }

    #[test]
    fn r81_a_gap_is_found_wherever_it_is() {
        assert_eq!(wrong(&[entry(1, 2, 2)]), ["missing 1-1"]);
        assert_eq!(wrong(&[entry(1, 1, 4), entry(1, 4, 4)]), ["missing 2-3"]);
        assert_eq!(wrong(&[entry(1, 1, 2), entry(2, 1, 1)]), ["missing 2-2"]);
        assert_eq!(wrong(&[entry(1, 1, 1), entry(2, 1, 3)]), ["missing 2-3"]);
    }

    #[test]
    fn r81_an_entry_too_many_is_found() {
        assert_eq!(wrong(&[entry(1, 1, 1), entry(1, 2, 1)]), ["surplus 2"]);
        assert_eq!(wrong(&[entry(1, 1, 2), entry(1, 9, 2)]), ["missing 2-2", "surplus 9"]);
        assert_eq!(wrong(&[entry(1, 0, 1), entry(1, 1, 1)]), ["surplus 0"]);
        assert_eq!(wrong(&[entry(1, 1, 1), entry(1, 1, 1)]), ["surplus 1"]);
        assert_eq!(wrong(&[entry(1, 1, None), entry(1, 2, None)]), ["surplus 1", "surplus 2"]);
    }

    #[test]
    fn r81_a_broken_seal_is_found_and_one_behind_a_gap_is_not_blamed() {
        let broken = Checked { seal: Seal::Broken, ..entry(1, 2, 2) };
        assert_eq!(wrong(&[entry(1, 1, 2), broken]), ["changed 2"]);
        let unclear = Checked { seal: Seal::Unclear, ..entry(1, 2, 2) };
        assert_eq!(wrong(&[unclear]), ["missing 1-1"]);
    }
}
