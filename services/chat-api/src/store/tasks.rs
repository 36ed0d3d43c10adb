//! Tasks: found, locked, written.

use domain::{
    id::{SeriesId, TaskId, UserId},
    task::{Task, transition::ChangeKind},
};
use jiff::Timestamp;
use serde_json::Value;
use service_kit::database::time::{Instant, WallTime};
use sqlx::{PgConnection, Result, types::Json};

use super::row::{TaskRow, due_columns, rank_of};
use crate::shape;

/// `select` of whole rows of tasks: what follows the table, then the parameters.
macro_rules! select_tasks {
    ($tail:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            TaskRow,
            r#"select id, user_id, title, description, status, priority, tags, due_kind, due_local, due_zone,
                reminders as "reminders: Json<Vec<shape::Reminder>>",
                recurrence as "recurrence: Json<shape::Recurrence>",
                series, occurrence, ordinal, version, created_at, updated_at, completed_at
            from chat.task "# + $tail
            $(, $argument)*
        )
    };
}

/// One task of this person.
pub(crate) async fn find(connection: &mut PgConnection, user: &UserId, id: TaskId) -> Result<Option<TaskRow>> {
    select_tasks!("where id = $1 and user_id = $2", id.get(), user.as_str())
        .fetch_optional(connection)
        .await
}

/// One task of this person, that nobody else changes before the transaction ends.
pub(crate) async fn find_and_lock(connection: &mut PgConnection, user: &UserId, id: TaskId) -> Result<Option<TaskRow>> {
    select_tasks!("where id = $1 and user_id = $2 for update", id.get(), user.as_str())
        .fetch_optional(connection)
        .await
}

/// Locks these tasks of this person and those that follow them in their series, in the order of their ids.
pub(crate) async fn lock_all(connection: &mut PgConnection, user: &UserId, ids: &[i64]) -> Result<()> {
    sqlx::query!(
        "select id from chat.task
        where user_id = $1
            and (id = any($2) or id in (select task_id from chat.occurrence where predecessor_id = any($2)))
        order by id for update",
        user.as_str(),
        ids,
    )
    .fetch_all(connection)
    .await?;
    Ok(())
}

/// One task, whosever it is, locked: for the service that makes next instances, which knows no person.
pub(crate) async fn find_any_and_lock(connection: &mut PgConnection, id: TaskId) -> Result<Option<TaskRow>> {
    select_tasks!("where id = $1 for update", id.get())
        .fetch_optional(connection)
        .await
}

/// The task that followed this one in its series, locked, if this person still has it.
pub(crate) async fn find_successor_and_lock(
    connection: &mut PgConnection,
    user: &UserId,
    predecessor: TaskId,
    series: SeriesId,
) -> Result<Option<TaskRow>> {
    select_tasks!(
        "where user_id = $1
            and id = (select task_id from chat.occurrence where predecessor_id = $2 and series = $3)
        for update",
        user.as_str(),
        predecessor.get(),
        series.get(),
    )
    .fetch_optional(connection)
    .await
}

/// The id of a task that is about to be created: its event holds it.
pub(crate) async fn next_id(connection: &mut PgConnection) -> Result<i64> {
    sqlx::query_scalar!(r#"select nextval('chat.task_id_seq') as "id!""#)
        .fetch_one(connection)
        .await
}

/// What is written beside a task.
#[derive(Clone, Debug)]
pub(crate) struct Beside<'a> {
    /// The instant of its due time, in the person's zone.
    pub(crate) due_at: Option<Timestamp>,
    /// The person's language, for searches.
    pub(crate) language: &'a str,
    /// What happened to it.
    pub(crate) kind: ChangeKind,
    /// Which fields changed, for people.
    pub(crate) fields: Value,
    /// Ties it to the request.
    pub(crate) correlation_id: &'a str,
}

/// The person's profile as a write finds it, locked by the write.
#[derive(Clone, Debug)]
pub(crate) struct Raised {
    /// What the counter shows now.
    pub(crate) user_sequence: i64,
    /// The zone that floating times are read in.
    pub(crate) time_zone: String,
}

