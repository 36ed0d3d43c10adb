//! Finding tasks by what a person types, and looking at recurrences.

use std::time::{Duration, Instant};

use proptest::{prelude::*, strategy::ValueTree as _, test_runner::TestRunner};
use serde_json::{Value, json};

use crate::app::{App, Person};

/// How long one search of a few tasks may take on a busy machine.
const BOUND: Duration = Duration::from_secs(5);

async fn search(person: &Person<'_>, query: &str) -> Value {
    let request = person.request(reqwest::Method::GET, "/tasks/search");
    crate::app::Answer::to(request.query(&[("q", query)])).await.expect(200)
}

fn titles(results: &Value) -> Vec<&str> {
    let items = results["items"].as_array().expect("results are a list");
    items
        .iter()
        .map(|task| task["title"].as_str().expect("a task has a title"))
        .collect()
}

#[tokio::test]
async fn a_query_finds_what_it_says() {
    let app = App::start().await;
    let anna = app.person("anna");
    for task in [
        json!({ "title": "Prepare client presentation", "tags": ["work", "deep work"], "priority": "high" }),
        json!({ "title": "Book the weekly team meeting", "tags": ["work"], "description": "client asked for it" }),
        json!({ "title": "Team dinner, then a weekly walk", "due": { "kind": "instant", "at": "2020-01-01T09:00:00Z" } }),
        json!({ "title": "Call mom!", "priority": "low" }),
        json!({ "title": "Café für Landingpages entwerfen", "due": { "kind": "zoned", "local": "2096-12-01T23:30:00", "zone": "Europe/Berlin" } }),
        json!({ "title": "follow-up on PROJ-123 in C++" }),
    ] {
        anna.create(&task).await;
    }
    app.person("ben")
        .create(&json!({ "title": "Ben's client presentation" }))
        .await;

    for (query, expected) in [
        // The three forms of the brief, to the letter.
        ("client & presentation", vec!["Prepare client presentation"]),
        ("'weekly team meeting'", vec!["Book the weekly team meeting"]),
        ("presen:*", vec!["Prepare client presentation"]),
        ("\"weekly team meeting\"", vec!["Book the weekly team meeting"]),
        ("presen*", vec!["Prepare client presentation"]),
        // Titles before descriptions.
        (
            "client",
            vec!["Prepare client presentation", "Book the weekly team meeting"],
        ),
        ("client !presentation", vec!["Book the weekly team meeting"]),
        ("client -presentation", vec!["Book the weekly team meeting"]),
        ("mom | landing*", vec!["Call mom!", "Café für Landingpages entwerfen"]),
        ("call mom!", vec!["Call mom!"]),
        ("cafe", vec!["Café für Landingpages entwerfen"]),
        ("meetings", vec!["Book the weekly team meeting"]),
        ("follow-up", vec!["follow-up on PROJ-123 in C++"]),
        ("PROJ-123", vec!["follow-up on PROJ-123 in C++"]),
        ("tag:\"deep work\"", vec!["Prepare client presentation"]),
        ("tag:work -priority:high", vec!["Book the weekly team meeting"]),
        ("priority:>=medium", vec!["Prepare client presentation"]),
        ("is:overdue", vec!["Team dinner, then a weekly walk"]),
        ("due:<2096-12-02 weekly", vec!["Team dinner, then a weekly walk"]),
        // The day is that of the person, who lives in UTC: 23:30 in Berlin is 22:30 there.
        ("due:2096-12-01", vec!["Café für Landingpages entwerfen"]),
        ("due:>2096-12-01", vec![]),
        ("status:completed", vec![]),
    ] {
        let results = search(&anna, query).await;
        assert_eq!(titles(&results), expected, "{query}: {results}");
        assert_eq!(
            (&results["mode"], &results["ignored"]),
            (&json!("strict"), &json!([])),
            "{query}"
        );
    }
}

#[tokio::test]
async fn what_is_misspelt_is_guessed_and_what_is_odd_is_echoed() {
    let app = App::start().await;
    let anna = app.person("anna");
    anna.create(&json!({ "title": "Prepare client presentation", "tags": ["work"] }))
        .await;
    anna.create(&json!({ "title": "Water the plants" })).await;

    let guessed = search(&anna, "presntation").await;
    assert_eq!(titles(&guessed), ["Prepare client presentation"]);
    assert_eq!(guessed["mode"], "typo");
    // A filter is no matter of likeness.
    assert_eq!(titles(&search(&anna, "presntation tag:home").await), [""; 0]);

    let odd = search(&anna, "plants due:soon (").await;
    assert_eq!(titles(&odd), ["Water the plants"]);
    assert_eq!(odd["ignored"], json!(["due:soon", "("]));
    assert_eq!(odd["understood"], "plants");

    let nothing = search(&anna, "   ").await;
    assert_eq!((titles(&nothing), &nothing["understood"]), (vec![], &Value::Null));
}

