//! A folder with specs, and runs of the real binary in it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A good spec, without a word from any rule.
pub(crate) const GOOD: &str = include_str!("../../../environments/minikube.yaml");

/// A folder with `environments/`, removed at the end.
pub(crate) struct Checkout(TempDir);

/// What a run said and how it ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("gen prints UTF-8");
        Self {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

impl Run {
    /// Fails, showing everything, unless the run ended with this code.
    #[track_caller]
    pub(crate) fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        assert!(!self.stderr.contains("panicked"), "{self:#?}");
        self
    }

    /// Fails, showing everything, unless it said this somewhere.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(
            self.stdout.contains(text) || self.stderr.contains(text),
            "no `{text}` in {self:#?}"
        );
        self
    }
}

impl Checkout {
    /// One environment, `minikube`.
    pub(crate) fn good() -> Self {
        let checkout = Self::empty();
        checkout.write("environments/minikube.yaml", GOOD);
        checkout
    }

    /// One environment, written.
    pub(crate) fn written() -> Self {
        let checkout = Self::good();
        checkout.gen_with([]).ends_with(0);
        checkout
    }

    /// Every environment of the repository.
    pub(crate) fn all() -> Self {
        let checkout = Self::empty();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../environments");
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            fs::copy(entry.path(), checkout.path("environments").join(entry.file_name())).unwrap();
        }
        checkout
    }

    pub(crate) fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("environments")).unwrap();
        Self(folder)
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    /// Changes the spec.
    pub(crate) fn edit_spec(&self, from: &str, to: &str) {
        let spec = self.read("environments/minikube.yaml");
        assert!(spec.contains(from));
        self.write("environments/minikube.yaml", spec.replacen(from, to, 1));
    }

    /// The binary, to be run here.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gen"));
        command.current_dir(self.0.path()).stdin(Stdio::null());
        for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "GITHUB_ACTIONS", "TERM"] {
            command.env_remove(variable);
        }
        command
    }

    pub(crate) fn gen_with<const N: usize>(&self, arguments: [&str; N]) -> Run {
        self.command().args(arguments.map(OsStr::new)).output().unwrap().into()
    }

    /// Every file below a folder with its bytes.
    pub(crate) fn files(&self, folder: &str) -> BTreeMap<String, Vec<u8>> {
        fn walk(folder: &Path, prefix: &str, found: &mut BTreeMap<String, Vec<u8>>) {
            let Ok(entries) = fs::read_dir(folder) else { return };
            for entry in entries.map(Result::unwrap) {
                let path = format!("{prefix}{}", entry.file_name().to_str().unwrap());
                let kind = entry.file_type().unwrap();
                if kind.is_dir() {
                    walk(&entry.path(), &format!("{path}/"), found);
                } else if kind.is_file() {
                    found.insert(path, fs::read(entry.path()).unwrap());
                }
            }
        }
        let mut found = BTreeMap::new();
        walk(&self.path(folder), "", &mut found);
        found
    }
}
