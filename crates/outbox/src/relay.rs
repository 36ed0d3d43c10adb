//! Takes rows from the outbox to the broker. It runs inside `serve` of the service that owns the schema.
//!
//! Each replica runs one. Relays deal the [slots](crate::Slot) of the schema among themselves by session locks: a relay
//! owns what it could lock, aims at an equal share, and a replica that dies frees its locks with its connection. A
//! relay reads the rows of its slots in the order of their positions, publishes them, and deletes what was acknowledged
//! before it reads the same slot again.
//!
//! # When something fails
//!
//! - *The broker takes nothing*: the slot waits, 0.1 s to 5 s, and tries again.
//! - *The broker takes others, but not this key*: the key waits, 1 s to 60 s; other keys of the slot go on. When more
//!   than 32 keys of one slot wait, the slot waits as a whole.
//! - *The connection with the locks is lost*: nothing more is published for these slots until the locks are held again.
//!   What was handed to the broker already may be published a second time by whoever owns the slot then.
//! - *The listening connection is lost*: the poll interval is the longest delay until it is back.

mod backoff;
mod floor;
mod lanes;
mod listener;
mod publish;
mod session;
mod share;

use std::{error::Error, future::pending, panic::resume_unwind, time::Duration};

use catalogue::Schema;
use event_bus::{Publisher, crash_point};
use metrics::Metrics;
use sqlx::postgres::PgConnectOptions;
use tokio::{
    task::JoinSet,
    time::{Instant, Interval, MissedTickBehavior, interval, sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use self::{
    backoff::Backoff,
    floor::Floors,
    lanes::Lanes,
    listener::Backlog,
    publish::{Published, Topics},
    session::{Session, SessionError},
    share::fair_share,
};
use crate::{bell::Bell, slot::SlotSet};

/// Between attempts to connect.
const CONNECT_BACKOFF: Backoff = Backoff {
    first: Duration::from_millis(100),
    longest: Duration::from_secs(5),
};

/// How long a relay that was told to stop waits for what is under way. The publisher answers within 5 s.
const STOP_DEADLINE: Duration = Duration::from_secs(8);

/// Time between two reads while none of them finds a whole batch. Under load each then takes what several requests have
/// committed, since a read, a publish and a delete cost about as much for many events as for one. A quiet relay reads at
/// once.
const GATHER: Duration = Duration::from_millis(5);

/// What a relay works with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Schema of the outbox.
    pub schema: Schema,
    /// The database without a pooler in between: the relay holds session locks and listens.
    pub database: PgConnectOptions,
    /// How often it looks without being woken, renews its share of the slots, and raises its floors.
    pub poll_interval: Duration,
}

impl Settings {
    /// A relay for this schema that looks once per second.
    #[must_use]
    pub fn new(schema: Schema, database: PgConnectOptions) -> Self {
        Self {
            schema,
            database,
            poll_interval: Duration::from_secs(1),
        }
    }
}

/// Publishes until `stop`, whatever fails in the meantime. Then it waits for what is under way, marks what was
/// acknowledged, and frees its slots.
pub async fn run(
    settings: Settings,
    publisher: impl Into<Publisher>,
    bell: Bell,
    metrics: Metrics,
    stop: CancellationToken,
) {
    let publisher = publisher.into();
    let topics = Topics::of(&metrics);
    tokio::join!(
        publish_until(&settings, &publisher, &bell, &topics, &stop),
        listen_until(&settings, &bell, Backlog::new(&metrics), &stop),
    );
}

async fn publish_until(
    settings: &Settings,
    publisher: &Publisher,
    bell: &Bell,
    topics: &Topics,
    stop: &CancellationToken,
) {
    let mut failures = 0;
    while !stop.is_cancelled() {
        let ended = match stop
            .run_until_cancelled(Session::open(&settings.database, settings.schema))
            .await
        {
            Some(Ok(session)) => {
                failures = 0;
                Relay::new(session, settings, publisher, bell, topics).run(stop).await
            }
            Some(Err(error)) => Err(error),
            None => Ok(()),
        };
        // Others may own the slots now, and must hear what was appended here since.
        bell.set_alone(false);
        bell.ring();
        if let Err(error) = ended {
            failures += 1;
            tracing::warn!(
                error = &error as &dyn Error,
                "the outbox relay lost its slots; it connects again"
            );
            stop.run_until_cancelled(sleep(CONNECT_BACKOFF.after(failures))).await;
        }
    }
}

async fn listen_until(settings: &Settings, bell: &Bell, mut backlog: Backlog, stop: &CancellationToken) {
    let mut failures = 0;
    while !stop.is_cancelled() {
        let listening = listener::listen(&settings.database, settings.schema, bell, &mut backlog, || failures = 0);
        if let Some(Err(error)) = stop.run_until_cancelled(Box::pin(listening)).await {
            failures += 1;
            backlog.grow_older();
            tracing::warn!(
                error = &error as &dyn Error,
                "the outbox relay does not hear other replicas; it connects again"
            );
            stop.run_until_cancelled(sleep(CONNECT_BACKOFF.after(failures))).await;
        }
    }
}

/// A relay while it has a session.
struct Relay<'a> {
    session: Session,
    bell: &'a Bell,
    publisher: &'a Publisher,
    topics: &'a Topics,
    poll: Interval,
    lanes: Lanes,
    floors: Floors,
    /// Not to read again before then.
    next_read: Instant,
    /// Dropping it ends what is under way.
    under_way: JoinSet<Published>,
}

