//! Who may call, and how much.

use catalogue::{
    Service,
    app_ids::TOKEN_CHECKERS,
    environment_variables::{
        TASKFLOW_BUILTIN_ACCOUNTS, TASKFLOW_BUILTIN_ACCOUNTS_PRIVATE_KEY, TASKFLOW_MAX_CONCURRENT_REQUESTS,
        TASKFLOW_OIDC_AUDIENCE, TASKFLOW_OIDC_ISSUER, TASKFLOW_OIDC_JWKS_URL, TASKFLOW_USER_REQUESTS_PER_SECOND,
    },
};

use super::{
    Reader, Secret,
    values::{boolean, https_address, integer, text},
};

/// Whose tokens of people are believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenSettings {
    /// `iss` of the tokens, compared as it stands; `None` only with built-in accounts.
    pub issuer: Option<String>,
    /// `aud` that the tokens must name.
    pub audience: String,
    /// Signing keys; found by the issuer's discovery document without it.
    pub jwks_url: Option<String>,
}

impl TokenSettings {
    /// Reads them. `None` when the reader has noted a problem. With built-in accounts nobody else has to issue tokens.
    pub fn read(reader: &mut Reader, builtin_accounts: bool) -> Option<Self> {
        // The issuer is compared with the tokens' claim, so a closing slash is part of it.
        let as_it_stands = |value: &str| https_address(value).map(|_| value.to_owned());
        let issuer = reader.required_when(!builtin_accounts, &TASKFLOW_OIDC_ISSUER, as_it_stands);
        let audience = reader.required(&TASKFLOW_OIDC_AUDIENCE, text);
        let jwks_url = reader.optional(&TASKFLOW_OIDC_JWKS_URL, as_it_stands);
        if issuer.is_none() && !builtin_accounts {
            return None;
        }
        Some(Self {
            issuer,
            audience: audience?,
            jwks_url,
        })
    }
}

/// Accounts that chat-api keeps itself, for one machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountSettings {
    /// Signs the tokens; PEM.
    pub private_key: Secret,
}

impl AccountSettings {
    /// Reads them where built-in accounts are on: `Some(None)` says that they are off, `None` that the reader has noted
    /// a problem.
    pub fn read(reader: &mut Reader) -> Option<Option<Self>> {
        let on = reader.required(&TASKFLOW_BUILTIN_ACCOUNTS, boolean);
        let key = reader.required_when(on == Some(true), &TASKFLOW_BUILTIN_ACCOUNTS_PRIVATE_KEY, |pem| {
            Some(Secret::new(pem))
        });
        if !on? {
            return Some(None);
        }
        Some(Some(Self { private_key: key? }))
    }
}

/// How much a replica takes on at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitSettings {
    /// Requests answered at once; more are refused with 503 (1 to 100,000).
    pub max_concurrent_requests: usize,
    /// Requests of one user per second; more are refused with 429 (1 to 10,000). `None` where nobody has a token.
    pub user_requests_per_second: Option<u32>,
}

impl LimitSettings {
    /// Reads them. `None` when the reader has noted a problem.
    pub fn read(reader: &mut Reader) -> Option<Self> {
        let service: &Service = reader.service();
        let max_concurrent_requests = reader.required(&TASKFLOW_MAX_CONCURRENT_REQUESTS, integer(1..=100_000));
        let user_requests_per_second = TOKEN_CHECKERS
            .contains(&service.app_id)
            .then(|| reader.required(&TASKFLOW_USER_REQUESTS_PER_SECOND, integer(1..=10_000)));
        Some(Self {
            max_concurrent_requests: max_concurrent_requests?,
            user_requests_per_second: match user_requests_per_second {
                Some(rate) => Some(rate?),
                None => None,
            },
        })
    }
}
