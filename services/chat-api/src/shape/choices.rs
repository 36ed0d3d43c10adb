//! The closed choices of a task and of a recurrence, in words.

use domain::{recurrence, task::choices};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An enum in words, with the variants of its twin in the domain.
macro_rules! twin {
    ($(#[doc = $help:literal])* $name:ident = $twin:ty { $($(#[$meta:meta])* $variant:ident,)* }) => {
        $(#[doc = $help])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub(crate) enum $name {
            $($(#[$meta])* $variant,)*
        }

        impl From<$twin> for $name {
            fn from(twin: $twin) -> Self {
                match twin {
                    $(<$twin>::$variant => Self::$variant,)*
                }
            }
        }

        impl From<$name> for $twin {
            fn from(value: $name) -> Self {
                match value {
                    $($name::$variant => Self::$variant,)*
                }
            }
        }
    };
}

twin! {
    /// What becomes of a day that a month does not have.
    MonthEnd = recurrence::MonthEnd {
        /// The last day of the shorter month stands in.
        #[default]
        Clamp,
        /// The day means the last one of the month.
        Last,
        /// The shorter month is left out.
        Skip,
    }
}

twin! {
    /// From what the next occurrence is counted.
    Basis = recurrence::Basis {
        /// The rule, whenever anything was completed.
        #[default]
        FixedSchedule,
        /// The day of the completion.
        AfterCompletion,
    }
}

twin! {
    /// What becomes of dates that went by before a completion.
    CatchUp = recurrence::CatchUp {
        /// One occurrence makes up for all.
        #[default]
        One,
        /// Each is made up for.
        All,
        /// They are dropped.
        None,
    }
}

twin! {
    /// Whether a task is still to be done.
    Status = choices::Status {
        /// To be done.
        #[default]
        Open,
        /// Done.
        Completed,
    }
}

twin! {
    /// How much a task matters.
    Priority = choices::Priority {
        /// Not said.
        #[default]
        None,
        /// A little.
        Low,
        /// As usual.
        Medium,
        /// A lot.
        High,
        /// More than all others.
        Urgent,
    }
}
