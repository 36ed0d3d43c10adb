use std::{collections::BTreeSet, sync::Arc};

use axum::{
    Router,
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, header, request::Parts},
    middleware::{self, Next},
    response::Response,
};
use catalogue::Access;
use jiff::{SignedDuration, Timestamp};

use super::{AuthFailure, ServiceTokenChecker, TokenChecker};
use crate::{limits::UserRate, problem::Problem};

/// The person who calls, proved by a token. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User(Arc<Identity>);

#[derive(Debug, PartialEq, Eq)]
struct Identity {
    id: String,
    scopes: BTreeSet<String>,
    valid_until: Timestamp,
}

impl User {
    /// `expires` in seconds since 1970; what no calendar holds is never.
    pub(super) fn new(id: String, scopes: BTreeSet<String>, expires: f64) -> Self {
        let expires = SignedDuration::try_from_secs_f64(expires).ok();
        let valid_until = expires.and_then(|it| Timestamp::from_duration(it).ok());
        Self(Arc::new(Identity {
            id,
            scopes,
            valid_until: valid_until.unwrap_or(Timestamp::MAX),
        }))
    }

    /// The token's `sub`: opaque, 1 to 255 characters, none of them a control character.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// Whether the token carries the scope.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        self.0.scopes.contains(scope)
    }

    /// From when on the token proves nothing: for whoever keeps a caller longer than one request.
    #[must_use]
    pub fn valid_until(&self) -> Timestamp {
        self.0.valid_until
    }
}

/// The service that calls, proved by a service token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceCaller {
    /// Its app id.
    pub app_id: &'static str,
}

/// Lets only people in, each no faster than the rate; handlers get the [`User`]. What no route matches is not asked for
/// a token.
pub fn users_only<S>(router: Router<S>, tokens: &TokenChecker, rate: &UserRate) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let state = (tokens.clone(), rate.clone(), None);
    router.route_layer(middleware::from_fn_with_state(state, let_user_in))
}

/// As [`users_only`], and only people whose token carries the scope.
pub fn operators_only<S>(router: Router<S>, tokens: &TokenChecker, rate: &UserRate, scope: &'static str) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let state = (tokens.clone(), rate.clone(), Some(scope));
    router.route_layer(middleware::from_fn_with_state(state, let_user_in))
}

/// Lets only services in whose token has the audience and scope of the catalogue; handlers get the [`ServiceCaller`].
///
/// # Panics
/// When the access is not for services: a bug.
pub fn services_only<S>(router: Router<S>, tokens: &ServiceTokenChecker, access: Access) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let Access::Service { audience, scope } = access else {
        panic!("the routes are not for services");
    };
    let state = (tokens.clone(), audience, scope);
    router.route_layer(middleware::from_fn_with_state(state, let_service_in))
}

type UserDoor = (TokenChecker, UserRate, Option<&'static str>);

async fn let_user_in(
    State((tokens, rate, scope)): State<UserDoor>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let token = bearer(request.headers()).inspect_err(|failure| failure.count(tokens.metrics()))?;
    let user = tokens.check(token).await?;
    if let Some(scope) = scope.filter(|scope| !user.has_scope(scope)) {
        let failure = AuthFailure::Scope(scope);
        failure.count(tokens.metrics());
        return Err(failure.into());
    }
    rate.take(user.id())?;
    request.extensions_mut().insert(user);
    Ok(next.run(request).await)
}

type ServiceDoor = (ServiceTokenChecker, &'static str, &'static str);

async fn let_service_in(
    State((tokens, audience, scope)): State<ServiceDoor>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let token = bearer(request.headers()).inspect_err(|failure| failure.count(tokens.metrics()))?;
    let caller = tokens.check(token, audience, scope)?;
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

/// The token in `Authorization: Bearer …`, of which there must be exactly one.
fn bearer(headers: &HeaderMap) -> Result<&str, AuthFailure> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or(AuthFailure::Missing)?;
    if values.next().is_some() {
        return Err(AuthFailure::Malformed("there is more than one"));
    }
    let text = value.to_str().map_err(|_| AuthFailure::Malformed("it is not ASCII"))?;
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(AuthFailure::Missing);
    }
    Ok(token.trim())
}

impl<S: Send + Sync> FromRequestParts<S> for User {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let user = parts.extensions.get::<Self>().cloned();
        user.ok_or_else(|| Problem::internal("a handler asks for the user of a route that lets everyone in"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ServiceCaller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let caller = parts.extensions.get::<Self>().copied();
        caller.ok_or_else(|| Problem::internal("a handler asks for the service of a route that lets everyone in"))
    }
}
