use std::time::Duration;

use axum::{
    Router,
    http::{HeaderName, HeaderValue, Method, header},
};
use tower_http::cors::CorsLayer;

use crate::server::CORRELATION_ID;

/// How long a browser may remember what is allowed.
const PREFLIGHT_MAX_AGE: Duration = Duration::from_hours(1);

/// Lets pages of the application's own address call the routes from a browser, where the service has an address of its
/// own. Goes outside of everything that may refuse a request, so that pages can read refusals too.
///
/// Cookies are not allowed: callers show a token.
///
/// # Panics
/// When the address cannot stand in a header: configuration has checked it.
pub fn allow_origin<S>(router: Router<S>, public_url: &str) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let origin = HeaderValue::from_str(public_url).expect("the public address is a checked URL");
    let cors = CorsLayer::new()
        .allow_origin([origin])
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_MATCH,
            header::IF_NONE_MATCH,
            HeaderName::from_static("idempotency-key"),
            HeaderName::from_static("last-event-id"),
            HeaderName::from_static("traceparent"),
            CORRELATION_ID,
        ])
        .expose_headers([
            header::ETAG,
            header::LOCATION,
            header::LINK,
            header::RETRY_AFTER,
            CORRELATION_ID,
        ])
        .max_age(PREFLIGHT_MAX_AGE);
    router.layer(cors)
}
