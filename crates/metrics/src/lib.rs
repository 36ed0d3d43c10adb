//! The metrics of a service, registered from the catalogue.
//!
//! A [`Metrics`] holds exactly the metrics that the catalogue lists for one service: the names, types, labels and help
//! texts of the catalogue, every series whose label values are known in advance begun at zero. Nothing else can be
//! counted, so what a service exposes cannot drift from what alerts and dashboards ask for.
//!
//! It knows no HTTP: whoever serves `/metrics` calls [`Metrics::render`].

mod family;
mod labels;
mod process;

use std::{collections::BTreeMap, fmt, sync::Arc};

use catalogue::{Catalogue, Metric};
use prometheus::Registry;

use crate::family::Family;

pub use labels::UNMATCHED;
/// A value of one series that goes up and down.
pub use prometheus::Gauge;
/// A distribution of one series.
pub use prometheus::Histogram;
/// A count of one series that only grows.
pub use prometheus::IntCounter;

/// Value of the header `content-type` for what [`Metrics::render`] returns.
pub const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

/// The metrics of one service. Clones share their values.
#[derive(Clone)]
pub struct Metrics {
    app_id: &'static str,
    families: Arc<BTreeMap<&'static str, Family>>,
    registry: Registry,
}

impl Metrics {
    /// Registers every metric that the catalogue lists for the service with this app id. Each combination of label
    /// values that is known in advance begins at zero; routes and status codes appear with their first request.
    ///
    /// # Panics
    /// When the catalogue has no such service, or two of its metrics share a name: a bug.
    #[must_use]
    pub fn new(catalogue: &Catalogue, app_id: &str) -> Self {
        let service = catalogue
            .service(app_id)
            .unwrap_or_else(|| panic!("the catalogue has no service `{app_id}`"));
        let registry = Registry::new();
        let families = catalogue
            .metrics_of(app_id)
            .map(|metric| (metric.name, Family::register(metric, service, catalogue, &registry)))
            .collect();
        Self {
            app_id: service.app_id,
            families: Arc::new(families),
            registry,
        }
    }

    /// App id of the service whose metrics these are.
    #[must_use]
    pub fn app_id(&self) -> &'static str {
        self.app_id
    }

    /// Whether the service exports this metric. Code shared by all services asks before it counts.
    #[must_use]
    pub fn exports(&self, metric: &Metric) -> bool {
        self.families.contains_key(metric.name)
    }

    /// Whether the label of this metric may take the value.
    ///
    /// # Panics
    /// When the service does not export the metric, or the metric has no such label: a bug.
    #[must_use]
    pub fn allows(&self, metric: &Metric, label: &str, value: &str) -> bool {
        self.family(metric).allows(label, value)
    }

    /// The series of this counter with these label values, in the order of [`Metric::labels`].
    ///
    /// # Panics
    /// When it is no counter of this service, or a label may not take its value: a bug.
    #[must_use]
    pub fn counter(&self, metric: &Metric, label_values: &[&str]) -> IntCounter {
        self.family(metric).counter(label_values)
    }

    /// The series of this gauge with these label values, in the order of [`Metric::labels`].
    ///
    /// # Panics
    /// When it is no gauge of this service, or a label may not take its value: a bug.
    #[must_use]
    pub fn gauge(&self, metric: &Metric, label_values: &[&str]) -> Gauge {
        self.family(metric).gauge(label_values)
    }

    /// The series of this histogram with these label values, in the order of [`Metric::labels`].
    ///
    /// # Panics
    /// When it is no histogram of this service, or a label may not take its value: a bug.
    #[must_use]
    pub fn histogram(&self, metric: &Metric, label_values: &[&str]) -> Histogram {
        self.family(metric).histogram(label_values)
    }

    /// Every metric in the text format of Prometheus, sorted by name; those of the process are read now.
    #[must_use]
    pub fn render(&self) -> String {
        process::update(self);
        let gathered = self.registry.gather();
        let encoder = prometheus::TextEncoder::new();
        let mut text = String::new();
        for (name, family) in self.families.iter() {
            // The registry leaves out what has no series yet; its name and type are shown all the same.
            match gathered.iter().position(|it| it.name() == *name) {
                Some(at) => encoder
                    .encode_utf8(&gathered[at..=at], &mut text)
                    .expect("a registered family with a series can be written"),
                None => text.push_str(&family.header()),
            }
        }
        text
    }

    fn family(&self, metric: &Metric) -> &Family {
        self.families
            .get(metric.name)
            .unwrap_or_else(|| panic!("`{}` does not export `{}`", self.app_id, metric.name))
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics")
            .field("app_id", &self.app_id)
            .finish_non_exhaustive()
    }
}
