//! Who asks, and about which task.

use axum::{extract::FromRequestParts, http::request::Parts};
use domain::id::{InvalidId, TaskId, UserId};
use events::CorrelationId;
use serde::Deserialize;
use service_kit::{Problem, auth::User, server};
use utoipa::ToSchema;

/// The person who asks, and what names the request.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) user: UserId,
    pub(crate) correlation_id: CorrelationId,
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let user = User::from_request_parts(parts, state).await?;
        Ok(Self {
            user: UserId::new(user.id()).map_err(Problem::internal)?,
            correlation_id: correlation_id(parts, state).await?,
        })
    }
}

/// What names the request, in events too.
pub(crate) async fn correlation_id<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<CorrelationId, Problem> {
    let Ok(id) = server::CorrelationId::from_request_parts(parts, state).await;
    id.as_str().parse().map_err(Problem::internal)
}

/// A task's number in a path.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[schema(value_type = i64, minimum = 1, maximum = 9_007_199_254_740_991_i64)]
#[serde(try_from = "String")]
pub(crate) struct TaskNumber(pub(crate) TaskId);

impl TryFrom<String> for TaskNumber {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse().map(Self)
    }
}
