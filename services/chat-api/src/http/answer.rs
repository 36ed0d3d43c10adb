//! An answer that may be recorded, and given a second time.

use std::collections::BTreeMap;

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::task::Task;
use serde::Serialize;
use serde_json::{Value, json};
use service_kit::{Problem, problem};

use super::keyed::IDEMPOTENCY_REPLAYED;
use crate::{error::etag, shape::task::TaskView, store::idempotency::RecordedAnswer};

/// An answer with a JSON body or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// An answer with this body.
    pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Result<Self, Problem> {
        Ok(Self {
            status,
            headers: vec![(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))],
            body: serde_json::to_vec(body).map_err(Problem::internal)?,
        })
    }

    /// A task, with the entity tag of its version.
    pub(crate) fn task(task: &Task) -> Result<Self, Problem> {
        Ok(Self::json(StatusCode::OK, &TaskView::from(task))?.header(header::ETAG, etag(task.version)))
    }

    /// A task that was just created.
    pub(crate) fn created(task: &Task) -> Result<Self, Problem> {
        let location = HeaderValue::try_from(format!("/tasks/{}", task.id)).map_err(Problem::internal)?;
        let mut answer = Self::task(task)?.header(header::LOCATION, location);
        answer.status = StatusCode::CREATED;
        Ok(answer)
    }

    /// Done, and nothing to say.
    pub(crate) fn no_content() -> Self {
        Self {
            status: StatusCode::NO_CONTENT,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The headers as they are recorded.
    pub(super) fn headers_json(&self) -> Value {
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), text(value)));
        json!(headers.collect::<BTreeMap<_, _>>())
    }

    /// An answer that was recorded, and says so.
    pub(super) fn replay(recorded: RecordedAnswer) -> Result<Self, problem::Cause> {
        let headers: BTreeMap<String, String> = serde_json::from_value(recorded.headers)?;
        let headers = headers.into_iter().map(|(name, value)| {
            let pair: (HeaderName, HeaderValue) = (name.parse()?, value.parse()?);
            Ok::<_, problem::Cause>(pair)
        });
        let answer = Self {
            status: StatusCode::from_u16(recorded.status.try_into()?)?,
            headers: headers.collect::<Result<_, _>>()?,
            body: recorded.body,
        };
        Ok(answer.header(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true")))
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.body).into_response();
        response.headers_mut().remove(header::CONTENT_TYPE);
        response.headers_mut().extend(self.headers);
        response
    }
}
