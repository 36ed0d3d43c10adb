//! `GET /tasks/{id}/audit`: the record of one task.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, header},
};
use serde::{Deserialize, Serialize};
use service_kit::{
    Problem,
    auth::User,
    database::problem,
    extract::{Path, Query},
    problem::{Fault, FieldError, codes},
};

use utoipa::{IntoParams, ToSchema};

use super::{
    App,
    entry::{Entry, HashText},
};
use crate::{
    chain::{Anchor, Hash},
    store::{self, rows::Behind},
};

const LIMITS: std::ops::RangeInclusive<i64> = 1..=200;
const DEFAULT_LIMIT: i64 = 50;

/// Which rows are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// Only rows behind this position; from the first on without it.
    #[serde(default)]
    #[param(minimum = 0, default = 0, required = false)]
    after: i64,
    /// The most rows.
    #[param(minimum = 1, maximum = 200, default = 50, nullable = false)]
    limit: Option<i64>,
}

/// A page of a task's record, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Trail {
    /// Which task.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    task_id: i64,
    /// Where the chain ends now. Whoever keeps it can tell later whether the record was rewritten.
    head: End,
    /// Rows that went with their days.
    dropped: Vec<Dropped>,
    /// The rows.
    entries: Vec<Entry>,
    /// The `after` of the next page, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, nullable = false, required = false)]
    next: Option<i64>,
}

/// The end of a chain.
#[derive(Debug, Serialize, ToSchema)]
struct End {
    /// Of the last row.
    #[schema(minimum = 1)]
    position: i64,
    /// Of the last row.
    #[schema(value_type = HashText)]
    hash: Hash,
}

/// Rows that went with their days: what the chain still tells about them.
#[derive(Debug, Serialize, ToSchema)]
struct Dropped {
    /// Of the first of them.
    #[schema(minimum = 1)]
    first_position: i64,
    /// Of the last of them.
    #[schema(minimum = 1)]
    last_position: i64,
    /// What the first of them followed.
    #[schema(value_type = HashText)]
    previous_hash: Hash,
    /// Of the last of them.
    #[schema(value_type = HashText)]
    last_hash: Hash,
}

impl From<Anchor> for Dropped {
    fn from(anchor: Anchor) -> Self {
        Self {
            first_position: anchor.first_position,
            last_position: anchor.last_position,
            previous_hash: anchor.previous_hash,
            last_hash: anchor.last_hash,
        }
    }
}

/// Read the record of a task
///
/// A page may be shorter than `limit` where events are large; `next` tells whether it was the last. The record of a task
/// that was deleted stays.
#[utoipa::path(
    get, path = "/tasks/{id}/audit", tag = "record", operation_id = "read_record",
    params(("id" = i64, Path, description = "Which task", minimum = 1, maximum = 9_007_199_254_740_991_i64), Page),
    responses((
        status = 200, description = "A page of the record", body = Trail,
        headers(("Link" = String, description = "The next page, if there is one: `rel=\"next\"`")),
    )),
)]
pub(super) async fn show(
    State(app): State<App>,
    user: User,
    Path(task_id): Path<i64>,
    Query(page): Query<Page>,
) -> Result<(HeaderMap, Json<Trail>), Problem> {
    let limit = limit_of(&page)?;
    let trail = load(&app, user.id(), task_id, page.after, limit)
        .await
        .map_err(problem)?;
    let trail = trail.ok_or_else(|| Problem::new(&codes::NOT_FOUND))?;
    let mut headers = HeaderMap::new();
    if let Some(next) = trail.next {
        let link = format!("</tasks/{task_id}/audit?after={next}&limit={limit}>; rel=\"next\"");
        let link = HeaderValue::try_from(link).expect("numbers can stand in a header");
        headers.insert(header::LINK, link);
    }
    Ok((headers, Json(trail)))
}

fn limit_of(page: &Page) -> Result<i64, Problem> {
    if page.after < 0 {
        return Err(refuse("after", "must not be negative".to_owned()));
    }
    let limit = page.limit.unwrap_or(DEFAULT_LIMIT);
    if LIMITS.contains(&limit) {
        return Ok(limit);
    }
    let message = format!("must be from {} to {}", LIMITS.start(), LIMITS.end());
    Err(refuse("limit", message))
}

fn refuse(name: &'static str, message: String) -> Problem {
    Problem::new(&codes::INVALID_PARAMETER)
        .detail(format!("Parameter `{name}` {message}."))
        .at(FieldError::parameter(name, Fault::OutOfRange, message))
}

/// A page of the record of this person's task; `None` when they have no such task.
async fn load(app: &App, user_id: &str, task_id: i64, after: i64, limit: i64) -> sqlx::Result<Option<Trail>> {
    let mut transaction = app.database.begin().await?;
    store::rows::see_one_moment(&mut transaction).await?;
    let Some(head) = store::chains::find(&mut transaction, task_id, user_id).await? else {
        return Ok(None);
    };
    let behind = Behind {
        task_id,
        position: after,
    };
    let rows = store::rows::of_tasks(&mut transaction, &[task_id], behind, limit).await?;
    let anchors = store::chains::anchors(&mut transaction, task_id - 1, task_id).await?;
    transaction.commit().await?;
    let last = rows.last().map(|row| row.position);
    Ok(Some(Trail {
        task_id,
        next: last.filter(|last| *last < head.position),
        head: End {
            position: head.position,
            hash: head.hash,
        },
        dropped: anchors.into_iter().map(Dropped::from).collect(),
        entries: rows.into_iter().map(Entry::from).collect(),
    }))
}
