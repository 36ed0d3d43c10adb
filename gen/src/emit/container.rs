//! What containers of several families have in common.

use crate::spec::units::{Bytes, Cpu};
use k8s_openapi::api::core::v1::{Capabilities, ResourceRequirements, SecurityContext};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

/// Memory is never overcommitted; processors are, since a limit throttles what could run.
pub(super) fn resources(cpu: Cpu, memory: Bytes) -> ResourceRequirements {
    let memory = ("memory".to_owned(), Quantity(memory.to_string()));
    ResourceRequirements {
        requests: Some([("cpu".to_owned(), Quantity(cpu.to_string())), memory.clone()].into()),
        limits: Some([memory].into()),
        ..ResourceRequirements::default()
    }
}

/// No way to more rights than it starts with.
pub(super) fn unprivileged() -> SecurityContext {
    SecurityContext {
        allow_privilege_escalation: Some(false),
        capabilities: Some(Capabilities {
            drop: Some(vec!["ALL".to_owned()]),
            ..Capabilities::default()
        }),
        ..SecurityContext::default()
    }
}
