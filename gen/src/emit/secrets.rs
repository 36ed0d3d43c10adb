//! What brings Secrets: stores and External Secrets for a vault, or the names of the files that people make by hand.

mod crd;

use super::Inputs;
use super::operators::grafana_admin;
use super::tracing::ELASTICSEARCH;
use crate::artefact::{Artefacts, Resource, Stage, Thing, meta};
use crate::resolve::{Brokers, Cluster, Environment, NAMESPACE, OBSERVABILITY, ScalerKind, TraceStore};
use crate::spec::Part;
use crate::spec::secrets::{ExternalSecrets, OraclePrincipal, Secrets};
use catalogue::Catalogue;
use crd::{ExternalSecretSpec, Provider, SecretStoreSpec, ServiceAccountRef};
use k8s_openapi::api::core::v1::ServiceAccount;
use std::collections::{BTreeMap, BTreeSet};

const FAMILY: &str = "secrets";
const API: &str = "external-secrets.io/v1";

/// A Secret that an environment's workloads refer to and that nothing in the cluster makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequiredSecret {
    /// Its namespace.
    pub namespace: &'static str,
    /// Its name.
    pub name: String,
    /// Its keys.
    pub keys: Vec<&'static str>,
    /// What it is for, in one sentence for people.
    pub purpose: String,
    /// Whether CloudNativePG is to take over a changed password.
    pub reloaded_by_postgres: bool,
}

impl RequiredSecret {
    /// The entry of a vault that holds a key. Letters, digits and dashes only: Azure Key Vault allows no more.
    pub(super) fn vault_entry(&self, key: &str) -> String {
        format!("taskflow-{}-{key}", self.name)
    }
}

pub(super) fn emit(inputs: Inputs<'_>, artefacts: &mut Artefacts) {
    let required = required_secrets(inputs.env, inputs.catalogue);
    match &inputs.env.secrets {
        Secrets::Sops(_) => {
            let things = required
                .into_iter()
                .map(|secret| (Stage::Config, Thing::Secret(secret.namespace.to_owned(), secret.name)));
            artefacts.provided_by_hand.extend(things);
        }
        Secrets::ExternalSecrets(vault) => {
            let namespaces: BTreeSet<_> = required.iter().map(|secret| secret.namespace).collect();
            for namespace in namespaces {
                store(inputs.env, vault, namespace, artefacts);
            }
            for secret in &required {
                external_secret(secret, artefacts);
            }
        }
    }
}

/// Every Secret that must come from outside, by namespace and name.
pub(crate) fn required_secrets(env: &Environment, catalogue: &Catalogue) -> Vec<RequiredSecret> {
    let mut secrets = databases(env, catalogue);
    if env.dapr.is_some() {
        secrets.push(of(
            "dapr-api-token",
            &["token"],
            "What a service shows its Dapr sidecar on every call; any long random text.",
        ));
        secrets.push(of(
            "dapr-app-token",
            &["token"],
            "What a Dapr sidecar shows its service on every delivery; any long random text.",
        ));
    }
    secrets.extend(brokers(env));
    secrets.push(of(
        "service-token",
        &["private-key", "public-key"],
        "An Ed25519 key pair in PEM: recurring-tasks signs its calls with it, chat-api checks them.",
    ));
    secrets.extend(trace_store(&env.tracing.store));
    if env.has(Part::Grafana) {
        secrets.push(RequiredSecret {
            namespace: OBSERVABILITY,
            ..of(
                grafana_admin::SECRET,
                &[grafana_admin::PASSWORD, grafana_admin::USER],
                "Grafana's administrator.",
            )
        });
    }
    secrets.sort_by(|one, other| (one.namespace, &one.name).cmp(&(other.namespace, &other.name)));
    secrets
}

/// The user at Elasticsearch; that of our own node has his name from Elasticsearch itself.
fn trace_store(store: &TraceStore) -> Option<RequiredSecret> {
    let (keys, purpose): (&[_], _) = match store {
        TraceStore::Memory { .. } => return None,
        TraceStore::External { .. } => (
            &["password", "username"],
            "The user that Zipkin and the deletion of old indices come as at Elasticsearch.",
        ),
        TraceStore::Node { .. } => (
            &["password"],
            "The password of Elasticsearch's user `elastic`: given to the node when it starts, and shown by Zipkin and \
             the deletion of old indices.",
        ),
    };
    Some(RequiredSecret {
        namespace: OBSERVABILITY,
        ..of(ELASTICSEARCH, keys, purpose)
    })
}

