//! `GET /reminders` and `GET /reminders/{id}`: what became of every reminder.

use axum::{
    extract,
    http::{Uri, header},
    response::{IntoResponse as _, Response},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use service_kit::{
    Problem,
    database::{problem, time::Instant},
    extract::{Json, Path, Query},
    problem::codes,
};
use sqlx::PgConnection;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{App, caller::Caller, page};
use crate::{
    message::LATE,
    store::ledger::{self, DeliveryRow, EntryRow, Filter},
};

/// Which reminders, how many, and from where on.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct LedgerQuery {
    /// Only in one of these states.
    #[serde(default)]
    #[param(required = false)]
    state: Vec<State>,
    /// Only of this task.
    #[param(minimum = 1, nullable = false)]
    task_id: Option<i64>,
    /// Only what is meant to be seen then or later.
    #[param(value_type = Option<String>, format = DateTime, nullable = false)]
    from: Option<Timestamp>,
    /// Only what is meant to be seen before then.
    #[param(value_type = Option<String>, format = DateTime, nullable = false)]
    to: Option<Timestamp>,
    /// Reminders on a page.
    #[param(minimum = 1, maximum = 200, default = 50, nullable = false)]
    limit: Option<u16>,
    /// `next` of the page before.
    #[param(nullable = false)]
    cursor: Option<String>,
}

/// Where a reminder stands.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// It waits for its time.
    Planned,
    /// Its time has come.
    Due,
    /// A provider was called.
    Attempted,
    /// It was seen, through one channel at least.
    Delivered,
    /// It was not seen and will not be; `cause` says why.
    Expired,
    /// It is no longer wanted; `cause` says why.
    Superseded,
}

impl State {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Due => "due",
            Self::Attempted => "attempted",
            Self::Delivered => "delivered",
            Self::Expired => "expired",
            Self::Superseded => "superseded",
        }
    }
}

/// A page of the ledger.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct ReminderPage {
    /// The reminders, the latest first.
    items: Vec<Reminder>,
    /// Where the next page begins; null on the last one.
    next: Option<String>,
}

/// One generation of a reminder: it begins anew when the task is due at another time, is reopened, or is put off.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Reminder {
    /// Which reminder; the same in all its generations.
    id: Uuid,
    /// From 1.
    #[schema(minimum = 1)]
    generation: i32,
    /// The task.
    task_id: i64,
    /// Its title, as it is now.
    title: String,
    /// When the task asks for attention.
    #[schema(value_type = String, format = DateTime)]
    asked_at: Timestamp,
    /// When it is meant to be seen: later than `asked_at` where it was put off.
    #[schema(value_type = String, format = DateTime)]
    remind_at: Timestamp,
    /// Where it stands.
    #[schema(value_type = State)]
    state: String,
    /// Why it expired or was superseded: `past`, `too_late`, `undeliverable`; `rescheduled`, `removed`, `completed`,
    /// `deleted`, `snoozed`.
    cause: Option<String>,
    /// When it was planned.
    #[schema(value_type = String, format = DateTime)]
    planned_at: Timestamp,
    /// When it was found due.
    #[schema(value_type = Option<String>, format = DateTime)]
    claimed_at: Option<Timestamp>,
    /// What found it: `sweeper`, or the `job` that was scheduled for it.
    claimed_by: Option<String>,
    /// When it was first seen.
    #[schema(value_type = Option<String>, format = DateTime)]
    delivered_at: Option<Timestamp>,
    /// Seconds from `remind_at` to `delivered_at`.
    lateness_seconds: Option<f64>,
    /// Whether it was seen noticeably later than it was meant to, because something was away.
    late: bool,
    /// When it came to its end.
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
    /// What became of it in each channel.
    deliveries: Vec<Delivery>,
}

/// A reminder on its way through one channel.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Delivery {
    /// The channel; null in the application.
    channel_id: Option<Uuid>,
    /// Its kind.
    #[schema(value_type = crate::channels::Kind)]
    kind: String,
    /// `pending`, `attempting`, `delivered`, `failed`, `gone` or `superseded`.
    state: String,
    /// Calls so far.
    attempts: i32,
    /// Calls of which nobody knows whether they were heard: each was repeated.
    in_doubt: i64,
    /// When it is tried next; null when it is not.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_at: Option<Timestamp>,
    /// What the last call came to.
    detail: Option<String>,
    /// When it came to its end.
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
}

