//! Built-in accounts: `POST /accounts`, `POST /sessions`, and the key that checks their tokens.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use service_kit::{
    Problem,
    auth::{NewToken, TokenSigner},
    database,
    extract::Json,
    limits::UserRate,
    problem::{Fault, codes},
};
use utoipa::ToSchema;

use crate::{
    app::App,
    shape::invalid::InvalidFields,
    usecase::accounts::{self, AccountError},
};

/// How long a token is valid. There is no way to take one back, so a day has to be enough.
const TOKEN_LIFETIME: Duration = Duration::from_hours(12);
/// The fewest characters of a password.
const MIN_PASSWORD: usize = 10;
/// The most characters of a password: hashing reads all of them.
const MAX_PASSWORD: usize = 200;
/// The most characters of a name.
const MAX_NAME: usize = 64;

/// What issuing tokens needs.
#[derive(Clone, Debug)]
pub(crate) struct Accounts {
    pub(crate) app: App,
    pub(crate) signer: Arc<TokenSigner>,
    /// `iss` of the tokens.
    pub(crate) issuer: String,
    /// `aud` of the tokens.
    pub(crate) audience: String,
    /// How often one name may be tried.
    pub(crate) rate: UserRate,
}

/// The routes of built-in accounts.
pub(crate) fn routes(accounts: Accounts) -> Router {
    Router::new()
        .route("/accounts", post(open))
        .route("/sessions", post(enter))
        .route("/.well-known/jwks.json", get(keys))
        .route("/.well-known/openid-configuration", get(discovery))
        .with_state(accounts)
}

/// A name and a password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Credentials {
    /// 1 to 64 letters and digits of ASCII, `.`, `-` and `_`. Upper and lower case are alike.
    #[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9._-]+$")]
    name: String,
    /// 10 to 200 characters.
    #[schema(min_length = 10, max_length = 200, format = Password)]
    password: String,
}

/// A token that opens every route for people.
#[derive(Serialize, ToSchema)]
pub(super) struct Session {
    /// Whose it is.
    user_id: String,
    /// Shown as `Authorization: Bearer …`.
    token: String,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// Open an account, where built-in accounts are on
#[utoipa::path(
    post, path = "/accounts", tag = "accounts", operation_id = "open_account", request_body = Credentials,
    responses((status = 201, description = "The account is open", body = Session)), security(()),
)]
pub(super) async fn open(
    State(accounts): State<Accounts>,
    Json(credentials): Json<Credentials>,
) -> Result<Response, Problem> {
    let name = checked(&accounts, &credentials)?;
    let mut connection = accounts.app.database.acquire().await.map_err(database::problem)?;
    let user = accounts::open(&mut connection, &name, credentials.password).await?;
    let session = accounts.session(user.as_str());
    Ok((StatusCode::CREATED, Json(session)).into_response())
}

/// Get a token, where built-in accounts are on
#[utoipa::path(
    post, path = "/sessions", tag = "accounts", operation_id = "begin_session", request_body = Credentials,
    responses((status = 200, description = "A token", body = Session)), security(()),
)]
pub(super) async fn enter(
    State(accounts): State<Accounts>,
    Json(credentials): Json<Credentials>,
) -> Result<Json<Session>, Problem> {
    let name = checked(&accounts, &credentials)?;
    let mut connection = accounts.app.database.acquire().await.map_err(database::problem)?;
    let user = accounts::enter(&mut connection, &name, credentials.password).await?;
    let user = user.ok_or_else(|| Problem::new(&codes::INVALID_CREDENTIALS))?;
    Ok(Json(accounts.session(user.as_str())))
}

/// The key that checks the tokens
async fn keys(State(accounts): State<Accounts>) -> Response {
    cacheable(&accounts.signer.key_set())
}

/// Where the key is
async fn discovery(State(accounts): State<Accounts>) -> Response {
    let issuer = &accounts.issuer;
    cacheable(&json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/.well-known/jwks.json") }))
}

fn cacheable(document: &Value) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "max-age=300"),
    ];
    (headers, document.to_string()).into_response()
}

/// The name as it is kept, if name and password have their form and the name was not tried too often.
fn checked(accounts: &Accounts, credentials: &Credentials) -> Result<String, Problem> {
    let Credentials { name, password } = credentials;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    if !(1..=MAX_NAME).contains(&name.len()) || !name.bytes().all(plain) {
        let message = "must be 1 to 64 letters, digits, `.`, `-` or `_`";
        return Err(InvalidFields::one("/name", Fault::InvalidFormat, message).into());
    }
    let length = password.chars().count();
    if !(MIN_PASSWORD..=MAX_PASSWORD).contains(&length) {
        let fault = if length < MIN_PASSWORD {
            Fault::TooShort
        } else {
            Fault::TooLong
        };
        return Err(InvalidFields::one("/password", fault, "must have 10 to 200 characters").into());
    }
    let name = name.to_ascii_lowercase();
    accounts.rate.take(&name)?;
    Ok(name)
}

impl Accounts {
    fn session(&self, user: &str) -> Session {
        let now = Timestamp::now();
        let token = NewToken {
            issuer: &self.issuer,
            subject: user,
            audience: &self.audience,
            scopes: &[],
            lifetime: TOKEN_LIFETIME,
        };
        Session {
            user_id: user.to_owned(),
            token: self.signer.sign(&token, now),
            expires_at: now.checked_add(TOKEN_LIFETIME).unwrap_or(now),
        }
    }
}

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::NameTaken => Self::new(&codes::CONFLICT).detail("The name is taken."),
            AccountError::Database(error) => database::problem(error),
            AccountError::Hash => Self::internal(error),
        }
    }
}
