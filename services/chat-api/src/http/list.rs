//! `GET /tasks`

use axum::{
    extract::State,
    http::{Uri, header},
    response::{IntoResponse as _, Response},
};
use domain::task::{choices, tags::Tag};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use service_kit::{
    Problem, database,
    extract::{Json, Query},
    problem::Fault,
};
use utoipa::{IntoParams, ToSchema};

use super::{
    caller::Caller,
    page::{self, refuse},
};
use crate::{
    app::App,
    shape::{
        choices::{Priority, Status},
        scalar,
        task::TaskView,
        text::TagText,
    },
    store::{
        lists::{Behind, Direction, Filter, Order, Question},
        row::rank_of,
    },
    usecase::lists,
};

/// Which tasks, in which order, how many.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Only with one of these.
    #[serde(default)]
    #[param(required = false)]
    status: Vec<Status>,
    /// Only with one of these.
    #[serde(default)]
    #[param(required = false)]
    priority: Vec<Priority>,
    /// Only with all of these.
    #[serde(default)]
    #[param(required = false, value_type = Vec<TagText>)]
    tag: Vec<String>,
    /// Only what is due then or later.
    #[serde(default, deserialize_with = "scalar::optional_instant")]
    #[param(value_type = Option<String>, format = DateTime, nullable = false)]
    due_from: Option<Timestamp>,
    /// Only what is due before then.
    #[serde(default, deserialize_with = "scalar::optional_instant")]
    #[param(value_type = Option<String>, format = DateTime, nullable = false)]
    due_to: Option<Timestamp>,
    /// Only with each of these words, in title or description.
    #[param(nullable = false)]
    text: Option<String>,
    /// What they are sorted by; `-` in front turns it round.
    #[serde(default)]
    #[param(required = false, inline)]
    sort: Sort,
    /// Tasks on a page. It may hold fewer where their texts are long.
    #[param(minimum = 1, maximum = 200, default = 50, nullable = false)]
    limit: Option<u16>,
    /// `next` of the page before.
    #[param(nullable = false, format = "cursor")]
    cursor: Option<String>,
}

/// A page of tasks.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct TaskPage {
    /// The tasks.
    items: Vec<TaskView>,
    /// Where the next page begins; null on the last one.
    next: Option<String>,
}

/// What tasks are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
enum Sort {
    /// What is due first; what is not due at all last.
    #[default]
    #[serde(rename = "due")]
    Due,
    /// What is due last; what is not due at all last.
    #[serde(rename = "-due")]
    DueDescending,
    /// From none to urgent.
    #[serde(rename = "priority")]
    Priority,
    /// From urgent to none.
    #[serde(rename = "-priority")]
    PriorityDescending,
    /// By the alphabet.
    #[serde(rename = "title")]
    Title,
    /// By the alphabet, from its end.
    #[serde(rename = "-title")]
    TitleDescending,
    /// What was created first.
    #[serde(rename = "created")]
    Created,
    /// What was created last.
    #[serde(rename = "-created")]
    CreatedDescending,
}

impl Sort {
    const fn parts(self) -> (Order, Direction) {
        match self {
            Self::Due => (Order::Due, Direction::Ascending),
            Self::DueDescending => (Order::Due, Direction::Descending),
            Self::Priority => (Order::Priority, Direction::Ascending),
            Self::PriorityDescending => (Order::Priority, Direction::Descending),
            Self::Title => (Order::Title, Direction::Ascending),
            Self::TitleDescending => (Order::Title, Direction::Descending),
            Self::Created => (Order::Created, Direction::Ascending),
            Self::CreatedDescending => (Order::Created, Direction::Descending),
        }
    }
}

/// What a cursor holds: where the page ended, and in which order.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Position {
    sort: Sort,
    id: i64,
    due_at: Option<Timestamp>,
    priority: Option<i16>,
    title: Option<String>,
    created_at: Option<Timestamp>,
}

/// List tasks
#[utoipa::path(
    get, path = "/tasks", tag = "tasks", operation_id = "list_tasks",
    params(ListQuery),
    responses((
        status = 200, description = "A page of tasks", body = TaskPage,
        headers(("Link" = String, description = "The next page, if there is one: `rel=\"next\"`")),
    )),
)]
pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
    Query(query): Query<ListQuery>,
) -> Result<Response, Problem> {
    let sort = query.sort;
    let question = question(caller, query)?;
    let mut connection = app.database.acquire().await.map_err(database::problem)?;
    let found = lists::list(&mut connection, &question).await?;
    let next = found
        .next
        .map(|behind| page::cursor(&position(sort, behind)))
        .transpose()?;
    let link = next
        .as_ref()
        .map(|cursor| page::link_to_next(&uri, cursor))
        .transpose()?;
    let items = found.tasks.iter().map(TaskView::from).collect();
    let mut response = Json(TaskPage { items, next }).into_response();
    response.headers_mut().extend(link.map(|link| (header::LINK, link)));
    Ok(response)
}

fn question(caller: Caller, query: ListQuery) -> Result<Question, Problem> {
    let (order, direction) = query.sort.parts();
    let behind = query
        .cursor
        .as_deref()
        .map(|cursor| behind(cursor, query.sort))
        .transpose()?;
    let tags = query.tag.iter().map(|tag| {
        let tag = Tag::new(tag).map_err(|problem| refuse("tag", Fault::InvalidFormat, problem.message))?;
        Ok::<_, Problem>(tag.to_string())
    });
    let statuses = query.status.into_iter().map(choices::Status::from);
    let priorities = query.priority.into_iter().map(choices::Priority::from);
    Ok(Question {
        user: caller.user,
        filter: Filter {
            statuses: statuses.map(|status| status.to_string()).collect(),
            priorities: priorities.map(rank_of).collect(),
            tags: tags.collect::<Result<_, _>>()?,
            due_from: query.due_from,
            due_to: query.due_to,
            text: query.text,
        },
        order,
        direction,
        behind,
        limit: page::limit(query.limit)?,
    })
}

fn position(sort: Sort, behind: Behind) -> Position {
    let Behind {
        id,
        due_at,
        priority,
        title,
        created_at,
    } = behind;
    Position {
        sort,
        id,
        due_at,
        priority,
        title,
        created_at,
    }
}

fn behind(cursor: &str, sort: Sort) -> Result<Behind, Problem> {
    let position: Position = page::read_cursor(cursor)?;
    let whole = match sort.parts().0 {
        Order::Due => true,
        Order::Priority => position.priority.is_some(),
        // PostgreSQL has no text with this character.
        Order::Title => position.title.as_ref().is_some_and(|title| !title.contains('\0')),
        Order::Created => position.created_at.is_some(),
    };
    if position.sort != sort || !whole {
        return Err(page::foreign_cursor());
    }
    Ok(Behind {
        id: position.id,
        due_at: position.due_at,
        priority: position.priority,
        title: position.title,
        created_at: position.created_at,
    })
}
