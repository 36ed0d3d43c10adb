//! The drill: poison, alert, look, mend, try, replay, quiet. From the commands that an operator types, with the alert's own
//! rule and the numbers that the service itself has exported.

use std::{env, fs, path::Path, process::Command};

use catalogue::services::AUDIT;
use serde::Deserialize as _;
use serde_json::{Value, json};

use crate::{
    consumer::Consumer,
    events::task_event,
    world::{Replica, World},
};

const DEPTH: &str = r#"dlq_depth{topic="task-events"}"#;
/// Minutes that each number stands in the recorded series: longer than the alert waits.
const MINUTES: u32 = 10;

#[tokio::test]
async fn a_broken_consumer_is_found_mended_and_made_good_in_order() {
    let world = World::new().await;
    let replica = world.start().await;
    let consumer = Consumer::start(&world, &AUDIT);
    let mut recorded = vec![sample(&replica).await];

    // A release that gives everything up.
    consumer.is_broken(true);
    let events: Vec<_> = (1..=4)
        .flat_map(|version| [7, 8, 9].map(|task| task_event("ada", task, version)))
        .collect();
    world.publish(&events).await;
    world.letters("waiting", 12).await;
    replica.becomes(DEPTH, 12.0).await;
    recorded.push(sample(&replica).await);
    assert!(replica.value_of(r#"dlq_oldest_age_seconds{topic="task-events"}"#).await > 0.0);
    assert_eq!(
        replica.value_of(r#"dlq_arrived_total{topic="task-events"}"#).await,
        12.0
    );

    // What is it?
    let (code, printed) = world.types(&["group", "--json"]).await;
    let groups: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!((code, &groups[0]["letters"]), (0, &json!(12)));
    let group = groups[0]["group"].as_str().unwrap().to_owned();
    let (code, printed) = world.types(&["show", groups[0]["example"].as_str().unwrap()]).await;
    assert!(code == 0 && printed.contains("is not what it should be"), "{printed}");

    // It is mended, and tried without doing anything.
    consumer.is_broken(false);
    let (code, printed) = world.types(&["dry-run", "--group", &group]).await;
    assert!(
        code == 0 && printed.contains("12 letters would be replayed 12"),
        "{printed}"
    );
    world.letters("waiting", 12).await;
    assert_eq!(consumer.applied(), []);

    let (code, printed) = world.types(&["replay", "--group", &group, "--rate", "500"]).await;
    assert!(
        code == 0 && printed.contains("replay done: 12 letters replayed 12"),
        "{printed}"
    );
    consumer.has_applied(12).await;
    for task in [7, 8, 9] {
        assert_eq!(consumer.versions(task), [1, 2, 3, 4]);
        assert_eq!(consumer.deliveries((task, 1)), 2, "once given up, once replayed");
    }
    world.is_settled().await;
    replica.becomes(DEPTH, 0.0).await;
    recorded.push(sample(&replica).await);
    assert_eq!(
        replica
            .value_of(r#"dlq_resolved_total{resolution="replayed",topic="task-events"}"#)
            .await,
        12.0
    );
    consumer.stop().await;
    replica.stop().await;

    assert_eq!(recorded, [0.0, 12.0, 0.0]);
    the_alert_fires_and_clears(&recorded);
}

async fn sample(replica: &Replica) -> f64 {
    replica.value_of(DEPTH).await
}

/// Has promtool judge the recorded numbers with the rules that are generated.
fn the_alert_fires_and_clears(recorded: &[f64]) {
    let folder = env::temp_dir().join(format!("dlq-drill-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    fs::write(
        folder.join("rules.yaml"),
        json!({"groups": generated_groups()}).to_string(),
    )
    .unwrap();
    let values: Vec<String> = recorded
        .iter()
        .map(|value| format!("{value}x{}", MINUTES - 1))
        .collect();
    let series = r#"dlq_depth{job="dlq-monitor",pod="a",topic="task-events"}"#;
    let alert = |minute: u32, fires: bool| {
        // Only whether it fires is asked here: what it says is said in its own case.
        json!({"expr": r#"ALERTS{alertname="DLQDepthHigh",alertstate="firing",topic="task-events"}"#,
        "eval_time": format!("{minute}m"),
        "exp_samples": if fires {
            json!([{"labels": r#"ALERTS{alertname="DLQDepthHigh",alertstate="firing",severity="warning",topic="task-events"}"#, "value": 1}])
        } else {
            json!([])
        }})
    };
    let case = json!({
        "rule_files": ["rules.yaml"],
        "evaluation_interval": "1m",
        "tests": [{
            "interval": "1m",
            "input_series": [{"series": series, "values": values.join(" ")}],
            "promql_expr_test": [
                alert(MINUTES - 1, false),
                alert(MINUTES + 4, false),
                alert(MINUTES + 6, true),
                alert(2 * MINUTES + 1, false),
            ],
        }],
    });
    fs::write(folder.join("case.yaml"), case.to_string()).unwrap();
    let promtool = env::var("TASKFLOW_PROMTOOL").expect("`cargo xtask test` says where promtool is");
    let judged = Command::new(promtool)
        .args(["test", "rules", "case.yaml"])
        .current_dir(&folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&judged.stdout).into_owned() + &String::from_utf8_lossy(&judged.stderr);
    assert!(judged.status.success(), "{said}");
    fs::remove_dir_all(folder).unwrap();
}

/// The groups of rules with this alert, as one environment has them.
fn generated_groups() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../clusters/minikube/40-observability");
    let mut groups = Vec::new();
    for file in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap_or_default();
        let documents = serde_yaml::Deserializer::from_str(&text).map(|it| Value::deserialize(it).unwrap());
        let found = documents.filter(|it| it["kind"] == "PrometheusRule" && it.to_string().contains("DLQDepthHigh"));
        groups.extend(found.flat_map(|it| it["spec"]["groups"].as_array().cloned().unwrap_or_default()));
    }
    assert!(!groups.is_empty(), "nothing generated has the alert");
    groups
}
