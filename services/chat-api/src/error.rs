//! Why nothing was done, as callers are told.

use axum::http::{HeaderValue, header};
use domain::task::transition::SnoozeError;
use serde_json::json;
use service_kit::{
    Problem, database,
    problem::{Fault, FieldError, codes},
};

use crate::{
    http::me::Me,
    shape::{invalid::InvalidFields, task::TaskView},
    usecase::Error,
};

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::new(&codes::NOT_FOUND),
            Error::VersionMismatch(task) => Self::new(&codes::VERSION_MISMATCH)
                .member("current", json!(TaskView::from(&*task)))
                .header(header::ETAG, etag(task.version)),
            Error::ProfileMismatch { user, current } => Self::new(&codes::VERSION_MISMATCH)
                .member("current", json!(Me::new(&user, &current)))
                .header(header::ETAG, etag(current.version)),
            Error::Invalid(invalid) => invalid_body(invalid.into_errors()),
            Error::Snooze(SnoozeError::Past) => {
                let message = "must lead to a later time than now";
                invalid_body(vec![FieldError::body("", Fault::OutOfRange, message)])
            }
            Error::Snooze(error) => Self::new(&codes::CONFLICT).detail(sentence(&error)),
            Error::Occurrence(error) => Self::new(&codes::CONFLICT).detail(sentence(&error)),
            Error::TooLarge(cause) => Self::new(&codes::BODY_TOO_LARGE).caused_by(cause),
            Error::Database(error) => database::problem(error),
            Error::Corrupt(error) => Self::internal(error),
            Error::Exhausted => Self::internal(error),
        }
    }
}

impl From<InvalidFields> for Problem {
    fn from(invalid: InvalidFields) -> Self {
        invalid_body(invalid.into_errors())
    }
}

/// The strong entity tag of a version.
pub(crate) fn etag(version: i64) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{version}\"")).expect("digits can stand in a header")
}

fn invalid_body(errors: Vec<FieldError>) -> Problem {
    let problem = Problem::new(&codes::INVALID_BODY);
    errors.into_iter().fold(problem, Problem::at)
}

/// The message of an error as a sentence.
fn sentence(error: &impl ToString) -> String {
    let message = error.to_string();
    let mut letters = message.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}
