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

use super::{App, entry::Entry};
use crate::{
    chain::{Anchor, Hash},
    store::{self, rows::Behind},
};

const LIMITS: std::ops::RangeInclusive<i64> = 1..=200;
const DEFAULT_LIMIT: i64 = 50;

/// Which rows are asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    /// Only rows behind this position; from the first on without it.
    #[serde(default)]
    after: i64,
    /// The most rows, 1 to 200; 50 without it.
    limit: Option<i64>,
}

/// A page of a task's record, oldest first.
#[derive(Debug, Serialize)]
pub(super) struct Trail {
    task_id: i64,
    /// Where the chain ends now. Whoever keeps it can tell later whether the record was rewritten.
    head: End,
    /// Rows that went with their days.
    dropped: Vec<Dropped>,
    entries: Vec<Entry>,
    /// The `after` of the next page, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

#[derive(Debug, Serialize)]
struct End {
    position: i64,
    hash: Hash,
}

#[derive(Debug, Serialize)]
struct Dropped {
    first_position: i64,
    last_position: i64,
    previous_hash: Hash,
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

/// Answers with a page. The page may be shorter than `limit` where events are large; `next` tells whether it was the
/// last.
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
    let limit = page.limit.unwrap_or(DEFAULT_LIMIT);
    if LIMITS.contains(&limit) {
        return Ok(limit);
    }
    let message = format!("must be from {} to {}", LIMITS.start(), LIMITS.end());
    Err(Problem::new(&codes::INVALID_PARAMETER)
        .detail(format!("Parameter `limit` {message}."))
        .at(FieldError::parameter("limit", Fault::OutOfRange, message)))
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
