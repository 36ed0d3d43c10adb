//! External Secrets' kinds, as far as we use them (external-secrets/external-secrets:`apis/externalsecrets/v1`).

use super::RequiredSecret;
use crate::spec::units::Duration;
use serde::Serialize;
use std::collections::BTreeMap;

/// How often a vault is read again: how long a new password takes at the most.
const REFRESH: Duration = Duration::seconds(3600);

#[derive(Serialize)]
pub(super) struct SecretStoreSpec {
    pub(super) provider: Provider,
}

/// Exactly one.
#[derive(Default, Serialize)]
pub(super) struct Provider {
    #[serde(skip_serializing_if = "Option::is_none")]
    oracle: Option<Oracle>,
    #[serde(skip_serializing_if = "Option::is_none")]
    azurekv: Option<Azure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gcpsm: Option<Google>,
}

impl Provider {
    /// Oracle Cloud Vault, as the node or as `account`.
    pub(super) fn oracle(vault: &str, region: &str, account: Option<ServiceAccountRef>) -> Self {
        Self {
            oracle: Some(Oracle {
                vault: vault.to_owned(),
                region: region.to_owned(),
                principal_type: if account.is_some() {
                    "Workload"
                } else {
                    "InstancePrincipal"
                },
                service_account_ref: account,
            }),
            ..Self::default()
        }
    }

    /// Azure Key Vault, as the managed identity that `account` names.
    pub(super) fn azure(vault_url: &str, account: ServiceAccountRef) -> Self {
        Self {
            azurekv: Some(Azure {
                vault_url: vault_url.to_owned(),
                auth_type: "WorkloadIdentity",
                service_account_ref: account,
            }),
            ..Self::default()
        }
    }

    /// Google Secret Manager, as `account`.
    pub(super) fn google(project: &str, account: ServiceAccountRef) -> Self {
        Self {
            gcpsm: Some(Google {
                project_id: project.to_owned(),
                auth: GoogleAuth {
                    workload_identity: GoogleIdentity {
                        service_account_ref: account,
                    },
                },
            }),
            ..Self::default()
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Oracle {
    vault: String,
    region: String,
    principal_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_account_ref: Option<ServiceAccountRef>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Azure {
    vault_url: String,
    auth_type: &'static str,
    service_account_ref: ServiceAccountRef,
}

#[derive(Serialize)]
struct Google {
    #[serde(rename = "projectID")]
    project_id: String,
    auth: GoogleAuth,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GoogleAuth {
    workload_identity: GoogleIdentity,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GoogleIdentity {
    service_account_ref: ServiceAccountRef,
}

#[derive(Serialize)]
pub(super) struct ServiceAccountRef {
    pub(super) name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExternalSecretSpec {
    refresh_interval: String,
    secret_store_ref: StoreRef,
    target: Target,
    data: Vec<Entry>,
}

#[derive(Serialize)]
struct StoreRef {
    kind: &'static str,
    name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Target {
    name: String,
    creation_policy: &'static str,
    deletion_policy: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    template: Option<Template>,
}

/// Without data of its own it adds its metadata and keeps every entry.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Template {
    engine_version: &'static str,
    metadata: TemplateMetadata,
}

#[derive(Serialize)]
struct TemplateMetadata {
    labels: BTreeMap<&'static str, &'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    secret_key: &'static str,
    remote_ref: RemoteRef,
}

#[derive(Serialize)]
struct RemoteRef {
    key: String,
}

impl ExternalSecretSpec {
    pub(super) fn of(secret: &RequiredSecret, store: String) -> Self {
        Self {
            refresh_interval: REFRESH.go(),
            secret_store_ref: StoreRef {
                kind: "SecretStore",
                name: store,
            },
            target: Target {
                name: secret.name.clone(),
                creation_policy: "Owner",
                // An entry that vanishes from the vault must not take the running services' access with it.
                deletion_policy: "Retain",
                template: secret.reloaded_by_postgres.then(|| Template {
                    engine_version: "v2",
                    metadata: TemplateMetadata {
                        labels: BTreeMap::from([("cnpg.io/reload", "true")]),
                    },
                }),
            },
            data: secret
                .keys
                .iter()
                .map(|&key| Entry {
                    secret_key: key,
                    remote_ref: RemoteRef {
                        key: secret.vault_entry(key),
                    },
                })
                .collect(),
        }
    }
}
