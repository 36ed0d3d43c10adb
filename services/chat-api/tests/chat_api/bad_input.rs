//! What bad input gets: an answer that says what is wrong and where, never a 500.

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Answer, App, Person, id};

async fn refused(person: &Person<'_>, path: &str, body: &Value) -> Vec<(String, String)> {
    let answer = person.post(path, body).await;
    assert_eq!(answer.problem(), (422, "invalid_body".to_owned()), "{body}");
    let errors = answer.expect(422)["errors"].clone();
    let text = |error: &Value, name: &str| error[name].as_str().expect("it is text").to_owned();
    let errors = errors.as_array().expect("an invalid body has errors").iter();
    errors
        .map(|error| (text(error, "pointer"), text(error, "code")))
        .collect()
}

/// Fields, and the pointer and code of what is wrong.
type Case = (Value, &'static str, &'static str);

fn zoned(zone: &str) -> Value {
    json!({"kind": "zoned", "local": "2026-01-31T09:00:00", "zone": zone})
}

fn floating(local: &str) -> Value {
    json!({"kind": "floating", "local": local})
}

fn fields_that_cannot_be() -> Vec<Case> {
    let long_tag = "x".repeat(51);
    let too_many: Vec<String> = (0..51).map(|number| number.to_string()).collect();
    vec![
        (json!({"title": ""}), "/title", "too_short"),
        (json!({"title": "x".repeat(501)}), "/title", "too_long"),
        (json!({"title": "a\u{7}b"}), "/title", "invalid_format"),
        (json!({"title": 5}), "/title", "wrong_type"),
        (json!({"description": "x".repeat(200_001)}), "/description", "too_long"),
        (json!({"priority": "asap"}), "/priority", "not_allowed"),
        (json!({"tags": "home"}), "/tags", "wrong_type"),
        (json!({"tags": ["ok", "\""]}), "/tags/1", "invalid_format"),
        (json!({"tags": [long_tag]}), "/tags/0", "too_long"),
        (json!({"tags": too_many}), "/tags", "too_long"),
        (json!({"user_id": "bob"}), "/user_id", "unknown"),
        (json!({"id": 7}), "/id", "unknown"),
        (json!({"due": zoned("Mars/Olympus")}), "/due/zone", "invalid_format"),
        (json!({"due": zoned("../etc/passwd")}), "/due/zone", "invalid_format"),
        (json!({"due": floating("1969-12-31T23:59:59")}), "/due", "out_of_range"),
        (json!({"due": floating("0000-01-01T00:00:00")}), "/due", "out_of_range"),
        (
            json!({"due": {"kind": "instant", "at": "1969-12-31T23:59:59Z"}}),
            "/due",
            "out_of_range",
        ),
        (
            json!({"reminders": [{"kind": "before_due", "seconds": 60}]}),
            "/reminders",
            "contradiction",
        ),
    ]
}