impl<'a> Relay<'a> {
    fn new(
        session: Session,
        settings: &Settings,
        publisher: &'a Publisher,
        bell: &'a Bell,
        topics: &'a Topics,
    ) -> Self {
        let mut poll = interval(settings.poll_interval);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            session,
            bell,
            publisher,
            topics,
            poll,
            lanes: Lanes::default(),
            floors: Floors::default(),
            next_read: Instant::now(),
            under_way: JoinSet::new(),
        }
    }

    async fn run(mut self, stop: &CancellationToken) -> Result<(), SessionError> {
        while !stop.is_cancelled() {
            let now = Instant::now();
            if now >= self.next_read {
                self.read(now).await?;
            }
            let gathered = Some(self.next_read).filter(|_| !self.lanes.readable(now).is_empty());
            let retry = self.lanes.next_retry(now);
            tokio::select! {
                () = stop.cancelled() => {}
                Some(published) = self.under_way.join_next() => {
                    self.settle(unwind(published)).await?;
                }
                () = self.bell.heard_here() => self.lanes.wake(),
                () = at(gathered) => {}
                () = at(retry) => {}
                _ = self.poll.tick() => {
                    self.share().await?;
                    self.session.raise(&mut self.floors, self.lanes.own()).await?;
                    self.lanes.wake();
                }
            }
        }
        self.finish().await
    }

    /// Reads the slots that are free and may have rows, and sends their batches on their way.
    async fn read(&mut self, now: Instant) -> Result<(), SessionError> {
        let slots = self.lanes.readable(now);
        if slots.is_empty() {
            return Ok(());
        }
        let left_out = self.lanes.left_out(slots, now);
        self.next_read = now + GATHER;
        for batch in self.session.read(slots, &self.floors, &left_out).await? {
            let any = !batch.rows.is_empty();
            if batch.more {
                self.next_read = now;
            }
            self.lanes.was_read(batch.slot, any, batch.more, now);
            if any {
                let publish = publish::publish(batch, self.publisher.clone(), self.topics.clone());
                self.under_way.spawn(publish);
            }
        }
        Ok(())
    }

    /// Deletes what the broker has of this batch, and of all others that ended in the meantime.
    async fn settle(&mut self, first: Published) -> Result<(), SessionError> {
        let mut ended = vec![first];
        while let Some(published) = self.under_way.try_join_next() {
            ended.push(unwind(published));
        }
        let rows = ended
            .iter()
            .flat_map(|it| it.positions.iter().map(|position| (it.slot, *position)));
        let rows: Vec<_> = rows.collect();
        if !rows.is_empty() {
            self.session.delete(&rows).await?;
            crash_point!("outbox.after_mark");
        }
        let now = Instant::now();
        for published in ended {
            self.lanes.settled(published.slot, published.outcome, now);
        }
        Ok(())
    }

    /// Takes or gives back slots, so that each relay of the schema has its part.
    async fn share(&mut self) -> Result<(), SessionError> {
        let locks = self.session.locks(self.lanes.own()).await?;
        let share = fair_share(locks);
        if !share.take.is_empty() {
            let taken = self.session.take(share.take).await?;
            self.lanes.gain(taken);
        }
        let give_back: SlotSet = self.lanes.idle().iter().take(share.give_back).collect();
        if !give_back.is_empty() {
            self.lanes.lose(give_back);
            self.floors.forget(give_back);
            self.bell.set_alone(false);
            self.session.give_back(give_back).await?;
        }
        self.bell.set_alone(self.lanes.own() == SlotSet::ALL);
        Ok(())
    }

    /// Publishes what was committed before the stop, waits for what is under way, and frees the slots.
    async fn finish(mut self) -> Result<(), SessionError> {
        let settled = timeout(STOP_DEADLINE, async {
            self.lanes.wake();
            self.read(Instant::now()).await?;
            while let Some(published) = self.under_way.join_next().await {
                self.settle(unwind(published)).await?;
            }
            Ok(())
        });
        match settled.await {
            Ok(settled) => settled?,
            Err(_elapsed) => tracing::warn!("the outbox relay stops before the broker answered; events may come twice"),
        }
        self.session.close().await
    }
}

/// The result of a batch; its panic is ours.
fn unwind(published: Result<Published, tokio::task::JoinError>) -> Published {
    published.unwrap_or_else(|error| match error.try_into_panic() {
        Ok(panic) => resume_unwind(panic),
        Err(error) => unreachable!("no batch is cancelled while its relay lives: {error}"),
    })
}

/// Waits until then, or for ever.
async fn at(then: Option<Instant>) {
    match then {
        Some(then) => sleep_until(then).await,
        None => pending().await,
    }
}
