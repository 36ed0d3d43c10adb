//! Who asks.

use axum::{extract::FromRequestParts, http::request::Parts};
use service_kit::{Problem, auth::User, server::CorrelationId};

use crate::desk::Actor;

/// The operator who asks, and what names the request.
#[derive(Clone, Debug)]
pub(super) struct Caller(pub(super) Actor);

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let user = User::from_request_parts(parts, state).await?;
        let Ok(id) = CorrelationId::from_request_parts(parts, state).await;
        Ok(Self(Actor {
            name: user.id().to_owned(),
            correlation_id: id.as_str().to_owned(),
        }))
    }
}
