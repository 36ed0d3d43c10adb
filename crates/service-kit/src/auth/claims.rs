use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;

use super::AuthFailure;

/// Seconds by which clocks may differ.
const LEEWAY_SECONDS: f64 = 30.0;
/// Characters of a subject.
const MAX_SUBJECT_CHARS: usize = 255;

/// What a token says, before anything of it is believed.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    #[serde(rename = "iss")]
    pub(super) issuer: Option<String>,
    #[serde(rename = "sub")]
    subject: Option<String>,
    #[serde(rename = "aud")]
    audience: Option<OneOrMore>,
    /// Seconds since 1970, possibly with a fraction.
    #[serde(rename = "exp")]
    expires: Option<f64>,
    #[serde(rename = "nbf")]
    not_before: Option<f64>,
    scope: Option<OneOrMore>,
    /// What some issuers call `scope`.
    scp: Option<OneOrMore>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    fn iter(&self) -> impl Iterator<Item = &str> {
        let all = match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::More(more) => more,
        };
        all.iter().map(String::as_str)
    }
}

/// What a token proves, once it is believed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Proof {
    pub(super) subject: String,
    pub(super) scopes: BTreeSet<String>,
    /// Seconds since 1970 from which on it proves nothing.
    pub(super) expires: f64,
}

impl Claims {
    /// Checks everything but the signature and the issuer.
    pub(super) fn check(self, audience: &str, now: Timestamp) -> Result<Proof, AuthFailure> {
        let now = now.as_duration().as_secs_f64();
        let expires = self.expires.ok_or(AuthFailure::Malformed("it has no `exp`"))? + LEEWAY_SECONDS;
        let begins = self.not_before.unwrap_or(f64::MIN) - LEEWAY_SECONDS;
        if now >= expires || now < begins {
            return Err(AuthFailure::Expired);
        }
        let audiences = self.audience.ok_or(AuthFailure::Malformed("it has no `aud`"))?;
        if !audiences.iter().any(|named| named == audience) {
            return Err(AuthFailure::Audience);
        }
        let subject = self.subject.ok_or(AuthFailure::Malformed("it has no `sub`"))?;
        let length = subject.chars().count();
        if length == 0 || length > MAX_SUBJECT_CHARS || subject.chars().any(char::is_control) {
            return Err(AuthFailure::Malformed("its `sub` is not 1 to 255 printable characters"));
        }
        let scopes = [&self.scope, &self.scp]
            .into_iter()
            .flatten()
            .flat_map(OneOrMore::iter)
            .flat_map(str::split_ascii_whitespace)
            .map(str::to_owned)
            .collect();
        Ok(Proof {
            subject,
            scopes,
            expires,
        })
    }
}

#[cfg(test)]
mod tests;
