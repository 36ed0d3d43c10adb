//! An API tried against its own `OpenAPI` document by schemathesis, an independent judge.

use std::{
    env, fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
};

use serde_json::{Value, json};
use tokio::process::Command;

/// Where the configuration and what the document cannot say are.
const CONFIGURATION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../contracts/openapi/fuzz");

/// A running service, and the people in whose name it is tried.
pub struct Fuzz<'a> {
    /// Where the service answers; its document is at `/openapi.json`.
    pub address: SocketAddr,
    /// Two people with their tokens. Requests are the first one's; the second must see nothing of what is theirs.
    pub people: [(&'a str, String); 2],
    /// Which operations, as options of schemathesis; all without any.
    pub operations: &'a [&'a str],
    /// Requests per operation that are drawn at random, besides those that cover each part of the document.
    pub examples: u32,
}

/// Which requests are made. The two are apart because a run of both takes an invalid header for a part of a valid request.
#[derive(Clone, Copy, Debug)]
pub enum Requests {
    /// Those that the document allows: none may be refused as malformed.
    Valid,
    /// Those that it does not: none may be taken.
    Invalid,
}

impl Fuzz<'_> {
    /// Tries every operation with every check, alone and one after another along links; panics with the failures, each
    /// with the command that shows it again.
    pub async fn run(&self, requests: Requests) {
        let folder = env::temp_dir().join(format!("taskflow-fuzz-{}", uuid::Uuid::new_v4()));
        fs::create_dir(&folder).expect("a temporary folder can be made");
        let output = self.command(&folder, requests).output().await;
        let output = output.expect("schemathesis can be started");
        fs::remove_dir_all(&folder).expect("the temporary folder can be removed");
        assert!(
            output.status.success(),
            "schemathesis, {requests:?} requests:\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }

    fn command(&self, folder: &Path, requests: Requests) -> Command {
        let people = folder.join("people.json");
        fs::write(&people, self.people().to_string()).expect("the folder is ours");
        let configuration = folder.join("schemathesis.toml");
        fs::write(&configuration, self.configuration(&people)).expect("the folder is ours");
        let mut command = Command::new(program());
        command
            .current_dir(folder) // it keeps notes where it runs
            .env("PYTHONPATH", CONFIGURATION)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .arg("--config-file")
            .arg(configuration)
            .args(["run", "--no-color", "--checks", "all"])
            .args(["--max-examples", &self.examples.to_string()])
            .args(["--mode", requests.mode()])
            .args(self.operations)
            .arg(format!("http://{}/openapi.json", self.address))
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// The committed configuration, and who the people are.
    fn configuration(&self, people: &Path) -> String {
        let committed = Path::new(CONFIGURATION).join("schemathesis.toml");
        let committed = fs::read_to_string(committed).expect("the configuration is committed");
        let [(first, _), (second, _)] = &self.people;
        let people = people.display();
        format!(
            "{committed}\n[auth.wfc]\npath = \"{people}\"\nuser = \"{first}\"\npeers = [\"{first}\", \"{second}\"]\n"
        )
    }

    fn people(&self) -> Value {
        let entry = |(name, token): &(&str, String)| {
            let header = json!({"name": "Authorization", "value": format!("Bearer {token}")});
            json!({"name": name, "fixedHeaders": [header]})
        };
        json!({"auth": self.people.iter().map(entry).collect::<Vec<_>>()})
    }
}

impl Requests {
    fn mode(self) -> &'static str {
        match self {
            Self::Valid => "positive",
            Self::Invalid => "negative",
        }
    }
}

fn program() -> PathBuf {
    let variable = "TASKFLOW_SCHEMATHESIS";
    let missing = || {
        panic!(
            "{variable} is not set: `cargo xtask test` prepares the tools and sets it; for `cargo test` alone, `cargo xtask tools --env schemathesis` prints it"
        )
    };
    env::var_os(variable).map_or_else(missing, PathBuf::from)
}
