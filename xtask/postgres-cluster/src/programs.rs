//! Where `PostgreSQL`'s programs are on this machine.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::machine::capture;

/// What a directory must hold to be of use. The server and psql come from one version.
pub const COMPLETE: [&str; 4] = ["initdb", "pg_ctl", "postgres", "psql"];

/// Looks in all the usual places.
pub fn find_on_machine() -> Option<PathBuf> {
    let configured = capture(Command::new("pg_config").arg("--bindir")).ok().map(PathBuf::from);
    find(configured, Path::new("/"), &env::var_os("PATH").unwrap_or_default())
}

/// The first directory that is complete: the one that `pg_config` names, Debian's from the highest
/// version down, then those on the search path.
fn find(configured: Option<PathBuf>, root: &Path, path: &OsStr) -> Option<PathBuf> {
    configured
        .into_iter()
        .chain(debian_directories(root))
        .chain(env::split_paths(path))
        .find(|directory| complete(directory))
}

/// Debian keeps one directory per version, out of the search path.
fn debian_directories(root: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(root.join("usr/lib/postgresql")) else {
        return Vec::new();
    };
    let mut versions: Vec<u32> =
        entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    versions.sort_unstable_by(|a, b| b.cmp(a));
    let directory = |version| root.join(format!("usr/lib/postgresql/{version}/bin"));
    versions.into_iter().map(directory).collect()
}

/// Whether a directory holds all the programs.
pub fn complete(directory: &Path) -> bool {
    COMPLETE.iter().all(|program| directory.join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn install(directory: &Path, programs: &[&str]) {
        fs::create_dir_all(directory).unwrap();
        for program in programs {
            fs::write(directory.join(program), "").unwrap();
        }
    }

    #[test]
    fn nothing_is_found_on_an_empty_machine() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(find(None, root.path(), OsStr::new("/no/such/directory")), None);
    }

    #[test]
    fn the_highest_complete_version_wins() {
        let root = tempfile::tempdir().unwrap();
        let versions = root.path().join("usr/lib/postgresql");
        install(&versions.join("9/bin"), &COMPLETE);
        install(&versions.join("15/bin"), &COMPLETE);
        install(&versions.join("17/bin"), &["psql"]);
        assert_eq!(find(None, root.path(), OsStr::new("")), Some(versions.join("15/bin")));
    }

    #[test]
    fn pg_config_comes_first_but_only_with_a_server() {
        let root = tempfile::tempdir().unwrap();
        let (named, path) = (root.path().join("named"), root.path().join("path"));
        install(&named, &["pg_config", "psql"]);
        install(&path, &COMPLETE);
        let found = || find(Some(named.clone()), root.path(), path.as_os_str());
        assert_eq!(found(), Some(path.clone()));
        install(&named, &COMPLETE);
        assert_eq!(found(), Some(named.clone()));
    }
}