impl Reminder {
    fn new(row: EntryRow, deliveries: &[DeliveryRow]) -> Self {
        let lateness = row.delivered_at.map(|at| at.0.duration_since(row.remind_at.0));
        let own = deliveries
            .iter()
            .filter(|it| it.reminder_id == row.id && it.generation == row.generation);
        Self {
            id: row.id,
            generation: row.generation,
            task_id: row.task_id,
            title: row.title,
            asked_at: row.asked_at.0,
            remind_at: row.remind_at.0,
            state: row.state,
            cause: row.cause,
            planned_at: row.planned_at.0,
            claimed_at: row.claimed_at.map(|it| it.0),
            claimed_by: row.claimed_by,
            delivered_at: row.delivered_at.map(|it| it.0),
            lateness_seconds: lateness.map(|it| it.as_secs_f64().max(0.0)),
            late: lateness.is_some_and(|it| it > LATE),
            ended_at: row.ended_at.map(|it| it.0),
            deliveries: own.map(Delivery::new).collect(),
        }
    }
}

impl Delivery {
    fn new(row: &DeliveryRow) -> Self {
        Self {
            channel_id: row.channel_id,
            kind: row.kind.clone(),
            state: row.state.clone(),
            attempts: row.attempts,
            in_doubt: row.in_doubt,
            next_at: (row.state == "pending").then_some(row.next_at.0),
            detail: row.detail.clone(),
            ended_at: row.ended_at.map(|it| it.0),
        }
    }
}

/// List reminders
///
/// Everything that was ever planned for the caller, and what became of it.
#[utoipa::path(
    get, path = "/reminders", tag = "reminders", operation_id = "list_reminders",
    params(LedgerQuery),
    responses((status = 200, description = "A page of reminders", body = ReminderPage)),
)]
pub(super) async fn list(
    extract::State(app): extract::State<App>,
    caller: Caller,
    uri: Uri,
    Query(query): Query<LedgerQuery>,
) -> Result<Response, Problem> {
    let limit = page::limit(query.limit)?;
    let behind = query.cursor.as_deref().map(page::read_cursor).transpose()?;
    let filter = Filter {
        states: (!query.state.is_empty()).then(|| query.state.iter().map(|it| it.as_str().to_owned()).collect()),
        task_id: query.task_id,
        from: query.from.map(Instant),
        until: query.to.map(Instant),
        behind: behind.map(|(at, id, generation)| (Instant(at), id, generation)),
    };
    let mut connection = app.database.acquire().await.map_err(problem)?;
    let mut rows = ledger::entries(&mut connection, &caller.user_id, &filter, limit + 1)
        .await
        .map_err(problem)?;
    let is_last = i64::try_from(rows.len()).unwrap_or(i64::MAX) <= limit;
    rows.truncate(usize::try_from(limit).map_err(Problem::internal)?);
    let last = rows.last().filter(|_| !is_last);
    let next = last.map(|row| page::cursor(&(row.remind_at.0, row.id, row.generation)));
    let next = next.transpose()?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let deliveries = ledger::deliveries(&mut connection, &ids).await.map_err(problem)?;
    let items = rows.into_iter().map(|row| Reminder::new(row, &deliveries)).collect();
    let link = next.as_deref().map(|next| page::link_to_next(&uri, next)).transpose()?;
    let mut response = Json(ReminderPage { items, next }).into_response();
    response.headers_mut().extend(link.map(|link| (header::LINK, link)));
    Ok(response)
}

/// Read a reminder
///
/// Its latest generation.
#[utoipa::path(
    get, path = "/reminders/{id}", tag = "reminders", operation_id = "read_reminder",
    params(("id" = Uuid, Path, description = "Which reminder")),
    responses((status = 200, description = "The reminder", body = Reminder)),
)]
pub(super) async fn read(
    extract::State(app): extract::State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Json<Reminder>, Problem> {
    let mut connection = app.database.acquire().await.map_err(problem)?;
    latest(&mut connection, &caller.user_id, id).await.map(Json)
}

/// The latest generation, as it stands inside this transaction.
pub(super) async fn latest(connection: &mut PgConnection, user_id: &str, id: Uuid) -> Result<Reminder, Problem> {
    let row = ledger::latest(connection, user_id, id)
        .await
        .map_err(problem)?
        .ok_or_else(|| Problem::new(&codes::NOT_FOUND))?;
    let deliveries = ledger::deliveries(connection, &[id]).await.map_err(problem)?;
    Ok(Reminder::new(row, &deliveries))
}
