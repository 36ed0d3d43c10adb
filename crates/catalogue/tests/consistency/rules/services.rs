use std::collections::{BTreeMap, BTreeSet};

use catalogue::{
    Access, Catalogue, ConsumerGroup, Presence, RoutePort, Service, ServiceKind, StartFrom, Transport, app_ids,
    environment_variables, ports,
};

pub(crate) fn consumer_groups_are_unique(catalogue: &Catalogue) -> Vec<String> {
    let mut problems = Vec::new();
    let mut owners = BTreeMap::new();
    for service in &catalogue.services {
        let app_id = service.app_id;
        match (service.consumer_group, service.consumes) {
            (None, []) => {}
            (None, _) => problems.push(format!("{app_id} consumes without a group")),
            (Some(_), []) => problems.push(format!("{app_id} has a group and consumes nothing")),
            (Some(group), _) => {
                let name = group.name_or_template();
                if let Some(other) = owners.insert(name, app_id) {
                    problems.push(format!("group {name} belongs to {other} and {app_id}"));
                }
            }
        }
    }
    for service in &catalogue.services {
        let Some(ConsumerGroup::PerReplica { prefix, .. }) = service.consumer_group else {
            continue;
        };
        for (name, owner) in &owners {
            if name.starts_with(prefix) {
                problems.push(format!(
                    "group {name} of {owner} begins like the groups of {}",
                    service.app_id
                ));
            }
        }
    }
    problems
}

pub(crate) fn live_readers_keep_nothing(catalogue: &Catalogue) -> Vec<String> {
    let mut problems = Vec::new();
    for service in &catalogue.services {
        let app_id = service.app_id;
        if !matches!(service.consumer_group, Some(ConsumerGroup::PerReplica { .. })) {
            let mut starts = service.consumes.iter().map(|it| it.start);
            if starts.any(|start| start == StartFrom::Newest) {
                problems.push(format!("{app_id}: reads from the newest in a shared group"));
            }
            continue;
        }
        if service.transports != [Transport::Kafka] {
            problems.push(format!("{app_id}: not over the direct transport alone"));
        }
        for subscription in service.consumes {
            let topic = subscription.topic;
            if subscription.start != StartFrom::Newest {
                problems.push(format!("{app_id}: {topic} is not read from the newest"));
            }
            if subscription.dead_letter.is_some() {
                problems.push(format!("{app_id}: {topic} has a dead letter"));
            }
        }
    }
    problems
}

pub(crate) fn ports_do_not_collide(catalogue: &Catalogue) -> Vec<String> {
    let mut problems = Vec::new();
    for service in &catalogue.services {
        let app_id = service.app_id;
        let mut taken = BTreeSet::new();
        for (_, port) in service.ports() {
            if !taken.insert(port) {
                problems.push(format!("{app_id}: port {port} is taken twice"));
            }
            if service.may_use_dapr() && ports::DAPR_SIDECAR.contains(&port) {
                problems.push(format!("{app_id}: port {port} belongs to the sidecar"));
            }
        }
        if service.internal_port.is_some() {
            continue;
        }
        if is_delivered_to_by_dapr(service) {
            problems.push(format!("{app_id}: Dapr delivers and there is no internal port"));
        }
        for route in service.routes {
            if route.port == RoutePort::Internal {
                problems.push(format!("{app_id}: {} has no port", route.path));
            }
        }
    }
    problems
}

pub(crate) fn probes_are_distinct(catalogue: &Catalogue) -> Vec<String> {
    let mut problems = Vec::new();
    for service in &catalogue.services {
        let app_id = service.app_id;
        let probes = service.probes;
        if probes.liveness == probes.readiness {
            problems.push(format!("{app_id}: liveness and readiness ask the same"));
        }
        if probes.events == Some(probes.liveness) {
            problems.push(format!("{app_id}: liveness and events ask the same"));
        }
        if probes.events == Some(probes.readiness) {
            problems.push(format!("{app_id}: readiness and events ask the same"));
        }
        if probes.events.is_none() && is_delivered_to_by_dapr(service) {
            problems.push(format!("{app_id}: Dapr delivers and cannot ask for its health"));
        }
    }
    problems
}

fn is_delivered_to_by_dapr(service: &Service) -> bool {
    service.may_use_dapr() && !(service.consumes.is_empty() && service.job_prefixes.is_empty())
}

pub(crate) fn invocations_lead_somewhere(catalogue: &Catalogue) -> Vec<String> {
    let mut problems = Vec::new();
    for service in &catalogue.services {
        let app_id = service.app_id;
        for call in service.invokes {
            let target = call.service;
            if !matches!(call.route.access, Access::Service { .. }) {
                problems.push(format!("{app_id} calls {target} without a service token"));
            }
            match catalogue.service(target) {
                None => problems.push(format!("{app_id} calls {target}, which is no service")),
                Some(callee) if !callee.routes.contains(&call.route) => problems.push(format!(
                    "{app_id} calls {}, which {target} does not answer",
                    call.route.path
                )),
                Some(_) => {}
            }
        }
    }
    problems
}

