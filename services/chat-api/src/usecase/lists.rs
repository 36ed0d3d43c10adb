//! Pages of a person's tasks.

use domain::{task::Task, time::Due};
use sqlx::PgConnection;

use super::{DEFAULT_ZONE, Error, Person};
use crate::store::{
    lists::{self, Behind, Order, Question},
    row::rank_of,
};

/// A page, and behind what the next one begins.
#[derive(Debug)]
pub(crate) struct TaskPage {
    pub(crate) tasks: Vec<Task>,
    pub(crate) next: Option<Behind>,
}

/// A page of a person's tasks.
pub(crate) async fn list(connection: &mut PgConnection, question: &Question) -> Result<TaskPage, Error> {
    let page = lists::page(connection, question).await?;
    let tasks = page.rows.into_iter().map(Task::try_from);
    let tasks = tasks.collect::<Result<Vec<_>, _>>()?;
    let next = match tasks.last().filter(|_| page.has_more) {
        Some(last) => Some(behind(connection, question, last).await?),
        None => None,
    };
    Ok(TaskPage { tasks, next })
}

async fn behind(connection: &mut PgConnection, question: &Question, last: &Task) -> Result<Behind, Error> {
    let mut behind = Behind {
        id: last.id.get(),
        ..Behind::default()
    };
    match question.order {
        Order::Due => {
            let zone = match last.due {
                Some(Due::Floating(_)) => Person::load(connection, question.user.clone()).await?.zone,
                _ => DEFAULT_ZONE,
            };
            behind.due_at = last.due.as_ref().map(|due| due.at(&zone));
        }
        Order::Priority => behind.priority = Some(rank_of(last.priority)),
        Order::Title => behind.title = Some(last.title.to_string()),
        Order::Created => behind.created_at = Some(last.created_at),
    }
    Ok(behind)
}