/// Writes a new task and its first change. The person's counter is raised last, since all their writes wait for it;
/// returned is what it shows then, and where they live.
pub(crate) async fn insert(connection: &mut PgConnection, task: &Task, beside: &Beside<'_>) -> Result<Raised> {
    let due = task.due.as_ref().map(due_columns);
    sqlx::query_as!(
        Raised,
        r#"with task as (
            insert into chat.task (
                id, user_id, title, description, status, priority, tags, due_kind, due_local, due_zone, due_at,
                reminders, recurrence, series, occurrence, ordinal, version, created_at, updated_at, completed_at,
                search_language
            ) values (
                $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $18, $19,
                $20::text::regconfig
            )
        ), change as (
            insert into chat.task_change (task_id, version, kind, changed_at, correlation_id, fields)
            values ($1, $17, $21, $18, $22, $23)
        )
        insert into chat.profile as profile (user_id, user_sequence) values ($2, 1)
        on conflict (user_id) do update set user_sequence = profile.user_sequence + 1
        returning user_sequence, time_zone"#,
        task.id.get(),
        task.user.as_str(),
        task.title.as_str(),
        task.description.as_str(),
        task.status.as_str(),
        rank_of(task.priority),
        &tags(task),
        due.map(|(kind, _)| kind),
        task.due.as_ref().map(|due| WallTime(due.local())) as _,
        due.and_then(|(_, zone)| zone),
        beside.due_at.map(Instant) as _,
        Json(reminders(task)) as _,
        recurrence(task) as _,
        task.series.map(|it| it.series.get()),
        task.series.map(|it| WallTime(it.occurrence.key.get())) as _,
        ordinal(task),
        task.version,
        Instant(task.updated_at) as _,
        task.completed_at.map(Instant) as _,
        beside.language,
        beside.kind.as_str(),
        beside.correlation_id,
        beside.fields,
    )
    .fetch_one(connection)
    .await
}

/// Writes a changed task and the change, and raises the person's counter as [`insert`] does.
pub(crate) async fn update(connection: &mut PgConnection, task: &Task, beside: &Beside<'_>) -> Result<Raised> {
    let due = task.due.as_ref().map(due_columns);
    sqlx::query_as!(
        Raised,
        r#"with task as (
            update chat.task set
                title = $2, description = $3, status = $4, priority = $5, tags = $6, due_kind = $7, due_local = $8,
                due_zone = $9, due_at = $10, reminders = $11, recurrence = $12, series = $13, occurrence = $14,
                ordinal = $15, version = $16, updated_at = $17, completed_at = $18,
                search_language = $19::text::regconfig
            where id = $1
        ), change as (
            insert into chat.task_change (task_id, version, kind, changed_at, correlation_id, fields)
            values ($1, $16, $20, $17, $21, $22)
        )
        insert into chat.profile as profile (user_id, user_sequence) values ($23, 1)
        on conflict (user_id) do update set user_sequence = profile.user_sequence + 1
        returning user_sequence, time_zone"#,
        task.id.get(),
        task.title.as_str(),
        task.description.as_str(),
        task.status.as_str(),
        rank_of(task.priority),
        &tags(task),
        due.map(|(kind, _)| kind),
        task.due.as_ref().map(|due| WallTime(due.local())) as _,
        due.and_then(|(_, zone)| zone),
        beside.due_at.map(Instant) as _,
        Json(reminders(task)) as _,
        recurrence(task) as _,
        task.series.map(|it| it.series.get()),
        task.series.map(|it| WallTime(it.occurrence.key.get())) as _,
        ordinal(task),
        task.version,
        Instant(task.updated_at) as _,
        task.completed_at.map(Instant) as _,
        beside.language,
        beside.kind.as_str(),
        beside.correlation_id,
        beside.fields,
        task.user.as_str(),
    )
    .fetch_one(connection)
    .await
}

/// Removes a task with everything that was noted about it, and raises the person's counter as [`insert`] does.
pub(crate) async fn delete(connection: &mut PgConnection, user: &UserId, id: TaskId) -> Result<Raised> {
    sqlx::query_as!(
        Raised,
        r#"with task as (delete from chat.task where id = $1 and user_id = $2)
        insert into chat.profile as profile (user_id, user_sequence) values ($2, 1)
        on conflict (user_id) do update set user_sequence = profile.user_sequence + 1
        returning user_sequence, time_zone"#,
        id.get(),
        user.as_str(),
    )
    .fetch_one(connection)
    .await
}

fn tags(task: &Task) -> Vec<String> {
    let tags = task.tags.as_slice().iter();
    tags.map(|tag| tag.as_str().to_owned()).collect()
}

fn reminders(task: &Task) -> Vec<shape::Reminder> {
    task.reminders.as_slice().iter().map(shape::Reminder::from).collect()
}

fn recurrence(task: &Task) -> Option<Json<shape::Recurrence>> {
    task.recurrence.as_ref().map(|it| Json(it.into()))
}

fn ordinal(task: &Task) -> Option<i32> {
    task.series.and_then(|it| i32::try_from(it.occurrence.ordinal).ok())
}
