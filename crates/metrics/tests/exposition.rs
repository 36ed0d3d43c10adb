//! What a service exposes before its first request is its catalogue entry, for every service.

use std::collections::{BTreeMap, BTreeSet};

use catalogue::{Catalogue, LabelValues, Metric, MetricKind, app_ids, metrics as names};
use metrics::Metrics;

/// What the text format says of one metric.
#[derive(Debug, Default, PartialEq)]
struct Exposed {
    help: String,
    kind: String,
    /// Name, then labels in braces with their order kept.
    series: BTreeSet<String>,
}

#[test]
fn what_is_exposed_equals_the_catalogue() {
    let catalogue = Catalogue::taskflow();
    for app_id in app_ids::RUST_SERVICES {
        let exposed = read(&Metrics::new(&catalogue, app_id).render());
        let expected: BTreeMap<String, Exposed> = catalogue
            .metrics_of(app_id)
            .map(|metric| (metric.name.to_owned(), expected(metric, app_id)))
            .collect();
        for (name, expected) in &expected {
            assert_eq!(exposed.get(name), Some(expected), "{name} of {app_id}");
        }
        let names: BTreeSet<_> = expected.keys().collect();
        assert_eq!(exposed.keys().collect::<BTreeSet<_>>(), names, "{app_id}");
    }
}

#[test]
fn everything_but_the_process_and_the_build_begins_at_zero() {
    let text = Metrics::new(&Catalogue::taskflow(), app_ids::CHAT_API).render();
    let begun = text
        .lines()
        .filter(|line| !line.starts_with(['#']) && !line.ends_with(" 0"));
    let others: Vec<_> = begun.filter(|line| !line.starts_with("process_")).collect();
    assert_eq!(others.len(), 1, "{others:?}");
    assert!(
        others[0].starts_with("build_info{") && others[0].ends_with(" 1"),
        "{others:?}"
    );
}

#[test]
fn the_process_is_read_when_rendered() {
    let metrics = Metrics::new(&Catalogue::taskflow(), app_ids::AUDIT);
    let before = value(&metrics.render(), "process_open_fds");
    let files: Vec<_> = (0..5)
        .map(|_| std::fs::File::open("/proc/self/stat").unwrap())
        .collect();
    let text = metrics.render();
    assert!(value(&text, "process_open_fds") >= before + 5.0, "{text}");
    drop(files);
    assert!(value(&text, "process_resident_memory_bytes") > 100_000.0, "{text}");
    assert!(value(&text, "process_threads") >= 1.0, "{text}");
    assert!(
        value(&text, "process_max_fds") >= value(&text, "process_open_fds"),
        "{text}"
    );
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let age = now.as_secs_f64() - value(&text, "process_start_time_seconds");
    assert!((-2.0..3600.0).contains(&age), "started {age} s ago");
}

#[test]
fn processor_time_only_grows() {
    let metrics = Metrics::new(&Catalogue::taskflow(), app_ids::AUDIT);
    let cpu = || value(&metrics.render(), "process_cpu_seconds_total");
    let before = cpu();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while cpu() <= before {
        assert!(
            std::time::Instant::now() < deadline,
            "no processor time was counted in 30 s"
        );
    }
}

