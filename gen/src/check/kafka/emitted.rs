//! Rules over the resources that the operator will read.

use super::{Diagnostic, Subject, count};
use crate::resolve::StrimziBrokers;
use serde_yaml::Value;

/// Of two controllers both must live; of one, one. Whoever adds the second halves the availability.
pub(super) fn controllers_are_odd(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let pools = subject.artefacts.of_kind("KafkaNodePool");
    let controllers: u64 = pools
        .filter(|(_, pool)| roles(pool.at("/spec/roles")).any(|role| role == "controller"))
        .filter_map(|(_, pool)| pool.at("/spec/replicas").and_then(Value::as_u64))
        .sum();
    if controllers == 0 || !controllers.is_multiple_of(2) {
        return Vec::new();
    }
    let message = format!(
        "of {controllers} controllers as few may be lost as of {}",
        controllers - 1
    );
    vec![
        subject
            .error(306, "/kafka/strimzi/brokers", message)
            .warning()
            .label(format!(
                "up to {} are controllers too",
                count(StrimziBrokers::CONTROLLERS, "broker")
            ))
            .reason(
                "controllers decide by majority: of two both must live, so there is one more to lose and none to spare",
            )
            .fix("use 1 broker, or 3"),
    ]
}

fn roles(roles: Option<&Value>) -> impl Iterator<Item = &str> {
    let roles = roles.and_then(Value::as_sequence).map_or(&[][..], Vec::as_slice);
    roles.iter().filter_map(Value::as_str)
}

/// Compares the emitted cluster with the emitted topics, each for itself.
pub(super) fn offsets_outlive_events(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let kept = subject.artefacts.of_kind("Kafka").find_map(|(_, kafka)| {
        let config = kafka.at("/spec/kafka/config")?;
        config.get("offsets.retention.minutes").and_then(Value::as_u64)
    });
    let Some(kept) = kept else {
        return Vec::new();
    };
    subject
        .artefacts
        .of_kind("KafkaTopic")
        .filter_map(|(_, topic)| {
            let retention = topic.at("/spec/config")?.get("retention.ms")?.as_u64()?;
            let resolved = subject.env.topic(&topic.name)?;
            (retention.div_ceil(60_000) > kept).then_some(resolved)
        })
        .map(|topic| {
            let message = format!(
                "`{}` keeps events for {}, the brokers keep the place of a group for {kept} min",
                topic.name, topic.retention
            );
            subject
                .error(311, &format!("{}/retention", topic.pointer), message)
                .reason("a group that stood still for longer begins anew, and handles every event again that is still there")
                .fix("write a retention of less than 4000 years; `offsets.retention.minutes` follows from the longest")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::offsets_outlive_events;
    use crate::artefact::{Artefacts, Resource, Stage, meta};
    use crate::check::Subject;
    use crate::source::Source;
    use crate::spec::lock::Lock;
    use crate::spec::units::Date;
    use catalogue::Catalogue;
    use serde::Serialize;
    use std::collections::BTreeMap;

    const SPEC: &str = include_str!("../../../../environments/minikube.yaml");

    #[derive(Serialize)]
    struct Spec {
        kafka: Brokers,
    }

    #[derive(Serialize)]
    struct Brokers {
        config: Config,
    }

    #[derive(Serialize)]
    struct TopicSpec {
        config: Config,
    }

    type Config = BTreeMap<&'static str, u64>;

    /// What is found when groups' places are kept for so many minutes, and events for a day.
    fn findings(minutes: u64) -> usize {
        let catalogue = Catalogue::taskflow();
        let source = Source::new("environments/minikube.yaml", SPEC.to_owned());
        let written = crate::spec::parse(source, &catalogue).expect("the spec is valid");
        let env = crate::resolve::resolve(&written, Lock::default(), &catalogue);
        let mut artefacts = Artefacts::default();
        let config = Config::from([("offsets.retention.minutes", minutes)]);
        let kafka = Spec {
            kafka: Brokers { config },
        };
        let kafka = Resource::new("kafka.strimzi.io/v1", "Kafka", meta("taskflow", "taskflow"), kafka);
        artefacts.add("test", Stage::Data, "/kafka", &kafka);
        let config = Config::from([("retention.ms", 86_400_000)]);
        let metadata = meta("taskflow", catalogue::topics::TASK_EVENTS);
        let topic = Resource::new("kafka.strimzi.io/v1", "KafkaTopic", metadata, TopicSpec { config });
        artefacts.add("test", Stage::Data, "/topics", &topic);
        let today = Date {
            year: 2026,
            month: 1,
            day: 1,
        };
        let subject = Subject::new(&written, &env, &catalogue, &artefacts, today);
        offsets_outlive_events(&subject).len()
    }

    #[test]
    fn a_place_kept_for_less_long_than_the_events_is_found() {
        assert_eq!(findings(24 * 60 - 1), 1);
        assert_eq!(findings(24 * 60), 0);
    }
}
