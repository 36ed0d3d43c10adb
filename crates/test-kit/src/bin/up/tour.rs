//! What a person is told once everything runs.

use std::time::Duration;

use crate::{
    demo::{Demo, NAME, PASSWORD},
    folder::Folder,
    service::Supervised,
};

/// Prints where everything is, and a way through it that can be pasted.
pub(crate) fn print(services: &[Supervised], folder: &Folder, demo: &Demo, took: Duration) {
    println!("\nTaskFlow is ready after {:.1} s.\n", took.as_secs_f32());
    for service in services {
        let (name, ports) = (service.service.app_id, service.ports);
        let process = service
            .process()
            .map_or_else(String::new, |process| process.to_string());
        println!(
            "  {name:<16} http://127.0.0.1:{}   metrics http://127.0.0.1:{}/metrics   process {process}",
            ports.http, ports.metrics
        );
    }
    let port = |name: &str| {
        let service = services.iter().find(|it| it.service.app_id == name);
        service.map_or(0, |it| it.ports.http)
    };
    let (chat_api, audit) = (port("chat-api"), port("audit"));
    let whose = if demo.is_new { "new" } else { "with all that it had" };
    println!(
        "  routes           http://127.0.0.1:{chat_api}/openapi.json
  logs             {}
  account          {NAME}, password {PASSWORD} ({whose})

Paste this into another terminal:

  CORE=http://127.0.0.1:{chat_api} AUDIT=http://127.0.0.1:{audit}
  call() {{ curl -sS -H \"authorization: Bearer $TOKEN\" -H 'content-type: application/json' \"$@\"; echo; }}

  # sign in
  TOKEN=$(call $CORE/sessions -d '{{\"name\":\"{NAME}\",\"password\":\"{PASSWORD}\"}}' | sed 's/.*\"token\":\"\\([^\"]*\\).*/\\1/')

  # make a task that comes every week, and complete it
  TASK=$(call $CORE/tasks -d '{{\"title\":\"Call Ada\",\"due\":{{\"kind\":\"zoned\",\"local\":\"2030-01-07T18:00:00\",\"zone\":\"Europe/Berlin\"}},\"recurrence\":{{\"rule\":\"FREQ=WEEKLY\"}}}}' | sed 's/^{{\"id\":\\([0-9]*\\).*/\\1/')
  call -X POST $CORE/tasks/$TASK/complete

  # there it is again, a week later: recurring-tasks has read the event and asked chat-api for it
  sleep 1
  call \"$CORE/tasks?text=ada&status=open\"

  # what happened to it, each entry with the hash of the one before: audit reads the events, too
  call $AUDIT/tasks/$TASK/audit

Kill what you like (`kill -9` and a process from above): it comes back, and nothing is lost or done twice.
Ctrl-C stops everything; the data stays for the next time, unless that is started with --fresh.
",
        folder.logs().display(),
    );
}
