//! Several commands in one transaction.

use std::collections::BTreeSet;

use domain::task::Task;
use metrics::Metrics;
use sqlx::{Acquire as _, PgConnection};

use super::{Author, Error, command::Command};
use crate::{operation, store};

/// Does the commands in their order. One that fails has no effect, and the others go on; what is wrong with the
/// database ends all of them.
pub(crate) async fn apply(
    connection: &mut PgConnection,
    author: &Author,
    metrics: &Metrics,
    commands: &[Command],
) -> Result<Vec<Result<Task, Error>>, Error> {
    let targets: BTreeSet<i64> = commands
        .iter()
        .filter_map(Command::target)
        .map(|it| it.id.get())
        .collect();
    let targets: Vec<i64> = targets.into_iter().collect();
    // In the order of their ids, before anything waits for the profile.
    store::tasks::lock_all(connection, &author.person.user, &targets).await?;
    let mut results = Vec::with_capacity(commands.len());
    for command in commands {
        let mut savepoint = connection.begin().await?;
        let result = operation::run(command, metrics, &mut savepoint, author).await;
        match result {
            Ok(_) => savepoint.commit().await?,
            Err(error @ (Error::Database(_) | Error::Corrupt(_) | Error::Exhausted)) => return Err(error),
            Err(_) => savepoint.rollback().await?,
        }
        results.push(result);
    }
    Ok(results)
}
