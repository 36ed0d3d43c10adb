//! A real daprd loads the self-hosted Dapr resources and must report exactly those that were meant for each service.
//!
//! daprd ignores what it does not understand: a component with a wrong scope, a subscription to an absent component
//! or a resource of an unknown kind is simply not there. So what it *reports* is compared with what was written.

mod app;
mod expected;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use snapshot_tests::environments::{self, Environment};

use self::app::App;
use self::expected::{Loaded, app_ids, topics};
use crate::kafka::Kafka;
use crate::ports;
use crate::process::Process;
use crate::setup::{committed_environments, objects_in, root, run, tool};
use crate::wait::wait_until;

/// The stage that holds an environment's Dapr objects; an environment whose bus is Kafka has none.
const STAGE: &str = "45-dapr";

#[test]
fn daprd_loads_the_self_hosted_form_of_every_environment_as_it_was_meant() {
    let environments: Vec<Environment> = committed_environments()
        .into_iter()
        .filter(|environment| environment.folder.join(STAGE).is_dir())
        .collect();
    assert!(!environments.is_empty(), "no environment has Dapr");
    let kafka = Kafka::start().unwrap();
    for environment in environments {
        let folder = tempfile::tempdir().unwrap();
        write_self_hosted_form(&environment.name, folder.path(), &kafka);
        let objects = objects_in(folder.path());
        judge(&kafka, &objects).unwrap_or_else(|error| panic!("{}: {error}", environment.name));

        let in_cluster = objects_in(&environment.folder.join(STAGE));
        assert_eq!(
            app_ids(&objects),
            app_ids(&in_cluster),
            "{}: the self-hosted form serves the same services as the cluster's",
            environment.name
        );
    }
}

fn write_self_hosted_form(environment: &str, folder: &Path, kafka: &Kafka) {
    run(Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--package", "gen", "--"])
        .args([
            "--target",
            "local",
            "--env",
            environment,
            "--brokers",
            &kafka.address(),
            "--out",
        ])
        .arg(folder)
        .current_dir(root()))
    .succeeded("gen --target local")
    .unwrap_or_else(|error| panic!("{error}"));
}

/// Starts a daprd for every service that the objects name, one after the other; none at all is an error.
fn judge(kafka: &Kafka, objects: &[Value]) -> Result<(), String> {
    let app_ids = app_ids(objects);
    if app_ids.is_empty() {
        return Err("no object names a service in its scopes".into());
    }
    // Before any daprd: it would create them itself, with one partition.
    for topic in topics(objects) {
        kafka.create_topic(&topic, 3)?;
    }
    for app_id in app_ids {
        judge_service(&app_id, objects).map_err(|error| format!("{app_id}: {error}"))?;
    }
    Ok(())
}

fn judge_service(app_id: &str, objects: &[Value]) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let app = App::start();
    let [http, grpc, internal] = ports::free();
    let mut arguments = write_resources(folder.path(), objects)?;
    arguments.extend([
        format!("--app-id={app_id}"),
        format!("--app-port={}", app.port()),
        format!("--dapr-http-port={http}"),
        format!("--dapr-grpc-port={grpc}"),
        format!("--dapr-internal-grpc-port={internal}"),
        "--dapr-listen-addresses=127.0.0.1".into(),
        "--scheduler-host-address=".into(),
        "--placement-host-address=".into(),
        "--enable-metrics=false".into(),
    ]);
    let program = tool("TASKFLOW_DAPRD");
    let mut daprd = Process::start("daprd", &program, &arguments, folder.path());
    let meant = Loaded::meant_for(app_id, objects);
    let address = format!("127.0.0.1:{http}");
    wait_until("daprd reports what was meant", Duration::from_secs(30), || {
        if let Err(ended) = daprd.is_running() {
            return Ok(Err(ended)); // no use in waiting on
        }
        let reported = Loaded::reported(&app::get_json(&address, "/v1.0/metadata")?)?;
        match meant.difference(&reported) {
            None => Ok(Ok(())),
            Some(difference) => Err(format!("{difference}\n{}", daprd.output())),
        }
    })??;
    if let Some(subscription) = meant.subscription_to_nothing() {
        return Err(format!("no component takes: {subscription}")); // daprd reports it all the same
    }
    let output = daprd.whole_output();
    let mut lines = output.lines();
    match lines.find(|line| line.contains("level=error") || line.contains("level=fatal")) {
        Some(error) => Err(format!("daprd complains: {error}")),
        None => Ok(()),
    }
}

/// daprd reads resources from a folder and its one Configuration from a file; returns the arguments that say so.
fn write_resources(folder: &Path, objects: &[Value]) -> Result<Vec<String>, String> {
    let resources = folder.join("resources");
    fs::create_dir(&resources).map_err(|error| error.to_string())?;
    let mut arguments = vec![format!("--resources-path={}", resources.display())];
    for (index, object) in objects.iter().enumerate() {
        let path = if object["kind"] == "Configuration" {
            let path = folder.join("configuration.yaml");
            if path.exists() {
                return Err("there are two Configurations".into());
            }
            arguments.push(format!("--config={}", path.display()));
            path
        } else {
            resources.join(format!("{index}.yaml"))
        };
        fs::write(path, object.to_string()).map_err(|error| error.to_string())?;
    }
    Ok(arguments)
}

#[test]
fn resources_are_loaded_as_meant_and_a_component_that_cannot_be_is_found() {
    let kafka = Kafka::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dapr.yaml");
    let objects = |text: &str| {
        fs::write(&file, text.replace("BROKERS", &kafka.address())).unwrap();
        environments::documents(&file).unwrap()
    };
    judge(&kafka, &objects(RESOURCES)).unwrap();

    let unknown = RESOURCES.replace("pubsub.kafka", "pubsub.kakfa");
    let error = judge(&kafka, &objects(&unknown)).unwrap_err();
    assert!(error.contains("pubsub.kakfa"), "{error}");

    let absent = RESOURCES.replace("pubsubname: events", "pubsubname: absent");
    let error = judge(&kafka, &objects(&absent)).unwrap_err();
    assert!(error.contains("no component takes: subscription absent"), "{error}");

    assert_eq!(BTreeSet::from(["audit".to_owned()]), app_ids(&objects(RESOURCES)));
    assert!(judge(&kafka, &[]).is_err());
}

#[cfg(test)]
const RESOURCES: &str = "apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: events }
spec:
  type: pubsub.kafka
  version: v1
  metadata:
    - { name: brokers, value: 'BROKERS' }
    - { name: authType, value: none }
    - { name: consumerGroup, value: audit }
scopes: [audit]
---
apiVersion: dapr.io/v2alpha1
kind: Subscription
metadata: { name: task-events }
spec:
  topic: task-events
  pubsubname: events
  routes: { default: /events/task-events }
  deadLetterTopic: task-events-dlq
scopes: [audit]
---
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: audit }
spec:
  policies: { retries: { inbound: { policy: constant, duration: 200ms, maxRetries: 3 } } }
  targets: { components: { events: { inbound: { retry: inbound } } } }
scopes: [audit]
---
apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata: { name: taskflow }
spec: { tracing: { samplingRate: '0' } }
";
