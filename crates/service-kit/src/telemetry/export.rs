//! Sending spans to the collector.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use opentelemetry::KeyValue;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter as OtlpExporter, WithExportConfig as _};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider, SpanData, SpanExporter},
};

use crate::config::ServiceSettings;

/// Why the exporter could not be made.
pub type ExporterError = ExporterBuildError;

/// Spans that wait to be sent; more are dropped.
const QUEUE_SPANS: usize = 8192;
/// Time that spans wait for others to travel with.
const BATCH_WAIT: Duration = Duration::from_secs(1);
/// Time that the collector has to take a batch.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);

/// What makes spans: sent to the configured collector, or only there for the ids in logs and headers.
pub(super) fn provider(settings: &ServiceSettings) -> Result<SdkTracerProvider, ExporterError> {
    let builder = SdkTracerProvider::builder()
        // Whoever calls cannot choose what we record: the collector samples, once a trace is whole.
        .with_sampler(Sampler::AlwaysOn)
        .with_resource(resource(settings));
    let Some(endpoint) = &settings.telemetry.endpoint else {
        return Ok(builder.build());
    };
    let exporter = OtlpExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .with_timeout(EXPORT_TIMEOUT)
        .build()?;
    let batches = BatchConfigBuilder::default()
        .with_max_queue_size(QUEUE_SPANS)
        .with_scheduled_delay(BATCH_WAIT)
        .build();
    let processor = BatchSpanProcessor::builder(Reporting::new(exporter))
        .with_batch_config(batches)
        .build();
    Ok(builder.with_span_processor(processor).build())
}

fn resource(settings: &ServiceSettings) -> Resource {
    let told = settings.telemetry.resource_attributes.iter();
    let replica = settings.process.pod_name.iter();
    Resource::builder_empty()
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attributes(replica.map(|name| KeyValue::new("service.instance.id", name.clone())))
        .with_attributes(told.map(|(key, value)| KeyValue::new(key.clone(), value.clone())))
        .with_service_name(settings.telemetry.service_name.clone())
        .build()
}

/// An exporter that logs when sending begins to fail and when it works again, instead of each failure.
#[derive(Debug)]
struct Reporting<E> {
    exporter: E,
    failing: AtomicBool,
}

impl<E> Reporting<E> {
    fn new(exporter: E) -> Self {
        Self {
            exporter,
            failing: AtomicBool::new(false),
        }
    }
}

impl<E: SpanExporter> SpanExporter for Reporting<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let sent = self.exporter.export(batch).await;
        let failed_before = self.failing.swap(sent.is_err(), Ordering::Relaxed);
        match &sent {
            Err(error) if !failed_before => {
                tracing::warn!(
                    error = error.to_string(),
                    "spans cannot be sent and are dropped: {error}"
                );
            }
            Ok(()) if failed_before => tracing::info!("spans are sent again"),
            _ => {}
        }
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
