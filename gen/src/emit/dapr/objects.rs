//! Dapr's own kinds, as far as we use them (dapr/dapr:`pkg/apis/*/v*alpha1/types.go`).

use crate::artefact::Resource;
use serde::Serialize;
use std::collections::BTreeMap;

pub(super) const V1ALPHA1: &str = "dapr.io/v1alpha1";
pub(super) const V2ALPHA1: &str = "dapr.io/v2alpha1";

/// An object that only the sidecars of the named services load; Dapr keeps `scopes` beside `spec`.
#[derive(Serialize)]
pub(super) struct Scoped<S> {
    #[serde(flatten)]
    pub(super) resource: Resource<S>,
    pub(super) scopes: Vec<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ComponentSpec {
    pub(super) r#type: &'static str,
    pub(super) version: &'static str,
    pub(super) init_timeout: String,
    pub(super) metadata: Vec<MetadataItem>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MetadataItem {
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) secret_key_ref: Option<SecretKey>,
}

#[derive(Serialize)]
pub(super) struct SecretKey {
    pub(super) name: String,
    pub(super) key: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SubscriptionSpec {
    pub(super) pubsubname: String,
    pub(super) topic: String,
    pub(super) routes: Routes,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dead_letter_topic: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) metadata: BTreeMap<&'static str, &'static str>,
}

#[derive(Serialize)]
pub(super) struct Routes {
    pub(super) default: &'static str,
}

#[derive(Serialize)]
pub(super) struct ResiliencySpec {
    pub(super) policies: Policies,
    pub(super) targets: Targets,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Policies {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) timeouts: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) retries: BTreeMap<String, Retry>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) circuit_breakers: BTreeMap<String, CircuitBreaker>,
}

/// `duration` is read by constant retries only, `maxInterval` by exponential ones only.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Retry {
    pub(super) policy: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) duration: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_interval: Option<String>,
    pub(super) max_retries: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CircuitBreaker {
    pub(super) max_requests: u32,
    pub(super) timeout: String,
    pub(super) trip: String,
}

#[derive(Serialize)]
pub(super) struct Targets {
    pub(super) components: BTreeMap<String, ComponentTarget>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) apps: BTreeMap<&'static str, Target>,
}

#[derive(Serialize)]
pub(super) struct ComponentTarget {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) inbound: Option<Target>,
    pub(super) outbound: Target,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Target {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) timeout: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) retry: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) circuit_breaker: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConfigurationSpec {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) access_control: Option<AccessControl>,
    pub(super) api: Api,
    pub(super) features: Vec<Feature>,
    pub(super) logging: Logging,
    pub(super) metrics: Metrics,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) secrets: Option<Secrets>,
    pub(super) tracing: Tracing,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AccessControl {
    pub(super) default_action: &'static str,
    pub(super) trust_domain: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) policies: Vec<AccessPolicy>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AccessPolicy {
    pub(super) app_id: &'static str,
    pub(super) namespace: &'static str,
    pub(super) trust_domain: &'static str,
    pub(super) default_action: &'static str,
    pub(super) operations: Vec<Operation>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Operation {
    pub(super) name: String,
    pub(super) http_verb: Vec<&'static str>,
    pub(super) action: &'static str,
}

#[derive(Serialize)]
pub(super) struct Api {
    pub(super) allowed: Vec<ApiRule>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct ApiRule {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    pub(super) protocol: &'static str,
}

#[derive(Serialize)]
pub(super) struct Feature {
    pub(super) name: &'static str,
    pub(super) enabled: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Logging {
    pub(super) api_logging: ApiLogging,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ApiLogging {
    pub(super) enabled: bool,
    #[serde(rename = "obfuscateURLs")]
    pub(super) obfuscate_urls: bool,
    pub(super) omit_health_checks: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metrics {
    pub(super) enabled: bool,
    pub(super) record_error_codes: bool,
    pub(super) http: HttpMetrics,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HttpMetrics {
    pub(super) increased_cardinality: bool,
}

#[derive(Serialize)]
pub(super) struct Secrets {
    pub(super) scopes: Vec<SecretScope>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SecretScope {
    pub(super) store_name: &'static str,
    pub(super) default_access: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tracing {
    pub(super) sampling_rate: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) otel: Option<Otel>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Otel {
    pub(super) endpoint_address: String,
    pub(super) is_secure: bool,
    pub(super) protocol: &'static str,
}
