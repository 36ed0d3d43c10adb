//! What operators see.

mod letter;
mod statistics;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

pub(crate) use self::{
    letter::{Head, Shown},
    statistics::{Group, Statistics},
};
use super::Stepped;
use crate::store::{actions::ActionRow, items::ItemRow};

/// Something that an operator did.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Action {
    /// Which.
    pub(crate) id: Uuid,
    /// `dry_run`, `replay` or `discard`.
    pub(crate) kind: String,
    /// Who: the subject of their token, or `cli:` and a name.
    pub(crate) actor: String,
    /// `running`, `done`, or `stopped` before its end, because `detail`.
    pub(crate) state: String,
    /// Why it was stopped, or found nothing.
    pub(crate) detail: Option<String>,
    /// Which letters were meant.
    #[schema(value_type = super::Selection)]
    pub(crate) asked: Value,
    /// What was said about it.
    pub(crate) note: Option<String>,
    /// Letters that it is about.
    pub(crate) selected: i32,
    /// Letters by what became of them: `replayed`, `superseded` and `discarded` are settled; `schema`, `loop`, `behind` and
    /// `publish` wait; of `settled` ones somebody else has disposed.
    #[schema(value_type = std::collections::BTreeMap<String, i64>)]
    pub(crate) outcomes: Value,
    /// Letters that have come back since their events were replayed.
    pub(crate) came_back: i64,
    /// Letters a second at the most, of a replay.
    pub(crate) rate_per_second: Option<i32>,
    /// Whether it took what came back after an earlier replay too.
    pub(crate) again: bool,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) begun_at: Timestamp,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) ended_at: Option<Timestamp>,
}

impl Action {
    pub(super) fn new(row: ActionRow, came_back: i64) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            actor: row.actor,
            state: row.state,
            detail: row.detail,
            asked: row.asked,
            note: row.note,
            selected: row.selected,
            outcomes: row.outcomes,
            came_back,
            rate_per_second: row.rate_per_second,
            again: row.again,
            begun_at: row.begun_at.0,
            ended_at: row.ended_at.map(|it| it.0),
        }
    }

    /// Letters with this outcome.
    pub(crate) fn count(&self, outcome: &str) -> i64 {
        self.outcomes[outcome].as_i64().unwrap_or(0)
    }

    /// Letters that still wait although it dealt with them.
    pub(crate) fn held(&self) -> i64 {
        let held = ["schema", "loop", "behind", "publish"];
        held.iter().map(|outcome| self.count(outcome)).sum()
    }

    /// Letters that were dealt with.
    pub(crate) fn dealt_with(&self) -> i64 {
        let outcomes = self.outcomes.as_object().into_iter().flatten();
        outcomes.filter_map(|(_, count)| count.as_i64()).sum()
    }
}

impl From<ActionRow> for Action {
    fn from(row: ActionRow) -> Self {
        Self::new(row, 0)
    }
}

/// What became of a letter, or would become of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Item {
    /// The letter.
    pub(crate) letter: Uuid,
    /// One of the outcomes of the action; null while nobody has dealt with it.
    pub(crate) outcome: Option<String>,
    /// What to know about it.
    pub(crate) detail: Option<String>,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) at: Option<Timestamp>,
}

impl Item {
    pub(super) fn tried(letter: Uuid, stepped: &Stepped) -> Self {
        Self {
            letter,
            outcome: Some(stepped.outcome.to_owned()),
            detail: stepped.detail.clone(),
            at: None,
        }
    }
}

impl From<ItemRow> for Item {
    fn from(row: ItemRow) -> Self {
        Self {
            letter: row.letter_id,
            outcome: row.outcome,
            detail: row.detail,
            at: row.at.map(|it| it.0),
        }
    }
}