#[tokio::test]
async fn pages_hold_everything_once() {
    let app = App::start().await;
    let anna = app.person("anna");
    for number in 0..25 {
        let filler = "very ".repeat(number % 4);
        anna.create(&json!({ "title": format!("{filler}important {number}") }))
            .await;
    }
    let whole = search(&anna, "important").await;
    let (mut pages, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let mut request = anna
            .request(reqwest::Method::GET, "/tasks/search")
            .query(&[("q", "important"), ("limit", "4")]);
        if let Some(cursor) = &cursor {
            request = request.query(&[("cursor", cursor)]);
        }
        let page = crate::app::Answer::to(request).await.expect(200);
        pages.extend(titles(&page).into_iter().map(str::to_owned));
        cursor = page["next"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(pages, titles(&whole));
    assert_eq!(pages.len(), 25);

    for cursor in ["x", "e30", "bnVsbA"] {
        let request = anna.request(reqwest::Method::GET, "/tasks/search");
        let answer = crate::app::Answer::to(request.query(&[("q", "a"), ("cursor", cursor)])).await;
        assert_eq!(answer.problem(), (400, "invalid_parameter".to_owned()));
    }
}

/// Whatever is typed is answered, in bounded time.
#[tokio::test]
async fn no_text_is_an_error() {
    let app = App::start().await;
    let anna = app.person("anna");
    anna.create(&json!({ "title": "Something to find", "description": "with a text" }))
        .await;
    let mut texts = [
        "call mom!",
        "bob's birthday",
        "a & ",
        "foo:bar",
        "(draft",
        "50% off",
        "email: anna@example.org",
        "foo | | bar",
        "https://example.org/a?b=c&d=e",
        "!",
        "<3 love",
        "to be or not to be",
        "\\",
        "a\\b",
        "'",
        "''",
        "\"",
        "a:*",
        "*",
        ":*",
        "-",
        "--",
        "tag:",
        "due:<",
        "priority:>=",
        "((((",
        "))))",
        "& | !",
        "𝔘𝔫𝔦𝔠𝔬𝔡𝔢",
        "😀",
        "العربية",
        "日本語",
    ]
    .map(str::to_owned)
    .to_vec();
    texts.push("(".repeat(2000));
    texts.push("a ".repeat(1000));
    let mut runner = TestRunner::deterministic();
    let any_text = prop_oneof!["\\PC{0,80}", "[a-c&|!()'\":*<>=\\\\ -]{0,60}"];
    for _ in 0..300 {
        texts.push(any_text.new_tree(&mut runner).expect("a text").current());
    }
    for text in texts {
        let begun = Instant::now();
        search(&anna, &text).await;
        assert!(begun.elapsed() < BOUND, "{text:?} took {:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn a_preview_tells_why_dates_shift() {
    let app = App::start().await;
    let anna = app.person("anna");
    let request = json!({
        "recurrence": { "rule": "FREQ=MONTHLY" },
        "due": { "kind": "zoned", "local": "2026-01-31T02:30:00", "zone": "Europe/Berlin" },
        "count": 3,
    });
    let preview = anna.post("/recurrence/preview", &request).await.expect(200);
    let days: Vec<_> = preview["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["occurrence"].as_str().unwrap())
        .collect();
    assert_eq!(
        days,
        ["2026-01-31T02:30:00", "2026-02-28T02:30:00", "2026-03-31T02:30:00"]
    );
    assert_eq!(preview["items"][1]["shifts"][0]["code"], "month_end");

    let gap = json!({
        "recurrence": { "rule": "FREQ=DAILY" },
        "due": { "kind": "zoned", "local": "2026-03-28T02:30:00", "zone": "Europe/Berlin" },
        "count": 2,
    });
    let preview = anna.post("/recurrence/preview", &gap).await.expect(200);
    let shifted = &preview["items"][1];
    assert_eq!(
        (&shifted["local"], &shifted["shifts"][0]["code"]),
        (&json!("2026-03-29T03:30:00"), &json!("gap"))
    );

    for (field, value, pointer) in [
        ("count", json!(0), "/count"),
        ("recurrence", json!({ "rule": "FREQ=HOURLY" }), "/recurrence/rule"),
        (
            "recurrence",
            json!({ "rule": "FREQ=DAILY;INTERVAL=0" }),
            "/recurrence/rule",
        ),
        (
            "due",
            json!({ "kind": "zoned", "local": "2026-01-31T02:30:00", "zone": "Mars/Olympus" }),
            "/due/zone",
        ),
    ] {
        let mut wrong = request.clone();
        wrong[field] = value;
        let answer = anna.post("/recurrence/preview", &wrong).await;
        assert_eq!(answer.problem(), (422, "invalid_body".to_owned()));
        assert_eq!(answer.expect(422)["errors"][0]["pointer"], pointer);
    }
}