#[test]
fn what_is_counted_is_shown() {
    let metrics = Metrics::new(&Catalogue::taskflow(), app_ids::CHAT_API);
    let requests = metrics.counter(&names::HTTP_REQUESTS_TOTAL, &["GET", "/tasks/{id}", "404"]);
    requests.inc();
    metrics.clone().gauge(&names::DEPENDENCY_UP, &["database"]).set(1.0);
    metrics.histogram(&names::DB_POOL_ACQUIRE_SECONDS, &[]).observe(0.3);
    let text = metrics.render();
    let shown = |line: &str| assert!(text.lines().any(|it| it == line), "no {line} in\n{text}");
    shown(r#"http_requests_total{method="GET",route="/tasks/{id}",status="404"} 1"#);
    shown(r#"dependency_up{dependency="database"} 1"#);
    shown(r#"db_pool_acquire_seconds_bucket{le="0.2"} 0"#);
    shown(r#"db_pool_acquire_seconds_bucket{le="0.5"} 1"#);
}

#[test]
fn only_what_the_catalogue_lists_is_allowed() {
    let metrics = Metrics::new(&Catalogue::taskflow(), app_ids::CHAT_API);
    assert!(metrics.exports(&names::TASK_OPERATIONS_TOTAL));
    assert!(!metrics.exports(&names::DLQ_DEPTH));
    let allows = |label, value| metrics.allows(&names::HTTP_REQUESTS_TOTAL, label, value);
    for route in ["/tasks/{id}", "/health", "/ready/events", metrics::UNMATCHED] {
        assert!(allows("route", route), "{route}");
    }
    assert!(!allows("route", "/tasks/7"));
    assert!(allows("method", "PATCH") && !allows("method", "BREW"));
    assert!(allows("status", "200") && allows("status", "599"));
    for status in ["600", "99", "2xx", "2000", ""] {
        assert!(!allows("status", status), "{status}");
    }
}

#[test]
fn a_bug_in_counting_names_the_metric() {
    let metrics = Metrics::new(&Catalogue::taskflow(), app_ids::CHAT_API);
    let message = |count: &dyn Fn()| {
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(count)).unwrap_err();
        *caught.downcast::<String>().unwrap()
    };
    let said = message(&|| drop(metrics.gauge(&names::DLQ_DEPTH, &["reminders"])));
    assert_eq!(said, "`chat-api` does not export `dlq_depth`");
    let said = message(&|| drop(metrics.gauge(&names::PANICS_TOTAL, &[])));
    assert_eq!(said, "`panics_total` is no gauge");
    let said = message(&|| drop(metrics.counter(&names::AUTH_FAILURES_TOTAL, &["bored"])));
    assert_eq!(said, "label `reason` of `auth_failures_total` may not be `bored`");
    let said = message(&|| drop(metrics.counter(&names::AUTH_FAILURES_TOTAL, &[])));
    assert_eq!(said, "`auth_failures_total` has 1 labels");
}

fn expected(metric: &Metric, app_id: &str) -> Exposed {
    let mut series = BTreeSet::new();
    for labels in combinations(metric, app_id) {
        match metric.kind {
            MetricKind::Counter | MetricKind::Gauge => {
                series.insert(format!("{}{}", metric.name, braces(&labels)));
            }
            MetricKind::Histogram { buckets } => {
                for bound in buckets.iter().map(f64::to_string).chain(["+Inf".to_owned()]) {
                    let labels = [&labels[..], &[("le", bound)]].concat();
                    series.insert(format!("{}_bucket{}", metric.name, braces(&labels)));
                }
                series.insert(format!("{}_sum{}", metric.name, braces(&labels)));
                series.insert(format!("{}_count{}", metric.name, braces(&labels)));
            }
        }
    }
    Exposed {
        help: metric.help.to_owned(),
        kind: metric.kind.as_str().to_owned(),
        series,
    }
}

type Labels = Vec<(&'static str, String)>;

/// The label values that stand in the catalogue, written down a second time, independently of the code under test.
fn combinations(metric: &Metric, app_id: &str) -> Vec<Labels> {
    let catalogue = Catalogue::taskflow();
    let service = catalogue.service(app_id).expect("it is there");
    let mut combinations = vec![Labels::new()];
    for label in metric.labels {
        let values: Vec<String> = match label.values {
            LabelValues::Closed(values) => values.iter().map(|it| (*it).to_owned()).collect(),
            LabelValues::ConsumedTopics => service.consumes.iter().map(|it| it.topic.to_owned()).collect(),
            LabelValues::PublishedTopics => service.publishes.iter().map(|it| (*it).to_owned()).collect(),
            LabelValues::Build if label.name == "version" => vec![env!("CARGO_PKG_VERSION").to_owned()],
            LabelValues::Build => vec!["unknown".to_owned()],
            LabelValues::Routes | LabelValues::StatusCodes => vec![],
        };
        combinations = combinations
            .iter()
            .flat_map(|combination| {
                let longer = |value: &String| [&combination[..], &[(label.name, value.clone())]].concat();
                values.iter().map(longer).collect::<Vec<_>>()
            })
            .collect();
    }
    combinations
}

fn braces(labels: &[(&str, String)]) -> String {
    let mut sorted = labels.to_vec();
    // The client sorts a series' own labels by name and puts `le` last.
    sorted.sort_by_key(|(name, _)| (*name == "le", *name));
    let pairs: Vec<_> = sorted
        .iter()
        .map(|(name, value)| format!("{name}=\"{value}\""))
        .collect();
    if pairs.is_empty() {
        String::new()
    } else {
        format!("{{{}}}", pairs.join(","))
    }
}

fn read(text: &str) -> BTreeMap<String, Exposed> {
    let mut exposed = BTreeMap::<String, Exposed>::new();
    let mut current = String::new();
    for line in text.lines() {
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
            name.clone_into(&mut current);
            help.clone_into(&mut exposed.entry(current.clone()).or_default().help);
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            let metric = exposed.get_mut(name).expect("help comes first");
            kind.clone_into(&mut metric.kind);
        } else {
            let (series, _) = line.rsplit_once(' ').expect("a sample has a value");
            let fresh = exposed
                .get_mut(&current)
                .expect("a header comes first")
                .series
                .insert(series.to_owned());
            assert!(fresh, "{series} is there twice");
        }
    }
    exposed
}

fn value(text: &str, series: &str) -> f64 {
    let prefix = format!("{series} ");
    let line = text.lines().find_map(|line| line.strip_prefix(&prefix));
    line.unwrap_or_else(|| panic!("no {series} in\n{text}"))
        .parse()
        .expect("a sample is a number")
}
