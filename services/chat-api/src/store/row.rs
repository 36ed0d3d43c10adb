//! A task as it stands in the table `chat.task`.

use domain::{
    id::{SeriesId, TaskId, UserId},
    recurrence::{OccurrenceKey, next::Occurrence},
    task::{
        SeriesMembership, Task,
        choices::{Priority, Status},
        reminders::Reminders,
        tags::Tags,
        text::{Description, Title},
    },
    time::{Due, Zone},
};
use service_kit::database::time::{Instant, WallTime};
use sqlx::types::Json;
use uuid::Uuid;

use crate::shape;

/// A row of `chat.task`, without the words that are made from it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct TaskRow {
    pub(crate) id: i64,
    pub(crate) user_id: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) status: String,
    pub(crate) priority: i16,
    pub(crate) tags: Vec<String>,
    pub(crate) due_kind: Option<String>,
    pub(crate) due_local: Option<WallTime>,
    pub(crate) due_zone: Option<String>,
    pub(crate) reminders: Json<Vec<shape::Reminder>>,
    pub(crate) recurrence: Option<Json<shape::Recurrence>>,
    pub(crate) series: Option<Uuid>,
    pub(crate) occurrence: Option<WallTime>,
    pub(crate) ordinal: Option<i32>,
    pub(crate) version: i64,
    pub(crate) created_at: Instant,
    pub(crate) updated_at: Instant,
    pub(crate) completed_at: Option<Instant>,
}

/// A row holds what no release of this service ever wrote.
#[derive(Debug, thiserror::Error)]
#[error("task {id} cannot be read back: {what}")]
pub(crate) struct CorruptRow {
    id: i64,
    what: String,
}

impl TryFrom<TaskRow> for Task {
    type Error = CorruptRow;

    fn try_from(row: TaskRow) -> Result<Self, CorruptRow> {
        let id = row.id;
        read(row).map_err(|error| CorruptRow {
            id,
            what: error.to_string(),
        })
    }
}

type AnyError = Box<dyn std::error::Error + Send + Sync>;

fn read(row: TaskRow) -> Result<Task, AnyError> {
    let due = due(&row)?;
    let zone = due.as_ref().map_or(Zone::UTC, |due| due.zone(&Zone::UTC));
    let recurrence = row.recurrence.map(|Json(it)| {
        let anchor = it.anchor.ok_or("a recurrence without an anchor")?;
        it.to_domain(anchor, &zone).map_err(AnyError::from)
    });
    let series = match (row.series, row.occurrence, row.ordinal) {
        (Some(series), Some(occurrence), Some(ordinal)) => Some(SeriesMembership {
            series: SeriesId::new(series)?,
            occurrence: Occurrence {
                key: OccurrenceKey::new(occurrence.0),
                ordinal: ordinal.try_into()?,
            },
        }),
        _ => None,
    };
    Ok(Task {
        id: TaskId::new(row.id)?,
        user: UserId::new(row.user_id)?,
        title: Title::new(&row.title)?,
        description: Description::new(&row.description)?,
        status: row.status.parse::<Status>()?,
        priority: priority(row.priority)?,
        tags: Tags::new(&row.tags)?,
        due,
        reminders: Reminders::new(row.reminders.0.into_iter().map(shape::Reminder::to_domain))?,
        series,
        recurrence: recurrence.transpose()?,
        version: row.version,
        created_at: row.created_at.0,
        updated_at: row.updated_at.0,
        completed_at: row.completed_at.map(|at| at.0),
    })
}

fn due(row: &TaskRow) -> Result<Option<Due>, AnyError> {
    let (Some(kind), Some(local)) = (&row.due_kind, &row.due_local) else {
        return Ok(None);
    };
    let WallTime(local) = *local;
    Ok(Some(match (kind.as_str(), &row.due_zone) {
        ("instant", None) => Due::Instant(Zone::UTC.instant(local)),
        ("zoned", Some(zone)) => Due::Zoned {
            local,
            zone: Zone::new(zone)?,
        },
        ("floating", None) => Due::Floating(local),
        _ => return Err("a due time of no kind".into()),
    }))
}

/// The kind and the zone of a due time, as they stand in their columns.
pub(crate) fn due_columns(due: &Due) -> (&'static str, Option<&str>) {
    match due {
        Due::Instant(_) => ("instant", None),
        Due::Zoned { zone, .. } => ("zoned", Some(zone.name())),
        Due::Floating(_) => ("floating", None),
    }
}

fn priority(rank: i16) -> Result<Priority, AnyError> {
    let found = Priority::ALL.into_iter().find(|priority| rank_of(*priority) == rank);
    found.ok_or_else(|| "a priority of no rank".into())
}

/// The rank of a priority: what the column holds, so that it sorts by itself.
pub(crate) fn rank_of(priority: Priority) -> i16 {
    match priority {
        Priority::None => 0,
        Priority::Low => 1,
        Priority::Medium => 2,
        Priority::High => 3,
        Priority::Urgent => 4,
    }
}
