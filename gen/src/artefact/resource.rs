//! The frame of a custom resource.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Serialize;

/// Metadata of a namespaced object.
pub fn meta(namespace: &str, name: impl Into<String>) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.into()),
        namespace: Some(namespace.to_owned()),
        ..ObjectMeta::default()
    }
}

/// Metadata of an object without namespace.
pub fn cluster_meta(name: impl Into<String>) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.into()),
        ..ObjectMeta::default()
    }
}

/// A custom resource: `apiVersion`, `kind`, `metadata`, `spec`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource<S> {
    /// `group/version`
    pub api_version: &'static str,
    /// `kind`
    pub kind: &'static str,
    /// `metadata`
    pub metadata: ObjectMeta,
    /// `spec`
    pub spec: S,
}

impl<S> Resource<S> {
    /// A custom resource.
    pub fn new(api_version: &'static str, kind: &'static str, metadata: ObjectMeta, spec: S) -> Self {
        Self {
            api_version,
            kind,
            metadata,
            spec,
        }
    }
}
