//! Lists of tasks: filters, orders, pages; and the tags in use.

use serde_json::{Value, json};

use crate::app::{App, Person};

/// Due, priority, tags of a task.
type Sample = (
    &'static str,
    Option<&'static str>,
    &'static str,
    &'static [&'static str],
);

const SAMPLES: &[Sample] = &[
    ("banana", Some("2026-05-02T00:00:00Z"), "low", &["fruit"]),
    ("Apple", None, "urgent", &["fruit", "red"]),
    ("cherry", Some("2026-05-01T00:00:00Z"), "low", &["fruit", "red"]),
    ("Äpfel", Some("2026-05-02T00:00:00Z"), "none", &[]),
    ("date", None, "high", &["fruit", "deep work"]),
];

async fn fill(person: &Person<'_>) {
    for (title, due, priority, tags) in SAMPLES {
        let due = due.map(|at| json!({"kind": "instant", "at": at}));
        let new = json!({"title": title, "due": due, "priority": priority, "tags": tags});
        person.create(&new).await;
    }
}

fn titles(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().expect("a page has items").iter();
    items
        .map(|task| task["title"].as_str().expect("a task has a title"))
        .collect()
}

/// The titles of all pages of this size.
async fn walk(person: &Person<'_>, query: &str, limit: usize) -> Vec<String> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let answer = person.get(&format!("/tasks?{query}&limit={limit}{cursor}")).await;
        let page = answer.expect(200);
        assert!(titles(&page).len() <= limit);
        found.extend(titles(&page).into_iter().map(str::to_owned));
        let Some(next) = page["next"].as_str() else {
            assert!(!answer.headers.contains_key("link"));
            return found;
        };
        assert_eq!(
            answer.header("link"),
            format!("</tasks?{query}&limit={limit}&cursor={next}>; rel=\"next\"")
        );
        cursor = format!("&cursor={next}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_order_has_every_task_once_whatever_the_size_of_a_page() {
    let app = App::start().await;
    let ada = app.person("ada");
    fill(&ada).await;
    for (sort, expected) in [
        ("due", ["cherry", "banana", "Äpfel", "Apple", "date"]),
        ("-due", ["Äpfel", "banana", "cherry", "date", "Apple"]),
        ("priority", ["Äpfel", "banana", "cherry", "date", "Apple"]),
        ("-priority", ["Apple", "date", "cherry", "banana", "Äpfel"]),
        ("title", ["Äpfel", "Apple", "banana", "cherry", "date"]),
        ("-title", ["date", "cherry", "banana", "Apple", "Äpfel"]),
        ("created", ["banana", "Apple", "cherry", "Äpfel", "date"]),
        ("-created", ["date", "Äpfel", "cherry", "Apple", "banana"]),
    ] {
        for limit in [1, 2, 3, 5, 200] {
            assert_eq!(
                walk(&ada, &format!("sort={sort}"), limit).await,
                expected,
                "{sort}, {limit}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_leave_what_fulfils_all_of_them() {
    let app = App::start().await;
    let ada = app.person("ada");
    fill(&ada).await;
    let done = ada.get("/tasks?text=date").await.expect(200)["items"][0]["id"].clone();
    ada.act(&format!("/tasks/{done}/complete")).await.expect(200);
    for (query, expected) in [
        ("status=completed", &["date"][..]),
        (
            "status=open&status=completed&tag=fruit",
            &["Apple", "banana", "cherry", "date"],
        ),
        (
            "priority=low&priority=urgent&status=open",
            &["Apple", "banana", "cherry"],
        ),
        ("tag=Fruit&tag=RED", &["Apple", "cherry"]),
        ("tag=deep+work", &["date"]),
        ("due_from=2026-05-02T00:00:00Z", &["Äpfel", "banana"]),
        ("due_to=2026-05-02T00:00:00Z", &["cherry"]),
        (
            "due_from=2026-05-01T02:00:00%2B02:00&due_to=2026-05-01T00:00:01Z",
            &["cherry"],
        ),
        ("text=apfel", &["Äpfel"]),
        ("text=CHERRY", &["cherry"]),
        ("text=!!", &[]),
        ("tag=none+has+it", &[]),
    ] {
        let page = ada.get(&format!("/tasks?sort=title&{query}")).await.expect(200);
        assert_eq!(titles(&page), expected, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_list_is_refused() {
    let app = App::start().await;
    let ada = app.person("ada");
    fill(&ada).await;
    let next = ada.get("/tasks?sort=title&limit=1").await.expect(200)["next"].clone();
    let of_another_order = format!("cursor={}&sort=created", next.as_str().unwrap());
    for (query, parameter) in [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=many", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("sort=size", "sort"),
        ("status=done", "status"),
        ("priority=5", "priority"),
        ("tag=", "tag"),
        ("tag=%22", "tag"),
        ("due_from=tomorrow", "due_from"),
        ("due_to=2026-05-01", "due_to"),
        ("text=a%00b", "text"),
        ("text=a&text=b", "text"),
        ("cursor=abc", "cursor"),
        ("cursor=", "cursor"),
        (&of_another_order, "cursor"),
        ("page=2", "page"),
    ] {
        let refused = ada.get(&format!("/tasks?{query}")).await;
        assert_eq!(refused.problem(), (400, "invalid_parameter".to_owned()), "{query}");
        assert_eq!(refused.expect(400)["errors"][0]["parameter"], parameter, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_long_texts_ends_early_and_nothing_is_lost() {
    let app = App::start().await;
    let ada = app.person("ada");
    let description = "long ".repeat(39_999);
    for number in 0..25 {
        ada.create(&json!({"title": format!("{number:02}"), "description": description}))
            .await;
    }
    let first = ada.get("/tasks?sort=title&limit=200").await.expect(200);
    let begun = titles(&first).len();
    assert!((10..25).contains(&begun), "{begun} tasks of 200 kB on a page");
    let cursor = first["next"].as_str().expect("more follows");
    let second = ada
        .get(&format!("/tasks?sort=title&limit=200&cursor={cursor}"))
        .await
        .expect(200);
    assert_eq!(begun + titles(&second).len(), 25);
    assert_eq!(second["next"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_are_counted() {
    let app = App::start().await;
    let ada = app.person("ada");
    fill(&ada).await;
    let cherry = ada.get("/tasks?text=cherry").await.expect(200)["items"][0]["id"].clone();
    ada.act(&format!("/tasks/{cherry}/complete")).await.expect(200);
    let all = ada.get("/tags").await.expect(200);
    let expected = json!([
        {"name": "deep work", "open_tasks": 1, "tasks": 1},
        {"name": "fruit", "open_tasks": 3, "tasks": 4},
        {"name": "red", "open_tasks": 1, "tasks": 2},
    ]);
    assert_eq!((&all["items"], &all["next"]), (&expected, &Value::Null));
    let first = ada.get("/tags?limit=2").await.expect(200);
    let cursor = first["next"].as_str().expect("more follows");
    let second = ada.get(&format!("/tags?limit=2&cursor={cursor}")).await.expect(200);
    assert_eq!((&second["items"][0], &second["next"]), (&expected[2], &Value::Null));
}
