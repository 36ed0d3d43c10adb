//! The routes that the sidecar delivers to.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Request, State},
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::post,
};
use catalogue::{Subscription, topics::MAX_DEAD_LETTER_BYTES};
use http::HeaderMap;
use serde::Serialize;

use super::{
    TOKEN_HEADER,
    consumer::{Answer, Consumer, Shared},
    record::Record,
};
use crate::work::Work;

/// Bytes of a delivery: the largest record in base64, and what the sidecar wraps it in.
const MAX_DELIVERY_BYTES: usize = MAX_DEAD_LETTER_BYTES as usize / 3 * 4 + 64 * 1024;

#[derive(Serialize)]
struct Body {
    status: &'static str,
}

impl<H: Work> Consumer<H> {
    /// The routes that the sidecar delivers to, for the internal listener. Whoever does not show the sidecar's token
    /// gets 401, and nothing of what was sent is read.
    pub fn routes(&self) -> Router {
        let shared = &self.0;
        let subscriptions = shared.service.consumes.iter();
        subscriptions.fold(Router::new(), |router, subscription| {
            let state = Arc::clone(shared);
            let deliver = async move |State(shared): State<Arc<Shared<H>>>, headers: HeaderMap, body: Bytes| {
                deliver(&shared, subscription, &headers, &body).await
            };
            let guard = middleware::from_fn_with_state(Arc::clone(shared), only_the_sidecar::<H>);
            let route = post(deliver)
                .layer(DefaultBodyLimit::max(MAX_DELIVERY_BYTES))
                .layer(guard)
                .with_state(state);
            router.route(subscription.route, route)
        })
    }
}

async fn only_the_sidecar<H: Work>(State(shared): State<Arc<Shared<H>>>, request: Request, next: Next) -> Response {
    let shown = request.headers().get(TOKEN_HEADER);
    if shown.is_some_and(|shown| shared.is_app_token(shown.as_bytes())) {
        return next.run(request).await;
    }
    shared.forged.inc();
    tracing::warn!("a delivery without the sidecar's token was refused");
    StatusCode::UNAUTHORIZED.into_response()
}

async fn deliver<H: Work>(
    shared: &Arc<Shared<H>>,
    subscription: &'static Subscription,
    headers: &HeaderMap,
    body: &[u8],
) -> Response {
    let _in_flight = shared.begin();
    let record = match Record::read(headers, body) {
        Ok(record) => record,
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::error!(
                error,
                topic = subscription.topic,
                "the sidecar delivers what cannot be understood"
            );
            return StatusCode::BAD_REQUEST.into_response();
        }
    };
    let status = match shared.deliver(subscription, record).await {
        Answer::Success => "SUCCESS",
        Answer::Retry => "RETRY",
        Answer::Drop => "DROP",
    };
    Json(Body { status }).into_response()
}
