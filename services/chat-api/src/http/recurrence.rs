//! `POST /recurrence/preview`

use axum::extract::State;
use catalogue::spans::{RECURRENCE_PREVIEW, USER_ID};
use domain::recurrence::preview::Upcoming;
use jiff::{Timestamp, civil::DateTime};
use serde::{Deserialize, Serialize};
use service_kit::{Problem, database, extract::Json, problem::Fault};
use tracing::info_span;
use utoipa::ToSchema;

use super::caller::Caller;
use crate::{
    app::App,
    shape::{Due, Recurrence, invalid::InvalidFields, scalar},
    usecase::Person,
};

/// Occurrences where the request says nothing.
const DEFAULT_COUNT: u8 = 12;
/// Occurrences at the most.
const MAX_COUNT: u8 = 100;

/// A recurrence to be looked at before a task has it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PreviewRequest {
    /// Whether and how the task comes back.
    recurrence: Recurrence,
    /// When the first of them is due.
    due: Due,
    /// Only from this wall time on.
    #[serde(default, deserialize_with = "scalar::optional_wall_time")]
    #[schema(value_type = Option<scalar::WallTime>)]
    from: Option<DateTime>,
    /// How many: 1 to 100.
    #[serde(default = "default_count")]
    #[schema(minimum = 1, maximum = 100, default = 12)]
    count: u8,
}

const fn default_count() -> u8 {
    DEFAULT_COUNT
}

/// The next occurrences.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Preview {
    /// In order; fewer than asked for when the series ends before.
    items: Vec<PreviewedOccurrence>,
}

/// An occurrence as it will be.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct PreviewedOccurrence {
    /// The wall time that the rule means.
    #[schema(value_type = scalar::WallTime)]
    occurrence: DateTime,
    /// What the clocks show then.
    #[schema(value_type = scalar::WallTime)]
    local: DateTime,
    /// The instant.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Why date or time are not those that the rule names; most often empty.
    shifts: Vec<PreviewedShift>,
}

/// Why an occurrence is not at the date and time that the rule names.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct PreviewedShift {
    /// `month_end`, `gap` or `overlap`.
    code: &'static str,
    /// The reason in words.
    message: String,
}

/// Show the next occurrences of a recurrence
#[utoipa::path(
    post, path = "/recurrence/preview", tag = "recurrence", operation_id = "preview_recurrence",
    request_body = PreviewRequest,
    responses((status = 200, description = "The next occurrences", body = Preview)),
)]
pub(super) async fn preview(
    State(app): State<App>,
    caller: Caller,
    Json(request): Json<PreviewRequest>,
) -> Result<Json<Preview>, Problem> {
    let _span = info_span!(RECURRENCE_PREVIEW.name, { USER_ID.key } = caller.user.as_str());
    if !(1..=MAX_COUNT).contains(&request.count) {
        return Err(InvalidFields::one("/count", Fault::OutOfRange, "must be a number from 1 to 100").into());
    }
    let mut connection = app.database.acquire().await.map_err(database::problem)?;
    let person = Person::load(&mut connection, caller.user).await?;
    drop(connection);
    let (recurrence, due) = InvalidFields::of_recurrence(&request.recurrence, &request.due, &person.zone)?;
    let from = request.from.unwrap_or_else(|| due.local());
    let upcoming = recurrence.preview(&due.zone(&person.zone), from, request.count.into());
    Ok(Json(Preview {
        items: upcoming.into_iter().map(PreviewedOccurrence::from).collect(),
    }))
}

impl From<Upcoming> for PreviewedOccurrence {
    fn from(upcoming: Upcoming) -> Self {
        let shifts = upcoming.shifts.into_iter().map(|shift| PreviewedShift {
            code: shift.code(),
            message: shift.to_string(),
        });
        Self {
            occurrence: upcoming.key.get(),
            local: upcoming.local,
            at: upcoming.instant,
            shifts: shifts.collect(),
        }
    }
}
