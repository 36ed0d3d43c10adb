//! The environment's page for people, from the environment and from what was emitted for it.
//!
//! Every row is computed here; the template only repeats them.

mod cluster;
mod overview;
mod topology;

use super::Inputs;
use crate::artefact::Artefacts;
use handlebars::Handlebars;
use serde::Serialize;
use std::fmt::Display;
use std::sync::OnceLock;

const FAMILY: &str = "readme";
const PAGE: &str = "environment";
const TEMPLATE: &str = include_str!("../../templates/environment.md.hbs");

/// The page.
#[derive(Serialize)]
struct Page {
    name: String,
    summary: String,
    facts: Vec<overview::Fact>,
    replicas_note: String,
    services: Vec<overview::ServiceRow>,
    workloads: Vec<cluster::WorkloadRow>,
    disabled: String,
    topology: String,
    capacity_note: String,
    capacity: Vec<cluster::CapacityRow>,
    capacity_remarks: Vec<String>,
    volumes_note: String,
    volumes: Vec<cluster::VolumeRow>,
    topics_note: String,
    topics: Vec<overview::TopicRow>,
    endpoints: Vec<cluster::Endpoint>,
    alerts_note: String,
    alerts: Vec<cluster::AlertRow>,
    secrets_note: String,
    secrets_what: &'static str,
    secrets: Vec<cluster::SecretRow>,
    waivers: Vec<overview::WaiverRow>,
    pins: Vec<overview::PinRow>,
    defaults: Vec<overview::DefaultRow>,
    bootstrap: Vec<overview::BootstrapStep>,
}

pub(super) fn emit(inputs: Inputs<'_>, artefacts: &mut Artefacts) {
    let page = page(inputs, artefacts);
    let text = template()
        .render(PAGE, &page)
        .expect("the template names only fields of `Page`");
    artefacts.add_text(FAMILY, "README.md", "/environment", text);
}

/// The template, read once for all environments. Reading it takes longer than filling it in.
pub(super) fn template() -> &'static Handlebars<'static> {
    static TEMPLATES: OnceLock<Handlebars<'static>> = OnceLock::new();
    TEMPLATES.get_or_init(|| {
        let mut handlebars = Handlebars::new();
        handlebars.set_strict_mode(true);
        handlebars.register_escape_fn(handlebars::no_escape);
        handlebars
            .register_template_string(PAGE, TEMPLATE)
            .expect("the template is well-formed");
        handlebars
    })
}

fn page(inputs: Inputs<'_>, artefacts: &Artefacts) -> Page {
    let capacity = cluster::capacity(inputs, artefacts);
    let alerts = cluster::alerts(inputs, artefacts);
    let (secrets_note, secrets_what) = cluster::secrets_note(inputs);
    Page {
        name: inputs.env.name.clone(),
        summary: overview::summary(inputs),
        facts: overview::facts(inputs),
        replicas_note: capacity.replicas_note,
        services: overview::services(inputs),
        workloads: cluster::workloads(inputs, artefacts),
        disabled: overview::disabled(inputs),
        topology: topology::draw(inputs, artefacts),
        capacity_note: capacity.note,
        capacity: capacity.rows,
        capacity_remarks: capacity.remarks,
        volumes_note: cluster::volumes_note(inputs, artefacts),
        volumes: cluster::volumes(inputs, artefacts),
        topics_note: overview::topics_note(inputs),
        topics: overview::topics(inputs),
        endpoints: cluster::endpoints(inputs, artefacts),
        alerts_note: cluster::alerts_note(inputs, &alerts),
        alerts,
        secrets_note: secrets_note.to_owned(),
        secrets_what,
        secrets: cluster::secrets(inputs),
        waivers: overview::waivers(inputs),
        pins: overview::pins(artefacts),
        defaults: overview::defaults(inputs),
        bootstrap: overview::bootstrap(inputs),
    }
}

/// A text as a table cell: one line, without the character that ends a cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ").trim().to_owned()
}

/// Names separated by commas, or a dash.
fn list(names: impl IntoIterator<Item = impl Into<String>>) -> String {
    let names: Vec<String> = names.into_iter().map(Into::into).collect();
    if names.is_empty() {
        "–".to_owned()
    } else {
        names.join(", ")
    }
}

/// `1 broker`, `3 brokers`
fn counted(count: impl Display, one: &str, several: &str) -> String {
    let count = count.to_string();
    let noun = if count == "1" { one } else { several };
    format!("{count} {noun}")
}

#[cfg(test)]
mod tests;
