//! What bad input gets: an answer that says what is wrong and where, never a 500.

use std::time::{Duration, Instant};

use proptest::{
    prelude::{Strategy as _, any},
    strategy::ValueTree as _,
    test_runner::TestRunner,
};
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

/// What is typed into a search is no parameter that could be wrong: whatever bytes come, there is an answer, and soon.
#[tokio::test(flavor = "multi_thread")]
async fn any_bytes_can_be_searched_for() {
    const BOUND: Duration = Duration::from_secs(5);
    let app = App::start().await;
    let ada = app.person("ada");
    ada.create(&json!({"title": "Something to find"})).await;
    let mut texts: Vec<Vec<u8>> = [
        &b"\0"[..],
        b"find\0",
        b"\xff",
        b"\xc3(",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"tag:\xff",
        b"\"\xfe\"",
    ]
    .map(<[u8]>::to_vec)
    .to_vec();
    let mut runner = TestRunner::deterministic();
    let bytes = proptest::collection::vec(any::<u8>(), 0..200);
    texts.extend((0..300).map(|_| bytes.new_tree(&mut runner).expect("there are bytes").current()));
    for text in texts {
        let encoded = text
            .iter()
            .fold(String::new(), |encoded, byte| encoded + &format!("%{byte:02x}"));
        let begun = Instant::now();
        let answer = ada.get(&format!("/tasks/search?q={encoded}")).await;
        assert_eq!(answer.status, 200, "{encoded}: {answer:?}");
        assert!(begun.elapsed() < BOUND, "{encoded} took {:?}", begun.elapsed());
    }
    let found = ada.get("/tasks/search?q=find%00").await.expect(200);
    assert_eq!(found["items"][0]["title"], "Something to find", "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn text_that_cannot_be_stored_is_refused_where_it_stands() {
    let app = App::start().await;
    let ada = app.person("ada");
    for (path, status, code) in [
        ("/tasks?text=%00", 400, "invalid_parameter"),
        ("/tasks?tag=%ff", 400, "invalid_parameter"),
        ("/tasks?cursor=%00", 400, "invalid_parameter"),
        ("/tasks?%00=a", 400, "invalid_parameter"),
        ("/tags?cursor=%ff", 400, "invalid_parameter"),
        ("/tasks/%00/history", 404, "not_found"),
    ] {
        assert_eq!(ada.get(path).await.problem(), (status, code.to_owned()), "{path}");
    }
    for (name, value) in [
        ("if-match", &b"\"\xff\""[..]),
        ("if-match", b"7"),
        ("idempotency-key", b"a b"),
        ("idempotency-key", b"\xc3\xa9"),
    ] {
        let value = reqwest::header::HeaderValue::from_bytes(value).expect("it can be sent");
        let request = ada.request(Method::POST, "/tasks/1/complete").header(name, value);
        let refused = Answer::to(request).await.problem();
        // Of a task that is not there, nobody asks for the version.
        assert_eq!(refused, (400, "invalid_header".to_owned()), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_beyond_all_bounds_are_refused_where_they_stand() {
    let app = App::start().await;
    let ada = app.person("ada");
    let task = id(&ada.create(&json!({"title": "counted"})).await);
    for (operation, pointer) in [
        (r#"{"complete": {"id": 9007199254740992}}"#, "/operations/0/complete/id"),
        (
            r#"{"complete": {"id": 18446744073709551616}}"#,
            "/operations/0/complete/id",
        ),
        (
            r#"{"complete": {"id": 9007199254740991.5}}"#,
            "/operations/0/complete/id",
        ),
        (r#"{"complete": {"id": -1}}"#, "/operations/0/complete/id"),
        (r#"{"complete": {"id": 1e300}}"#, "/operations/0/complete/id"),
        (
            r#"{"complete": {"id": 1, "if_version": 9223372036854775808}}"#,
            "/operations/0/complete/if_version",
        ),
        (
            r#"{"create": {"title": "a", "reminders": [{"kind": "before_due", "seconds": 18446744073709551615}]}}"#,
            "/reminders/0",
        ),
    ] {
        let request = ada
            .request(Method::POST, "/tasks/batch")
            .header("content-type", "application/json");
        let answer = Answer::to(request.body(format!(r#"{{"operations": [{operation}]}}"#))).await;
        let body: Value = serde_json::from_str(&answer.text).expect("it is JSON");
        let errors = match answer.status.as_u16() {
            422 => &body["errors"],
            200 => &body["results"][0]["problem"]["errors"], // of one operation
            _ => panic!("{operation}: {answer:?}"),
        };
        assert_eq!(errors[0]["pointer"], pointer, "{operation}: {body}");
    }
    for limit in ["0", "201", "65536", "-1", "1e2", "99999999999999999999"] {
        let refused = ada.get(&format!("/tasks?limit={limit}")).await.problem();
        assert_eq!(refused, (400, "invalid_parameter".to_owned()), "{limit}");
    }
    // A number that JSON cannot hold is no JSON; one that is an integer may be written with a fraction of nothing.
    let request = ada
        .request(Method::POST, "/tasks/batch")
        .header("content-type", "application/json");
    let infinite = Answer::to(request.body(r#"{"operations": [{"complete": {"id": 1e999}}]}"#)).await;
    assert_eq!(infinite.problem(), (400, "malformed_body".to_owned()));
    let request = ada
        .request(Method::POST, "/tasks/batch")
        .header("content-type", "application/json");
    let whole = request.body(format!(r#"{{"operations": [{{"complete": {{"id": {task}.0}}}}]}}"#));
    assert_eq!(Answer::to(whole).await.expect(200)["results"][0]["status"], 200);
}

/// Each way is tried against every kind of token in service-kit; here, that the door is the same one.
#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_do_not_hold_open_nothing() {
    let app = App::start().await;
    let good = app.issuer.claims_for("ada");
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        app.issuer.sign(&claims)
    };
    let issued = app.issuer.token_for("ada");
    let (signed, _) = issued.rsplit_once('.').expect("a token has three parts");
    let (_, payload) = signed.split_once('.').expect("a token has three parts");
    // {"alg":"none","typ":"JWT"}
    let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{payload}.");
    for (token, code) in [
        (with("exp", json!(1_700_000_000)), "token_expired"),
        (with("aud", json!("somebody else")), "token_audience"),
        (with("iss", json!("https://elsewhere.example")), "token_issuer"),
        (format!("{signed}.{}", "A".repeat(86)), "token_signature"),
        (unsigned, "token_malformed"),
        ("x".to_owned(), "token_malformed"),
    ] {
        let request = app.client.get(format!("http://{}/tasks", app.public));
        let refused = Answer::to(request.bearer_auth(&token)).await;
        assert_eq!(refused.problem(), (401, code.to_owned()), "{token}");
        assert!(refused.header("www-authenticate").starts_with("Bearer"), "{code}");
    }
}
