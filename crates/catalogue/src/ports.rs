//! The ports: those of our services, and those of the Dapr sidecar that shares their pod.

/// Routes that people and kubelet reach.
pub const HTTP: u16 = 8000;
/// Routes that only the own sidecar and other services reach.
pub const INTERNAL: u16 = 8001;
/// `/metrics` of our services.
pub const METRICS: u16 = 9464;

/// HTTP API of the Dapr sidecar.
pub const DAPR_HTTP: u16 = 3500;
/// Public health and metadata API of the Dapr sidecar.
pub const DAPR_PUBLIC: u16 = 3501;
/// Metrics of the Dapr sidecar.
pub const DAPR_METRICS: u16 = 9090;
/// gRPC API of the Dapr sidecar.
pub const DAPR_GRPC: u16 = 50001;
/// gRPC between Dapr sidecars.
pub const DAPR_INTERNAL_GRPC: u16 = 50002;

/// Every port of the Dapr sidecar: a service that may use Dapr listens on none of them.
pub const DAPR_SIDECAR: &[u16] = &[DAPR_HTTP, DAPR_PUBLIC, DAPR_METRICS, DAPR_GRPC, DAPR_INTERNAL_GRPC];