fn of(name: impl Into<String>, keys: &[&'static str], purpose: impl Into<String>) -> RequiredSecret {
    RequiredSecret {
        namespace: NAMESPACE,
        name: name.into(),
        keys: keys.to_vec(),
        purpose: purpose.into(),
        reloaded_by_postgres: false,
    }
}

/// A Secret for each schema's owner. With CloudNativePG its password becomes the role's.
fn databases(env: &Environment, catalogue: &Catalogue) -> Vec<RequiredSecret> {
    let in_cluster = env.postgres.cluster.is_some();
    catalogue
        .schemas
        .iter()
        .map(|schema| {
            let place = if in_cluster {
                format!(
                    "`username` is that role, both addresses lead to {}-rw.{NAMESPACE}.svc:5432/{}",
                    Cluster::NAME,
                    catalogue::database::DATABASE
                )
            } else {
                "`url` is the pooled address, `direct-url` the one past the pooler".to_owned()
            };
            RequiredSecret {
                reloaded_by_postgres: in_cluster,
                ..of(
                    format!("postgres-{}", schema.owner),
                    &["direct-url", "password", "url", "username"],
                    format!(
                        "How {} reaches schema `{}` as `{}`: {place}.",
                        schema.owner, schema.name, schema.role
                    ),
                )
            }
        })
        .collect()
}

/// Users at brokers outside; Strimzi makes those of its own.
fn brokers(env: &Environment) -> Vec<RequiredSecret> {
    if matches!(env.kafka.brokers, Brokers::Strimzi(_)) {
        return Vec::new();
    }
    let user = |name: &str, purpose: String| of(format!("kafka-{name}"), &["password", "username"], purpose);
    let mut secrets: Vec<_> = env
        .services
        .iter()
        .filter(|service| !service.transports.is_empty())
        .map(|service| {
            let app_id = service.app_id();
            user(app_id, format!("The user that {app_id} comes as at the brokers."))
        })
        .collect();
    secrets.push(user(
        "admin",
        "The user that creates and checks topics at the brokers.".to_owned(),
    ));
    secrets.push(user(
        "exporter",
        "The user that measures lag at the brokers: it may describe topics and groups.".to_owned(),
    ));
    if matches!(env.autoscaler.kind, ScalerKind::Keda { .. }) {
        secrets.push(user(
            "keda",
            "The user that KEDA measures lag as: it may describe topics and groups.".to_owned(),
        ));
    }
    secrets
}

fn store_name(namespace: &str) -> String {
    format!("{namespace}-vault")
}

/// The vault as one namespace sees it: a store for the whole cluster would let every namespace read every entry.
fn store(env: &Environment, vault: &ExternalSecrets, namespace: &'static str, artefacts: &mut Artefacts) {
    let reader = format!("{namespace}-vault-reader");
    let as_reader = || ServiceAccountRef { name: reader.clone() };
    let nobody = BTreeMap::new;
    let (pointer, provider, identity) = match vault {
        ExternalSecrets::Oracle(oracle) => {
            let workload = oracle.principal == OraclePrincipal::Workload;
            let provider = Provider::oracle(&oracle.vault, &env.platform.region, workload.then(as_reader));
            ("/secrets/externalSecrets/oracle", provider, workload.then(nobody))
        }
        ExternalSecrets::AzureKeyVault(azure) => {
            let identity = BTreeMap::from([
                ("azure.workload.identity/client-id".to_owned(), azure.client_id.clone()),
                ("azure.workload.identity/tenant-id".to_owned(), azure.tenant_id.clone()),
            ]);
            let provider = Provider::azure(&azure.vault_url.0, as_reader());
            ("/secrets/externalSecrets/azureKeyVault", provider, Some(identity))
        }
        // The account itself is the principal that Google's IAM grants access to: no annotation, no second account.
        ExternalSecrets::GcpSecretManager(google) => {
            let provider = Provider::google(&google.project.0, as_reader());
            ("/secrets/externalSecrets/gcpSecretManager", provider, Some(nobody()))
        }
    };
    if let Some(annotations) = identity {
        artefacts.add(
            FAMILY,
            Stage::Config,
            pointer,
            &reader_account(namespace, &reader, annotations),
        );
    }
    let spec = SecretStoreSpec { provider };
    let metadata = meta(namespace, store_name(namespace));
    artefacts.add(
        FAMILY,
        Stage::Config,
        pointer,
        &Resource::new(API, "SecretStore", metadata, spec),
    );
}

/// The account that External Secrets asks a token for; no pod runs as it.
fn reader_account(namespace: &str, name: &str, annotations: BTreeMap<String, String>) -> ServiceAccount {
    let mut metadata = meta(namespace, name);
    metadata.annotations = (!annotations.is_empty()).then_some(annotations);
    ServiceAccount {
        metadata,
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    }
}

fn external_secret(secret: &RequiredSecret, artefacts: &mut Artefacts) {
    let spec = ExternalSecretSpec::of(secret, store_name(secret.namespace));
    let metadata = meta(secret.namespace, &secret.name);
    let object = Resource::new(API, "ExternalSecret", metadata, spec);
    artefacts.add(FAMILY, Stage::Config, "/secrets/externalSecrets", &object);
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn a_vault_entry_has_a_name_that_every_vault_accepts() {
        let secret = of("postgres-recurring-tasks", &["direct-url"], "");
        let entry = secret.vault_entry("direct-url");
        assert_eq!(entry, "taskflow-postgres-recurring-tasks-direct-url");
        assert!(entry.len() <= 127 && entry.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
    }
}