fn what_cannot_go_with_a_due_time() -> Vec<Case> {
    let may = || floating("2026-05-01T08:00:00");
    let rule = |rule: &str| json!({"rule": rule});
    vec![
        (
            json!({"due": may(), "reminders": [{"kind": "before_due", "seconds": 31_622_401}]}),
            "/reminders/0",
            "out_of_range",
        ),
        (
            json!({"recurrence": rule("FREQ=DAILY")}),
            "/recurrence",
            "contradiction",
        ),
        (
            json!({"due": may(), "recurrence": rule("")}),
            "/recurrence/rule",
            "invalid_format",
        ),
        (
            json!({"due": may(), "recurrence": rule("FREQ=HOURLY")}),
            "/recurrence/rule",
            "out_of_range",
        ),
        (
            json!({"due": may(), "recurrence": rule("FREQ=DAILY;INTERVAL=0")}),
            "/recurrence/rule",
            "out_of_range",
        ),
        (
            json!({"due": may(), "recurrence": {"rule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "month_end": "skip"}}),
            "/recurrence/rule",
            "contradiction",
        ),
        (
            json!({"due": may(), "recurrence": {"rule": "FREQ=DAILY", "basis": "x"}}),
            "/recurrence/basis",
            "not_allowed",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn each_field_that_cannot_be_is_named() {
    let app = App::start().await;
    let ada = app.person("ada");
    for (fields, pointer, code) in fields_that_cannot_be()
        .into_iter()
        .chain(what_cannot_go_with_a_due_time())
    {
        let mut body = json!({"title": "ok"});
        body.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        let found = refused(&ada, "/tasks", &body).await;
        assert_eq!(found, [(pointer.to_owned(), code.to_owned())], "{body}");
    }
    let several = json!({"title": " ", "tags": ["\""], "due": zoned("Nowhere")});
    let found = refused(&ada, "/tasks", &several).await;
    let pointers: Vec<_> = found.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(pointers, ["/title", "/tags/0", "/due/zone"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn times_of_no_form_are_refused_where_they_stand() {
    let app = App::start().await;
    let ada = app.person("ada");
    for due in [
        json!({"kind": "instant", "at": "2026-01-31T09:00:00"}),
        json!({"kind": "instant", "at": 1_769_850_000}),
        json!({"kind": "instant", "at": "+99999-01-01T00:00:00Z"}),
        json!({"kind": "floating", "local": "2026-01-31T09:00:00+02:00"}),
        json!({"kind": "floating", "local": "2026-02-30T09:00:00"}),
        json!({"kind": "floating"}),
        json!({"kind": "zoned", "local": "2026-01-31T09:00:00"}),
        json!({"kind": "floating", "local": "2026-01-31T09:00:00", "zone": "UTC"}),
        json!({"kind": "someday"}),
        json!({}),
        json!("2026-01-31"),
    ] {
        let found = refused(&ada, "/tasks", &json!({"title": "ok", "due": due})).await;
        assert!(found.len() == 1 && found[0].0.starts_with("/due"), "{due}: {found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_request_are_refused() {
    let app = App::start().await;
    let ada = app.person("ada");
    let post = |body: Vec<u8>| {
        let request = ada
            .request(Method::POST, "/tasks")
            .header("content-type", "application/json");
        Answer::to(request.body(body))
    };
    for (body, status) in [
        (b"".to_vec(), 400),
        (b"{".to_vec(), 400),
        (b"{\"title\":\"\xff\"}".to_vec(), 400),
        (b"{\"title\":\"a\\u0000b\"}".to_vec(), 400),
        (b"{\"title\":\"\\ud800\"}".to_vec(), 400),
        (b"{\"title\":\"a\",\"title\":\"b\"}".to_vec(), 400),
        ([b"[".repeat(100_000), b"]".repeat(100_000)].concat(), 400),
        (b"[]".to_vec(), 422),
        (b"null".to_vec(), 422),
        (
            format!("{{\"title\":\"a\",\"description\":\"{}\"}}", "x".repeat(1 << 20)).into_bytes(),
            413,
        ),
    ] {
        let answer = post(body.clone()).await;
        assert_eq!(
            answer.problem().0,
            status,
            "{:?}",
            String::from_utf8_lossy(&body[..body.len().min(40)])
        );
    }
    let form = ada.request(Method::POST, "/tasks").header("content-type", "text/plain");
    assert_eq!(Answer::to(form.body("title=a")).await.problem().0, 415);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_is_no_task_is_not_found() {
    let app = App::start().await;
    let ada = app.person("ada");
    for number in [
        "0",
        "-1",
        "1.0",
        "01",
        "abc",
        "9007199254740992",
        "18446744073709551616",
        "%00",
        "1%20",
    ] {
        for answer in [
            ada.get(&format!("/tasks/{number}")).await,
            ada.act(&format!("/tasks/{number}/complete")).await,
            ada.patch(&format!("/tasks/{number}"), &json!({})).await,
        ] {
            assert_eq!(answer.problem(), (404, "not_found".to_owned()), "{number}");
        }
    }
    assert_eq!(ada.get("/tasks/%ff").await.problem(), (400, "invalid_path".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_longest_texts_of_every_kind_can_be_saved_and_changed() {
    let app = App::start().await;
    let ada = app.person("ada");
    let words = |count: usize| {
        (0..count)
            .map(|number| format!("{number:x}"))
            .collect::<Vec<_>>()
            .join(" ")
    };
    for description in [
        "x".repeat(200_000),
        "ü".repeat(100_000),
        "\"\\\n".repeat(66_666),
        words(36_000),
        "ﬃ ".repeat(50_000),
        "a-b-c-d-e-f-g-h ".repeat(12_500),
        "https://example.org/a/b?c=d&e=f ".repeat(6_000),
        "𝒳 ".repeat(40_000),
    ] {
        let title = "ﷺ".repeat(500);
        let task = ada.create(&json!({"title": title, "description": description})).await;
        assert_eq!(task["description"], description);
        let path = format!("/tasks/{}", id(&task));
        assert_eq!(ada.get(&path).await.expect(200), task);
        ada.act(&format!("{path}/complete")).await.expect(200);
    }
}
