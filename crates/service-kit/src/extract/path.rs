use axum::{
    extract::{FromRequestParts, path::ErrorKind, rejection::PathRejection},
    http::request::Parts,
};
use serde::de::DeserializeOwned;

use crate::problem::{Problem, codes};

/// The parameters of the path. A segment that cannot be what it stands for is not found: nothing can be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        // No name or id contains U+0000, and PostgreSQL would refuse to look for one.
        if parts.uri.path().contains("%00") {
            return Err(Problem::new(&codes::NOT_FOUND));
        }
        let axum::extract::Path(value) = axum::extract::Path::from_request_parts(parts, state)
            .await
            .map_err(refuse)?;
        Ok(Self(value))
    }
}

fn refuse(rejection: PathRejection) -> Problem {
    let PathRejection::FailedToDeserializePathParams(error) = rejection else {
        return Problem::internal(rejection);
    };
    match error.kind() {
        ErrorKind::InvalidUtf8InPathParam { key } => {
            Problem::new(&codes::INVALID_PATH).detail(format!("`{key}` in the path is not UTF-8."))
        }
        // The route and its type disagree: a bug, and not the client's.
        ErrorKind::WrongNumberOfParameters { .. } | ErrorKind::UnsupportedType { .. } => Problem::internal(error),
        _ => Problem::new(&codes::NOT_FOUND),
    }
}
