//! Runs the very script of the emitted `ConfigMap` against a small HTTP server that answers as Elasticsearch does.

use super::super::tests::emitted;
use serde_yaml::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::thread;

/// 24 November 2026, 03:17 UTC.
const NOW: &str = "1795490220";

/// A request as it arrived: method, path, credentials.
type Request = (String, String, String);

/// Answers the list with `status` and `indices`, every deletion with 200, and remembers what was asked.
fn elasticsearch(status: &'static str, indices: &'static str) -> (String, Arc<Mutex<Vec<Request>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&requests);
    // Ends with the test's process.
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let request = read(&stream);
            let answer = if request.0 == "GET" {
                (status, indices)
            } else {
                ("200 OK", "{}")
            };
            seen.lock().unwrap().push(request);
            let (status, body) = answer;
            let length = body.len();
            let _ = write!(
                &stream,
                "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
        }
    });
    (url, requests)
}

fn read(stream: &TcpStream) -> Request {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let first = lines.next().unwrap_or_default();
    let mut words = first.split(' ').map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let headers: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let credentials = headers
        .iter()
        .find_map(|line| line.strip_prefix("Authorization: Basic "));
    (method, path, credentials.unwrap_or_default().to_owned())
}

/// The script as the cluster gets it, with the days that the job gives it.
fn run(url: &str) -> Output {
    let artefacts = emitted("aks");
    let object = |kind| {
        artefacts
            .of_kind(kind)
            .find(|(_, object)| object.name == super::RETENTION)
            .unwrap()
            .1
    };
    let map = object("ConfigMap");
    let script = map
        .at("/data")
        .and_then(|data| data.get(super::FILE))
        .and_then(Value::as_str)
        .unwrap();
    let container = "/spec/jobTemplate/spec/template/spec/containers/0";
    let job = object("CronJob");
    let variables = job
        .at(&format!("{container}/env"))
        .and_then(Value::as_sequence)
        .unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", script]).env("NOW", NOW);
    for variable in variables {
        let name = variable["name"].as_str().unwrap();
        command.env(name, variable.get("value").and_then(Value::as_str).unwrap_or("secret"));
    }
    command.env("ELASTICSEARCH_URL", url).output().unwrap()
}

fn deleted(requests: &Mutex<Vec<Request>>) -> Vec<String> {
    let requests = requests.lock().unwrap();
    let deletions = requests.iter().filter(|(method, ..)| method == "DELETE");
    deletions.map(|(_, path, _)| path.clone()).collect()
}

#[test]
fn days_older_than_the_retention_are_deleted_and_no_other() {
    // 30 days before 24 November is 25 October: that day is kept whole.
    let (url, requests) = elasticsearch(
        "200 OK",
        "zipkin-span-2026-11-24\nzipkin-span-2026-10-25\nzipkin-span-2026-10-24\nzipkin:span-2025-12-31\n",
    );
    let output = run(&url);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(
        deleted(&requests),
        ["/zipkin-span-2026-10-24", "/zipkin:span-2025-12-31"]
    );
    let (method, path, credentials) = requests.lock().unwrap()[0].clone();
    assert_eq!(
        (method.as_str(), path.as_str()),
        ("GET", "/_cat/indices/zipkin*span-*?h=index")
    );
    // base64 of `elastic:secret`
    assert_eq!(credentials, "ZWxhc3RpYzpzZWNyZXQ=");
}

#[test]
fn what_is_not_a_day_of_spans_is_left_alone() {
    let (url, requests) = elasticsearch(
        "200 OK",
        "zipkin-span-\nzipkin-span-2020-01-01-copy\nzipkin-span-latest\nzipkin_backup-span-2020-01-01\nzipkin-span-20200101\n",
    );
    let output = run(&url);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(deleted(&requests), [""; 0]);
}

#[test]
fn an_empty_store_is_no_failure() {
    let (url, requests) = elasticsearch("200 OK", "");
    assert!(run(&url).status.success());
    assert_eq!(deleted(&requests), [""; 0]);
}

#[test]
fn a_refused_list_fails_the_job_and_deletes_nothing() {
    let (url, requests) = elasticsearch("401 Unauthorized", "zipkin-span-2020-01-01\n");
    let output = run(&url);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("401"));
    assert_eq!(deleted(&requests), [""; 0]);
}
