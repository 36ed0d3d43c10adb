//! Lists of tasks, in pages that begin behind the last task of the page before.

use domain::id::UserId;
use futures::{TryStreamExt as _, stream::BoxStream};
use jiff::Timestamp;
use service_kit::database::time::Instant;
use sqlx::{PgConnection, Result, types::Json};

use super::row::TaskRow;
use crate::shape;

/// Bytes of text that a page holds, about: it ends early rather than hold more.
const PAGE_BYTES: usize = 4 << 20;

/// Which tasks are wanted. An empty list asks for nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// One of these.
    pub(crate) statuses: Vec<String>,
    /// One of these ranks.
    pub(crate) priorities: Vec<i16>,
    /// All of these.
    pub(crate) tags: Vec<String>,
    /// Due then or later.
    pub(crate) due_from: Option<Timestamp>,
    /// Due before then.
    pub(crate) due_to: Option<Timestamp>,
    /// Each of its words, in title or description.
    pub(crate) text: Option<String>,
}

/// What tasks are sorted by; their ids decide where that is equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Due time; those without one come last in both directions.
    Due,
    /// Priority.
    Priority,
    /// Title, as people sort.
    Title,
    /// Time of creation.
    Created,
}

/// Up or down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Ascending,
    Descending,
}

/// The task behind which a page begins: its id, and that of its values by which tasks are sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Behind {
    pub(crate) id: i64,
    pub(crate) due_at: Option<Timestamp>,
    pub(crate) priority: Option<i16>,
    pub(crate) title: Option<String>,
    pub(crate) created_at: Option<Timestamp>,
}

/// Rows, and whether more follow.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) rows: Vec<TaskRow>,
    pub(crate) has_more: bool,
}

/// One order in one direction, among tasks of any status: by what it sorts, and the value of the task behind which the
/// page begins.
macro_rules! list {
    ($question:ident, $connection:ident, $key:literal, $comparison:literal, $direction:literal, $value:literal,
     $argument:expr) => {
        select!(
            $question,
            $connection,
            "(cardinality($2::text[]) = 0 or status = any($2))",
            &$question.filter.statuses,
            ($key + ", id) " + $comparison + " (" + $value + ", $8)"),
            $argument,
            ($key + " " + $direction + ", id " + $direction)
        )
    };
}

/// The statement behind every list: how it asks for the status, where the page begins, and how tasks are sorted.
macro_rules! select {
    ($question:ident, $connection:ident, $status:literal, $statuses:expr, ($($behind:tt)+), $argument:expr,
     ($($order:tt)+)) => {
        sqlx::query_as!(
            TaskRow,
            r#"select id, user_id, title, description, status, priority, tags, due_kind, due_local, due_zone,
                reminders as "reminders: Json<Vec<shape::Reminder>>",
                recurrence as "recurrence: Json<shape::Recurrence>",
                series, occurrence, ordinal, version, created_at, updated_at, completed_at
            from chat.task
            where user_id = $1
                and "#
                + $status
                + r#"
                and (cardinality($3::smallint[]) = 0 or priority = any($3))
                and tags @> $4::text[]
                and ($5::timestamptz is null or due_at >= $5)
                and ($6::timestamptz is null or due_at < $6)
                and ($7::text is null or plain_words @@ plainto_tsquery('chat.plain', $7))
                and ($8::bigint is null or ("#
                + $($behind)+
                + ")
            order by "
                + $($order)+
                + " limit $10",
            $question.user.as_str(),
            $statuses,
            &$question.filter.priorities,
            &$question.filter.tags,
            $question.filter.due_from.map(Instant) as _,
            $question.filter.due_to.map(Instant) as _,
            $question.filter.text,
            $question.behind.as_ref().map(|it| it.id),
            $question.behind.as_ref().and_then($argument) as _,
            $question.limit + 1,
        )
        .fetch($connection)
    };
}

/// What is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) user: UserId,
    pub(crate) filter: Filter,
    pub(crate) order: Order,
    pub(crate) direction: Direction,
    pub(crate) behind: Option<Behind>,
    /// Tasks on the page, at most.
    pub(crate) limit: i64,
}

/// A page of a person's tasks.
pub(crate) async fn page(connection: &mut PgConnection, question: &Question) -> Result<Page> {
    use Direction::{Ascending, Descending};
    let found = match (question.order, question.direction, question.filter.statuses.as_slice()) {
        // What people look at all day. Asked like this, the index gives the rows in their order, and only those.
        (Order::Due, Ascending, [status]) => select!(
            question,
            connection,
            "status = $2",
            status.as_str(),
            ("coalesce(due_at, 'infinity'), id) > (coalesce($9::timestamptz, 'infinity'), $8)"),
            |it| it.due_at.map(Instant),
            ("due_at asc nulls last, id asc")
        ),
        (Order::Due, Ascending, _) => list!(
            question,
            connection,
            "coalesce(due_at, 'infinity')",
            ">",
            "asc",
            "coalesce($9::timestamptz, 'infinity')",
            |it| it.due_at.map(Instant)
        ),
        (Order::Due, Descending, _) => list!(
            question,
            connection,
            "coalesce(due_at, '-infinity')",
            "<",
            "desc",
            "coalesce($9::timestamptz, '-infinity')",
            |it| it.due_at.map(Instant)
        ),
        (Order::Priority, Ascending, _) => list!(question, connection, "priority", ">", "asc", "$9::smallint", |it| it
            .priority),
        (Order::Priority, Descending, _) => {
            list!(question, connection, "priority", "<", "desc", "$9::smallint", |it| it
                .priority)
        }
        (Order::Title, Ascending, _) => list!(
            question,
            connection,
            r#"title collate "und-x-icu""#,
            ">",
            "asc",
            "$9::text",
            |it| it.title.clone()
        ),
        (Order::Title, Descending, _) => list!(
            question,
            connection,
            r#"title collate "und-x-icu""#,
            "<",
            "desc",
            "$9::text",
            |it| it.title.clone()
        ),
        (Order::Created, Ascending, _) => list!(
            question,
            connection,
            "created_at",
            ">",
            "asc",
            "$9::timestamptz",
            |it| it.created_at.map(Instant)
        ),
        (Order::Created, Descending, _) => list!(
            question,
            connection,
            "created_at",
            "<",
            "desc",
            "$9::timestamptz",
            |it| it.created_at.map(Instant)
        ),
    };
    gather(found, usize::try_from(question.limit).unwrap_or(usize::MAX)).await
}

/// The rows of a page: so many at most, and not too long together.
async fn gather(mut found: BoxStream<'_, Result<TaskRow>>, limit: usize) -> Result<Page> {
    let (mut rows, mut bytes) = (Vec::new(), 0);
    while let Some(row) = found.try_next().await? {
        if rows.len() == limit || bytes > PAGE_BYTES {
            return Ok(Page { rows, has_more: true });
        }
        bytes += row.description.len();
        rows.push(row);
    }
    Ok(Page { rows, has_more: false })
}
