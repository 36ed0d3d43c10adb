use catalogue::Catalogue;

pub(crate) fn topics_exist(catalogue: &Catalogue) -> Vec<String> {
    let mut problems = Vec::new();
    for service in &catalogue.services {
        let reads = service.reads_topics().map(|topic| ("consumes", topic));
        let writes = service.writes_topics().map(|topic| ("writes", topic));
        for (verb, topic) in reads.chain(writes) {
            if catalogue.topic(topic).is_none() {
                let app_id = service.app_id;
                problems.push(format!("{app_id} {verb} {topic}, which is no topic"));
            }
        }
    }
    problems
}

pub(crate) fn topics_are_used(catalogue: &Catalogue) -> Vec<String> {
    let mut problems = Vec::new();
    for topic in &catalogue.topics {
        if catalogue.consumers_of(topic.name).next().is_none() {
            problems.push(format!("nobody reads {}", topic.name));
        }
        let mut services = catalogue.services.iter();
        if !services.any(|it| it.writes_topics().any(|name| name == topic.name)) {
            problems.push(format!("nobody writes {}", topic.name));
        }
    }
    problems
}

pub(crate) fn twins_fit_their_origins(catalogue: &Catalogue) -> Vec<String> {
    let mut problems = Vec::new();
    for topic in &catalogue.topics {
        let name = topic.name;
        if topic.default_retention.subsec_nanos() > 0 || topic.default_retention.is_zero() {
            problems.push(format!("{name} keeps records for no whole number of seconds"));
        }
        let Some(origin_name) = topic.origin() else {
            let twins = catalogue.topics.iter().filter(|it| it.origin() == Some(name));
            let count = twins.count();
            if count != 1 {
                problems.push(format!("{name} has {count} twins"));
            }
            continue;
        };
        let origin = catalogue.topic(origin_name);
        let Some(origin) = origin.filter(|it| !it.is_dead_letter_twin()) else {
            problems.push(format!(
                "{name} collects dead letters of {origin_name}, which is no topic of events"
            ));
            continue;
        };
        if topic.default_partitions < origin.default_partitions {
            problems.push(format!("{name} has fewer partitions than {origin_name}"));
        }
        if topic.max_message_bytes <= origin.max_message_bytes {
            problems.push(format!(
                "{name} has no room for headers beside a record of {origin_name}"
            ));
        }
    }
    problems
}

pub(crate) fn dead_letters_go_to_the_twin(catalogue: &Catalogue) -> Vec<String> {
    let mut problems = Vec::new();
    for service in &catalogue.services {
        let app_id = service.app_id;
        let keeps = service.consumer_group.is_some_and(|it| it.has_meaningful_lag());
        for subscription in service.consumes {
            let topic = subscription.topic;
            let twin = catalogue.dead_letter_twin(topic).map(|it| it.name);
            match subscription.dead_letter {
                Some(target) if twin != Some(target) => problems.push(format!(
                    "{app_id}: dead letters of {topic} go to {target}, not to its twin"
                )),
                None if keeps && twin.is_some() => {
                    problems.push(format!("{app_id}: gives up on {topic} without a dead letter"));
                }
                _ => {}
            }
        }
    }
    problems
}

pub(crate) fn event_types_are_published(catalogue: &Catalogue) -> Vec<String> {
    let mut problems = Vec::new();
    for event in &catalogue.event_types {
        let mut publishers = catalogue.publishers_of(event.topic);
        if !publishers.any(|it| it.app_id == event.publisher) {
            problems.push(format!(
                "{}: {} does not publish to {}",
                event.name, event.publisher, event.topic
            ));
        }
    }
    problems
}
