//! `POST /dead-letters/dry-run`, `/replay` and `/discard`.

use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde::{Deserialize, Serialize};
use service_kit::{
    Problem,
    database::problem,
    extract::{Json, Path},
    problem::{Fault, codes},
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{App, caller::Caller, refuse};
use crate::desk::{
    self, HIGHEST_RATE, Replay, Selection, Stopped, USUAL_RATE,
    view::{Action, Item},
};

/// Longest note, in characters.
const MAX_NOTE_CHARS: usize = 500;

/// What would become of letters.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DryRunBody {
    /// Which letters; of more than 1,000 the first in line.
    selection: Selection,
    /// Also what came back after an earlier replay.
    #[serde(default)]
    #[schema(default = false)]
    again: bool,
}

/// Letters go back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReplayBody {
    /// Which letters.
    selection: Selection,
    /// Letters a second at the most.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 500, default = 20, nullable = false)]
    rate_per_second: Option<i32>,
    /// Also what came back after an earlier replay.
    #[serde(default)]
    #[schema(default = false)]
    again: bool,
    /// What to remember about it.
    #[serde(default)]
    #[schema(max_length = 500, nullable = false)]
    note: Option<String>,
}

/// Letters are given up for good.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DiscardBody {
    /// Which letters.
    selection: Selection,
    /// Why.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// An action with what became of its letters.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Report {
    /// The action.
    #[serde(flatten)]
    pub(super) action: Action,
    /// What became of its letters, at most 200 of them; of a dry run all.
    pub(super) items: Vec<Item>,
}

/// Say what a replay would do
///
/// Reads every letter with the present schemas, and does nothing of it.
#[utoipa::path(
    post, path = "/dead-letters/dry-run", tag = "actions", operation_id = "dry_run_dead_letters",
    request_body = DryRunBody,
    responses((status = 200, description = "What would become of each letter", body = Report)),
)]
pub(super) async fn dry_run(
    State(app): State<App>,
    Caller(actor): Caller,
    Json(body): Json<DryRunBody>,
) -> Result<Json<Report>, Problem> {
    refuse::selection(&body.selection)?;
    let tried = desk::dry_run(&app.database, &body.selection, body.again, &actor).await;
    let (action, items) = tried.map_err(problem)?;
    Ok(Json(Report { action, items }))
}

/// Replay letters
///
/// Their events go back to where they came from, in order per key and with their own ids. It is done step by step; look at
/// the action to see how far it is.
#[utoipa::path(
    post, path = "/dead-letters/replay", tag = "actions", operation_id = "replay_dead_letters",
    request_body = ReplayBody,
    responses((
        status = 202, description = "The action that was begun", body = Action,
        headers(("Location" = String, description = "Where to see how far it is")),
    )),
)]
pub(super) async fn replay(
    State(app): State<App>,
    Caller(actor): Caller,
    Json(body): Json<ReplayBody>,
) -> Result<Response, Problem> {
    refuse::selection(&body.selection)?;
    let rate = body.rate_per_second.unwrap_or(USUAL_RATE);
    if !(1..=HIGHEST_RATE).contains(&rate) {
        let message = format!("must be from 1 to {HIGHEST_RATE}");
        return Err(refuse::field("/rate_per_second", Fault::OutOfRange, message));
    }
    if let Some(note) = &body.note {
        check_note("/note", note)?;
    }
    let replay = Replay {
        selection: body.selection,
        rate,
        again: body.again,
        note: body.note,
    };
    let action = desk::replay(&app.database, &replay, &actor).await.map_err(problem)?;
    app.telling.begun.notify_one();
    let location = format!("/dead-letters/actions/{}", action.id);
    let location = HeaderValue::try_from(location).map_err(Problem::internal)?;
    let mut response = (StatusCode::ACCEPTED, Json(action)).into_response();
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

/// Discard letters
///
/// For good: their events are never applied. The letters can still be seen for 90 days.
#[utoipa::path(
    post, path = "/dead-letters/discard", tag = "actions", operation_id = "discard_dead_letters",
    request_body = DiscardBody,
    responses((status = 200, description = "What was done", body = Action)),
)]
pub(super) async fn discard(
    State(app): State<App>,
    Caller(actor): Caller,
    Json(body): Json<DiscardBody>,
) -> Result<Json<Action>, Problem> {
    refuse::selection(&body.selection)?;
    if body.reason.trim().is_empty() {
        return Err(refuse::field("/reason", Fault::TooShort, "must say why"));
    }
    check_note("/reason", &body.reason)?;
    let done = desk::discard(&app.database, &body.selection, &body.reason, &actor, Some(&app.telling)).await;
    done.map(Json).map_err(problem)
}

/// Stop a replay
///
/// What went has gone; the rest waits as before.
#[utoipa::path(
    post, path = "/dead-letters/actions/{id}/stop", tag = "actions", operation_id = "stop_dead_letter_action",
    params(("id" = Uuid, Path, description = "Which action")),
    responses(
        (status = 200, description = "The action, which takes no further step", body = Action),
        (status = 409, description = "It has ended already", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn stop(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<Uuid>,
) -> Result<Json<Action>, Problem> {
    match desk::stop(&app.database, id, &actor).await.map_err(problem)? {
        Stopped::Now(action) => Ok(Json(action)),
        Stopped::Before(_) => Err(Problem::new(&codes::CONFLICT).detail("The action has ended already.")),
        Stopped::Unknown => Err(Problem::new(&codes::NOT_FOUND)),
    }
}

fn check_note(pointer: &'static str, note: &str) -> Result<(), Problem> {
    if note.chars().count() <= MAX_NOTE_CHARS {
        return Ok(());
    }
    let message = format!("must have at most {MAX_NOTE_CHARS} characters");
    Err(refuse::field(pointer, Fault::TooLong, message))
}
