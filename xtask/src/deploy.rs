//! The chore `cargo xtask deploy`: looks at the files of `deploy/` with the tools that use them.
//!
//! What needs nothing but Python always runs; helm and systemd are not everywhere, and their absence is
//! said. That names and numbers are the program's own is a test of the ordinary suite.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail, ensure};

use crate::lint::check;
use crate::process::succeeds;
use crate::python::Environment;
use crate::steps::Steps;
use crate::system::Installer;
use crate::workspace::Workspace;

/// The oldest Kubernetes that the chart is for, and one of those in use.
const KUBERNETES: [&str; 2] = ["1.30", "1.37"];

/// What systemd may find exposed, in tenths: 10 is a unit without any protection.
const EXPOSURE: u8 = 20;

/// Runs all checks whose tools are there.
pub(crate) fn run(workspace: &Workspace, installer: &Installer) -> ExitCode {
    let mut steps = Steps::start();
    let folder = workspace.root.join("deploy");
    let environment = Environment::of_deploy(workspace);
    if let Some(environment) = steps.run("python", || environment.made(installer)) {
        steps.run("dockerfile", || {
            check(Command::new(environment.program("hadolint")).arg(folder.join("Dockerfile")))
        });
        steps.run("compose", || {
            let file = folder.join("compose/compose.yaml");
            check(&mut checker(&environment, &folder, "compose", &[file]))
        });
        helm(&mut steps, workspace, &environment, &folder);
    }
    systemd(&mut steps, &folder);
    steps.finish()
}

/// A call of the checks in `deploy/check.py`.
fn checker(environment: &Environment, folder: &Path, what: &str, files: &[PathBuf]) -> Command {
    let mut command = Command::new(environment.program("python"));
    command.arg(folder.join("check.py")).arg(what).args(files);
    command
}

/// Renders the chart with each set of values, and looks at what comes out.
fn helm(steps: &mut Steps, workspace: &Workspace, environment: &Environment, folder: &Path) {
    if !succeeds(Command::new("helm").arg("version")) {
        return steps.notice(
            "helm is not installed, the chart was not checked \
             (go install helm.sh/helm/v3/cmd/helm@v3.19.0)",
        );
    }
    let chart = folder.join("helm/headcount");
    steps.run("helm", || {
        let mut rendered = Vec::new();
        for values in sets_of_values(&chart)? {
            rendered.extend(render(workspace, &chart, &values)?);
        }
        for (kubernetes, file) in &rendered {
            // It knows no kinds of Prometheus' operator, which it says and goes on.
            let mut validate = Command::new(environment.program("kubernetes-validate"));
            validate.args(["--strict", "--quiet", "--no-warn", "-k", kubernetes]);
            check(validate.arg(file)).with_context(|| file.display().to_string())?;
        }
        let files: Vec<PathBuf> = rendered.into_iter().map(|(_, file)| file).collect();
        check(&mut checker(environment, folder, "chart", &files))?;
        refusals(&chart)
    });
}

/// Lints and renders the chart with one set of values, for each Kubernetes.
fn render(
    workspace: &Workspace,
    chart: &Path,
    values: &Path,
) -> Result<Vec<(&'static str, PathBuf)>> {
    let folder = workspace.target.join("deploy-rendered");
    fs::create_dir_all(&folder).context("cannot make the folder of what is rendered")?;
    let mut rendered = Vec::new();
    for version in KUBERNETES {
        let mut lint = Command::new("helm");
        lint.args(["lint", "--strict", "--quiet", "--kube-version", version, "--values"]);
        said_by(lint.arg(values).arg(chart))?;
        let mut template = Command::new("helm");
        template.args(["template", "scim", "--namespace", "scim", "--kube-version", version]);
        let text = said_by(template.arg("--values").arg(values).arg(chart))?;
        let name = values.file_stem().unwrap_or_default().to_string_lossy();
        let file = folder.join(format!("{name}-{version}.yaml"));
        fs::write(&file, text).context("cannot write what was rendered")?;
        rendered.push((version, file));
    }
    Ok(rendered)
}

/// What a command says on standard output. A failure carries all that it says: helm and systemd have
/// their faults there too.
fn said_by(command: &mut Command) -> Result<String> {
    let output = command.output().context("it cannot be run")?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    ensure!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    Ok(text(&output.stdout))
}

/// The files in the chart's `ci/`.
fn sets_of_values(chart: &Path) -> Result<Vec<PathBuf>> {
    let files = fs::read_dir(chart.join("ci")).context("the chart has no sets of values")?;
    let mut files: Vec<PathBuf> = files.flatten().map(|file| file.path()).collect();
    files.sort();
    ensure!(!files.is_empty(), "the chart has no sets of values");
    Ok(files)
}

/// Values that cannot work are refused, with words that say what is missing.
fn refusals(chart: &Path) -> Result<()> {
    let image = "image.repository=r";
    let database = "database.existingSecret=d";
    let tls = "tls.existingSecret=t";
    let refused: [(&[&str], &str); 6] = [
        (&[database, tls], "image.repository is missing"),
        (&[image, tls], "a database is missing"),
        (&[image, database], "no TLS"),
        (&[image, database, tls, "ingress.enabled=true"], "ingress.host is missing"),
        (&[image, database, tls, "publicURL=https://scim.example.com"], "publicURL"),
        (&[image, database, tls, "publicUrl=https://scim.example.com/"], "publicUrl"),
    ];
    for (values, expected) in refused {
        let mut template = Command::new("helm");
        template.args(["template", "scim", "--kube-version", KUBERNETES[0]]);
        for value in values {
            template.args(["--set", value]);
        }
        let Err(error) = said_by(template.arg(chart)) else { bail!("the chart takes {values:?}") };
        let said = error.to_string();
        ensure!(said.contains(expected), "{values:?} is refused for another reason: {said}");
    }
    Ok(())
}

/// The unit: what systemd cannot read, and how much of the system it leaves open.
fn systemd(steps: &mut Steps, folder: &Path) {
    if !succeeds(Command::new("systemd-analyze").arg("--version")) {
        return steps.notice(
            "systemd-analyze is not installed, the unit was not checked (apt-get install systemd)",
        );
    }
    steps.run("systemd", || {
        let unit = fs::read_to_string(folder.join("headcount.service"))?;
        // Verified is also that the program is there.
        let scratch = tempfile::tempdir()?;
        let file = scratch.path().join("headcount.service");
        fs::write(&file, unit.replace("/usr/local/bin/headcount", "/bin/true"))?;
        // It succeeds also where it ignores a line that it does not know.
        let verified = Command::new("systemd-analyze").arg("verify").arg(&file).output()?;
        let said = String::from_utf8_lossy(&verified.stderr);
        ensure!(verified.status.success() && said.is_empty(), "{said}");
        let mut security = Command::new("systemd-analyze");
        security.args(["security", "--offline=yes", "--no-pager"]);
        security.arg(format!("--threshold={EXPOSURE}")).arg(&file);
        let said = said_by(&mut security)?;
        let verdict = said.lines().rev().find(|line| line.contains("exposure")).unwrap_or_default();
        eprintln!("{verdict}");
        Ok(())
    });
}
