//! `GET /tasks/{id}/history`

use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service_kit::{
    Problem, database,
    extract::{Json, Path, Query},
};
use utoipa::{IntoParams, ToSchema};

use super::{
    caller::{Caller, TaskNumber},
    page,
};
use crate::{
    app::App,
    store::changes::{self, ChangeRow},
    usecase::tasks,
};

/// How many changes, and from where on.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct HistoryQuery {
    /// Changes on a page.
    #[param(minimum = 1, maximum = 200, default = 50, nullable = false)]
    limit: Option<u16>,
    /// `next` of the page before.
    #[param(nullable = false, format = "cursor")]
    cursor: Option<String>,
}

/// A page of changes.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct ChangePage {
    /// The changes, the latest first.
    items: Vec<ChangeView>,
    /// Where the next page begins; null on the last one.
    next: Option<String>,
}

/// A change of a task.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct ChangeView {
    /// The version that it led to.
    #[schema(minimum = 1)]
    version: i64,
    /// What kind of change it was.
    #[schema(value_type = ChangeKind)]
    kind: String,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    changed_at: Timestamp,
    /// What ties it to the request, and to everything else that came of it.
    correlation_id: String,
    /// Each field that changed. Of a description only the length is told, as `description_bytes`.
    #[schema(value_type = BTreeMap<String, FieldChange>)]
    fields: Value,
}

/// What a field was and what it is.
#[derive(ToSchema)]
#[expect(dead_code, reason = "stands for its schema")]
struct FieldChange {
    /// What it was; null when there was nothing.
    #[schema(value_type = Option<Value>)]
    from: Value,
    /// What it is; null when there is nothing any more.
    #[schema(value_type = Option<Value>)]
    to: Value,
}

/// What kind of change it was.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "stands for its schema")]
enum ChangeKind {
    /// The task was created.
    Created,
    /// It was changed; also reopened and put off.
    Updated,
    /// It was completed.
    Completed,
}

/// Read what happened to a task
#[utoipa::path(
    get, path = "/tasks/{id}/history", tag = "tasks", operation_id = "read_history",
    params(("id" = inline(TaskNumber), Path, description = "Which task"), HistoryQuery),
    responses((status = 200, description = "A page of changes", body = ChangePage)),
)]
pub(super) async fn history(
    State(app): State<App>,
    caller: Caller,
    Path(TaskNumber(id)): Path<TaskNumber>,
    Query(query): Query<HistoryQuery>,
) -> Result<Json<ChangePage>, Problem> {
    let limit = page::limit(query.limit)?;
    let before = query.cursor.as_deref().map(page::read_cursor).transpose()?;
    let mut connection = app.database.acquire().await.map_err(database::problem)?;
    let mut changes = changes::page(&mut connection, &caller.user, id, before, limit + 1)
        .await
        .map_err(database::problem)?;
    if changes.is_empty() {
        // Every task has a first change: either there is no such task, or the page begins behind it.
        tasks::read(&mut connection, &caller.user, id).await?;
    }
    let has_more = changes.len() > usize::try_from(limit).map_err(Problem::internal)?;
    if has_more {
        changes.pop();
    }
    let last = changes.last().filter(|_| has_more);
    Ok(Json(ChangePage {
        next: last.map(|last| page::cursor(&last.version)).transpose()?,
        items: changes.into_iter().map(ChangeView::from).collect(),
    }))
}

impl From<ChangeRow> for ChangeView {
    fn from(row: ChangeRow) -> Self {
        Self {
            version: row.version,
            kind: row.kind,
            changed_at: row.changed_at.0,
            correlation_id: row.correlation_id,
            fields: row.fields,
        }
    }
}
