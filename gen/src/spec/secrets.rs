//! What brings secrets into the cluster.

use super::units::{DnsLabel, HttpsUrl};
use schemars::JsonSchema;
use serde::Deserialize;

/// What brings secrets into the cluster: exactly one.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Secrets {
    /// External Secrets reads them from a cloud's vault.
    ExternalSecrets(ExternalSecrets),
    /// Encrypted files under `secrets/<env>/`, made by hand, decrypted by Flux.
    Sops(Sops),
}

/// The vault that External Secrets reads.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ExternalSecrets {
    /// Oracle Cloud Vault.
    Oracle(OracleVault),
    /// Azure Key Vault.
    AzureKeyVault(AzureKeyVault),
    /// Google Secret Manager.
    GcpSecretManager(GcpSecretManager),
}

/// Oracle Cloud Vault.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OracleVault {
    /// The vault's OCID.
    #[schemars(length(min = 10, max = 255))]
    pub vault: String,
    /// Who reads it.
    pub principal: OraclePrincipal,
}

/// Who reads Oracle's vault.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum OraclePrincipal {
    /// The node: every pod on it has the right.
    Instance,
    /// The pod's own identity; enhanced clusters only.
    Workload,
}

/// Azure Key Vault.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AzureKeyVault {
    /// The vault's address.
    pub vault_url: HttpsUrl,
    /// Tenant that the identity belongs to.
    #[schemars(length(min = 36, max = 36))]
    pub tenant_id: String,
    /// Client id of the managed identity that may read the vault.
    #[schemars(length(min = 36, max = 36))]
    pub client_id: String,
}

/// Google Secret Manager.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GcpSecretManager {
    /// The project that holds the secrets.
    pub project: DnsLabel,
}

/// Encrypted files under `secrets/<env>/`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Sops {}