pub(crate) fn routes_are_unique(catalogue: &Catalogue) -> Vec<String> {
    let mut problems = Vec::new();
    for service in &catalogue.services {
        let app_id = service.app_id;
        let mut seen = BTreeSet::new();
        for route in service.routes {
            if !route.path.starts_with('/') || route.path.ends_with('/') {
                problems.push(format!("{app_id}: {} is no path", route.path));
            }
            if !seen.insert((route.path, route.method)) {
                let method = route.method.as_str();
                problems.push(format!("{app_id}: {method} {} is there twice", route.path));
            }
        }
        let mut deliveries = BTreeSet::new();
        for subscription in service.consumes {
            if !deliveries.insert(subscription.route) {
                problems.push(format!("{app_id}: POST {} is there twice", subscription.route));
            }
        }
    }
    problems
}

pub(crate) fn owners_agree(catalogue: &Catalogue) -> Vec<String> {
    let mut problems = Vec::new();
    for service in &catalogue.services {
        let app_id = service.app_id;
        if let Some(name) = service.schema
            && catalogue.schema(name).is_none()
        {
            problems.push(format!("{app_id} owns schema {name}, which does not exist"));
        }
        for prefix in service.job_prefixes {
            if !catalogue.jobs.iter().any(|it| it.prefix == *prefix) {
                problems.push(format!("{app_id} schedules jobs {prefix}, which do not exist"));
            }
        }
    }
    for schema in &catalogue.schemas {
        let owner = catalogue.service(schema.owner);
        if owner.and_then(|it| it.schema) != Some(schema.name) {
            problems.push(format!(
                "schema {}: its owner {} does not name it",
                schema.name, schema.owner
            ));
        }
    }
    for job in &catalogue.jobs {
        let owner = catalogue.service(job.owner);
        if !owner.is_some_and(|it| it.job_prefixes.contains(&job.prefix)) {
            problems.push(format!("job {}: its owner {} does not name it", job.prefix, job.owner));
        }
    }
    problems
}

/// The constant's name, what it lists, and what belongs in it.
type Group = (&'static str, &'static [&'static str], fn(&Service) -> bool);

pub(crate) fn groups_of_services_agree(catalogue: &Catalogue) -> Vec<String> {
    let groups: [Group; 6] = [
        ("RUST_SERVICES", app_ids::RUST_SERVICES, |it| {
            it.kind == ServiceKind::Rust
        }),
        ("DATABASE_SERVICES", app_ids::DATABASE_SERVICES, |it| {
            it.schema.is_some()
        }),
        ("CONSUMERS", app_ids::CONSUMERS, |it| !it.consumes.is_empty()),
        ("INBOX_SERVICES", app_ids::INBOX_SERVICES, |it| {
            !it.consumes.is_empty() && it.schema.is_some()
        }),
        ("PUBLISHERS", app_ids::PUBLISHERS, |it| !it.publishes.is_empty()),
        ("DAPR_SERVICES", app_ids::DAPR_SERVICES, |it| it.may_use_dapr()),
    ];
    let mut problems = Vec::new();
    for (name, listed, belongs) in groups {
        let services = catalogue.services.iter().filter(|it| belongs(it));
        let found: Vec<_> = services.map(|it| it.app_id).collect();
        if found != listed {
            problems.push(format!("{name} says otherwise than the services"));
        }
    }
    problems
}

pub(crate) fn numbers_stay_in_their_ranges(catalogue: &Catalogue) -> Vec<String> {
    let mut problems = Vec::new();
    for service in &catalogue.services {
        let seconds = service.drain_seconds;
        if !(1..=60).contains(&seconds) {
            problems.push(format!("{}: drains in {seconds} s", service.app_id));
        }
    }
    for topic in &catalogue.topics {
        let partitions = topic.default_partitions;
        if !(1..=1000).contains(&partitions) {
            problems.push(format!("{}: {partitions} partitions", topic.name));
        }
    }
    for schema in &catalogue.schemas {
        let connections = schema.default_pool_connections;
        if !(1..=200).contains(&connections) {
            problems.push(format!("schema {}: a pool of {connections}", schema.name));
        }
    }
    problems
}

pub(crate) fn default_ports_agree(catalogue: &Catalogue) -> Vec<String> {
    let mut problems = Vec::new();
    for service in &catalogue.services {
        let variables = [
            (environment_variables::TASKFLOW_HTTP_PORT, Some(service.http_port)),
            (environment_variables::TASKFLOW_INTERNAL_PORT, service.internal_port),
            (environment_variables::TASKFLOW_METRICS_PORT, service.metrics_port),
        ];
        for (variable, port) in variables {
            let (Presence::Default(default), Some(port)) = (variable.presence, port) else {
                continue;
            };
            if variable.read_by.contains(&service.app_id) && default != port.to_string() {
                problems.push(format!(
                    "{}: {} says {default}, the service {port}",
                    service.app_id, variable.name
                ));
            }
        }
    }
    problems
}
