//! What stands where spans are sent to: a collector (OTLP over gRPC) that keeps what it gets.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use futures::stream;
use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    common::v1::{KeyValue, any_value::Value},
    trace::v1::{ResourceSpans, Span},
};
use tokio::{net::TcpListener, task::JoinHandle};
use tonic::{Request, Response, Status, transport::Server};

/// A collector that keeps what it is sent. Clones keep it together.
#[derive(Clone, Default)]
pub struct Collector(Arc<Mutex<Vec<ResourceSpans>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(request.into_inner().resource_spans);
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    /// Begins to collect at this port of loopback, or at a free one for 0. Ends with the runtime.
    pub async fn listen(&self, port: u16) -> (SocketAddr, JoinHandle<()>) {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("the port is free");
        let address = listener.local_addr().expect("it is bound");
        let incoming = stream::unfold(listener, async |listener| {
            let accepted = listener.accept().await.map(|(stream, _)| stream);
            Some((accepted, listener))
        });
        let service = TraceServiceServer::new(self.clone());
        let serving = Server::builder().add_service(service).serve_with_incoming(incoming);
        (
            address,
            tokio::spawn(async move { serving.await.expect("serving goes on") }),
        )
    }

    /// All that was sent, by who sent it.
    pub fn resource_spans(&self) -> Vec<ResourceSpans> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// All spans.
    pub fn spans(&self) -> Vec<Span> {
        self.resource_spans().into_iter().flat_map(spans_of).collect()
    }
}

/// The spans that were sent together.
pub fn spans_of(sent: ResourceSpans) -> impl Iterator<Item = Span> {
    sent.scope_spans.into_iter().flat_map(|it| it.spans)
}

/// Attributes as texts, sorted.
pub fn pairs(attributes: &[KeyValue]) -> Vec<(String, String)> {
    let text = |attribute: &KeyValue| match attribute.value.as_ref().and_then(|it| it.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    let mut pairs: Vec<_> = attributes.iter().map(|it| (it.key.clone(), text(it))).collect();
    pairs.sort();
    pairs
}
