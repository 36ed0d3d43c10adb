//! The transaction of a request that changes something.

use catalogue::metrics::IDEMPOTENT_REPLAYS_TOTAL;
use domain::task::Task;
use event_bus::crash_point;
use service_kit::{
    Problem, database,
    problem::{Fault, FieldError, codes},
};
use sqlx::{Postgres, Transaction};

use super::{
    answer::Answer,
    caller::Caller,
    keyed::{IDEMPOTENCY_KEY, IdempotencyKey},
};
use crate::{
    app::App,
    operation,
    store::idempotency,
    usecase::{Author, Error, Person, batch, command::Command},
};

/// A transaction with its author. Dropped without [`Write::finish`], it has no effect, and its key is free again.
pub(crate) struct Write<'a> {
    app: &'a App,
    transaction: Transaction<'static, Postgres>,
    key: Option<IdempotencyKey>,
    author: Author,
}

/// What a request with a key meets.
pub(crate) enum Begun<'a> {
    /// It is the first.
    First(Write<'a>),
    /// It was answered before.
    Replay(Answer),
}

impl<'a> Write<'a> {
    /// Begins the transaction of a request that may have a key; waits while the same request is being answered.
    pub(crate) async fn begin(app: &'a App, caller: Caller, key: Option<IdempotencyKey>) -> Result<Begun<'a>, Problem> {
        let mut transaction = app.database.begin().await.map_err(database::problem)?;
        if let Some(IdempotencyKey { key, fingerprint }) = &key {
            let claimed = idempotency::claim(&mut transaction, &caller.user, key, fingerprint).await;
            if !claimed.map_err(database::problem)? {
                let recorded = idempotency::find(&mut transaction, &caller.user, key).await;
                let recorded = recorded.map_err(database::problem)?;
                if recorded.fingerprint != *fingerprint {
                    return Err(reused());
                }
                app.metrics.counter(&IDEMPOTENT_REPLAYS_TOTAL, &[]).inc();
                return Ok(Begun::Replay(Answer::replay(recorded).map_err(Problem::internal)?));
            }
        }
        let Caller { user, correlation_id } = caller;
        let person = Person::load(&mut transaction, user).await?;
        Ok(Begun::First(Self {
            app,
            transaction,
            key,
            author: Author { person, correlation_id },
        }))
    }

    /// Does what the caller wants done.
    pub(crate) async fn run(&mut self, command: &Command) -> Result<Task, Error> {
        operation::run(command, &self.app.metrics, &mut self.transaction, &self.author).await
    }

    /// Does several things, one after another; each has its own result.
    pub(crate) async fn run_all(&mut self, commands: &[Command]) -> Result<Vec<Result<Task, Error>>, Error> {
        batch::apply(&mut self.transaction, &self.author, &self.app.metrics, commands).await
    }

    /// Records the answer under the key and commits: the effect and its answer are there together, or not at all.
    pub(crate) async fn finish(mut self, answer: Answer) -> Result<Answer, Problem> {
        if let Some(IdempotencyKey { key, .. }) = &self.key {
            let status = i16::try_from(answer.status.as_u16()).map_err(Problem::internal)?;
            let user = &self.author.person.user;
            idempotency::record(
                &mut self.transaction,
                user,
                key,
                status,
                &answer.headers_json(),
                &answer.body,
            )
            .await
            .map_err(database::problem)?;
        }
        commit(self.app, self.transaction).await?;
        Ok(answer)
    }
}

/// Commits a transaction that may hold events.
pub(crate) async fn commit(app: &App, transaction: Transaction<'static, Postgres>) -> Result<(), Problem> {
    crash_point!("chat.before_commit");
    outbox::commit(transaction, &app.bell)
        .await
        .map_err(database::problem)?;
    crash_point!("chat.after_commit");
    Ok(())
}

fn reused() -> Problem {
    let message = "was sent before with another request";
    Problem::new(&codes::IDEMPOTENCY_KEY_REUSED).at(FieldError::header(
        IDEMPOTENCY_KEY.as_str(),
        Fault::Contradiction,
        message,
    ))
}
