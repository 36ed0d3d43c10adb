//! The Configuration of a service's sidecar: what it may be asked, by whom, and what it tells.

use super::Bus;
use super::objects::{
    AccessControl, AccessPolicy, Api, ApiLogging, ApiRule, ConfigurationSpec, Feature, HttpMetrics, Logging, Metrics,
    Operation, Otel, SecretScope, Secrets, Tracing,
};
use crate::resolve::{NAMESPACE, Service, otlp_address};
use catalogue::{Method, Route};

/// The trust domain of every sidecar of ours. Sentry takes a caller's from the caller's own Configuration and `public`
/// where it names none (dapr/dapr:`pkg/sentry/server/validator/kubernetes/kubernetes.go`), so all of them name it.
const TRUST_DOMAIN: &str = "taskflow";

/// The Configuration of one service in a cluster.
pub(super) fn of_service(bus: Bus<'_>, service: &Service) -> ConfigurationSpec {
    ConfigurationSpec {
        access_control: Some(AccessControl {
            default_action: "deny",
            trust_domain: TRUST_DOMAIN,
            policies: callers(bus, service),
        }),
        secrets: Some(Secrets {
            scopes: vec![SecretScope {
                store_name: "kubernetes",
                default_access: "deny",
            }],
        }),
        ..spec(bus, api_rules(&[service]), Some(otlp_address()))
    }
}

/// The one file of the self-hosted form: access control needs the certificates of a cluster, and all sidecars share
/// the file, so that it allows what any of them may.
pub(super) fn self_hosted(bus: Bus<'_>, services: &[&Service], otlp: Option<String>) -> ConfigurationSpec {
    spec(bus, api_rules(services), otlp)
}

fn spec(bus: Bus<'_>, allowed: Vec<ApiRule>, otlp: Option<String>) -> ConfigurationSpec {
    ConfigurationSpec {
        access_control: None,
        api: Api { allowed },
        // A changed Resiliency or Configuration would make every sidecar restart itself at the same moment; the
        // checksum on the pods makes it a rolling update instead.
        features: vec![Feature {
            name: "HotReload",
            enabled: false,
        }],
        logging: Logging {
            api_logging: ApiLogging {
                enabled: false,
                obfuscate_urls: true,
                omit_health_checks: true,
            },
        },
        metrics: Metrics {
            enabled: true,
            record_error_codes: true,
            // Dapr's own default makes every path, with its ids, a label.
            http: HttpMetrics {
                increased_cardinality: false,
            },
        },
        secrets: None,
        tracing: Tracing {
            sampling_rate: rate(bus.inputs.env.tracing.dapr_sampling.0),
            otel: otlp.map(|endpoint_address| Otel {
                endpoint_address,
                is_secure: false,
                protocol: "grpc",
            }),
        },
    }
}

/// A share in hundredths of a percent as Dapr reads it: a string between "0" and "1". What it cannot read becomes
/// 0.0001 without a word.
fn rate(hundredths_of_a_percent: u32) -> String {
    (f64::from(hundredths_of_a_percent) / 10_000.0).to_string()
}

/// The parts of Dapr's API that services use. A protocol without any rule would be open altogether, so gRPC, which
/// nobody uses, has one.
fn api_rules(services: &[&Service]) -> Vec<ApiRule> {
    let rule = |name, protocol| ApiRule {
        name,
        version: "v1",
        protocol,
    };
    let any = |wanted: fn(&Service) -> bool| services.iter().any(|service| wanted(service));
    let mut rules = vec![rule("metadata", "http"), rule("metadata", "grpc")];
    for (name, used) in [
        ("publish", any(|service| !service.entry.publishes.is_empty())),
        ("jobs", any(|service| !service.entry.job_prefixes.is_empty())),
        ("invoke", any(|service| !service.entry.invokes.is_empty())),
    ] {
        if used {
            rules.push(rule(name, "http"));
        }
    }
    rules
}

/// Who may call this service through Dapr, and what: what the catalogue says, nothing else.
fn callers(bus: Bus<'_>, service: &Service) -> Vec<AccessPolicy> {
    let env = bus.inputs.env;
    env.services
        .iter()
        .filter(|caller| caller.uses_dapr())
        .filter_map(|caller| {
            let called = caller.entry.invokes.iter();
            let mut operations: Vec<Operation> = called
                .filter(|invocation| invocation.service == service.app_id())
                .map(|invocation| operation(&invocation.route))
                .collect();
            // Who may call may ask whether it can be called.
            if let (false, Some(probe)) = (operations.is_empty(), service.entry.probes.events) {
                operations.push(Operation {
                    name: probe.to_owned(),
                    http_verb: vec![Method::Get.as_str()],
                    action: "allow",
                });
            }
            (!operations.is_empty()).then(|| AccessPolicy {
                app_id: caller.app_id(),
                namespace: NAMESPACE,
                trust_domain: TRUST_DOMAIN,
                default_action: "deny",
                operations,
            })
        })
        .collect()
}

fn operation(route: &Route) -> Operation {
    Operation {
        name: pattern(route.path),
        http_verb: vec![route.method.as_str()],
        action: "allow",
    }
}

/// A path template as Dapr's access control reads it. `*` matches only at the end of a path; in the middle it is `**`
/// that stands for one segment (dapr/dapr:`pkg/config/acl_trie.go`).
fn pattern(template: &str) -> String {
    let segments = template.split('/');
    let patterns: Vec<&str> = segments
        .map(|segment| if segment.starts_with('{') { "**" } else { segment })
        .collect();
    patterns.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_becomes_a_rate_between_0_and_1() {
        assert_eq!(rate(10_000), "1");
        assert_eq!(rate(1_000), "0.1");
        assert_eq!(rate(5), "0.0005");
    }

    #[test]
    fn a_parameter_in_the_middle_of_a_path_is_two_stars() {
        assert_eq!(
            pattern("/internal/tasks/{id}/occurrences"),
            "/internal/tasks/**/occurrences"
        );
    }
}
