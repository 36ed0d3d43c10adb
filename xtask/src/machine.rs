//! What the machine must have for the tests, and what to do where it has not.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::commands;

/// The oldest Go that fetches by itself the newer one that a module asks for.
const OLDEST_GO_MINOR: u32 = 21;

/// A clean first build of all tools fills about this much with Go's own caches.
const GIGABYTES_WANTED: u64 = 15;

/// A program that builds or runs what the tests need.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Program {
    Debootstrap,
    DockerClient,
    DockerEngine,
    Go,
    Java,
    Make,
    Maven,
    Openssl,
    OpensslHeaders,
    Python,
}

/// What the crates that hold C code are built with, beyond the linker that Rust itself needs.
pub(crate) const FOR_C_CODE: [Program; 2] = [Program::Make, Program::OpensslHeaders];

impl Program {
    /// A command that succeeds where the program is usable.
    fn probe(self) -> &'static [&'static str] {
        match self {
            Self::Debootstrap => &["debootstrap", "--version"],
            Self::DockerClient => &["docker", "--version"],
            Self::DockerEngine => &["dockerd", "--version"],
            Self::Go => &["go", "version"],
            Self::Java => &["java", "-version"],
            Self::Make => &["make", "--version"],
            Self::Maven => &["mvn", "--version"],
            Self::Openssl => &["openssl", "version"],
            Self::OpensslHeaders => &["pkg-config", "--exists", "openssl"],
            Self::Python => &["python3", "-c", "import ensurepip, venv"],
        }
    }

    /// What people call it.
    fn name(self) -> &'static str {
        match self {
            Self::OpensslHeaders => "the headers of OpenSSL",
            _ => self.probe()[0],
        }
    }

    fn debian_packages(self) -> &'static [&'static str] {
        match self {
            Self::Debootstrap => &["debootstrap", "debian-archive-keyring"],
            Self::DockerClient => &["docker-cli"],
            Self::DockerEngine => &["docker.io"],
            Self::Go => &["golang-go"],
            Self::Java => &["default-jre-headless"],
            Self::Make => &["make"],
            Self::Maven => &["maven"],
            Self::Openssl => &["openssl"],
            Self::OpensslHeaders => &["libssl-dev", "pkg-config"],
            Self::Python => &["python3", "python3-venv"],
        }
    }

    fn is_usable(self) -> bool {
        let [program, arguments @ ..] = self.probe() else {
            return false;
        };
        Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }
}

/// Makes sure that these programs are there: on Debian as root by installing them, elsewhere by saying what is missing.
pub(crate) fn require(programs: impl IntoIterator<Item = Program>) -> Result<()> {
    let mut missing: BTreeSet<Program> = programs.into_iter().collect();
    missing.retain(|program| !program.is_usable());
    if !missing.is_empty() {
        let packages: Vec<_> = missing
            .iter()
            .flat_map(|program| program.debian_packages())
            .copied()
            .collect();
        install(&missing, &packages)?;
    }
    require_recent_go()
}

fn install(missing: &BTreeSet<Program>, packages: &[&str]) -> Result<()> {
    let names: Vec<_> = missing.iter().map(|program| program.name()).collect();
    let names = names.join(", ");
    let packages_text = packages.join(" ");
    if !(is_root() && Path::new("/etc/debian_version").exists()) {
        bail!(
            "this machine lacks {names}, which the tests need; on Debian:\n  \
             sudo apt-get update && sudo apt-get install --no-install-recommends {packages_text}"
        );
    }
    eprintln!("machine: this one lacks {names}; installing with apt-get: {packages_text}");
    commands::run_quietly(Command::new("apt-get").args(["update", "--quiet=2"]))?;
    commands::run_quietly(
        Command::new("apt-get")
            .args(["install", "--yes", "--quiet=2", "--no-install-recommends"])
            .args(packages)
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )?;
    match missing.iter().find(|program| !program.is_usable()) {
        Some(program) => bail!("`{}` still does not run", program.probe().join(" ")),
        None => Ok(()),
    }
}

fn require_recent_go() -> Result<()> {
    let Ok(output) = Command::new("go").args(["env", "GOVERSION"]).output() else {
        return Ok(()); // not needed, or missed above
    };
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let minor: u32 = version
        .strip_prefix("go1.")
        .and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next())
        .and_then(|minor| minor.parse().ok())
        .with_context(|| format!("could not read the version of Go from {version:?}"))?;
    if minor < OLDEST_GO_MINOR {
        bail!(
            "Go is {version}; 1.{OLDEST_GO_MINOR} or newer is needed, since older ones do not fetch the version that \
             a module names: see https://go.dev/doc/install"
        );
    }
    Ok(())
}

/// Whether we may install packages and start engines.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Says so where the disk may fill up during the builds.
pub(crate) fn warn_if_disk_is_short(folder: &Path) {
    let existing = folder.ancestors().find(|path| path.exists());
    let Some(kilobytes) = existing.and_then(free_kilobytes) else {
        return;
    };
    let gigabytes = kilobytes / 1_000_000;
    if gigabytes < GIGABYTES_WANTED {
        eprintln!(
            "tools: only {gigabytes} GB are free; a first build wants {GIGABYTES_WANTED} (`go clean -cache -modcache` \
             afterwards gives most of it back)"
        );
    }
}

fn free_kilobytes(folder: &Path) -> Option<u64> {
    let output = Command::new("df").arg("-Pk").arg(folder).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()
}
