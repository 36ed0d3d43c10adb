//! Deletes traces that are old enough: Zipkin has no retention of its own in Elasticsearch.

use super::super::{Inputs, container};
use super::{FAMILY, RETENTION, elasticsearch_url, elasticsearch_user, pod};
use crate::artefact::{Artefacts, Footprint, Stage};
use crate::output::sha256;
use crate::pins;
use crate::resolve::{OBSERVABILITY, TraceStore};
use crate::spec::units::{Bytes, Cpu};
use k8s_openapi::api::batch::v1::{CronJob, CronJobSpec, JobSpec, JobTemplateSpec};
use k8s_openapi::api::core::v1::{
    ConfigMap, ConfigMapVolumeSource, Container, EnvVar, PodSpec, PodTemplateSpec, Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use std::collections::BTreeMap;

const COMPONENT: &str = "trace-retention";

/// What the name of every index begins with.
pub(super) const INDEX: &str = "zipkin";

/// Anybody but root; the image needs no user of its own.
const USER: i64 = 65532;

const FILE: &str = "delete-old-indices.sh";
const SCRIPT: &str = include_str!("delete-old-indices.sh");
const FOLDER: &str = "/scripts";

/// Once a day, when hardly anybody works; a missed run is caught up within six hours.
const SCHEDULE: &str = "17 3 * * *";
const CATCH_UP_SECONDS: i64 = 6 * 3600;

const CPU: Cpu = Cpu(10);
const MEMORY: Bytes = Bytes::mi(32);

pub(super) fn emit(inputs: Inputs<'_>, artefacts: &mut Artefacts) {
    let map = ConfigMap {
        metadata: pod::metadata(RETENTION, COMPONENT),
        data: Some(BTreeMap::from([(FILE.to_owned(), SCRIPT.to_owned())])),
        ..ConfigMap::default()
    };
    artefacts.add(FAMILY, Stage::Observability, "/tracing/zipkin", &map);
    pod::account(artefacts, RETENTION, COMPONENT);
    let job = CronJob {
        metadata: pod::metadata(RETENTION, COMPONENT),
        spec: Some(CronJobSpec {
            schedule: SCHEDULE.to_owned(),
            time_zone: Some("Etc/UTC".to_owned()),
            concurrency_policy: Some("Forbid".to_owned()),
            starting_deadline_seconds: Some(CATCH_UP_SECONDS),
            successful_jobs_history_limit: Some(1),
            failed_jobs_history_limit: Some(3),
            job_template: JobTemplateSpec {
                metadata: None,
                spec: Some(job(&inputs.env.tracing.store)),
            },
            ..CronJobSpec::default()
        }),
        ..CronJob::default()
    };
    artefacts.add(FAMILY, Stage::Observability, "/tracing/zipkin", &job);
    artefacts.footprints.push(Footprint {
        name: RETENTION.to_owned(),
        namespace: OBSERVABILITY.to_owned(),
        pods: 1,
        pods_at_most: 1,
        cpu: CPU,
        memory: MEMORY,
        volume: None,
        source: "a shell and curl, for a minute a day",
    });
}

fn job(store: &TraceStore) -> JobSpec {
    JobSpec {
        backoff_limit: Some(3),
        active_deadline_seconds: Some(600),
        ttl_seconds_after_finished: Some(7 * 86400),
        template: PodTemplateSpec {
            metadata: Some(ObjectMeta {
                labels: Some(pod::labels(RETENTION, COMPONENT)),
                annotations: Some(BTreeMap::from([(
                    "checksum/script".to_owned(),
                    sha256(SCRIPT.as_bytes()),
                )])),
                ..ObjectMeta::default()
            }),
            spec: Some(PodSpec {
                restart_policy: Some("Never".to_owned()),
                containers: vec![container(store)],
                volumes: Some(vec![Volume {
                    name: "scripts".to_owned(),
                    config_map: Some(ConfigMapVolumeSource {
                        name: RETENTION.to_owned(),
                        ..ConfigMapVolumeSource::default()
                    }),
                    ..Volume::default()
                }]),
                ..pod::spec(RETENTION, USER)
            }),
        },
        ..JobSpec::default()
    }
}

fn variables(store: &TraceStore) -> Vec<EnvVar> {
    let days = match store {
        TraceStore::Memory { .. } => 0,
        // A part of a day counts as a day: nothing goes early.
        TraceStore::External { retention, .. } | TraceStore::Node { retention, .. } => {
            retention.as_seconds().div_ceil(86400)
        }
    };
    let mut variables = vec![
        pod::variable("ELASTICSEARCH_URL", elasticsearch_url(store).unwrap_or_default()),
        pod::variable("INDEX", INDEX),
        pod::variable("RETENTION_DAYS", days.to_string()),
    ];
    variables.extend(elasticsearch_user(store));
    variables
}

fn container(store: &TraceStore) -> Container {
    Container {
        name: "delete-old-indices".to_owned(),
        image: Some(pins::CURL.image()),
        command: Some(vec!["/bin/sh".to_owned(), format!("{FOLDER}/{FILE}")]),
        env: Some(variables(store)),
        resources: Some(container::resources(CPU, MEMORY)),
        security_context: Some(pod::security(true)),
        volume_mounts: Some(vec![VolumeMount {
            name: "scripts".to_owned(),
            mount_path: FOLDER.to_owned(),
            read_only: Some(true),
            ..VolumeMount::default()
        }]),
        ..Container::default()
    }
}

#[cfg(test)]
mod tests;
