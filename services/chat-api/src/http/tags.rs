//! `GET /tags`

use axum::extract::State;
use serde::{Deserialize, Serialize};
use service_kit::{
    Problem, database,
    extract::{Json, Query},
};
use utoipa::{IntoParams, ToSchema};

use super::{caller::Caller, page};
use crate::{app::App, store::tags};

/// How many tags, and from where on.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct TagQuery {
    /// Tags on a page.
    #[param(minimum = 1, maximum = 200, default = 50, nullable = false)]
    limit: Option<u16>,
    /// `next` of the page before.
    #[param(nullable = false, format = "cursor")]
    cursor: Option<String>,
}

/// A page of tags.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct TagPage {
    /// The tags, in the order of their letters.
    items: Vec<TagView>,
    /// Where the next page begins; null on the last one.
    next: Option<String>,
}

/// A tag in use.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct TagView {
    /// The tag.
    #[schema(min_length = 1, max_length = 50)]
    name: String,
    /// Tasks with it that are to be done.
    #[schema(minimum = 0)]
    open_tasks: i64,
    /// All tasks with it.
    #[schema(minimum = 1)]
    tasks: i64,
}

/// List the tags in use
#[utoipa::path(
    get, path = "/tags", tag = "tasks", operation_id = "list_tags",
    params(TagQuery),
    responses((status = 200, description = "A page of tags", body = TagPage)),
)]
pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<TagQuery>,
) -> Result<Json<TagPage>, Problem> {
    let limit = page::limit(query.limit)?;
    let behind: Option<String> = query.cursor.as_deref().map(page::read_cursor).transpose()?;
    if behind.as_ref().is_some_and(|behind| behind.contains('\0')) {
        return Err(page::foreign_cursor());
    }
    let mut connection = app.database.acquire().await.map_err(database::problem)?;
    let mut rows = tags::page(&mut connection, &caller.user, behind.as_deref(), limit + 1)
        .await
        .map_err(database::problem)?;
    let has_more = rows.len() > usize::try_from(limit).map_err(Problem::internal)?;
    if has_more {
        rows.pop();
    }
    let last = rows.last().filter(|_| has_more);
    Ok(Json(TagPage {
        next: last.map(|last| page::cursor(&last.name)).transpose()?,
        items: rows
            .into_iter()
            .map(|row| TagView {
                name: row.name,
                open_tasks: row.open_tasks,
                tasks: row.tasks,
            })
            .collect(),
    }))
}
