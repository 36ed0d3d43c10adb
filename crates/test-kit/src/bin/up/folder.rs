//! What is kept outside the engines: who runs, which processes it has, the key of the accounts, the logs.

use std::{
    collections::BTreeSet,
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{ErrorKind, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use test_kit::{containers::kept::Kept, keys};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// What stands in the lock while its owner stops everything.
const ENDING: &str = "ending";

/// The folder.
pub(crate) struct Folder {
    path: PathBuf,
    processes: Mutex<BTreeSet<(u32, PathBuf)>>,
}

impl Folder {
    /// Makes it where it is not there yet. Only its owner may look inside: it holds a key.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let make = |path: &Path| DirBuilder::new().recursive(true).mode(0o700).create(path);
        make(path)
            .and_then(|()| make(&path.join("logs")))
            .with_context(|| format!("could not make {}", path.display()))?;
        let path = path.canonicalize().context("could not find the folder again")?;
        Ok(Self {
            path,
            processes: Mutex::default(),
        })
    }

    /// The files of the engines that belong to it.
    pub(crate) fn kept(&self) -> Kept {
        Kept::of(&self.path)
    }

    /// Where a service writes its log.
    pub(crate) fn log(&self, service: &str) -> PathBuf {
        self.logs().join(format!("{service}.log"))
    }

    /// Where the logs are.
    pub(crate) fn logs(&self) -> PathBuf {
        self.path.join("logs")
    }

    /// The private key of the built-in accounts, made once: a token stays good when everything starts again.
    pub(crate) fn accounts_key(&self) -> Result<String> {
        let path = self.accounts_key_path();
        match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            found => return found.with_context(|| format!("could not read {}", path.display())),
        }
        let key = keys::ed25519().private;
        // Renamed when it is whole: one that was cut off would be refused for ever.
        let unfinished = path.with_extension("unfinished");
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&unfinished)
            .and_then(|mut file| file.write_all(key.as_bytes()))
            .and_then(|()| fs::rename(&unfinished, &path))
            .with_context(|| format!("could not write {}", path.display()))?;
        Ok(key)
    }

    fn accounts_key_path(&self) -> PathBuf {
        self.path.join("accounts-key.pem")
    }

    /// Whether the engines have files that are whole.
    pub(crate) fn has_data(&self) -> bool {
        self.data_path().is_file()
    }

    /// Notes that they have: from now on the files are worth something.
    pub(crate) fn note_data(&self) -> Result<()> {
        File::create(self.data_path())
            .map(drop)
            .context("could not note that there is data")
    }

    fn data_path(&self) -> PathBuf {
        self.path.join("engines-have-data")
    }

    /// Forgets what belongs to the data, and that there is some. The files of the engines are not here.
    pub(crate) fn forget(&self) -> Result<()> {
        remove_if_there(&self.data_path())?;
        remove_if_there(&self.accounts_key_path())
    }

    /// Notes a process that runs this program from now on, in place of one that has ended.
    pub(crate) fn note_process(&self, id: u32, program: &Path, ended: Option<u32>) -> Result<()> {
        let mut processes = self.processes.lock().unwrap_or_else(PoisonError::into_inner);
        processes.retain(|(other, _)| Some(*other) != ended);
        processes.insert((id, program.to_owned()));
        let lines: Vec<String> = processes
            .iter()
            .map(|(id, program)| format!("{id} {}\n", program.display()))
            .collect();
        fs::write(self.processes_path(), lines.concat()).context("could not note the processes")
    }

    /// Says that none is left.
    pub(crate) fn forget_processes(&self) -> Result<()> {
        remove_if_there(&self.processes_path())
    }

    /// Kills the processes of one that was killed before it could.
    pub(crate) fn end_leftovers(&self) -> Result<()> {
        let noted = fs::read_to_string(self.processes_path()).unwrap_or_default();
        for (id, program) in noted.lines().filter_map(|line| line.split_once(' ')) {
            // The number may be somebody else's by now.
            if command_line(id).is_some_and(|line| line.contains(program))
                && let Some(process) = id.parse().ok().and_then(Pid::from_raw)
            {
                eprintln!("up: ending process {id}, left by one that was killed: {program}");
                // It may have ended by itself at this moment.
                let _ = kill_process(process, Signal::KILL);
            }
        }
        self.forget_processes()
    }

    fn processes_path(&self) -> PathBuf {
        self.path.join("processes")
    }
}

fn remove_if_there(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("could not remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Program and arguments of a process, if there is one with this id.
fn command_line(id: &str) -> Option<String> {
    if let Ok(line) = fs::read(format!("/proc/{id}/cmdline")) {
        return Some(String::from_utf8_lossy(&line).into_owned());
    }
    let output = Command::new("ps").args(["-o", "args=", "-p", id]).output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The right to use the folder. The kernel takes it back from a process that is killed.
pub(crate) struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Takes it; waits for somebody who is stopping. Nothing where we were told to stop meanwhile.
    pub(crate) async fn take(folder: &Folder, stop: &CancellationToken) -> Result<Option<Self>> {
        let path = folder.path.join("lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .with_context(|| format!("could not open {}", path.display()))?;
        let lock = Self { file, path };
        let mut waits = false;
        loop {
            match lock.file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(error).context("could not lock the folder"),
                Err(TryLockError::WouldBlock) => {}
            }
            let owner = fs::read_to_string(&lock.path).unwrap_or_default();
            if owner != ENDING {
                bail!(
                    "another `cargo xtask up` runs (process {owner}) with {}; stop it, or take another folder and \
                     other ports: --data FOLDER --port N",
                    folder.path.display()
                );
            }
            if !waits {
                eprintln!("up: waiting for an earlier one, which is stopping …");
                waits = true;
            }
            if timeout(Duration::from_millis(100), stop.cancelled()).await.is_ok() {
                return Ok(None);
            }
        }
        lock.write(&std::process::id().to_string())?;
        Ok(Some(lock))
    }

    /// Tells the next one that it need not wait for long.
    pub(crate) fn is_ending(&self) -> Result<()> {
        self.write(ENDING)
    }

    fn write(&self, owner: &str) -> Result<()> {
        fs::write(&self.path, owner).with_context(|| format!("could not write {}", self.path.display()))
    }
}
