//! Where the workspace is, and how its tools are called.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf, absolute};
use std::process::Command;

use anyhow::{Context, Result};

/// The directories that chores work in.
pub(crate) struct Workspace {
    /// The repository's root.
    pub(crate) root: PathBuf,
    /// Cargo's target directory, absolute, because chores run in other directories.
    pub(crate) target: PathBuf,
}

impl Workspace {
    /// Finds the workspace that `cargo xtask` was called in.
    pub(crate) fn locate() -> Result<Self> {
        // Cargo says at run time where the crate is, which stays right when a built binary is
        // reused in another checkout.
        let manifest_dir = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest_dir
            .parent()
            .map(Path::to_path_buf)
            .context("the xtask crate has no parent directory")?;
        let target =
            env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        let target = absolute(target).context("cannot resolve the target directory")?;
        Ok(Self { root, target })
    }

    /// A call of cargo in the workspace's root, with the toolchain that built this binary.
    pub(crate) fn cargo<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
        let mut command = Command::new(cargo);
        command.current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target).args(arguments);
        command
    }
}
