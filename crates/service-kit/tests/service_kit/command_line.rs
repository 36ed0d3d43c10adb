//! Commands, and what a wrong configuration is told.

use std::process::Stdio;

use test_kit::Database;

use crate::bare::{Bare, DEADLINE, log, messages, start};

#[tokio::test]
async fn every_problem_with_the_configuration_is_told_at_once() {
    let wrong = [
        ("TASKFLOW_HTTP_PORT", "eighty"),
        ("TASKFLOW_DATABASE_MAX_CONNECTIONS", "0"),
        ("TASKFLOW_LOG", "loud,,=="),
        ("TASKFLOW_HTPP_PORT", "80"),
    ];
    let mut check = start("check-config", "mysql://somebody:sesame@nowhere", &wrong);
    assert_eq!(check.exit(DEADLINE).await.code(), Some(2));
    let said = check.lines().join("\n");
    for expected in [
        "`TASKFLOW_HTTP_PORT` must be integer, 0 to 65535; 0 takes a free one; it is `eighty`",
        "`TASKFLOW_DATABASE_MAX_CONNECTIONS` must be integer, 1 to 200; it is `0`",
        "`TASKFLOW_LOG` must be a level or tracing filter directives; it is `loud,,==`",
        "`TASKFLOW_DATABASE_URL` must be a postgresql address with role and password; it is not, and is not shown",
        "`TASKFLOW_HTPP_PORT` is read by no service; did you mean `TASKFLOW_HTTP_PORT`?",
    ] {
        assert!(said.contains(expected), "no {expected} in\n{said}");
    }
    assert!(!said.contains("sesame"), "{said}");

    let mut served = start("serve", "mysql://somebody:sesame@nowhere", &wrong);
    assert_eq!(served.exit(DEADLINE).await.code(), Some(2));
    let refused = log(&served);
    assert!(
        refused.iter().any(|line| line["variable"] == "TASKFLOW_HTTP_PORT"),
        "{refused:?}"
    );
    assert!(!served.lines().join("\n").contains("sesame"));
}

#[tokio::test]
async fn a_valid_configuration_is_said_to_be_so() {
    let mut check = start("check-config", "postgres://role@host/taskflow", &[]);
    assert_eq!(check.exit(DEADLINE).await.code(), Some(0), "{:?}", check.lines());
    assert_eq!(check.lines(), ["the configuration of chat-api is valid"]);
}

#[tokio::test]
async fn an_unknown_variable_is_only_a_warning_when_serving() {
    let database = Database::empty().await;
    let service = Bare::start(&database.url(), &[("TASKFLOW_NEW_FEATURE", "on")]).await;
    let said = messages(&service.process);
    assert!(
        said.contains(&"`TASKFLOW_NEW_FEATURE` is read by no service".to_owned()),
        "{said:?}"
    );
}

#[tokio::test]
async fn there_is_no_default_command() {
    let program = env!("CARGO_BIN_EXE_bare-service");
    let output = tokio::process::Command::new(program)
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    for command in ["serve", "migrate", "check-config"] {
        assert!(said.contains(command), "{said}");
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let mut service = start(
        "serve",
        "postgres://role@127.0.0.1:1/taskflow",
        &[("TASKFLOW_METRICS_PORT", &port)],
    );
    assert_eq!(service.exit(DEADLINE).await.code(), Some(1));
    let said = messages(&service).join("\n");
    assert!(
        said.contains(&format!(
            "could not listen on 127.0.0.1, port {port}, for metrics requests"
        )),
        "{said}"
    );
}
