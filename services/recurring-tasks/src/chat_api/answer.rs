//! What an answer of chat-api means for the command that it answers.

use std::fmt;

use http::StatusCode;
use reqwest::Response;
use serde::Deserialize;
use service_kit::problem::codes;

/// An answer: its status and, of a problem, the code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    status: StatusCode,
    code: Option<String>,
    /// Whether the own sidecar has given it, because it has none of chat-api.
    by_sidecar: bool,
}

/// What an answer means for the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// It is done.
    Created,
    /// It was done before.
    Existed,
    /// It must not be done.
    Refused,
    /// It cannot be done now, and neither can any other.
    Away,
    /// It failed, and may succeed.
    Failed,
    /// It is no command there, and never will be.
    NotTaken,
}

/// The member of a problem that programs branch on.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Problem {
    #[serde(default)]
    code: Option<String>,
    /// What it is called by a sidecar.
    #[serde(default)]
    error_code: Option<String>,
}

impl Answer {
    /// Reads the answer to its end, so that its connection can be used again.
    pub(super) async fn read(response: Response) -> reqwest::Result<Self> {
        let status = response.status();
        let body = response.bytes().await?;
        let problem: Option<Problem> = (!status.is_success())
            .then(|| serde_json::from_slice(&body).ok())
            .flatten();
        let by_sidecar = problem.as_ref().is_some_and(|it| it.error_code.is_some());
        Ok(Self {
            status,
            code: problem.and_then(|it| it.code.or(it.error_code)),
            by_sidecar,
        })
    }

    /// Whether the own sidecar has given it, because it has none of chat-api.
    pub(super) fn is_by_sidecar(&self) -> bool {
        self.by_sidecar
    }

    /// Whether it says what became of the command, once and for all.
    pub(super) fn decides(&self) -> bool {
        matches!(self.meaning(), Meaning::Created | Meaning::Existed | Meaning::Refused)
    }

    pub(super) fn meaning(&self) -> Meaning {
        let is = |code: &codes::Code| self.code.as_deref() == Some(code.name);
        match self.status {
            _ if self.by_sidecar => Meaning::Away,
            StatusCode::CREATED => Meaning::Created,
            status if status.is_success() => Meaning::Existed,
            StatusCode::CONFLICT if is(&codes::IDEMPOTENCY_KEY_IN_USE) => Meaning::Failed,
            StatusCode::NOT_FOUND if is(&codes::NOT_FOUND) => Meaning::Refused,
            StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY => Meaning::Refused,
            // A route that is not there, or a token that is not believed, is no fault of the command: one of the two
            // services is set up wrongly, or older than it must be. Commands wait until that is put right.
            StatusCode::UNAUTHORIZED
            | StatusCode::FORBIDDEN
            | StatusCode::NOT_FOUND
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => Meaning::Away,
            StatusCode::REQUEST_TIMEOUT => Meaning::Failed,
            status if status.is_client_error() => Meaning::NotTaken,
            _ => Meaning::Failed,
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code.as_deref().unwrap_or("without a code");
        write!(f, "{} {code}", self.status.as_u16())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_has_its_meaning() {
        for (status, code, meaning) in [
            (201, None, Meaning::Created),
            (200, None, Meaning::Existed),
            (404, Some("not_found"), Meaning::Refused),
            (409, Some("conflict"), Meaning::Refused),
            (422, Some("invalid_body"), Meaning::Refused),
            (404, Some("route_not_found"), Meaning::Away),
            (404, None, Meaning::Away),
            (401, Some("token_signature"), Meaning::Away),
            (403, Some("insufficient_scope"), Meaning::Away),
            (429, Some("rate_limited"), Meaning::Away),
            (502, None, Meaning::Away),
            (503, Some("unavailable"), Meaning::Away),
            (504, None, Meaning::Away),
            (409, Some("idempotency_key_in_use"), Meaning::Failed),
            (408, Some("request_timeout"), Meaning::Failed),
            (500, Some("internal"), Meaning::Failed),
            (302, None, Meaning::Failed),
            (400, Some("malformed_body"), Meaning::NotTaken),
            (415, Some("unsupported_media_type"), Meaning::NotTaken),
        ] {
            let answer = Answer {
                status: StatusCode::from_u16(status).unwrap(),
                code: code.map(str::to_owned),
                by_sidecar: false,
            };
            assert_eq!(answer.meaning(), meaning, "{answer}");
        }
    }

    #[test]
    fn whatever_the_sidecar_says_itself_means_that_nobody_is_there() {
        for status in [401, 403, 404, 500] {
            let answer = Answer {
                status: StatusCode::from_u16(status).unwrap(),
                code: Some("ERR_DIRECT_INVOKE".to_owned()),
                by_sidecar: true,
            };
            assert_eq!(answer.meaning(), Meaning::Away, "{answer}");
        }
    }
}
