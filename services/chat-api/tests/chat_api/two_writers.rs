//! Two clients that change the same task at the same time.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Answer, App, Person, id};

/// Changes with a condition, by both.
const CHANGES: u64 = 10_000;
/// Changes without one, by each.
const OVERWRITES: u64 = 1_000;

async fn patch(person: &Person<'_>, path: &str, title: &str, tag: Option<&str>) -> Answer {
    let request = person.request(Method::PATCH, path).json(&json!({"title": title}));
    Answer::to(match tag {
        Some(tag) => request.header("if-match", tag),
        None => request,
    })
    .await
}

fn count(task: &Value) -> u64 {
    task["title"]
        .as_str()
        .and_then(|title| title.parse().ok())
        .expect("the title is a number")
}

/// Adds one to the number in the title until that is there; says how often somebody else was first.
async fn count_up(person: &Person<'_>, path: &str) -> u64 {
    let mut conflicts = 0;
    let mut task = person.get(path).await.expect(200);
    while count(&task) < CHANGES {
        let (next, tag) = ((count(&task) + 1).to_string(), format!("\"{}\"", task["version"]));
        let answer = patch(person, path, &next, Some(&tag)).await;
        task = match answer.status.as_u16() {
            412 => {
                conflicts += 1;
                answer.expect(412)["current"].clone()
            }
            _ => answer.expect(200),
        };
    }
    conflicts
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_condition_no_update_is_lost() {
    let app = App::start().await;
    let ada = app.person("ada");
    let task = ada.create(&json!({"title": "0"})).await;
    let path = format!("/tasks/{}", id(&task));
    let (one, two) = tokio::join!(count_up(&ada, &path), count_up(&ada, &path));
    let last = ada.get(&path).await.expect(200);
    assert_eq!((count(&last), last["version"].as_u64()), (CHANGES, Some(CHANGES + 1)));
    assert!(one + two > 0, "they never met");
}

/// Writes without looking, and gives back version and title of each.
async fn overwrite(person: &Person<'_>, path: &str, name: &str) -> Vec<(u64, String)> {
    let mut written = Vec::new();
    for number in 0..OVERWRITES {
        let title = format!("{name}{number}");
        let task = patch(person, path, &title, None).await.expect(200);
        assert_eq!(task["title"], title);
        written.push((task["version"].as_u64().expect("a version is a number"), title));
    }
    written
}

#[tokio::test(flavor = "multi_thread")]
async fn without_one_the_last_write_wins_and_versions_never_repeat() {
    let app = App::start().await;
    let ada = app.person("ada");
    let task = ada.create(&json!({"title": "0"})).await;
    let path = format!("/tasks/{}", id(&task));
    let (one, two) = tokio::join!(overwrite(&ada, &path, "a"), overwrite(&ada, &path, "b"));
    let versions: BTreeSet<u64> = one.iter().chain(&two).map(|(version, _)| *version).collect();
    assert_eq!(versions, (2..=2 * OVERWRITES + 1).collect(), "each once, none left out");
    let last = ada.get(&path).await.expect(200);
    let latest = one.iter().chain(&two).max().expect("something was written");
    assert_eq!(
        (last["version"].as_u64(), last["title"].as_str()),
        (Some(latest.0), Some(latest.1.as_str()))
    );
}
