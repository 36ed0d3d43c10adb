//! The route by which another service creates the next instance of a recurring task.

use axum::{
    extract::{FromRequestParts, State},
    http::{HeaderValue, StatusCode, header, request::Parts},
};
use domain::{
    id::SeriesId,
    recurrence::{OccurrenceKey, next::Occurrence},
    task::SeriesMembership,
};
use events::CorrelationId;
use jiff::{Timestamp, civil::DateTime};
use serde::{Deserialize, Serialize};
use service_kit::{
    Problem,
    auth::ServiceCaller,
    database,
    extract::{Json, Path},
    problem::Fault,
};
use tracing::Instrument as _;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    answer::Answer,
    caller::{TaskNumber, correlation_id},
    write::commit,
};
use crate::{
    app::App,
    operation,
    shape::{invalid::InvalidFields, scalar},
    usecase::occurrences::{self, Instance},
};

/// The instance of a series that is to be created.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOccurrence {
    /// The series of the completed task.
    series: Uuid,
    /// The wall time that the rule means for the instance.
    #[serde(deserialize_with = "scalar::wall_time")]
    #[schema(value_type = scalar::WallTime)]
    occurrence_key: DateTime,
    /// How much of COUNT is used up with it.
    #[schema(minimum = 2, maximum = 2_147_483_647)]
    ordinal: u32,
    /// When the task was completed, as its event says: who completes it anew means another instance.
    #[serde(deserialize_with = "scalar::instant")]
    #[schema(value_type = String, format = DateTime)]
    completed_at: Timestamp,
}

/// The instance that follows the task.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct OccurrenceTask {
    /// Its task, which may be deleted already.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    task_id: i64,
}

/// What names the act that the command comes from.
pub(super) struct Correlation(CorrelationId);

impl<S: Send + Sync> FromRequestParts<S> for Correlation {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        correlation_id(parts, state).await.map(Self)
    }
}

/// Create the next instance of a recurring task
///
/// Once for each series and occurrence: the same command again answers 200 with the same task, whatever became of it.
/// 409 `conflict` when it does not follow from the task as it is: it is open, or was completed anew, or left the series.
/// 404, 409 and 422 are final.
pub(super) async fn create(
    State(app): State<App>,
    _: ServiceCaller,
    Path(TaskNumber(id)): Path<TaskNumber>,
    Correlation(correlation_id): Correlation,
    Json(new): Json<NewOccurrence>,
) -> Result<Answer, Problem> {
    let next = new.membership()?;
    let mut transaction = app.database.begin().await.map_err(database::problem)?;
    let span = operation::occurrence_span(next);
    let work = occurrences::create(&mut transaction, correlation_id, id, next, new.completed_at);
    let done = work.instrument(span.clone()).await;
    operation::count(&app.metrics, "create_occurrence", &done);
    let (status, task_id) = match done? {
        Instance::Created(task) => {
            operation::record(&span, &task);
            commit(&app, transaction).await?;
            (StatusCode::CREATED, task.id.get())
        }
        Instance::Existing(task_id) => (StatusCode::OK, task_id),
    };
    let location = HeaderValue::try_from(format!("/tasks/{task_id}")).map_err(Problem::internal)?;
    Ok(Answer::json(status, &OccurrenceTask { task_id })?.header(header::LOCATION, location))
}

impl NewOccurrence {
    fn membership(self) -> Result<SeriesMembership, InvalidFields> {
        let nil = |_| InvalidFields::one("/series", Fault::NotAllowed, "must not be the nil UUID");
        // Kept as a signed number of 32 bits.
        if !(2..=i32::MAX.unsigned_abs()).contains(&self.ordinal) {
            let message = "must be an integer from 2 to 2147483647";
            return Err(InvalidFields::one("/ordinal", Fault::OutOfRange, message));
        }
        Ok(SeriesMembership {
            series: SeriesId::new(self.series).map_err(nil)?,
            occurrence: Occurrence {
                key: OccurrenceKey::new(self.occurrence_key),
                ordinal: self.ordinal,
            },
        })
    }
}
