use std::time::Duration;

use axum::http::{HeaderValue, header};
use metrics::Metrics;

use crate::problem::{Code, Problem, codes};

/// When to ask again while the issuer's keys could not be read yet.
const KEYS_AWAY_RETRY: Duration = Duration::from_secs(5);

/// Why a caller is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthFailure {
    /// There is no token.
    #[error("no token")]
    Missing,
    /// It is no token, lacks a claim, or names an algorithm that is not accepted; the text says which.
    #[error("malformed token: {0}")]
    Malformed(&'static str),
    /// No key of the issuer made the signature.
    #[error("signature by no key of the issuer")]
    Signature,
    /// It is no longer valid, or not yet.
    #[error("token not valid now")]
    Expired,
    /// It is for somebody else.
    #[error("token for another audience")]
    Audience,
    /// Its issuer is not trusted.
    #[error("token of an issuer that is not trusted")]
    Issuer,
    /// It lacks this scope.
    #[error("token without the scope `{0}`")]
    Scope(&'static str),
    /// The issuer's keys have not been read yet, so that nothing can be said about any token.
    #[error("keys of the issuer not known yet")]
    KeysAway,
}

impl AuthFailure {
    /// Value of the label `reason`; `None` when it is not the caller's failure.
    const fn reason(self) -> Option<&'static str> {
        match self {
            Self::Missing => Some("missing"),
            Self::Malformed(_) => Some("malformed"),
            Self::Signature => Some("signature"),
            Self::Expired => Some("expired"),
            Self::Audience => Some("audience"),
            Self::Issuer => Some("issuer"),
            Self::Scope(_) => Some("scope"),
            Self::KeysAway => None,
        }
    }

    const fn code(self) -> &'static Code {
        match self {
            Self::Missing => &codes::TOKEN_MISSING,
            Self::Malformed(_) => &codes::TOKEN_MALFORMED,
            Self::Signature => &codes::TOKEN_SIGNATURE,
            Self::Expired => &codes::TOKEN_EXPIRED,
            Self::Audience => &codes::TOKEN_AUDIENCE,
            Self::Issuer => &codes::TOKEN_ISSUER,
            Self::Scope(_) => &codes::INSUFFICIENT_SCOPE,
            Self::KeysAway => &codes::UNAVAILABLE,
        }
    }

    /// The header that tells a client how to get in (RFC 6750).
    fn challenge(self) -> String {
        match self {
            Self::Missing => "Bearer realm=\"taskflow\"".to_owned(),
            Self::Scope(scope) => format!("Bearer realm=\"taskflow\", error=\"insufficient_scope\", scope=\"{scope}\""),
            other => format!("Bearer realm=\"taskflow\", error=\"invalid_token\", error_description=\"{other}\""),
        }
    }

    /// Counts it in `auth_failures_total`.
    pub(super) fn count(self, metrics: &Metrics) {
        if let Some(reason) = self.reason() {
            metrics
                .counter(&catalogue::metrics::AUTH_FAILURES_TOTAL, &[reason])
                .inc();
        }
    }
}

impl From<AuthFailure> for Problem {
    fn from(failure: AuthFailure) -> Self {
        let problem = Self::new(failure.code());
        if failure == AuthFailure::KeysAway {
            return Self::unavailable(failure, KEYS_AWAY_RETRY);
        }
        let problem = match failure {
            AuthFailure::Malformed(why) => problem.detail(format!("The token is not well-formed: {why}.")),
            _ => problem,
        };
        let challenge = HeaderValue::try_from(failure.challenge()).expect("the texts above are printable ASCII");
        problem.header(header::WWW_AUTHENTICATE, challenge)
    }
}
