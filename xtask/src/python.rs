//! Python environments: with the SCIM client and checkers that the conformance tests run, and with
//! what looks at the files of `deploy/`.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{capture, stream, succeeds};
use crate::system::Installer;
use crate::workspace::Workspace;

/// Fails where Python is older than the packages need, or cannot make environments. Debian leaves
/// `ensurepip` out of its basic Python.
const PROBE: &str = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))";

/// Said when there is no usable Python and it cannot be installed.
const MISSING: &str = "Python 3.11 or newer with its venv module not found. \
    Install it - Debian and Ubuntu: apt-get install python3 python3-venv - \
    or leave the conformance tests out with --skip-conformance";

/// An environment that holds exactly the pinned packages.
pub(crate) struct Environment {
    directory: PathBuf,
    /// The list of pinned packages.
    requirements: PathBuf,
    /// What the packages must have brought along.
    programs: &'static [&'static str],
}

impl Environment {
    /// The environment variable that names the interpreter.
    const PYTHON: &str = "HEADCOUNT_TEST_PYTHON";
    /// The environment variable that names the SCIM client.
    const SCIM2: &str = "HEADCOUNT_TEST_SCIM2";
    /// The environment variable that names the other checker.
    const SCIM_SANITY: &str = "HEADCOUNT_TEST_SCIM_SANITY";

    /// Lets a command find the environment.
    pub(crate) fn export_to(&self, command: &mut Command) {
        command.env(Self::PYTHON, self.program("python"));
        command.env(Self::SCIM2, self.program("scim2"));
        command.env(Self::SCIM_SANITY, self.program("scim-sanity"));
    }

    /// Makes sure that a command finds no environment, not even one that the user exported.
    pub(crate) fn hide_from(command: &mut Command) {
        for name in [Self::PYTHON, Self::SCIM2, Self::SCIM_SANITY] {
            command.env_remove(name);
        }
    }

    /// The one of the conformance tests.
    fn of_conformance(workspace: &Workspace) -> Self {
        Self {
            directory: workspace.target.join("conformance-venv"),
            requirements: workspace.root.join("conformance-tests/requirements.txt"),
            programs: &["scim2", "scim-sanity"],
        }
    }

    /// The one that looks at the files of `deploy/`.
    pub(crate) fn of_deploy(workspace: &Workspace) -> Self {
        Self {
            directory: workspace.target.join("deploy-venv"),
            requirements: workspace.root.join("deploy/requirements.txt"),
            programs: &["hadolint", "kubernetes-validate"],
        }
    }

    /// One of the environment's programs.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.directory.join("bin").join(name)
    }

    /// The file that says what the environment was made from. It is written last.
    fn stamp(&self) -> PathBuf {
        self.directory.join("requirements.stamp")
    }

    /// What the stamp should say: the requirements, and the directory, because an environment's
    /// scripts do not survive being moved.
    fn expected_stamp(&self) -> Result<String> {
        let pinned = fs::read_to_string(&self.requirements)
            .with_context(|| format!("cannot read {}", self.requirements.display()))?;
        Ok(format!("# {}\n{pinned}", self.directory.display()))
    }

    /// The environment, made anew unless it is still right.
    pub(crate) fn made(self, installer: &Installer) -> Result<Self> {
        let stamp = self.expected_stamp()?;
        if self.is_current(&stamp) {
            return Ok(self);
        }
        let python = ensure_python(installer)?;
        if self.directory.exists() {
            fs::remove_dir_all(&self.directory).context("cannot remove the old environment")?;
        }
        capture(Command::new(python).args(["-m", "venv"]).arg(&self.directory))
            .context("cannot make the Python environment")?;
        let mut pip = Command::new(self.program("python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        let status = stream(pip.arg("--requirement").arg(&self.requirements))?;
        if !status.success() {
            bail!("pip could not install {} ({status})", self.requirements.display());
        }
        fs::write(self.stamp(), stamp).context("cannot finish the Python environment")?;
        Ok(self)
    }

    /// Whether the environment is whole, made from these requirements, and its interpreter still
    /// there.
    fn is_current(&self, expected: &str) -> bool {
        fs::read_to_string(self.stamp()).is_ok_and(|stamp| stamp == expected)
            && self.programs.iter().all(|name| self.program(name).is_file())
            && succeeds(Command::new(self.program("python")).arg("--version"))
    }
}

/// The environment of the conformance tests, if an earlier run left one that is still right.
pub(crate) fn existing(workspace: &Workspace) -> Option<Environment> {
    let environment = Environment::of_conformance(workspace);
    let expected = environment.expected_stamp().ok()?;
    environment.is_current(&expected).then_some(environment)
}

/// The environment of the conformance tests, made anew unless it is still right.
pub(crate) fn ensure(workspace: &Workspace, installer: &Installer) -> Result<Environment> {
    Environment::of_conformance(workspace).made(installer)
}

/// A Python that can make environments, after installing what is missing if that is allowed.
fn ensure_python(installer: &Installer) -> Result<PathBuf> {
    if let Some(python) = find_python() {
        return Ok(python);
    }
    installer.install(&["python3", "python3-venv"], MISSING)?;
    find_python().with_context(|| MISSING.to_owned())
}

/// The first Python on the search path that is fit, then Debian's own, which a local one may hide.
fn find_python() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain([PathBuf::from("/usr/bin")])
        .map(|directory| directory.join("python3"))
        .find(|python| succeeds(Command::new(python).args(["-c", PROBE])))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn workspace(root: &Path) -> Workspace {
        fs::create_dir_all(root.join("conformance-tests")).unwrap();
        fs::write(root.join("conformance-tests/requirements.txt"), "a==1\n").unwrap();
        Workspace { root: root.to_owned(), target: root.join("target") }
    }

    #[test]
    fn an_environment_is_current_until_the_requirements_change() {
        let root = tempfile::tempdir().unwrap();
        let workspace = workspace(root.path());
        let environment = Environment::of_conformance(&workspace);
        assert!(existing(&workspace).is_none());

        fs::create_dir_all(environment.directory.join("bin")).unwrap();
        fs::write(environment.program("scim2"), "").unwrap();
        fs::write(environment.program("scim-sanity"), "").unwrap();
        std::os::unix::fs::symlink("/bin/true", environment.program("python")).unwrap();
        let stamp = environment.expected_stamp().unwrap();
        fs::write(environment.stamp(), stamp).unwrap();
        assert!(existing(&workspace).is_some());

        fs::write(&environment.requirements, "a==2\n").unwrap();
        assert!(existing(&workspace).is_none());
    }

    #[test]
    fn every_package_is_pinned_exactly() {
        let pinned = include_str!("../../conformance-tests/requirements.txt");
        for list in [pinned, include_str!("../../deploy/requirements.txt")] {
            let mut packages = list.lines().filter(|line| !line.starts_with('#'));
            assert!(packages.all(|line| line.split_once("==").is_some()));
        }
        for package in ["scim2-cli==0.6.0", "scim2-tester==0.5.2", "scim-sanity==0.7.4"] {
            assert!(pinned.contains(package), "{package}");
        }
    }
}
