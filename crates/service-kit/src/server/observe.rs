//! What is done around every request: counting, tracing, naming.

use std::time::Instant;

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::Response,
};
use catalogue::{
    metrics::{HTTP_REQUEST_DURATION_SECONDS, HTTP_REQUESTS_IN_FLIGHT, HTTP_REQUESTS_TOTAL},
    paths::{HEALTH, READY, READY_EVENTS},
    spans::{
        CORRELATION_ID as CORRELATION_FIELD, HTTP_REQUEST, HTTP_REQUEST_METHOD, HTTP_RESPONSE_STATUS_CODE, HTTP_ROUTE,
    },
};
use metrics::{Gauge, Metrics, UNMATCHED};
use opentelemetry::trace::TraceContextExt as _;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, Span, field};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::correlation::{CORRELATION_ID, CorrelationId};
use crate::telemetry;

/// What observing needs.
#[derive(Clone, Debug)]
pub(super) struct Observer {
    metrics: Metrics,
    in_flight: Gauge,
    stop: CancellationToken,
}

impl Observer {
    pub(super) fn new(metrics: &Metrics, stop: CancellationToken) -> Self {
        Self {
            metrics: metrics.clone(),
            in_flight: metrics.gauge(&HTTP_REQUESTS_IN_FLIGHT, &[]),
            stop,
        }
    }

    fn count(&self, method: &str, route: &str, status: StatusCode, begun: Instant) {
        let duration = self.metrics.histogram(&HTTP_REQUEST_DURATION_SECONDS, &[method, route]);
        duration.observe(begun.elapsed().as_secs_f64());
        self.metrics
            .counter(&HTTP_REQUESTS_TOTAL, &[method, route, status.as_str()])
            .inc();
    }
}

/// Gives the request its correlation id and span, counts it, and closes the connection behind the answer when the
/// service is draining. A request whose client went away before the answer is not counted as answered.
pub(super) async fn observe(State(observer): State<Observer>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let _in_flight = InFlight::begin(&observer.in_flight);
    let method = method_label(request.method());
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map(MatchedPath::as_str);
    let route = route
        .filter(|path| observer.metrics.allows(&HTTP_REQUESTS_TOTAL, "route", path))
        .unwrap_or(UNMATCHED);
    let correlation = CorrelationId::of(request.headers());
    request.extensions_mut().insert(correlation.clone());

    let span = span(&request, method, route, &correlation);
    let mut response = next.run(request).instrument(span.clone()).await;
    record_status(&span, response.status());
    observer.count(method, route, response.status(), begun);

    let headers = response.headers_mut();
    headers.insert(CORRELATION_ID, correlation.header_value());
    if observer.stop.is_cancelled() {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// The span of a request, in the trace that the request says it belongs to; none for probes, of which there is one a
/// second.
fn span(request: &Request, method: &str, route: &str, correlation: &CorrelationId) -> Span {
    if [HEALTH, READY, READY_EVENTS].contains(&route) {
        return Span::none();
    }
    let span = tracing::info_span!(
        HTTP_REQUEST.name,
        otel.kind = "server",
        otel.status_code = field::Empty,
        { HTTP_REQUEST_METHOD.key } = method,
        { HTTP_ROUTE.key } = route,
        { HTTP_RESPONSE_STATUS_CODE.key } = field::Empty,
        { CORRELATION_FIELD.key } = correlation.as_str(),
    );
    let parent = telemetry::parent(request.headers());
    if parent.span().span_context().is_valid() {
        // Without telemetry, as in tests, there is no trace to join.
        drop(span.set_parent(parent));
    }
    span
}

fn record_status(span: &Span, status: StatusCode) {
    span.record(HTTP_RESPONSE_STATUS_CODE.key, i64::from(status.as_u16()));
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
}

fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::DELETE => "DELETE",
        Method::GET => "GET",
        Method::PATCH => "PATCH",
        Method::POST => "POST",
        Method::PUT => "PUT",
        _ => "other",
    }
}

/// Counts a request as in flight until it is dropped: its future may be dropped before it ends.
struct InFlight<'g>(&'g Gauge);

impl<'g> InFlight<'g> {
    fn begin(gauge: &'g Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}
