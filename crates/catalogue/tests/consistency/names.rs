//! Tests of names and the look-ups by name.

use catalogue::{Catalogue, services};

use crate::{notices, rules, service, topic};

#[test]
fn names_are_unique() {
    let rule = rules::names_are_unique;
    let twice = |catalogue: &mut Catalogue| {
        let again = catalogue.metrics[0];
        catalogue.metrics.push(again);
    };
    notices(rule, twice, "metric http_requests_total is there twice");
    let twice = |catalogue: &mut Catalogue| service(catalogue, "web").app_id = "audit";
    notices(rule, twice, "service audit is there twice");
    let twice = |catalogue: &mut Catalogue| topic(catalogue, "reminders").name = "task-events";
    notices(rule, twice, "topic task-events is there twice");
}

#[test]
fn names_follow_their_convention() {
    let rule = rules::names_follow_their_convention;
    let shout = |catalogue: &mut Catalogue| service(catalogue, "audit").app_id = "Audit";
    notices(rule, shout, "service Audit: not kebab case");
    let dash = |catalogue: &mut Catalogue| catalogue.spans[0].name = "task-create";
    notices(rule, dash, "span task-create: not snake case");
    let small = |catalogue: &mut Catalogue| catalogue.environment_variables[0].name = "taskflow_port";
    notices(rule, small, "environment variable taskflow_port: not upper snake case");
    let dash = |catalogue: &mut Catalogue| catalogue.schemas[0].role = "taskflow-chat";
    notices(rule, dash, "role taskflow-chat: not snake case");
}

#[test]
fn lookups_find_what_is_there() {
    let catalogue = Catalogue::taskflow();
    assert_eq!(catalogue.service("audit"), Some(&services::AUDIT));
    assert_eq!(catalogue.service("Audit"), None);
    let twin = catalogue.dead_letter_twin("reminders").unwrap();
    assert_eq!(twin.name, "reminders-dlq");
    let consumers: Vec<_> = catalogue.consumers_of("reminders").collect();
    let names: Vec<_> = consumers.iter().map(|(service, _)| service.app_id).collect();
    assert_eq!(names, ["notification", "audit", "websocket"]);
    let publishers: Vec<_> = catalogue.publishers_of("task-events").collect();
    assert_eq!(publishers.len(), 2);
    let schema = catalogue.schema_of(&services::CHAT_API).unwrap();
    assert_eq!(schema.name, "chat");
    assert!(catalogue.schema_of(&services::WEB).is_none());
    assert_eq!(services::pubsub_component("chat-api"), "kafka-pubsub-chat-api");
}

#[test]
fn a_histogram_is_found_by_its_series_only() {
    let catalogue = Catalogue::taskflow();
    let bucket = catalogue.metric_of_series("reminder_lateness_seconds_bucket");
    assert_eq!(bucket.unwrap().name, "reminder_lateness_seconds");
    assert!(catalogue.metric_of_series("reminder_lateness_seconds").is_none());
    assert!(catalogue.metric_of_series("dlq_depth").is_some());
    assert!(catalogue.metric_of_series("dlq_depth_count").is_none());
}

#[test]
fn a_metric_is_planned_until_one_exporter_exists() {
    let mut catalogue = Catalogue::taskflow();
    let depth = *catalogue.metric("dlq_depth").unwrap();
    service(&mut catalogue, "dlq-monitor").planned = true;
    assert!(catalogue.is_planned(&depth));
    service(&mut catalogue, "dlq-monitor").planned = false;
    assert!(!catalogue.is_planned(&depth));
}

#[test]
fn dapr_reaches_the_internal_port_only_where_it_may() {
    assert_eq!(services::CHAT_API.dapr_app_port(), Some(8001));
    assert_eq!(services::WEBSOCKET.dapr_app_port(), None);
    assert_eq!(services::WEB.dapr_app_port(), None);
    let ports: Vec<_> = services::CHAT_API.ports().collect();
    assert_eq!(ports, [("http", 8000), ("internal", 8001), ("metrics", 9464)]);
    let writes: Vec<_> = services::NOTIFICATION.writes_topics().collect();
    assert_eq!(writes, ["reminders", "task-events-dlq", "reminders-dlq"]);
}
