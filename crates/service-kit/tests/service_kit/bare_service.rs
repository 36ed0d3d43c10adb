//! The smallest service, under the name and with the routes of chat-api: what a process does besides its own work.

use std::{
    borrow::Cow,
    convert::Infallible,
    future::pending,
    process::ExitCode,
    sync::{Arc, LazyLock},
};

use axum::{
    Router,
    extract::State,
    routing::{get, post},
};
use catalogue::services::CHAT_API;
use service_kit::{
    cli::{self, Definition, Foundation},
    config::Reader,
    server::{CorrelationId, Routes},
    shutdown::{BoxError, Tasks},
};
use sqlx::{
    SqlStr,
    migrate::{Migration, MigrationType, Migrator},
};
use tokio::sync::Notify;

static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    let sql = SqlStr::from_static("create table chat.note (id bigint primary key)");
    let (description, kind) = (Cow::Borrowed("note"), MigrationType::Simple);
    Migrator::with_migrations(vec![Migration::new(1, description, kind, sql, false)])
});

fn main() -> ExitCode {
    cli::main(Definition {
        service: &CHAT_API,
        migrations: Some(&MIGRATIONS),
        settings: |_: &mut Reader| Some(()),
        build,
    })
}

async fn build((): (), foundation: Foundation) -> Result<Routes, BoxError> {
    let give_up = Arc::new(Notify::new());
    let asked = Arc::clone(&give_up);
    let stop = foundation.tasks.stop().clone();
    foundation.tasks.spawn_infallible("fickle", async move {
        tokio::select! {
            () = asked.notified() => {}
            () = stop.cancelled() => {}
        }
    });
    let public = Router::new()
        .route("/tags", get(async |id: CorrelationId| id.as_str().to_owned()))
        // Answers when the body has ended: its sender decides how long that takes.
        .route("/tasks", post(async |body: String| body))
        .route("/me", get(async || -> &'static str { panic!("asked for me") }))
        .route("/tasks/batch", post(async move || give_up.notify_one()))
        .route("/tasks/search", get(never_stop))
        .with_state(foundation.tasks);
    Ok(Routes {
        public,
        ..Routes::default()
    })
}

async fn never_stop(State(tasks): State<Tasks>) {
    tasks.spawn("stubborn", pending::<Result<(), Infallible>>());
}
