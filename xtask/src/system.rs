//! The machine: which user this is, and how missing packages get onto it.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};
use postgres_cluster::is_root;

use crate::process::{capture, stream, succeeds};

/// Where Debian's tools read whether a new server package brings up a cluster of its own.
const CLUSTER_SETTINGS: &str = "/etc/postgresql-common/createcluster.conf";

/// What the C code of the dependencies needs beside a compiler: a word for each, the command that
/// proves it works, and Debian's package.
const BUILD_TOOLS: [(&str, &[&str], &str); 2] = [
    ("make", &["make", "--version"], "make"),
    // Debian's base system has perl without these modules, which OpenSSL's build needs.
    (
        "perl with its standard modules",
        &["perl", "-MFindBin", "-MIPC::Cmd", "-MFile::Compare", "-MFile::Copy", "-e1"],
        "perl",
    ),
];

/// How this process may install system packages.
pub(crate) struct Installer {
    access: Access,
}

/// The ways to Debian's package manager.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    /// This process is root.
    Direct,
    /// `sudo` works without a password.
    Sudo,
    /// There is no apt, no right to use it, or the user does not want it.
    None,
}

impl Installer {
    /// Finds out what this user may do.
    pub(crate) fn detect() -> Self {
        let access = if !succeeds(Command::new("apt-get").arg("--version")) {
            Access::None
        } else if is_root() {
            Access::Direct
        } else if succeeds(Command::new("sudo").args(["-n", "true"])) {
            Access::Sudo
        } else {
            Access::None
        };
        Self { access }
    }

    /// An installer that never installs.
    pub(crate) fn forbidden() -> Self {
        Self { access: Access::None }
    }

    /// Installs Debian packages, or fails with `missing`, which says what to do by hand.
    pub(crate) fn install(&self, packages: &[&str], missing: &str) -> Result<()> {
        if self.access == Access::None {
            bail!("{missing}");
        }
        self.apt(&["update"])?;
        self.apt_install(packages)
    }

    /// Installs the `PostgreSQL` server, without the cluster that Debian would start with it.
    pub(crate) fn install_postgres(&self, missing: &str) -> Result<()> {
        self.install(&["postgresql-common"], missing)?;
        let settings = fs::read_to_string(CLUSTER_SETTINGS).unwrap_or_default();
        if !sets_main_cluster(&settings) {
            let script = format!("echo 'create_main_cluster = false' >> {CLUSTER_SETTINGS}");
            capture(&mut self.privileged(&["sh", "-c", &script]))
                .with_context(|| format!("cannot write {CLUSTER_SETTINGS}"))?;
        }
        self.apt_install(&["postgresql"])
    }

    /// Installs packages from lists that are up to date.
    fn apt_install(&self, packages: &[&str]) -> Result<()> {
        let options = ["install", "--yes", "--no-install-recommends"];
        self.apt(&[&options, packages].concat())
    }

    /// Calls apt-get, which never asks and waits for others that hold its lock.
    fn apt(&self, arguments: &[&str]) -> Result<()> {
        let call =
            ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "DPkg::Lock::Timeout=300"];
        eprintln!("apt-get {}", arguments.join(" "));
        let status = stream(&mut self.privileged(&[&call, arguments].concat()))?;
        if !status.success() {
            bail!("apt-get {} failed ({status})", arguments.join(" "));
        }
        Ok(())
    }

    /// A command with the rights of root.
    fn privileged(&self, call: &[&str]) -> Command {
        let (program, before): (&str, &[&str]) = match self.access {
            Access::Sudo => ("sudo", &["-n"]),
            Access::Direct | Access::None => ("env", &[]),
        };
        let mut command = Command::new(program);
        command.args(before).args(call).current_dir("/");
        command
    }
}

/// Makes sure of the tools that the dependencies' C code is built with.
pub(crate) fn ensure_build_tools(installer: &Installer) -> Result<()> {
    let absent: Vec<_> = BUILD_TOOLS.iter().filter(|(_, call, _)| !works(call)).collect();
    if absent.is_empty() {
        return Ok(());
    }
    let words = absent.iter().map(|(word, ..)| *word).collect::<Vec<_>>().join(" and ");
    let packages: Vec<_> = absent.iter().map(|(_, _, package)| *package).collect();
    let missing = format!(
        "{words} not found, which the build of OpenSSL needs; on Debian: apt-get install {}",
        packages.join(" ")
    );
    installer.install(&packages, &missing)?;
    match absent.iter().find(|(_, call, _)| !works(call)) {
        Some((word, ..)) => bail!("{word} still not found after installing"),
        None => Ok(()),
    }
}

/// Makes sure of the program that runs the requests in the guides.
pub(crate) fn ensure_curl(installer: &Installer) -> Result<()> {
    if works(&["curl", "--version"]) {
        return Ok(());
    }
    let missing = "curl not found, with which the tests run the commands of the guides; \
        on Debian: apt-get install curl";
    installer.install(&["curl"], missing)
}

/// Whether a tool can be run.
fn works(call: &[&str]) -> bool {
    call.split_first()
        .is_some_and(|(program, arguments)| succeeds(Command::new(program).args(arguments)))
}

/// Whether Debian's cluster settings say already what to do with the main cluster.
fn sets_main_cluster(settings: &str) -> bool {
    settings.lines().any(|line| line.trim_start().starts_with("create_main_cluster"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commented_out_setting_does_not_count() {
        assert!(!sets_main_cluster("# x\n#create_main_cluster = true\n"));
        assert!(sets_main_cluster("# x\ncreate_main_cluster = false\n"));
    }

    #[test]
    fn without_rights_the_message_says_what_is_missing() {
        let error = Installer::forbidden().install(&["make"], "make is missing").unwrap_err();
        assert_eq!(error.to_string(), "make is missing");
    }
}
