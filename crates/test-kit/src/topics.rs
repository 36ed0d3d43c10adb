//! Kafka topics per test.

use std::time::Duration;

use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    metadata::MetadataTopic,
};

use crate::{elsewhere, engines, test_name, wait_until};

const PATIENCE: Duration = Duration::from_secs(30);

/// Topics that one test owns: names with a prefix of its own.
///
/// They are deleted together with this value, and kept (the prefix is printed) when the test fails.
pub struct Topics {
    brokers: String,
    prefix: String,
    names: Vec<String>,
}

impl Topics {
    /// Topics with these names behind the prefix and these numbers of partitions, on the broker of this run.
    pub async fn create(topics: &[(&str, i32)]) -> Self {
        Self::create_on(&engines::kafka_brokers(), topics).await
    }

    /// The same on another broker: that of an [`EnginePair`](crate::EnginePair).
    pub async fn create_on(brokers: &str, topics: &[(&str, i32)]) -> Self {
        let mut created = Self {
            brokers: brokers.to_owned(),
            prefix: format!("{}.", test_name::unique()),
            names: Vec::new(),
        };
        created.add(topics).await;
        created
    }

    /// Creates more topics behind the same prefix.
    pub async fn add(&mut self, topics: &[(&str, i32)]) {
        let names: Vec<String> = topics.iter().map(|(name, _)| self.name(name)).collect();
        let admin = admin(&self.brokers);
        let wanted: Vec<NewTopic> = names
            .iter()
            .zip(topics)
            .map(|(name, (_, partitions))| NewTopic::new(name, *partitions, TopicReplication::Fixed(1)))
            .collect();
        let results = admin
            .create_topics(&wanted, &AdminOptions::new().operation_timeout(Some(PATIENCE)))
            .await
            .unwrap_or_else(|error| {
                panic!(
                    "the Kafka broker of the tests does not answer at {}: {error}",
                    self.brokers
                )
            });
        for result in results {
            result.unwrap_or_else(|(topic, error)| panic!("could not create the topic {topic}: {error}"));
        }
        wait_until("the topics have leaders", PATIENCE, async || {
            topics
                .iter()
                .zip(&names)
                .try_for_each(|((_, partitions), name)| have_leaders(&admin, name, *partitions))
        })
        .await;
        self.names.extend(names);
    }

    /// What stands before every name; also a good beginning for the names of consumer groups.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The name on the broker of a topic.
    pub fn name(&self, topic: &str) -> String {
        format!("{}{topic}", self.prefix)
    }

    /// Where the broker is.
    pub fn brokers(&self) -> &str {
        &self.brokers
    }
}

impl Drop for Topics {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the topics {}* are kept, since the test failed", self.prefix);
            return;
        }
        elsewhere::block_on(async {
            let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
            let results = admin(&self.brokers).delete_topics(&names, &AdminOptions::new()).await;
            for result in results.expect("the broker answers") {
                result.unwrap_or_else(|(topic, error)| panic!("could not delete the topic {topic}: {error}"));
            }
        });
    }
}

fn admin(brokers: &str) -> AdminClient<DefaultClientContext> {
    ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .create()
        .expect("the settings are valid")
}

fn have_leaders(admin: &AdminClient<DefaultClientContext>, topic: &str, partitions: i32) -> Result<(), String> {
    let metadata = admin
        .inner()
        .fetch_metadata(Some(topic), Duration::from_secs(5))
        .map_err(|error| error.to_string())?;
    let led = metadata
        .topics()
        .iter()
        .flat_map(MetadataTopic::partitions)
        .filter(|partition| partition.leader() >= 0)
        .count();
    if i32::try_from(led) == Ok(partitions) {
        Ok(())
    } else {
        Err(format!("{led} of {partitions} partitions of {topic} have one"))
    }
}
