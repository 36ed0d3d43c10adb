//! Which letters are meant.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::MOST_LETTERS;
use crate::store::letters::Filter;

/// Ids that may be given at once.
pub(crate) const MOST_IDS: usize = 1_000;

/// Which letters are meant: those that wait and fit all that is given. To mean every letter, say `all`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Selection {
    /// These.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 1000)]
    pub(crate) ids: Vec<Uuid>,
    /// Given up in this topic.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) topic: Option<String>,
    /// Of this group.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) group: Option<String>,
    /// Given up for this kind of failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) reason: Option<String>,
    /// Given up by this service.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) consumer: Option<String>,
    /// With an event of this type.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) event_type: Option<String>,
    /// About this task.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    pub(crate) task_id: Option<i64>,
    /// With this event.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) event_id: Option<Uuid>,
    /// All of them.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) all: bool,
    /// So many at the most, the first in line.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1, maximum = 10_000)]
    pub(crate) limit: Option<i64>,
}

/// Why a selection cannot be meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// It says nothing: nobody means every letter by that.
    Empty,
    /// It says `all`, and more.
    Contradiction,
    /// It names too many.
    Ids,
    /// Its limit is out of range.
    Limit,
}

impl Selection {
    /// Whether it can be meant.
    pub(crate) fn check(&self) -> Result<(), Wrong> {
        let nothing = Self {
            limit: self.limit,
            ..Self::default()
        };
        let everything = Self {
            all: true,
            ..nothing.clone()
        };
        if *self == nothing {
            return Err(Wrong::Empty);
        }
        if self.all && *self != everything {
            return Err(Wrong::Contradiction);
        }
        if self.ids.len() > MOST_IDS {
            return Err(Wrong::Ids);
        }
        match self.limit {
            Some(limit) if !(1..=MOST_LETTERS).contains(&limit) => Err(Wrong::Limit),
            _ => Ok(()),
        }
    }

    pub(crate) fn filter(&self) -> Filter {
        Filter {
            ids: (!self.ids.is_empty()).then(|| self.ids.clone()),
            origin: self.topic.clone(),
            group: self.group.clone(),
            reason: self.reason.clone(),
            consumer: self.consumer.clone(),
            event_type: self.event_type.clone(),
            task_id: self.task_id,
            event_id: self.event_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_says_what_it_means() {
        let nothing = Selection::default;
        let topic = || Some("reminders".to_owned());
        let of_a_topic = Selection {
            topic: topic(),
            ..nothing()
        };
        let all = Selection {
            all: true,
            limit: Some(5),
            ..nothing()
        };
        assert_eq!((of_a_topic.check(), all.check()), (Ok(()), Ok(())));
        let limited = Selection {
            limit: Some(5),
            ..nothing()
        };
        let both = Selection {
            all: true,
            topic: topic(),
            ..nothing()
        };
        let many = Selection {
            ids: vec![Uuid::nil(); MOST_IDS + 1],
            ..nothing()
        };
        let endless = Selection {
            all: true,
            limit: Some(MOST_LETTERS + 1),
            ..nothing()
        };
        assert_eq!(
            (nothing().check(), limited.check()),
            (Err(Wrong::Empty), Err(Wrong::Empty))
        );
        assert_eq!(both.check(), Err(Wrong::Contradiction));
        assert_eq!((many.check(), endless.check()), (Err(Wrong::Ids), Err(Wrong::Limit)));
    }
}
