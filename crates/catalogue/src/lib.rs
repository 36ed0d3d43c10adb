//! The names and numbers that services and manifests share.
//!
//! Services are compiled from the constants in these modules; the manifest compiler takes the same constants as a
//! [`Catalogue`] value, so that a test can remove or rename an entry and watch it refuse. A manifest can therefore not
//! name a topic, port or metric that the services do not have.
//!
//! This crate is data. It knows no I/O, no serialisation, no environment and nothing of Kubernetes.

pub mod app_ids;
pub mod consumer_groups;
pub mod database;
pub mod delivery;
pub mod environment_variables;
pub mod event_types;
pub mod jobs;
pub mod metrics;
pub mod paths;
pub mod ports;
pub mod services;
pub mod spans;
pub mod topics;

pub use consumer_groups::ConsumerGroup;
pub use database::Schema;
pub use environment_variables::{EnvironmentVariable, Presence, Secrecy};
pub use event_types::EventType;
pub use jobs::Job;
pub use metrics::{Label, LabelValues, Metric, MetricKind, Unit};
pub use services::{
    Access, Invocation, Method, Probes, Route, RoutePort, Scaling, Service, ServiceKind, StartFrom, Subscription,
    Transport,
};
pub use spans::{Attribute, AttributeKind, Span, SpanKind};
pub use topics::{RecordKey, Topic, TopicKind};

/// Everything that services and manifests share, as a value. Every list has a fixed order.
#[derive(Clone, Debug, PartialEq)]
pub struct Catalogue {
    /// The services, by [`Service::app_id`].
    pub services: Vec<Service>,
    /// The topics, by [`Topic::name`]; an origin comes before its dead-letter twin.
    pub topics: Vec<Topic>,
    /// The types of event, by [`EventType::name`].
    pub event_types: Vec<EventType>,
    /// The families of jobs, by [`Job::prefix`].
    pub jobs: Vec<Job>,
    /// The database schemas, by [`Schema::name`].
    pub schemas: Vec<Schema>,
    /// The metrics that our services export, by [`Metric::name`].
    pub metrics: Vec<Metric>,
    /// The spans that our services record, by [`Span::name`].
    pub spans: Vec<Span>,
    /// The environment variables that our services read, by [`EnvironmentVariable::name`].
    pub environment_variables: Vec<EnvironmentVariable>,
}

impl Catalogue {
    /// The catalogue of `TaskFlow`: the constants that its services are compiled from.
    #[must_use]
    pub fn taskflow() -> Self {
        Self {
            services: services::ALL.to_vec(),
            topics: topics::ALL.to_vec(),
            event_types: event_types::ALL.to_vec(),
            jobs: jobs::ALL.to_vec(),
            schemas: database::ALL.to_vec(),
            metrics: metrics::ALL.to_vec(),
            spans: spans::ALL.to_vec(),
            environment_variables: environment_variables::ALL.to_vec(),
        }
    }

    /// The service with this app id.
    pub fn service(&self, app_id: &str) -> Option<&Service> {
        self.services.iter().find(|it| it.app_id == app_id)
    }

    /// The topic with this name.
    pub fn topic(&self, name: &str) -> Option<&Topic> {
        self.topics.iter().find(|it| it.name == name)
    }

    /// The dead-letter twin of the topic with this name.
    pub fn dead_letter_twin(&self, origin: &str) -> Option<&Topic> {
        self.topics.iter().find(|it| it.origin() == Some(origin))
    }

    /// The type of event with this `CloudEvents` type.
    pub fn event_type(&self, name: &str) -> Option<&EventType> {
        self.event_types.iter().find(|it| it.name == name)
    }

    /// The database schema with this name.
    pub fn schema(&self, name: &str) -> Option<&Schema> {
        self.schemas.iter().find(|it| it.name == name)
    }

    /// The database schema that this service owns.
    pub fn schema_of(&self, service: &Service) -> Option<&Schema> {
        self.schema(service.schema?)
    }

    /// The metric with this name, as it is registered.
    pub fn metric(&self, name: &str) -> Option<&Metric> {
        self.metrics.iter().find(|it| it.name == name)
    }

    /// The metric that exposes this series name: of a histogram its `_bucket`, `_sum` and `_count`, else its own name.
    pub fn metric_of_series(&self, series: &str) -> Option<&Metric> {
        self.metrics.iter().find(|it| it.exposes(series))
    }

    /// The span with this name.
    pub fn span(&self, name: &str) -> Option<&Span> {
        self.spans.iter().find(|it| it.name == name)
    }

    /// The environment variable with this name.
    pub fn environment_variable(&self, name: &str) -> Option<&EnvironmentVariable> {
        self.environment_variables.iter().find(|it| it.name == name)
    }

    /// Each service that consumes this topic, with its subscription.
    pub fn consumers_of(&self, topic: &str) -> impl Iterator<Item = (&Service, &Subscription)> {
        self.services.iter().flat_map(move |service| {
            let wanted = service.consumes.iter().filter(move |it| it.topic == topic);
            wanted.map(move |subscription| (service, subscription))
        })
    }

    /// Each service that publishes to this topic; dead letters do not count.
    pub fn publishers_of(&self, topic: &str) -> impl Iterator<Item = &Service> {
        self.services.iter().filter(move |it| it.publishes.contains(&topic))
    }

    /// The metrics that this service exports.
    pub fn metrics_of(&self, app_id: &str) -> impl Iterator<Item = &Metric> {
        self.metrics.iter().filter(move |it| it.exported_by.contains(&app_id))
    }

    /// The environment variables that this service reads.
    pub fn environment_variables_of(&self, app_id: &str) -> impl Iterator<Item = &EnvironmentVariable> {
        self.environment_variables
            .iter()
            .filter(move |it| it.read_by.contains(&app_id))
    }

    /// The families of jobs that this service schedules.
    pub fn jobs_of(&self, app_id: &str) -> impl Iterator<Item = &Job> {
        self.jobs.iter().filter(move |it| it.owner == app_id)
    }

    /// The path templates that this service answers, metrics apart: main routes, probes, deliveries and job callbacks.
    /// They are the values of the label `route`; one that takes several methods is there several times.
    pub fn path_templates_of(&self, service: &Service) -> impl Iterator<Item = &'static str> {
        let Probes {
            liveness,
            readiness,
            events,
        } = service.probes;
        let routes = service.routes.iter().map(|route| route.path);
        let deliveries = service.consumes.iter().map(|subscription| subscription.route);
        let callbacks = self.jobs_of(service.app_id).map(|job| job.route);
        let probes = [liveness, readiness].into_iter().chain(events);
        routes.chain(probes).chain(deliveries).chain(callbacks)
    }

    /// Whether no service that exports this metric exists yet. A metric that nobody exports is planned too.
    pub fn is_planned(&self, metric: &Metric) -> bool {
        metric
            .exported_by
            .iter()
            .filter_map(|app_id| self.service(app_id))
            .all(|service| service.planned)
    }
}

impl Default for Catalogue {
    fn default() -> Self {
        Self::taskflow()
    }
}
