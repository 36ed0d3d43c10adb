//! What the generator writes for sidecars without a cluster, moved to the topics of one test.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::Duration,
};

use serde_json::{Value, json};

use crate::Topics;

/// The environment whose resources tests use.
const ENVIRONMENT: &str = "minikube";

/// The resources of all sidecars of a test. As JSON they reach its other processes.
#[derive(Clone, serde::Deserialize, serde::Serialize)]
pub struct Resources {
    config: Value,
    objects: Vec<Value>,
}

impl Resources {
    /// What the generator writes, but for names: topics and consumer groups have the prefix of the test.
    pub fn of_test(topics: &Topics) -> Self {
        let (brokers, prefix) = (topics.brokers(), topics.prefix());
        let (config, objects) = generated();
        let mut moved = Self {
            config: config.clone(),
            objects: objects.clone(),
        };
        for object in &mut moved.objects {
            match object["kind"].as_str() {
                Some("Component") => move_component(&mut object["spec"]["metadata"], brokers, prefix),
                Some("Subscription") => {
                    for field in ["topic", "deadLetterTopic"] {
                        prepend(&mut object["spec"][field], prefix);
                    }
                }
                _ => {}
            }
        }
        moved
    }

    /// Changes each object, for tests of what is wrong with another.
    #[must_use]
    pub fn with(mut self, change: impl FnMut(&mut Value)) -> Self {
        self.objects.iter_mut().for_each(change);
        self
    }

    /// Has deliveries tried again after this wait, always the same. How often, and how long each may take, stay.
    #[must_use]
    pub fn with_inbound_wait(mut self, wait: Duration) -> Self {
        for object in self.objects.iter_mut().filter(|it| it["kind"] == "Resiliency") {
            let components = object["spec"]["targets"]["components"].as_object().cloned();
            let inbound = components
                .into_iter()
                .flatten()
                .map(|(_, it)| it["inbound"]["retry"].clone());
            for name in inbound
                .filter_map(|it| it.as_str().map(ToOwned::to_owned))
                .collect::<Vec<_>>()
            {
                let retry = &mut object["spec"]["policies"]["retries"][&name];
                *retry = json!({
                    "policy": "constant",
                    "duration": format!("{}ms", wait.as_millis()),
                    "maxRetries": retry["maxRetries"],
                });
            }
        }
        self
    }

    /// Writes what the sidecar of this service loads; returns its configuration and the folder of the rest.
    pub(super) fn write(&self, app_id: &str, folder: &Path) -> (PathBuf, PathBuf) {
        let resources = folder.join("resources");
        fs::create_dir(&resources).expect("the folder can be written");
        let own = self.objects.iter().filter(|object| {
            let scopes = object["scopes"].as_array();
            scopes.is_some_and(|scopes| scopes.iter().any(|it| it == app_id))
        });
        let mut written = 0;
        for (index, object) in own.enumerate() {
            // JSON is YAML.
            fs::write(resources.join(format!("{index}.yaml")), object.to_string()).expect("a file can be written");
            written += 1;
        }
        assert!(written > 0, "the generator writes nothing for {app_id}");
        let config = folder.join("config.yaml");
        fs::write(&config, self.config.to_string()).expect("a file can be written");
        (config, resources)
    }
}

fn move_component(metadata: &mut Value, brokers: &str, prefix: &str) {
    for item in metadata.as_array_mut().into_iter().flatten() {
        let name = item["name"].as_str().unwrap_or_default().to_owned();
        let value = &mut item["value"];
        match name.as_str() {
            "brokers" => *value = json!(brokers),
            "consumerGroup" => prepend(value, prefix),
            "publishingScopes" | "subscriptionScopes" => {
                let text = value.as_str().unwrap_or_default();
                let (app_id, topics) = text.split_once('=').expect("scopes are of one service");
                let topics = topics.split(',').filter(|it| !it.is_empty());
                let moved: Vec<String> = topics.map(|topic| format!("{prefix}{topic}")).collect();
                *value = json!(format!("{app_id}={}", moved.join(",")));
            }
            _ => {}
        }
    }
}

fn prepend(value: &mut Value, prefix: &str) {
    if let Some(text) = value.as_str() {
        *value = json!(format!("{prefix}{text}"));
    }
}

/// The configuration and the objects as they are generated, once in a process.
fn generated() -> &'static (Value, Vec<Value>) {
    static GENERATED: OnceLock<(Value, Vec<Value>)> = OnceLock::new();
    GENERATED.get_or_init(|| {
        let folder = tempfile::tempdir().expect("there is room for files");
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
        let output = Command::new(env!("CARGO"))
            .args(["run", "--quiet", "--package", "gen", "--"])
            .args(["--target", "local", "--env", ENVIRONMENT])
            .args(["--brokers", "127.0.0.1:9092", "--out"])
            .arg(folder.path())
            .current_dir(root.expect("the crate lies two folders deep"))
            .output()
            .expect("cargo runs us");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let config = documents(&folder.path().join("config.yaml")).remove(0);
        let resources = fs::read_dir(folder.path().join("resources")).expect("they are written");
        let files = resources.map(|file| file.expect("a folder can be listed").path());
        let objects = files.flat_map(|file| documents(&file)).collect();
        (config, objects)
    })
}

fn documents(file: &Path) -> Vec<Value> {
    use serde::Deserialize as _;
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let documents = serde_yaml::Deserializer::from_str(&text).map(Value::deserialize);
    documents
        .map(|it| it.unwrap_or_else(|error| panic!("{}: {error}", file.display())))
        .collect()
}
