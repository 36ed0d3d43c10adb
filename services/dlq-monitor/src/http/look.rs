//! What operators look at: letters, groups, counts, actions.

use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use serde::{Deserialize, Serialize};
use service_kit::{
    Problem,
    database::problem,
    extract::{Json, Path, Query},
    problem::codes,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{App, act::Report, refuse};
use crate::{
    desk::{
        self,
        view::{Action, Group, Head, Shown, Statistics},
    },
    store::{self, letters::Filter},
};

/// Groups that are shown at the most.
const MOST_GROUPS: i64 = 200;

/// Which letters, how many, and from where on.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// In this state; those that wait without it.
    #[param(nullable = false)]
    state: Option<Standing>,
    /// Given up in this topic.
    #[param(nullable = false)]
    topic: Option<String>,
    /// Of this group.
    #[param(nullable = false)]
    group: Option<String>,
    /// Given up for this kind of failure.
    #[param(nullable = false)]
    reason: Option<String>,
    /// Given up by this service.
    #[param(nullable = false)]
    consumer: Option<String>,
    /// With an event of this type.
    #[param(nullable = false)]
    event_type: Option<String>,
    /// About this task.
    #[param(minimum = 1, nullable = false)]
    task_id: Option<i64>,
    /// With this event.
    #[param(nullable = false)]
    event_id: Option<Uuid>,
    /// Letters on a page.
    #[param(minimum = 1, maximum = 200, default = 50, nullable = false)]
    limit: Option<u16>,
    /// `next` of the page before.
    #[param(nullable = false)]
    after: Option<Uuid>,
}

/// What became of a letter so far.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = LetterState)]
pub(super) enum Standing {
    /// Nobody has decided.
    Waiting,
    /// Its event went back.
    Replayed,
    /// A newer version was applied.
    Superseded,
    /// It was given up for good.
    Discarded,
    /// Whatever it is.
    Any,
}

/// A page of letters.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct LetterPage {
    /// The letters, the oldest first.
    items: Vec<Head>,
    /// `after` of the next page; null on the last one.
    next: Option<Uuid>,
}

/// List letters
#[utoipa::path(
    get, path = "/dead-letters", tag = "letters", operation_id = "list_dead_letters",
    params(ListQuery),
    responses((status = 200, description = "A page of letters", body = LetterPage)),
)]
pub(super) async fn list(State(app): State<App>, Query(query): Query<ListQuery>) -> Result<Response, Problem> {
    let limit = refuse::limit(query.limit)?;
    let state = match query.state.unwrap_or(Standing::Waiting) {
        Standing::Waiting => Some("waiting"),
        Standing::Replayed => Some("replayed"),
        Standing::Superseded => Some("superseded"),
        Standing::Discarded => Some("discarded"),
        Standing::Any => None,
    };
    let filter = Filter {
        ids: None,
        origin: query.topic,
        group: query.group,
        reason: query.reason,
        consumer: query.consumer,
        event_type: query.event_type,
        task_id: query.task_id,
        event_id: query.event_id,
    };
    let mut connection = app.database.acquire().await.map_err(problem)?;
    let page = store::letters::page(&mut connection, &filter, state, query.after, limit + 1).await;
    let mut rows = page.map_err(problem)?;
    let shown = usize::try_from(limit).map_err(Problem::internal)?;
    let more = rows.len() > shown;
    rows.truncate(shown);
    let next = rows.last().filter(|_| more).map(|row| row.id);
    let items = rows.into_iter().map(Head::from).collect();
    Ok(Json(LetterPage { items, next }).into_response())
}

/// Read a letter
///
/// With key, value and headers as they are, and what was done about it.
#[utoipa::path(
    get, path = "/dead-letters/{id}", tag = "letters", operation_id = "read_dead_letter",
    params(("id" = Uuid, Path, description = "Which letter")),
    responses((status = 200, description = "The letter", body = Shown)),
)]
pub(super) async fn show(State(app): State<App>, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let shown = Shown::load(&app.database, id).await.map_err(problem)?;
    let shown = shown.ok_or_else(|| Problem::new(&codes::NOT_FOUND))?;
    // It holds what people wrote.
    let not_kept = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((not_kept, Json(shown)).into_response())
}

