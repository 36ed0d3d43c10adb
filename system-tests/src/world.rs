//! Engines, the three services as processes, and whoever issues the tokens of people.

use std::{path::PathBuf, sync::Arc, time::Duration};

use catalogue::services::{AUDIT, RECURRING_TASKS};
use sqlx::PgPool;
use test_kit::{Core, Database, EnginePair, Issuer, Replica, Topics, Wiring, core, service::built, wait_until};
use tokio::task::spawn_blocking;

use crate::{
    facts::Facts,
    invariants,
    ledger::Ledger,
    person::{Person, Trouble},
    topic::Log,
};

/// Far more than anything takes on a quiet machine; a group that lost a member waits for the end of its session.
pub const PATIENCE: Duration = Duration::from_mins(2);

/// The running core, with all that one test has for itself.
pub struct World {
    /// The three services.
    pub core: Core,
    /// A way to the tables that none of the services has.
    pub pool: PgPool,
    /// Issues the tokens of people.
    pub issuer: Issuer,
    /// What went wrong on the way between people and the core.
    pub trouble: Arc<Trouble>,
    topics: Topics,
    // What lies on engines goes before them.
    _database: Database,
    engines: Option<EnginePair>,
}

impl World {
    /// On the engines of this run.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// The same; every service gets these variables until it is restarted.
    pub async fn start_with(first: &[(&'static str, &str)]) -> Self {
        let database = Database::empty().await;
        Self::around(database, core::topics_of_test().await, None, first).await
    }

    /// On engines of its own, which it may kill.
    pub async fn on_own_engines() -> Self {
        let engines = EnginePair::start().await;
        let database = Database::migrated_on(&engines.postgres.address(), &[]).await;
        let topics = core::topics_of_test_on(&engines.kafka.address()).await;
        Self::around(database, topics, Some(engines), &[]).await
    }

    async fn around(
        database: Database,
        topics: Topics,
        engines: Option<EnginePair>,
        first: &[(&'static str, &str)],
    ) -> Self {
        let issuer = Issuer::start().await;
        let mut wiring = Wiring::of_test(&database, &topics, &issuer);
        let usual = wiring.more.clone();
        wiring
            .more
            .extend(first.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let mut core = Core::start(wiring, &programs()).await;
        core.wiring.more = usual;
        Self {
            core,
            pool: database.pool().await,
            issuer,
            trouble: Arc::default(),
            topics,
            _database: database,
            engines,
        }
    }

    /// The engines that this world may kill.
    pub fn engines(&self) -> &EnginePair {
        self.engines
            .as_ref()
            .expect("this world was started on engines of its own")
    }

    /// Somebody with a valid token.
    pub fn person(&self, name: &str) -> Person {
        let address = |replica: &Replica| format!("http://{}", replica.public);
        Person::new(
            self.issuer.token_for(name),
            address(&self.core.chat_api),
            address(&self.core.audit),
            Arc::clone(&self.trouble),
        )
    }

    /// The records of a topic of this world.
    pub fn log(&self, topic: &str) -> Log {
        Log::new(self.topics.brokers(), self.topics.name(topic))
    }

    /// Waits until all that was accepted has had all of its effects: the outbox is empty and nobody lags.
    pub async fn drained(&self) {
        wait_until("the outbox is empty and nobody lags", PATIENCE, async || {
            self.drain().await
        })
        .await;
    }

    async fn drain(&self) -> Result<(), String> {
        let (before, lag) = self.ends_and_lag().await?;
        if lag > 0 {
            return Err(format!("{lag} records behind"));
        }
        let waiting = sqlx::query_scalar("select count(*) from chat.outbox");
        let waiting: i64 = waiting.fetch_one(&self.pool).await.map_err(|it| it.to_string())?;
        if waiting > 0 {
            return Err(format!("{waiting} events wait in the outbox"));
        }
        // What was published between the two looks may have effects of its own.
        let (after, _) = self.ends_and_lag().await?;
        if before == after {
            Ok(())
        } else {
            Err(format!("{after} records and growing"))
        }
    }

    /// How many records the topic of tasks has, and how many of them are not handled yet by one of its readers.
    async fn ends_and_lag(&self) -> Result<(i64, i64), String> {
        let log = self.log(catalogue::topics::TASK_EVENTS);
        let groups = [&RECURRING_TASKS, &AUDIT].map(|service| {
            let group = service.consumer_group.expect("it consumes");
            format!("{}{}", self.topics.prefix(), group.name_or_template())
        });
        let look = spawn_blocking(move || {
            let end = log.end()?;
            let lags = groups.iter().map(|group| log.lag(group));
            Ok((end, lags.sum::<Result<i64, _>>()?))
        });
        look.await.expect("looking does not panic")
    }

    /// Waits until everything has come to rest, and holds it against what people know and what always holds. Given back
    /// is what was found, for what a test wants besides.
    pub async fn settle(&self, ledger: &Ledger) -> Facts {
        self.settle_with_dead_letters(ledger, 0..=0).await
    }

    /// The same, where so many dead letters are meant to be.
    pub async fn settle_with_dead_letters(&self, ledger: &Ledger, letters: std::ops::RangeInclusive<i64>) -> Facts {
        self.drained().await;
        let facts = Facts::gather(self).await;
        let mut broken = invariants::broken(&facts, ledger);
        if !letters.contains(&facts.dead_letters) {
            broken.push(format!("{} dead letters", facts.dead_letters));
        }
        broken.extend(self.trouble.complaints());
        assert!(broken.is_empty(), "{} broken:\n{}", broken.len(), broken.join("\n"));
        facts
    }
}

/// The folder with the programs of the services.
fn programs() -> PathBuf {
    let program = built("chat-api");
    program.parent().expect("a program lies in a folder").to_owned()
}
