//! A change of a task becomes reminders that are planned, or no longer.

use catalogue::spans;
use event_bus::{Cause, crash_point};
use events::{Event, TaskChanged};
use jiff::Timestamp;
use service_kit::database::{Database, time::Instant};
use sqlx::PgConnection;
use tracing::info_span;
use uuid::Uuid;

use crate::{
    jobs::JobChange,
    plan::{Ending, Known, Spec, State, Step, Wish, plan},
    store::{deliveries, reminders, reminders::NewRow, tasks, tasks::TaskRow},
    telling::Telling,
};

/// Why a change was not applied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The event contradicts what must be true, and will every time.
    #[error("the change of task {0} cannot be applied")]
    Rejected(i64, Cause),
    /// The database.
    #[error("could not plan reminders")]
    Database(#[from] sqlx::Error),
}

/// A generation that began or ended: what whoever wakes at its time must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Planned {
    /// It waits for this instant.
    Waits { id: Uuid, generation: i32, at: Timestamp },
    /// It waits no more.
    Ended { id: Uuid, generation: i32, ending: Ending },
    /// It was past when it was chosen.
    Past { id: Uuid, generation: i32 },
}

/// Applies a change of a task; `None` when this version or a later one was applied before.
pub(crate) async fn apply(
    database: &Database,
    event: &Event,
    changed: &TaskChanged,
    telling: &Telling,
) -> Result<Option<Vec<Planned>>, Error> {
    let task_id = changed.snapshot.id.get();
    let rejected = |error: &events::ParseError| Error::Rejected(task_id, Cause::from(error));
    let task = changed.snapshot.to_domain().map_err(|error| rejected(&error))?;
    let zone = changed.snapshot.user_zone().map_err(|error| rejected(&error))?;
    let wish = Wish::of(changed.kind, &task, &zone);
    let row = TaskRow {
        task_id,
        user_id: task.user.as_str().to_owned(),
        version: task.version,
        is_open: wish.ending == Ending::Removed,
        title: task.title.as_str().to_owned(),
        due_at: task.due.as_ref().map(|due| Instant(due.at(&zone))),
        time_zone: zone.name().to_owned(),
    };
    let mut transaction = database.begin().await?;
    let (owner, version) = tasks::lock(&mut transaction, &row).await?;
    if owner != row.user_id {
        let cause = Cause::rejected(format!("task {task_id} belongs to another person"));
        return Err(Error::Rejected(task_id, cause));
    }
    if version >= row.version {
        return Ok(None);
    }
    tasks::update(&mut transaction, &row).await?;
    let planned = write(&mut transaction, event, &row, &wish).await?;
    crash_point!("notification.before_plan_commit");
    transaction.commit().await?;
    crash_point!("notification.after_plan_commit");
    tell(task_id, &planned, telling);
    Ok(Some(planned))
}

/// Wakes and counts, once what was planned is committed.
pub(crate) fn tell(task_id: i64, planned: &[Planned], telling: &Telling) {
    for it in planned {
        let state = match *it {
            Planned::Waits { id, generation, at } => {
                telling.job_changes(JobChange::new(task_id, id, generation, Some(at)));
                State::Planned
            }
            Planned::Ended { id, generation, .. } => {
                telling.job_changes(JobChange::new(task_id, id, generation, None));
                State::Superseded
            }
            Planned::Past { .. } => State::Expired,
        };
        telling.entered(state, 1);
    }
    if planned.iter().any(|it| matches!(it, Planned::Waits { .. })) {
        telling.planned.notify_one();
    }
}

async fn write(
    connection: &mut PgConnection,
    event: &Event,
    task: &TaskRow,
    wish: &Wish,
) -> Result<Vec<Planned>, Error> {
    let known = known(connection, task.task_id).await?;
    let mut done = Vec::new();
    for step in plan(wish, &known) {
        match step {
            Step::Supersede { id, generation, ending } => {
                if reminders::supersede(connection, id, generation, ending).await? {
                    done.push(Planned::Ended { id, generation, ending });
                }
                deliveries::cancel_of_reminder(connection, id, generation).await?;
            }
            Step::Begin {
                id,
                generation,
                spec,
                at,
                is_past,
            } => {
                let new = NewRow {
                    id: id.unwrap_or_else(Uuid::now_v7),
                    generation,
                    task_id: task.task_id,
                    user_id: &task.user_id,
                    spec: spec.as_str(),
                    asked_at: Instant(at),
                    remind_at: Instant(at),
                    task_version: task.version,
                    correlation_id: event.context.correlation_id.as_str(),
                    ending: is_past.then_some(Ending::Past),
                };
                done.extend(begin(connection, &new).await?);
            }
        }
    }
    if !task.is_open {
        // Also what was seen in the application and is still on its way elsewhere.
        deliveries::cancel_of_task(connection, task.task_id).await?;
    }
    Ok(done)
}

async fn known(connection: &mut PgConnection, task_id: i64) -> Result<Vec<Known<Uuid>>, Error> {
    let rows = reminders::latest(connection, task_id).await?;
    let known = rows.into_iter().map(|row| {
        Ok(Known {
            id: row.id,
            generation: row.generation,
            spec: Spec::from_row(row.spec),
            asked_at: row.asked_at.0,
            state: State::from_word(&row.state).ok_or(sqlx::Error::RowNotFound)?,
        })
    });
    Ok(known.collect::<sqlx::Result<_>>()?)
}

/// Begins a generation; `None` when it has begun already.
pub(crate) async fn begin(connection: &mut PgConnection, new: &NewRow<'_>) -> sqlx::Result<Option<Planned>> {
    let (id, generation) = (new.id, new.generation);
    let _span = info_span!(
        spans::REMINDER_PLAN.name,
        { spans::TASK_ID.key } = new.task_id,
        { spans::USER_ID.key } = new.user_id,
        { spans::REMINDER_ID.key } = %id,
        { spans::REMINDER_GENERATION.key } = generation,
    );
    if !reminders::begin(connection, new).await? {
        return Ok(None);
    }
    Ok(Some(match new.ending {
        Some(_) => Planned::Past { id, generation },
        None => Planned::Waits {
            id,
            generation,
            at: new.remind_at.0,
        },
    }))
}