/// Which groups.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct GroupQuery {
    /// Given up in this topic.
    #[param(nullable = false)]
    topic: Option<String>,
    /// Given up for this kind of failure.
    #[param(nullable = false)]
    reason: Option<String>,
    /// Given up by this service.
    #[param(nullable = false)]
    consumer: Option<String>,
}

/// Group letters
///
/// Those that wait, by topic, consumer, reason and what happened; the largest groups first, at most 200.
#[utoipa::path(
    get, path = "/dead-letters/groups", tag = "letters", operation_id = "group_dead_letters",
    params(GroupQuery),
    responses((status = 200, description = "The groups", body = Vec<Group>)),
)]
pub(super) async fn groups(
    State(app): State<App>,
    Query(query): Query<GroupQuery>,
) -> Result<Json<Vec<Group>>, Problem> {
    let filter = Filter {
        origin: query.topic,
        reason: query.reason,
        consumer: query.consumer,
        ..Filter::default()
    };
    let mut connection = app.database.acquire().await.map_err(problem)?;
    let groups = store::statistics::groups(&mut connection, &filter, MOST_GROUPS).await;
    Ok(Json(groups.map_err(problem)?.into_iter().map(Group::from).collect()))
}

/// Count letters
///
/// By topic: how many wait and for how long, how many came, and what became of them.
#[utoipa::path(
    get, path = "/dead-letters/stats", tag = "letters", operation_id = "count_dead_letters",
    responses((status = 200, description = "The counts of every topic", body = Vec<Statistics>)),
)]
pub(super) async fn statistics(State(app): State<App>) -> Result<Json<Vec<Statistics>>, Problem> {
    let counted = Statistics::load(&app.database).await;
    counted.map(Json).map_err(problem)
}

/// Which actions.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ActionQuery {
    /// Actions on a page.
    #[param(minimum = 1, maximum = 200, default = 50, nullable = false)]
    limit: Option<u16>,
    /// `next` of the page before.
    #[param(nullable = false)]
    before: Option<Uuid>,
}

/// A page of actions.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct ActionPage {
    /// The actions, the latest first.
    items: Vec<Action>,
    /// `before` of the next page; null on the last one.
    next: Option<Uuid>,
}

/// List actions
///
/// Everything that operators did, dry runs too. What came back is counted where one action is read.
#[utoipa::path(
    get, path = "/dead-letters/actions", tag = "actions", operation_id = "list_dead_letter_actions",
    params(ActionQuery),
    responses((status = 200, description = "A page of actions", body = ActionPage)),
)]
pub(super) async fn actions(
    State(app): State<App>,
    Query(query): Query<ActionQuery>,
) -> Result<Json<ActionPage>, Problem> {
    let limit = refuse::limit(query.limit)?;
    let mut connection = app.database.acquire().await.map_err(problem)?;
    let page = store::actions::page(&mut connection, query.before, limit + 1).await;
    let mut rows = page.map_err(problem)?;
    let shown = usize::try_from(limit).map_err(Problem::internal)?;
    let more = rows.len() > shown;
    rows.truncate(shown);
    let next = rows.last().filter(|_| more).map(|row| row.id);
    let items = rows.into_iter().map(Action::from).collect();
    Ok(Json(ActionPage { items, next }))
}

/// Read an action
///
/// How far it is, and what became of its letters.
#[utoipa::path(
    get, path = "/dead-letters/actions/{id}", tag = "actions", operation_id = "read_dead_letter_action",
    params(("id" = Uuid, Path, description = "Which action")),
    responses((status = 200, description = "The action", body = Report)),
)]
pub(super) async fn action(State(app): State<App>, Path(id): Path<Uuid>) -> Result<Json<Report>, Problem> {
    let found = desk::action(&app.database, id).await.map_err(problem)?;
    let (action, items) = found.ok_or_else(|| Problem::new(&codes::NOT_FOUND))?;
    Ok(Json(Report { action, items }))
}
