//! Logs, traces and panics: what a process tells about itself besides its metrics.
//!
//! Logs are JSON lines on standard output that carry the ids of the current trace. Traces go to an OpenTelemetry
//! Collector where one is configured: every span, for the collector decides what is kept. They are sent in batches
//! from a bounded queue; when the collector is away, spans are dropped, and nothing else notices.

mod export;
mod json_log;
mod propagation;

use std::{
    any::Any,
    error::Error,
    io::{self, Write as _},
    panic::{self, PanicHookInfo},
    time::Duration,
};

use catalogue::metrics::PANICS_TOTAL;
use metrics::Metrics;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{FilterExt as _, filter_fn},
    layer::SubscriberExt as _,
    registry::LookupSpan,
};

use self::json_log::JsonLog;
use crate::config::ServiceSettings;

pub use export::ExporterError;
pub use propagation::{inject, parent};

/// Standing telemetry of a process.
#[derive(Debug)]
pub struct Telemetry {
    provider: SdkTracerProvider,
}

/// Why telemetry could not be started.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The exporter of traces could not be made.
    #[error("could not prepare the export of traces")]
    Exporter(#[source] ExporterError),
    /// Something else in this process receives spans and events already.
    #[error("could not receive the spans and events of this process")]
    Subscriber(#[source] tracing::subscriber::SetGlobalDefaultError),
}

impl Telemetry {
    /// Begins to log and trace for the whole process, and to log and count panics. Called once, inside a tokio
    /// runtime that stays until [`Telemetry::flush`].
    ///
    /// # Errors
    /// When the exporter of traces cannot be made, or the process has telemetry already.
    pub fn start(settings: &ServiceSettings, metrics: &Metrics) -> Result<Self, TelemetryError> {
        let provider = export::provider(settings).map_err(TelemetryError::Exporter)?;
        let subscriber = subscriber(&settings.process.log, stdout_line, &provider);
        tracing::subscriber::set_global_default(subscriber).map_err(TelemetryError::Subscriber)?;
        let panics = metrics.counter(&PANICS_TOTAL, &[]);
        panic::set_hook(Box::new(move |panic| {
            panics.inc();
            log_panic(panic);
        }));
        Ok(Self { provider })
    }

    /// Sends what is still queued, as far as the time allows. Nothing is traced afterwards.
    pub async fn flush(self, within: Duration) {
        let provider = self.provider;
        let flushed = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(within));
        match tokio::time::timeout(within, flushed).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => {
                tracing::warn!(error = %error, "the last spans were not sent: {error}");
            }
            Ok(Err(_)) | Err(_) => tracing::warn!("the last spans were not sent in time"),
        }
    }
}

/// Logs to standard output while the function runs, without traces: for what happens before telemetry can start.
pub(crate) fn with_log<T>(act: impl FnOnce() -> T) -> T {
    let log = JsonLog::new(stdout_line).with_filter(filter_fn(|metadata| *metadata.level() <= Level::INFO));
    tracing::subscriber::with_default(Registry::default().with(log), act)
}

/// What receives spans and events: the log, as the directives say, and the traces, whatever they say.
///
/// # Panics
/// When the directives do not parse: settings hold only directives that do.
pub(crate) fn subscriber<W>(directives: &str, write_line: W, provider: &SdkTracerProvider) -> impl Subscriber + use<W>
where
    W: Fn(&[u8]) + Send + Sync + 'static,
{
    let events: EnvFilter = directives.parse().expect("settings hold directives that parse");
    // Spans reach the log whatever is logged, because events show the fields of the spans around them.
    let log =
        JsonLog::new(write_line).with_filter(events.or(filter_fn(is_traced_span).with_max_level_hint(Level::INFO)));
    Registry::default().with(log).with(traces(provider))
}

fn traces<S>(provider: &SdkTracerProvider) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let traced = |metadata: &Metadata<'_>| is_traced_span(metadata) || *metadata.level() <= Level::WARN;
    tracing_opentelemetry::layer()
        .with_tracer(provider.tracer(env!("CARGO_PKG_NAME")))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_filter(filter_fn(traced).with_max_level_hint(Level::INFO))
}

fn is_traced_span(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && *metadata.level() <= Level::INFO
}

/// An error with the causes behind it, in one line, for a log.
#[must_use]
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line = format!("{line}: {error}");
        cause = error.source();
    }
    line
}

/// A line that cannot be written has nowhere to be told.
fn stdout_line(line: &[u8]) {
    drop(io::stdout().lock().write_all(line));
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(location, "panic: {}", panic_message(panic.payload()));
}

fn panic_message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

#[cfg(test)]
mod tests;
