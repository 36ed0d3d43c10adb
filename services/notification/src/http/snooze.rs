//! `POST /reminders/{id}/snooze`: later.

use axum::extract::State;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use service_kit::{
    Problem,
    database::{problem, time::Instant},
    extract::{Json, Path},
    problem::{Fault, codes},
};
use sqlx::PgConnection;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    App,
    caller::Caller,
    ledger::{self, Reminder},
    page::refuse_field,
};
use crate::{
    plan::{Ending, State as Standing},
    planner::{self, Planned},
    store::{deliveries, ledger::EntryRow, reminders, reminders::NewRow, tasks},
};

/// The farthest that a reminder may be put off.
const FARTHEST: SignedDuration = SignedDuration::from_hours(366 * 24);

/// Until when: one of the two.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Snooze {
    /// Until this instant, at most 366 days from now.
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    until: Option<Timestamp>,
    /// For so many minutes from now.
    #[schema(minimum = 1, maximum = 527_040, nullable = false)]
    minutes: Option<u32>,
}

impl Snooze {
    fn instant(self, now: Timestamp) -> Result<Timestamp, Problem> {
        let (pointer, at) = match (self.until, self.minutes) {
            (Some(until), None) => ("/until", Some(until)),
            (None, Some(minutes)) => {
                let wait = SignedDuration::from_mins(minutes.into());
                ("/minutes", now.checked_add(wait).ok())
            }
            (Some(_), Some(_)) => {
                let message = "does not go together with `minutes`".to_owned();
                return Err(refuse_field("/until", Fault::Contradiction, message));
            }
            (None, None) => {
                let message = "or `minutes` must be given".to_owned();
                return Err(refuse_field("/until", Fault::Missing, message));
            }
        };
        at.filter(|at| *at > now && at.duration_since(now) <= FARTHEST)
            .ok_or_else(|| {
                let message = "must lie in the future, at most 366 days away".to_owned();
                refuse_field(pointer, Fault::OutOfRange, message)
            })
    }
}

/// Put a reminder off
///
/// Ends what is under way of it, and begins its next generation. Also for one that was seen already.
#[utoipa::path(
    post, path = "/reminders/{id}/snooze", tag = "reminders", operation_id = "snooze_reminder",
    params(("id" = Uuid, Path, description = "Which reminder")),
    request_body = Snooze,
    responses(
        (status = 200, description = "Its new generation", body = Reminder),
        (status = 409, description = "The task is done, gone, or no longer has this reminder", body = Problem,
            content_type = "application/problem+json"),
    ),
)]
pub(super) async fn snooze(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Json(body): Json<Snooze>,
) -> Result<Json<Reminder>, Problem> {
    let until = body.instant(Timestamp::now())?;
    let mut transaction = app.database.begin().await.map_err(problem)?;
    let (task_id, planned) = put_off(&mut transaction, &caller, id, until).await?;
    let reminder = ledger::latest(&mut transaction, &caller.user_id, id).await?;
    transaction.commit().await.map_err(problem)?;
    planner::tell(task_id, &planned, &app.telling);
    Ok(Json(reminder))
}

async fn put_off(
    connection: &mut PgConnection,
    caller: &Caller,
    id: Uuid,
    until: Timestamp,
) -> Result<(i64, Vec<Planned>), Problem> {
    let not_found = || Problem::new(&codes::NOT_FOUND);
    let find = crate::store::ledger::latest(connection, &caller.user_id, id);
    let found = find.await.map_err(problem)?.ok_or_else(not_found)?;
    let task = tasks::lock_known(connection, found.task_id, &caller.user_id)
        .await
        .map_err(problem)?
        .ok_or_else(not_found)?;
    // Again, now that nobody else can change it.
    let find = crate::store::ledger::latest(connection, &caller.user_id, id);
    let latest: EntryRow = find.await.map_err(problem)?.ok_or_else(not_found)?;
    if !task.is_open || latest.state == Standing::Superseded.as_str() {
        let detail = "The task is done, gone, or no longer has this reminder.";
        return Err(Problem::new(&codes::CONFLICT).detail(detail));
    }
    let write = async {
        let mut done = Vec::new();
        let (generation, ending) = (latest.generation, Ending::Snoozed);
        if reminders::supersede(connection, id, generation, ending).await? {
            done.push(Planned::Ended { id, generation, ending });
        }
        deliveries::cancel_of_reminder(connection, id, generation).await?;
        let spec = reminders::spec(connection, id).await?;
        let new = NewRow {
            id,
            generation: generation.saturating_add(1),
            task_id: task.task_id,
            user_id: &caller.user_id,
            spec: &spec,
            asked_at: latest.asked_at,
            remind_at: Instant(until),
            task_version: task.version,
            correlation_id: &caller.correlation_id,
            ending: None,
        };
        done.extend(planner::begin(connection, &new).await?);
        Ok((task.task_id, done))
    };
    write.await.map_err(problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reminder_is_put_off_into_the_future_and_no_farther_than_a_year() {
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        let at = |until: Option<&str>, minutes| {
            let until = until.map(|text| text.parse().unwrap());
            let instant = Snooze { until, minutes }.instant(now);
            instant
                .map(|at| at.to_string())
                .map_err(|problem| problem.errors()[0].code.name())
        };
        assert_eq!(at(None, Some(10)).as_deref(), Ok("2026-11-24T12:10:00Z"));
        assert_eq!(
            at(Some("2026-11-24T12:00:01Z"), None).as_deref(),
            Ok("2026-11-24T12:00:01Z")
        );
        for (until, minutes, fault) in [
            (None, None, "missing"),
            (Some("2026-11-25T12:00:00Z"), Some(1), "contradiction"),
            (Some("2026-11-24T12:00:00Z"), None, "out_of_range"),
            (Some("2027-11-26T12:00:00Z"), None, "out_of_range"),
            (None, Some(0), "out_of_range"),
            (None, Some(u32::MAX), "out_of_range"),
        ] {
            assert_eq!(at(until, minutes), Err(fault), "{until:?} {minutes:?}");
        }
    }
}
