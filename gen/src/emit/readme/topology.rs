//! The environment as a picture: every edge is one that manifests or the catalogue have.

use crate::artefact::Artefacts;
use crate::emit::Inputs;
use crate::resolve::{Service, TraceStore};
use std::collections::BTreeSet;

/// A Mermaid flow chart.
pub(super) fn draw(inputs: Inputs<'_>, artefacts: &Artefacts) -> String {
    let mut lines = vec!["flowchart LR".to_owned(), "  people((people))".to_owned()];
    nodes(inputs, &mut lines);
    let mut edges = BTreeSet::new();
    for service in &inputs.env.services {
        edges.extend(edges_of(inputs, service));
    }
    for topic in &inputs.env.topics {
        if let Some(twin) = &topic.dead_letter {
            edges.insert(format!("  {} -. gives up .-> {}", id(&topic.name), id(&twin.name)));
        }
    }
    edges.extend(scrapes(inputs, artefacts));
    edges.extend(traces(inputs));
    lines.extend(edges);
    lines.join("\n")
}

fn nodes(inputs: Inputs<'_>, lines: &mut Vec<String>) {
    let env = inputs.env;
    lines.push("  subgraph services".to_owned());
    for service in &env.services {
        lines.push(format!("    {}[{}]", id(service.app_id()), service.app_id()));
    }
    lines.push("  end".to_owned());
    let kafka = match env.kafka.strimzi() {
        Some(_) => "Kafka in the cluster",
        None => "Kafka outside",
    };
    lines.push(format!("  subgraph kafka [{kafka}]"));
    for topic in &env.topics {
        lines.push(format!("    {}[/{}/]", id(&topic.name), topic.name));
    }
    lines.push("  end".to_owned());
    let database = match env.postgres.cluster {
        Some(_) => "PostgreSQL in the cluster",
        None => "PostgreSQL outside",
    };
    lines.push(format!("  postgres[({database})]"));
}

fn edges_of(inputs: Inputs<'_>, service: &Service) -> Vec<String> {
    let own = id(service.app_id());
    let way = if service.uses_dapr() { "through Dapr" } else { "direct" };
    let mut edges = Vec::new();
    for topic in service.entry.publishes {
        edges.push(format!("  {own} -- publishes {way} --> {}", id(topic)));
    }
    for topic in service
        .entry
        .reads_topics()
        .filter(|name| inputs.env.topic(name).is_some())
    {
        edges.push(format!("  {} -- {way} --> {own}", id(topic)));
    }
    for invocation in service.entry.invokes {
        edges.push(format!("  {own} -- calls {way} --> {}", id(invocation.service)));
    }
    if let Some(schema) = inputs.catalogue.schema_of(&service.entry) {
        edges.push(format!("  {own} -- schema {} --- postgres", schema.name));
    }
    let is_for_people = |route: &catalogue::Route| {
        use catalogue::Access;
        matches!(route.access, Access::User | Access::Operator(_))
    };
    if service.entry.routes.iter().any(is_for_people) || service.entry.kind == catalogue::ServiceKind::StaticWeb {
        edges.push(format!("  people --> {own}"));
    }
    edges
}

/// Prometheus reads whatever a monitor selects, and every service of ours that has metrics is selected by one.
fn scrapes(inputs: Inputs<'_>, artefacts: &Artefacts) -> Vec<String> {
    let monitors = artefacts
        .of_kind("PodMonitor")
        .chain(artefacts.of_kind("ServiceMonitor"));
    if monitors.count() == 0 {
        return Vec::new();
    }
    let with_metrics = inputs.env.services.iter().filter(|it| it.entry.metrics_port.is_some());
    with_metrics
        .map(|service| format!("  prometheus[Prometheus] -. scrapes .-> {}", id(service.app_id())))
        .collect()
}

fn traces(inputs: Inputs<'_>) -> Vec<String> {
    let store = match inputs.env.tracing.store {
        TraceStore::Memory { .. } => {
            return vec!["  services -. traces .-> collector[Collector] --> zipkin[Zipkin]".to_owned()];
        }
        TraceStore::External { .. } => "elasticsearch[(Elasticsearch outside)]",
        TraceStore::Node { .. } => "elasticsearch[(Elasticsearch)]",
    };
    vec![format!(
        "  services -. traces .-> collector[Collector] --> zipkin[Zipkin] --> {store}"
    )]
}

/// An identifier that Mermaid takes: letters, digits and underscores, never one of its words.
fn id(name: &str) -> String {
    format!("n_{}", name.replace('-', "_"))
}
