//! Tests of ports, probes, routes and owners.

use catalogue::{Access, Invocation, services};

use crate::{notices, rules, service, topic};

#[test]
fn ports_of_a_pod_do_not_collide() {
    let rule = rules::ports_do_not_collide;
    notices(
        rule,
        |catalogue| service(catalogue, "audit").metrics_port = Some(8000),
        "audit: port 8000 is taken twice",
    );
    notices(
        rule,
        |catalogue| service(catalogue, "audit").metrics_port = Some(9090),
        "audit: port 9090 belongs to the sidecar",
    );
    notices(
        rule,
        |catalogue| service(catalogue, "chat-api").internal_port = None,
        "chat-api: /internal/tasks/{id}/occurrences has no port",
    );
    notices(
        rule,
        |catalogue| service(catalogue, "audit").internal_port = None,
        "audit: Dapr delivers and there is no internal port",
    );
}

#[test]
fn probes_are_distinct() {
    let rule = rules::probes_are_distinct;
    notices(
        rule,
        |catalogue| service(catalogue, "audit").probes.readiness = "/health",
        "audit: liveness and readiness ask the same",
    );
    notices(
        rule,
        |catalogue| service(catalogue, "audit").probes.events = Some("/ready"),
        "audit: readiness and events ask the same",
    );
    notices(
        rule,
        |catalogue| service(catalogue, "audit").probes.events = None,
        "audit: Dapr delivers and cannot ask for its health",
    );
}

#[test]
fn every_invoked_route_exists_and_wants_a_token() {
    let rule = rules::invocations_lead_somewhere;
    notices(
        rule,
        |catalogue| catalogue.services.retain(|it| it.app_id != "chat-api"),
        "recurring-tasks calls chat-api, which is no service",
    );
    notices(
        rule,
        |catalogue| service(catalogue, "chat-api").routes = &[],
        "recurring-tasks calls /internal/tasks/{id}/occurrences, which chat-api does not answer",
    );
    notices(
        rule,
        |catalogue| {
            let mut route = services::CREATE_OCCURRENCE;
            route.access = Access::Anyone;
            let call = Invocation {
                service: "chat-api",
                route,
            };
            service(catalogue, "recurring-tasks").invokes = vec![call].leak();
        },
        "recurring-tasks calls chat-api without a service token",
    );
}

#[test]
fn routes_are_unique() {
    notices(
        rules::routes_are_unique,
        |catalogue| {
            let route = services::CREATE_OCCURRENCE;
            service(catalogue, "audit").routes = vec![route, route].leak();
        },
        "audit: POST /internal/tasks/{id}/occurrences is there twice",
    );
    notices(
        rules::routes_are_unique,
        |catalogue| {
            let mut route = services::CREATE_OCCURRENCE;
            route.path = "tasks/";
            service(catalogue, "audit").routes = vec![route].leak();
        },
        "audit: tasks/ is no path",
    );
}

#[test]
fn every_schema_and_job_has_the_owner_that_names_it() {
    let rule = rules::owners_agree;
    notices(
        rule,
        |catalogue| catalogue.schemas.retain(|it| it.name != "audit"),
        "audit owns schema audit, which does not exist",
    );
    notices(
        rule,
        |catalogue| service(catalogue, "audit").schema = None,
        "schema audit: its owner audit does not name it",
    );
    notices(
        rule,
        |catalogue| service(catalogue, "notification").job_prefixes = &[],
        "job reminder-task-: its owner notification does not name it",
    );
    notices(
        rule,
        |catalogue| catalogue.jobs.clear(),
        "notification schedules jobs reminder-task-, which do not exist",
    );
}

#[test]
fn groups_of_services_agree_with_the_services() {
    notices(
        rules::groups_of_services_agree,
        |catalogue| service(catalogue, "audit").schema = None,
        "DATABASE_SERVICES says otherwise than the services",
    );
    notices(
        rules::groups_of_services_agree,
        |catalogue| service(catalogue, "audit").consumes = &[],
        "CONSUMERS says otherwise than the services",
    );
    notices(
        rules::groups_of_services_agree,
        |catalogue| service(catalogue, "dlq-monitor").publishes = &[],
        "PUBLISHERS says otherwise than the services",
    );
    notices(
        rules::groups_of_services_agree,
        |catalogue| service(catalogue, "websocket").transports = services::AUDIT.transports,
        "DAPR_SERVICES says otherwise than the services",
    );
}

#[test]
fn numbers_stay_in_their_ranges() {
    let rule = rules::numbers_stay_in_their_ranges;
    notices(
        rule,
        |catalogue| service(catalogue, "audit").drain_seconds = 0,
        "audit: drains in 0 s",
    );
    notices(
        rule,
        |catalogue| topic(catalogue, "reminders").default_partitions = 0,
        "reminders: 0 partitions",
    );
    notices(
        rule,
        |catalogue| catalogue.schemas[0].default_pool_connections = 0,
        "schema chat: a pool of 0",
    );
}

#[test]
fn default_ports_are_those_of_the_services() {
    notices(
        rules::default_ports_agree,
        |catalogue| service(catalogue, "audit").http_port = 8080,
        "audit: TASKFLOW_HTTP_PORT says 8000, the service 8080",
    );
}
