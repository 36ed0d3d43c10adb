//! What the JMX exporter in each broker exposes: exactly the names that alerts and dashboards rely on, and no other.
//!
//! A broker has some thousand beans; reading them all at every scrape costs a small machine more than serving events.

use super::{FAMILY, STAGE, labelled};
use crate::artefact::Artefacts;
use crate::yaml;
use k8s_openapi::api::core::v1::ConfigMap;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// The rules' `ConfigMap`.
pub(super) const CONFIG_MAP: &str = "kafka-metrics";
/// Their key in it.
pub(super) const KEY: &str = "jmx-exporter.yaml";

pub(super) fn emit(artefacts: &mut Artefacts) {
    let rules = serde_yaml::to_value(configuration()).expect("our own types serialise");
    let config_map = ConfigMap {
        metadata: labelled(CONFIG_MAP, "kafka", "metrics"),
        data: Some([(KEY.to_owned(), yaml::write(&rules))].into()),
        ..ConfigMap::default()
    };
    artefacts.add(FAMILY, STAGE, "/kafka/strimzi", &config_map);
}

/// A kind of bean with the names that are exposed of it.
#[derive(Clone, Copy)]
struct Beans {
    /// Domain and type of the bean.
    bean: (&'static str, &'static str),
    /// Values of its key `name`, or attributes where it has no such key.
    names: &'static [&'static str],
    /// Where the number stands.
    value: Reading,
    /// Further keys of the bean, which become labels of the same name.
    labels: &'static [&'static str],
}

/// Where the number of a bean stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// Attribute `Value` of the named bean.
    Gauge,
    /// Attribute `Value` of the bean `<name>Percent`.
    Percent,
    /// Attribute `OneMinuteRate` of the bean `<name>Percent`; its mean since the start would never show an overload.
    PercentOfLastMinute,
    /// Attribute `Count` of the bean `<name>PerSec`.
    Count,
    /// An attribute of the bean, which goes up and down.
    Attribute,
    /// An attribute of the bean, which only grows.
    CountingAttribute,
    /// An attribute with a text, which becomes a label.
    State,
}

const fn beans(domain: &'static str, kind: &'static str, value: Reading, names: &'static [&'static str]) -> Beans {
    Beans {
        bean: (domain, kind),
        names,
        value,
        labels: &[],
    }
}

const fn labelled_beans(labels: &'static [&'static str], beans: Beans) -> Beans {
    Beans { labels, ..beans }
}

const PARTITION: &[&str] = &["topic", "partition"];

