//! What was meant for one service, and what its daprd reports, in one shape.

use std::collections::BTreeSet;

use serde_json::Value;

/// Components, subscriptions and resiliencies, each as a line of text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Loaded(BTreeSet<String>);

impl Loaded {
    /// The objects that are scoped to the service, or to none.
    pub(super) fn meant_for(app_id: &str, objects: &[Value]) -> Self {
        let lines = objects
            .iter()
            .filter(|object| {
                let scopes = scopes(object);
                scopes.is_empty() || scopes.contains(app_id)
            })
            .filter_map(|object| {
                let spec = &object["spec"];
                let name = text(&object["metadata"]["name"]);
                match object["kind"].as_str()? {
                    "Component" => Some(component(&name, &text(&spec["type"]), &text(&spec["version"]))),
                    "Resiliency" => Some(resiliency(&name)),
                    "Subscription" => {
                        let rules = spec["routes"]["rules"].as_array().into_iter().flatten();
                        let paths = rules
                            .chain(std::iter::once(&spec["routes"]["default"]))
                            .map(|rule| rule.get("path").map_or_else(|| text(rule), text));
                        Some(subscription(spec, paths))
                    }
                    _ => None,
                }
            });
        Self(lines.collect())
    }

    /// From daprd's `/v1.0/metadata`.
    pub(super) fn reported(metadata: &Value) -> Result<Self, String> {
        let list = |key: &str| metadata[key].as_array().into_iter().flatten();
        if !metadata.is_object() {
            return Err(format!("no metadata: {metadata}"));
        }
        let components =
            list("components").map(|it| component(&text(&it["name"]), &text(&it["type"]), &text(&it["version"])));
        let resiliencies = list("resiliencies").map(|it| resiliency(&text(&it["name"])));
        let subscriptions = list("subscriptions").map(|it| {
            let rules = it["rules"].as_array().into_iter().flatten();
            subscription(it, rules.map(|rule| text(&rule["path"])))
        });
        Ok(Self(components.chain(resiliencies).chain(subscriptions).collect()))
    }

    /// What the other lacks or has beyond this, if anything.
    pub(super) fn difference(&self, reported: &Self) -> Option<String> {
        let missing = self.0.difference(&reported.0).map(|line| format!("not loaded: {line}"));
        let unmeant = reported.0.difference(&self.0).map(|line| format!("not meant: {line}"));
        let lines: Vec<String> = missing.chain(unmeant).collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    /// A subscription whose component is not among these.
    pub(super) fn subscription_to_nothing(&self) -> Option<&str> {
        self.0.iter().map(String::as_str).find(|line| {
            let mut words = line.split(' ');
            words.next() == Some("subscription")
                && words.next().is_none_or(|name| {
                    let component = format!("component {name} pubsub.");
                    !self.0.iter().any(|line| line.starts_with(&component))
                })
        })
    }
}

fn component(name: &str, kind: &str, version: &str) -> String {
    format!("component {name} {kind} {version}")
}

fn resiliency(name: &str) -> String {
    format!("resiliency {name}")
}

/// The fields are called the same in a Subscription's spec and in the metadata.
fn subscription(spec: &Value, paths: impl Iterator<Item = String>) -> String {
    format!(
        "subscription {} {} -> {} dead letters to {:?}",
        text(&spec["pubsubname"]),
        text(&spec["topic"]),
        paths.collect::<Vec<_>>().join(","),
        text(&spec["deadLetterTopic"])
    )
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn scopes(object: &Value) -> BTreeSet<&str> {
    let scopes = object["scopes"].as_array().into_iter().flatten();
    scopes.filter_map(Value::as_str).collect()
}

/// Every service that some object is scoped to.
pub(super) fn app_ids(objects: &[Value]) -> BTreeSet<String> {
    let scopes = objects.iter().flat_map(scopes);
    scopes.map(str::to_owned).collect()
}

/// Every topic that is subscribed to, and where its dead letters go.
pub(super) fn topics(objects: &[Value]) -> BTreeSet<String> {
    objects
        .iter()
        .filter(|object| object["kind"] == "Subscription")
        .flat_map(|object| [&object["spec"]["topic"], &object["spec"]["deadLetterTopic"]])
        .map(text)
        .filter(|topic| !topic.is_empty())
        .collect()
}

#[test]
fn a_missing_and_an_unmeant_resource_are_told_apart() {
    let meant = Loaded(["resiliency a".into()].into());
    let reported = Loaded(["resiliency b".into()].into());
    assert_eq!(meant.difference(&meant), None);
    assert_eq!(
        meant.difference(&reported).unwrap(),
        "not loaded: resiliency a\nnot meant: resiliency b"
    );
}
