//! Releases of charts: what is installed, from where, with which values, and what happens when that fails.
//!
//! A [`Release`] knows nothing of the GitOps controller. Flux's spelling of it is in [`flux`]; another controller's
//! would stand beside it, and nothing else would change.

mod flux;

pub use flux::GIT_SOURCE;

use crate::artefact::{Artefact, Artefacts, Place};
use crate::pins::{Pin, PinKind};
use crate::spec::units::Duration;
use serde::Serialize;
use serde_yaml::Value;

/// A chart with its values in a namespace.
#[derive(Clone, Debug)]
pub struct Release {
    /// Its name, for Helm and for the GitOps controller.
    pub name: String,
    /// Where it is installed.
    pub namespace: String,
    /// Where the chart comes from.
    pub chart: ChartSource,
    /// The chart's values.
    pub values: Value,
    /// What happens when an installation or an upgrade fails.
    pub on_failure: OnFailure,
    /// How long an installation or an upgrade may take.
    pub timeout: Duration,
    /// Whether nothing is to be done with it yet.
    pub suspend: bool,
    /// Whether `helm test` decides on success, too.
    pub test: bool,
    /// What others than the release change in its objects, rightly.
    pub changed_by_others: Vec<ChangedByOthers>,
}

/// Where a chart comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChartSource {
    /// Somebody else's chart in a Helm repository.
    HelmRepository(Pin),
    /// Somebody else's chart in a container registry.
    OciRepository(Pin),
    /// A chart of ours: its folder in the repository that the GitOps controller reads.
    GitPath(String),
}

/// What happens when an installation or an upgrade fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// It is tried again and again, never taken back: operators, and what holds data.
    Retry {
        /// Time between two attempts.
        interval: Duration,
    },
    /// It is taken back to the release before: `helm upgrade --atomic`. For what can be taken back.
    RollBack,
}

/// Fields that somebody else rightly changes, such as a certificate that an operator fills in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedByOthers {
    /// The kind of the objects.
    pub kind: &'static str,
    /// JSON pointers of the fields.
    pub paths: Vec<String>,
}

impl Release {
    /// A release of an operator or of what holds data: retried, never rolled back.
    ///
    /// # Panics
    /// If the values do not serialise, or the pin is an image: both are mistakes of this compiler.
    pub fn of_others(pin: Pin, namespace: &str, values: &impl Serialize) -> Self {
        let chart = match pin.kind {
            PinKind::HelmChart => ChartSource::HelmRepository(pin),
            PinKind::OciChart => ChartSource::OciRepository(pin),
            PinKind::Image => unreachable!("{} is an image", pin.name),
        };
        Self {
            name: pin.name.to_owned(),
            namespace: namespace.to_owned(),
            chart,
            values: serde_yaml::to_value(values).expect("our own types serialise"),
            on_failure: OnFailure::Retry {
                interval: Duration::seconds(300),
            },
            timeout: Duration::seconds(600),
            suspend: false,
            test: false,
            changed_by_others: Vec::new(),
        }
    }

    /// Adds fields that others rightly change.
    #[must_use]
    pub fn changed_by_others(mut self, kind: &'static str, paths: &[String]) -> Self {
        self.changed_by_others.push(ChangedByOthers {
            kind,
            paths: paths.to_vec(),
        });
        self
    }

    /// Puts the release and, unless it is there already, its chart's source beside it. `pointer` is the part of the
    /// spec that asks for it. Returns the release's artefact.
    pub fn add<'a>(
        &self,
        artefacts: &'a mut Artefacts,
        family: &'static str,
        place: Place,
        pointer: &str,
    ) -> &'a mut Artefact {
        flux::add(self, artefacts, family, place, pointer)
    }
}