/// The names of `gen/data/strimzi-kafka@1.2.0.txt`; beans as apache/kafka 4.3 registers them.
const BEANS: &[Beans] = &[
    labelled_beans(
        PARTITION,
        beans(
            "kafka.cluster",
            "Partition",
            Reading::Gauge,
            &["AtMinIsr", "ReplicasCount", "UnderMinIsr"],
        ),
    ),
    beans(
        "kafka.controller",
        "ControllerStats",
        Reading::Count,
        &["UncleanLeaderElections"],
    ),
    beans(
        "kafka.controller",
        "KafkaController",
        Reading::Gauge,
        &["ActiveControllerCount", "OfflinePartitionsCount"],
    ),
    labelled_beans(PARTITION, beans("kafka.log", "Log", Reading::Gauge, &["Size"])),
    beans("kafka.log", "LogManager", Reading::Gauge, &["OfflineLogDirectoryCount"]),
    beans(
        "kafka.network",
        "SocketServer",
        Reading::Percent,
        &["NetworkProcessorAvgIdle"],
    ),
    // The sum over all topics is a bean of the same name without the key `topic`: exposed too, it would count twice.
    labelled_beans(
        &["topic"],
        beans(
            "kafka.server",
            "BrokerTopicMetrics",
            Reading::Count,
            &[
                "BytesIn",
                "BytesOut",
                "FailedFetchRequests",
                "FailedProduceRequests",
                "MessagesIn",
                "TotalFetchRequests",
                "TotalProduceRequests",
            ],
        ),
    ),
    beans(
        "kafka.server",
        "KafkaRequestHandlerPool",
        Reading::PercentOfLastMinute,
        &["RequestHandlerAvgIdle"],
    ),
    beans(
        "kafka.server",
        "KafkaServer",
        Reading::Gauge,
        &["linux-disk-read-bytes", "linux-disk-write-bytes"],
    ),
    beans(
        "kafka.server",
        "raft-channel-metrics",
        Reading::CountingAttribute,
        &[
            "incoming-byte-total",
            "outgoing-byte-total",
            "request-total",
            "response-total",
        ],
    ),
    beans(
        "kafka.server",
        "raft-metrics",
        Reading::Attribute,
        &[
            "append-records-rate",
            "commit-latency-avg",
            "current-epoch",
            "current-leader",
            "current-vote",
            "fetch-records-rate",
            "high-watermark",
            "log-end-offset",
        ],
    ),
    beans("kafka.server", "raft-metrics", Reading::State, &["current-state"]),
    beans(
        "kafka.server",
        "ReplicaManager",
        Reading::Gauge,
        &[
            "LeaderCount",
            "PartitionCount",
            "UnderMinIsrPartitionCount",
            "UnderReplicatedPartitions",
        ],
    ),
    labelled_beans(
        &["listener", "networkProcessor"],
        beans(
            "kafka.server",
            "socket-server-metrics",
            Reading::Attribute,
            &["connection-count"],
        ),
    ),
];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Configuration {
    lowercase_output_name: bool,
    include_object_names: BTreeSet<String>,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
struct Rule {
    pattern: String,
    name: String,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<u32>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<String, String>,
}

fn configuration() -> Configuration {
    Configuration {
        lowercase_output_name: true,
        include_object_names: BEANS
            .iter()
            .map(|it| format!("{}:type={},*", it.bean.0, it.bean.1))
            .collect(),
        rules: BEANS.iter().map(Beans::rule).collect(),
    }
}

impl Beans {
    /// One rule for all its names. What no rule matches is not exposed.
    fn rule(&self) -> Rule {
        let (domain, kind) = self.bean;
        let alternatives = self.names.join("|");
        // Where names are beans of their own, `$1` is the name and labels follow; where they are attributes, labels
        // come first and the name is the group after them.
        let (key, reading, suffix) = match self.value {
            Reading::Gauge => (format!(", name=({alternatives})"), "Value".to_owned(), ""),
            Reading::Percent => (
                format!(", name=({alternatives})Percent"),
                "Value".to_owned(),
                "_percent",
            ),
            Reading::PercentOfLastMinute => (
                format!(", name=({alternatives})Percent"),
                "OneMinuteRate".to_owned(),
                "_percent",
            ),
            Reading::Count => (format!(", name=({alternatives})PerSec"), "Count".to_owned(), "_total"),
            Reading::Attribute | Reading::CountingAttribute => (String::new(), format!("({alternatives})"), ""),
            Reading::State => (String::new(), format!("({alternatives}): (.+)"), ""),
        };
        let first_label = if key.is_empty() { 1 } else { 2 };
        let name = if key.is_empty() { self.labels.len() + 1 } else { 1 };
        let mut pattern = format!("{domain}<type={kind}{key}");
        let mut labels = BTreeMap::new();
        for (index, label) in self.labels.iter().enumerate() {
            let _ = write!(pattern, ", {label}=(.+)");
            labels.insert((*label).to_owned(), format!("${}", first_label + index));
        }
        let _ = write!(pattern, "><>{reading}");
        if self.value == Reading::State {
            labels.insert(alternatives.replace('-', "_"), format!("${}", name + 1));
        } else {
            pattern.push(':');
        }
        // Hyphens are no part of a metric's name; the exporter turns those of a name into underscores.
        let prefix = format!("{}_{}", domain.replace('.', "_"), metric_word(kind));
        Rule {
            pattern,
            name: format!("{prefix}_${name}{suffix}"),
            kind: match self.value {
                Reading::Count | Reading::CountingAttribute => "COUNTER",
                Reading::State => "UNTYPED",
                _ => "GAUGE",
            },
            value: (self.value == Reading::State).then_some(1),
            labels,
        }
    }
}

/// Types lose their hyphens, as the names of others' dashboards do, but for one whose own name has always kept them.
fn metric_word(kind: &str) -> String {
    match kind {
        "socket-server-metrics" => kind.replace('-', "_"),
        _ => kind.replace('-', ""),
    }
}

#[cfg(test)]
mod tests {
    use super::{BEANS, Beans};
    use std::collections::BTreeSet;

    const KNOWN: &str = include_str!("../../../data/strimzi-kafka@1.2.0.txt");

    /// `name type labels` of each line that is no comment.
    fn known() -> BTreeSet<String> {
        let lines = KNOWN.lines().filter(|line| !line.starts_with('#'));
        lines.map(str::to_owned).collect()
    }

    fn exposed(beans: &Beans) -> Vec<String> {
        let rule = beans.rule();
        let labels: Vec<&str> = beans
            .labels
            .iter()
            .copied()
            .chain(rule.labels.keys().map(String::as_str))
            .collect();
        let mut unique: Vec<&str> = Vec::new();
        for label in labels {
            if !unique.contains(&label) {
                unique.push(label);
            }
        }
        let labels = if unique.is_empty() {
            "-".to_owned()
        } else {
            unique.join(",")
        };
        let group = rule.name.split_once('$').expect("a group").1;
        let group = format!("${}", &group[..1]);
        beans
            .names
            .iter()
            .map(|name| {
                let metric = rule.name.replace(&group, name).replace('-', "_").to_lowercase();
                format!("{metric} {} {labels}", rule.kind.to_lowercase())
            })
            .collect()
    }

    #[test]
    fn the_rules_expose_exactly_the_known_names() {
        let exposed: BTreeSet<String> = BEANS.iter().flat_map(exposed).collect();
        assert_eq!(exposed, known());
    }
}
