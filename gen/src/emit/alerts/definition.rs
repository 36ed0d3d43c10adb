//! What an alert is, before it is written for an environment.

use super::super::Inputs;
use crate::artefact::Artefacts;
use crate::resolve::{Environment, Service};
use crate::spec::observability::AlertSeverity;
use catalogue::{Access, Catalogue, RoutePort};
use serde_yaml::Value;

/// An alert: one line of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Alert {
    /// Its name, also that of its runbook.
    pub(crate) name: &'static str,
    /// How long the expression must hold; empty for at once.
    pub(crate) hold: &'static str,
    /// How urgent it is.
    pub(crate) severity: AlertSeverity,
    /// One sentence.
    pub(crate) summary: &'static str,
    /// What is known, with `{{ $labels }}` and `{{ $value }}`.
    pub(crate) description: &'static str,
    /// The expression; `None` where an environment has nothing to watch.
    pub(crate) expr: fn(&Scope<'_>) -> Option<String>,
}

/// A series that is recorded for alerts.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// Its name.
    pub(crate) name: String,
    /// Its expression.
    pub(crate) expr: String,
}

/// A group: one `PrometheusRule`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group {
    /// Its name, also that of its object.
    pub(crate) name: &'static str,
    /// The part of a spec that asks for it.
    pub(crate) pointer: &'static str,
    /// What is recorded first.
    pub(crate) records: fn(&Scope<'_>) -> Vec<Record>,
    /// The alerts.
    pub(crate) alerts: &'static [Alert],
}

/// Nothing is recorded.
pub(crate) fn no_records(_: &Scope<'_>) -> Vec<Record> {
    Vec::new()
}

/// What expressions are built from.
#[derive(Clone, Debug)]
pub(crate) struct Scope<'a> {
    /// The environment.
    pub(crate) env: &'a Environment,
    /// The names shared with the services.
    pub(crate) catalogue: &'a Catalogue,
    /// The node pools of Kafka whose pods are brokers, with their sizes, by name.
    pub(crate) broker_pools: Vec<(String, u64)>,
}

impl<'a> Scope<'a> {
    /// Reads the pools from the objects that were emitted, so that a pattern can never miss their pods.
    pub(crate) fn new(inputs: Inputs<'a>, artefacts: &Artefacts) -> Self {
        let pools = artefacts.of_kind("KafkaNodePool").map(|(_, object)| object);
        let brokers = pools.filter(|pool| match pool.at("/spec/roles") {
            Some(Value::Sequence(roles)) => roles.iter().any(|role| role.as_str() == Some("broker")),
            _ => false,
        });
        Self {
            env: inputs.env,
            catalogue: inputs.catalogue,
            broker_pools: brokers
                .map(|pool| {
                    let replicas = pool.at("/spec/replicas").and_then(Value::as_u64);
                    (pool.name.clone(), replicas.unwrap_or(1))
                })
                .collect(),
        }
    }

    /// The services that a condition holds for, as a regular expression.
    pub(crate) fn services(&self, condition: impl Fn(&Service) -> bool) -> Option<String> {
        let chosen = self.env.services.iter().filter(|service| condition(service));
        any_of(chosen.map(Service::app_id))
    }

    /// The services that export metrics.
    pub(crate) fn with_metrics(&self) -> Option<String> {
        self.services(|service| service.entry.metrics_port.is_some())
    }

    /// The services that people call.
    pub(crate) fn called_by_people(&self) -> Option<String> {
        self.services(|service| {
            let for_people = |access| matches!(access, Access::User | Access::Operator(_));
            let mut routes = service.entry.routes.iter();
            service.entry.metrics_port.is_some()
                && routes.any(|route| route.port == RoutePort::Http && for_people(route.access))
        })
    }

    /// The services whose replicas share a consumer group: its lag means work left undone.
    pub(crate) fn with_shared_group(&self) -> impl Iterator<Item = &Service> {
        let services = self.env.services.iter();
        services.filter(|service| {
            service
                .entry
                .consumer_group
                .is_some_and(|group| group.has_meaningful_lag())
        })
    }

    /// The shared groups, as a regular expression.
    pub(crate) fn shared_groups(&self) -> Option<String> {
        any_of(
            self.with_shared_group()
                .filter_map(|service| service.entry.consumer_group?.shared_name()),
        )
    }
}

/// Words as a regular expression that matches any of them, in order; `None` for none.
pub(crate) fn any_of<'a>(words: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut words: Vec<&str> = words.into_iter().collect();
    words.sort_unstable();
    (!words.is_empty()).then(|| words.join("|"))
}

/// Events within a window, those of a series that only begins within it included: `increase` alone does not see the
/// first event of a series that did not start at zero.
pub(crate) fn events(series: &str, window: &str, by: &str) -> String {
    format!("sum by ({by}) (({series} unless {series} offset {window}) or increase({series}[{window}])) > 0")
}
