//! The same over server-sent events.

use reqwest::Response;
use tokio::time::timeout;

use crate::world::{Answer, PATIENCE, Replica, World, client};

/// A stream of events, read by hand.
struct Stream {
    response: Response,
    unread: String,
}

impl Stream {
    /// The next event that is no heartbeat: name, id, data.
    async fn next(&mut self) -> Option<(String, Option<String>, serde_json::Value)> {
        loop {
            if let Some((event, rest)) = self.unread.split_once("\n\n") {
                let line = |name: &str| {
                    let found = event.lines().find_map(|line| line.strip_prefix(name));
                    found.map(|value| value.trim_start_matches(": ").to_owned())
                };
                let data = serde_json::from_str(&line("data").unwrap()).unwrap();
                let found = (line("event").unwrap(), line("id"), data);
                let rest = rest.to_owned();
                self.unread = rest;
                if found.0 != "heartbeat" {
                    return Some(found);
                }
            } else {
                let chunk = timeout(PATIENCE, self.response.chunk()).await.unwrap().unwrap()?;
                self.unread.push_str(std::str::from_utf8(&chunk).unwrap());
            }
        }
    }
}

async fn listen(replica: &Replica, token: &str, position: Option<&str>) -> Result<Stream, Answer> {
    let mut request = client()
        .get(format!("http://{}/events", replica.public))
        .bearer_auth(token);
    if let Some(position) = position {
        request = request.header("last-event-id", position);
    }
    let response = request.send().await.unwrap();
    if response.status() != 200 {
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.unwrap();
        return Err(Answer { status, headers, text });
    }
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let unread = String::new();
    Ok(Stream { response, unread })
}

#[tokio::test]
async fn changes_come_with_their_position_and_go_on_from_there() {
    let world = World::new().await;
    let mut replica = world.start_with(&[("TASKFLOW_HEARTBEAT_SECONDS", "1")]).await;
    let token = world.issuer.token_for("ada");
    let mut ada = listen(&replica, &token, None).await.unwrap();
    assert_eq!(ada.next().await.unwrap().0, "welcome");
    assert_eq!(replica.value_of(r#"websocket_connections{protocol="sse"}"#).await, 1.0);
    world.change("ada", [1, 2]).await;
    for position in ["1", "2"] {
        let (name, id, data) = ada.next().await.unwrap();
        assert_eq!((name.as_str(), id.as_deref()), ("change", Some(position)));
        assert_eq!(data["sequence"].to_string(), position);
    }
    drop(ada);
    replica.becomes(r#"websocket_connections{protocol="sse"}"#, 0.0).await;
    world.change("ada", [3]).await;
    let mut back = listen(&replica, &token, Some("1")).await.unwrap();
    assert_eq!(back.next().await.unwrap().0, "welcome");
    for position in ["2", "3"] {
        assert_eq!(back.next().await.unwrap().1.as_deref(), Some(position));
    }
    replica.process.terminate();
    let (name, _, data) = back.next().await.unwrap();
    assert_eq!(
        (name.as_str(), &data["code"], &data["reason"]),
        ("closing", &1012.into(), &"restarting".into())
    );
    assert!(back.next().await.is_none());
    assert_eq!(replica.process.exit(PATIENCE).await.code(), Some(0));
}

#[tokio::test]
async fn a_stream_ends_with_its_token_and_refusals_are_problems() {
    let world = World::new().await;
    let replica = world.start_with(&[("TASKFLOW_MAX_CLIENTS_PER_USER", "1")]).await;
    let mut claims = world.issuer.claims_for("ada");
    claims["exp"] = (claims["iat"].as_u64().unwrap() - 27).into();
    let mut ada = listen(&replica, &world.issuer.sign(&claims), None).await.unwrap();
    let Err(second) = listen(&replica, &world.issuer.token_for("ada"), None).await else {
        panic!("it is let in");
    };
    assert_eq!(second.problem(), (429, "rate_limited".to_owned()));
    let Err(wrong) = listen(&replica, &world.issuer.token_for("bob"), Some("x")).await else {
        panic!("it is let in");
    };
    assert_eq!(wrong.problem(), (400, "invalid_header".to_owned()));
    assert_eq!(ada.next().await.unwrap().0, "welcome");
    assert_eq!(ada.next().await.unwrap().2["reason"], "token_expired");
    claims["exp"] = (claims["iat"].as_u64().unwrap() - 60).into();
    let Err(expired) = listen(&replica, &world.issuer.sign(&claims), None).await else {
        panic!("it is let in");
    };
    assert_eq!(expired.problem(), (401, "token_expired".to_owned()));
    replica.stop().await;
}
