//! The way that events take to a service.

use super::super::Subject;
use crate::diagnostic::Diagnostic;
use crate::resolve::Service;
use crate::spec::Bus;
use catalogue::Transport;

pub(super) fn exactly_one(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let env = subject.env;
    env.services
        .iter()
        .filter(|service| !service.entry.transports.is_empty() && service.transports.len() != 1)
        .map(|service| {
            let name = service.app_id();
            let (message, reason) = if service.transports.is_empty() {
                (
                    format!("events reach `{name}` in no way"),
                    "it would start, be healthy, and never see an event",
                )
            } else {
                (
                    format!("events reach `{name}` in {} ways", service.transports.len()),
                    "its group is shared by both: the service listens to one of them, answers 404 to the other, and Dapr dead-letters every event",
                )
            };
            subject
                .error(410, &pointer(service), message)
                .label("must be exactly one")
                .reason(reason)
                .fix("write `transports: [dapr]` or `transports: [kafka]`, or leave it out")
        })
        .collect()
}

pub(super) fn is_known(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for service in &subject.env.services {
        let written = subject.written.spec.services.get(service.app_id());
        let asked = written.and_then(|said| said.transports.as_ref());
        let known = &service.entry.transports;
        for bus in asked
            .into_iter()
            .flatten()
            .filter(|bus| !known.contains(&transport(**bus)))
        {
            let message = format!("`{}` cannot be reached through {bus}", service.app_id());
            let (reason, fix) = if known.is_empty() {
                ("it takes no events at all", "leave `transports` out")
            } else {
                (
                    "each of its replicas reads everything from the end with a group of its own, which Dapr cannot do: users on other replicas would miss updates",
                    "leave `transports` out, or write `[kafka]`",
                )
            };
            found.push(
                subject
                    .error(411, &pointer(service), message)
                    .label(format!("not through {bus}"))
                    .reason(reason)
                    .fix(fix),
            );
        }
    }
    found
}

fn transport(bus: Bus) -> Transport {
    match bus {
        Bus::Dapr => Transport::Dapr,
        Bus::Kafka => Transport::Kafka,
    }
}

fn pointer(service: &Service) -> String {
    format!("{}/transports", service.pointer())
}
