use super::{RUST, Service, ServiceKind};
use crate::app_ids;

/// The front end: static files, no broker, no database, no metrics.
pub const WEB: Service = Service {
    app_id: app_ids::WEB,
    summary: "Serves the front end as static files.",
    kind: ServiceKind::StaticWeb,
    metrics_port: None,
    transports: &[],
    drain_seconds: 5,
    ..RUST
};
