//! Tests of topics, consumers and their groups.

use std::time::Duration;

use catalogue::{Catalogue, ConsumerGroup, StartFrom, Subscription, TopicKind, Transport, services, topics};

use crate::{notices, rules, service, topic};

#[test]
fn every_consumed_or_published_topic_exists() {
    let rule = rules::topics_exist;
    let drop = |catalogue: &mut Catalogue| catalogue.topics.retain(|it| it.name != "reminders");
    notices(rule, drop, "notification consumes reminders, which is no topic");
    notices(rule, drop, "notification writes reminders, which is no topic");
    notices(
        rule,
        |catalogue| topic(catalogue, "task-events-dlq").name = "renamed",
        "audit writes task-events-dlq, which is no topic",
    );
}

#[test]
fn every_topic_is_written_and_read() {
    notices(
        rules::topics_are_used,
        |catalogue| service(catalogue, "dlq-monitor").consumes = &[],
        "nobody reads task-events-dlq",
    );
    let silent = |catalogue: &mut Catalogue| {
        service(catalogue, "chat-api").publishes = &[];
        service(catalogue, "dlq-monitor").publishes = &[];
    };
    notices(rules::topics_are_used, silent, "nobody writes task-events");
}

#[test]
fn every_twin_has_an_origin_and_takes_what_it_took() {
    let rule = rules::twins_fit_their_origins;
    notices(
        rule,
        |catalogue| {
            topic(catalogue, "reminders-dlq").kind = TopicKind::DeadLettersOf("gone");
        },
        "reminders-dlq collects dead letters of gone, which is no topic of events",
    );
    notices(
        rule,
        |catalogue| {
            topic(catalogue, "task-events-dlq").kind = TopicKind::DeadLettersOf("reminders");
        },
        "task-events has 0 twins",
    );
    notices(
        rule,
        |catalogue| topic(catalogue, "task-events-dlq").default_partitions = 2,
        "task-events-dlq has fewer partitions than task-events",
    );
    notices(
        rule,
        |catalogue| topic(catalogue, "task-events-dlq").max_message_bytes = topics::MAX_EVENT_BYTES,
        "task-events-dlq has no room for headers beside a record of task-events",
    );
    notices(
        rule,
        |catalogue| topic(catalogue, "reminders").default_retention = Duration::from_millis(1),
        "reminders keeps records for no whole number of seconds",
    );
}

#[test]
fn every_dead_letter_goes_to_the_twin_of_its_topic() {
    notices(
        rules::dead_letters_go_to_the_twin,
        |catalogue| {
            service(catalogue, "audit").consumes = &[Subscription {
                topic: topics::TASK_EVENTS,
                route: "/events/task-events",
                start: StartFrom::Oldest,
                dead_letter: Some(topics::REMINDERS_DLQ),
            }];
        },
        "audit: dead letters of task-events go to reminders-dlq, not to its twin",
    );
    notices(
        rules::dead_letters_go_to_the_twin,
        |catalogue| {
            service(catalogue, "audit").consumes = &[Subscription {
                topic: topics::TASK_EVENTS,
                route: "/events/task-events",
                start: StartFrom::Oldest,
                dead_letter: None,
            }];
        },
        "audit: gives up on task-events without a dead letter",
    );
}

#[test]
fn every_consumer_has_a_group_of_its_own() {
    let rule = rules::consumer_groups_are_unique;
    notices(
        rule,
        |catalogue| {
            service(catalogue, "audit").consumer_group = Some(ConsumerGroup::Shared { name: "notification" });
        },
        "group notification belongs to notification and audit",
    );
    notices(
        rule,
        |catalogue| service(catalogue, "audit").consumer_group = None,
        "audit consumes without a group",
    );
    notices(
        rule,
        |catalogue| service(catalogue, "audit").consumes = &[],
        "audit has a group and consumes nothing",
    );
    notices(
        rule,
        |catalogue| {
            service(catalogue, "websocket").consumer_group = Some(ConsumerGroup::PerReplica {
                template: "{podName}",
                prefix: "audit",
            });
        },
        "group audit of audit begins like the groups of websocket",
    );
}

#[test]
fn a_group_per_replica_reads_from_the_newest_and_has_no_dead_letter() {
    let rule = rules::live_readers_keep_nothing;
    notices(
        rule,
        |catalogue| service(catalogue, "websocket").consumes = services::AUDIT.consumes,
        "websocket: task-events is not read from the newest",
    );
    notices(
        rule,
        |catalogue| service(catalogue, "websocket").consumes = services::AUDIT.consumes,
        "websocket: task-events has a dead letter",
    );
    notices(
        rule,
        |catalogue| service(catalogue, "websocket").transports = &[Transport::Dapr],
        "websocket: not over the direct transport alone",
    );
    notices(
        rule,
        |catalogue| {
            service(catalogue, "websocket").consumer_group = Some(ConsumerGroup::Shared { name: "websocket" });
        },
        "websocket: reads from the newest in a shared group",
    );
}

#[test]
fn every_event_type_is_published_on_its_topic() {
    notices(
        rules::event_types_are_published,
        |catalogue| catalogue.event_types[0].topic = "reminders",
        "dev.taskflow.task.created.v1: chat-api does not publish to reminders",
    );
}
