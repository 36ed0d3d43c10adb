//! What the labels of a service's metrics may be.

use std::collections::BTreeSet;

use catalogue::{Catalogue, Label, LabelValues, Service};

/// Value of the label `route` for a request that no route of the service matches.
pub const UNMATCHED: &str = "unmatched";

/// The values that a label of one service may take.
pub(crate) enum AllowedValues {
    /// Exactly these; their series begin at zero.
    InAdvance(Vec<&'static str>),
    /// These, but which of them meet which other label is only seen in use.
    InUse(BTreeSet<&'static str>),
    /// Three digits, 100 to 599.
    StatusCodes,
}

impl AllowedValues {
    pub(crate) fn of(label: &Label, service: &Service, catalogue: &Catalogue) -> Self {
        match label.values {
            LabelValues::Closed(values) => Self::InAdvance(values.to_vec()),
            LabelValues::ConsumedTopics => Self::InAdvance(service.reads_topics().collect()),
            LabelValues::PublishedTopics => Self::InAdvance(service.publishes.to_vec()),
            LabelValues::Build => Self::InAdvance(vec![build_value(label.name)]),
            LabelValues::Routes => Self::InUse(catalogue.path_templates_of(service).chain([UNMATCHED]).collect()),
            LabelValues::StatusCodes => Self::StatusCodes,
        }
    }

    pub(crate) fn known_in_advance(&self) -> &[&'static str] {
        match self {
            Self::InAdvance(values) => values,
            Self::InUse(_) | Self::StatusCodes => &[],
        }
    }

    pub(crate) fn contains(&self, value: &str) -> bool {
        match self {
            Self::InAdvance(values) => values.contains(&value),
            Self::InUse(values) => values.contains(value),
            Self::StatusCodes => {
                let digits = value.as_bytes();
                digits.len() == 3 && (b'1'..=b'5').contains(&digits[0]) && digits.iter().all(u8::is_ascii_digit)
            }
        }
    }
}

/// The version of the workspace, and the commit that a release build is told in `TASKFLOW_REVISION`.
fn build_value(label: &str) -> &'static str {
    match label {
        "version" => env!("CARGO_PKG_VERSION"),
        "revision" => option_env!("TASKFLOW_REVISION").unwrap_or("unknown"),
        other => panic!("nothing is known of a build's `{other}`"),
    }
}
