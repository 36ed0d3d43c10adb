//! Who is connected, and what each person's clients are told.
//!
//! Everything about a person happens under one lock: a client that comes is put behind exactly what it was told of.
//! Nothing is written to a socket here.

mod queue;
mod stream;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use catalogue::metrics::{WEBSOCKET_CONNECTIONS, WEBSOCKET_DROPPED_CLIENTS_TOTAL, WEBSOCKET_REFETCHES_TOTAL};
use jiff::Timestamp;
use metrics::Metrics;
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    close::Farewell,
    message::{Note, RefetchReason, ServerMessage},
};

use self::stream::{Stream, Told};
pub(crate) use queue::{Next, Queue};

/// Bytes that the streams of all persons may remember; then those go that were still for longest.
const REMEMBERED_BYTES: usize = 64 * 1024 * 1024;
/// What the stream of a person takes beside its notes, about.
const STREAM_BYTES: usize = 512;
/// Clients that are asked to go in one second, so that not all of them come back elsewhere in the same moment.
const PARTING_EACH_SECOND: u32 = 1000;

/// Who is connected. Clones are handles to the same.
#[derive(Clone, Debug)]
pub(crate) struct Hub(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// A deadline came that is earlier than the others.
    sooner: Notify,
    per_user: usize,
    heartbeat: Duration,
    metrics: Metrics,
}

#[derive(Debug, Default)]
struct State {
    persons: BTreeMap<Arc<str>, Person>,
    /// Persons by the deadline of their stream.
    due: BTreeSet<(Instant, Arc<str>)>,
    /// Persons by when they were last heard of.
    ages: BTreeMap<u64, Arc<str>>,
    moments: u64,
    bytes: usize,
    next_client: u64,
    leaving: bool,
}

#[derive(Debug, Default)]
struct Person {
    stream: Stream,
    clients: BTreeMap<u64, Arc<Queue>>,
    due: Option<Instant>,
    age: u64,
}

/// By which protocol a client is connected.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Protocol {
    /// A websocket.
    Websocket,
    /// Server-sent events.
    ServerSentEvents,
}

/// A client that is let in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival<'a> {
    pub(crate) user: &'a str,
    /// The position of the last change that it has.
    pub(crate) resume: Option<u64>,
    pub(crate) valid_until: Timestamp,
    pub(crate) protocol: Protocol,
}

/// The place of a connected client. It leaves together with this value.
#[derive(Debug)]
pub(crate) struct Place {
    /// What it is to be told.
    pub(crate) queue: Arc<Queue>,
    user: Arc<str>,
    client: u64,
    protocol: Protocol,
    hub: Hub,
}

impl Hub {
    pub(crate) fn new(per_user: usize, heartbeat: Duration, metrics: &Metrics) -> Self {
        Self(Arc::new(Shared {
            state: Mutex::default(),
            sooner: Notify::new(),
            per_user,
            heartbeat,
            metrics: metrics.clone(),
        }))
    }

    /// Lets a client in: welcomes it, and tells it what it missed or to load everything.
    pub(crate) fn enter(&self, arrival: Arrival<'_>) -> Result<Place, Farewell> {
        let queue = Arc::new(Queue::default());
        let mut state = self.state();
        if state.leaving {
            return Err(Farewell::Restarting);
        }
        let user = state.person(arrival.user);
        let present = state.persons.get(&user).map_or(0, |person| person.clients.len());
        if present >= self.0.per_user {
            return Err(Farewell::TooMany);
        }
        let client = state.next_client;
        state.next_client += 1;
        let person = state.persons.entry(Arc::clone(&user)).or_default();
        let resumed = person.stream.resume(arrival.resume);
        let welcome = ServerMessage::Welcome {
            sequence: resumed.position,
            resumed: resumed.missed.is_some(),
            heartbeat_seconds: self.0.heartbeat.as_secs(),
            valid_until: arrival.valid_until,
        };
        queue.push(&Arc::new(welcome.to_note()));
        match (&resumed.missed, arrival.resume) {
            (Some(missed), _) => missed.iter().for_each(|note| queue.push(note)),
            (None, Some(_)) => {
                self.count_refetches(RefetchReason::TooOld, 1);
                queue.push(&refetch(RefetchReason::TooOld, resumed.position));
            }
            // Whoever was never here has nothing that could be out of date.
            (None, None) => {}
        }
        person.clients.insert(client, Arc::clone(&queue));
        state.touch(&user);
        drop(state);
        self.connections(arrival.protocol).inc();
        Ok(Place {
            queue,
            user,
            client,
            protocol: arrival.protocol,
            hub: self.clone(),
        })
    }

    /// Takes a change of the person's tasks.
    pub(crate) fn change(&self, user: &str, sequence: u64, event: Uuid, note: Note) {
        self.tell(user, |stream| {
            stream.change(sequence, event, Arc::new(note), Instant::now())
        });
    }

    /// Takes a reminder of the person.
    pub(crate) fn reminder(&self, user: &str, event: Uuid, note: Note) {
        self.tell(user, |stream| stream.reminder(event, Arc::new(note)));
    }

    /// Has the person's stream decide what to tell, and tells it.
    fn tell(&self, user: &str, decide: impl FnOnce(&mut Stream) -> Vec<Told>) {
        let mut state = self.state();
        let user = state.person(user);
        let person = state.persons.entry(Arc::clone(&user)).or_default();
        let before = person.stream.bytes();
        let told = decide(&mut person.stream);
        let after = person.stream.bytes();
        self.hand_out(person, &told);
        state.bytes = state.bytes + after - before;
        let sooner = state.schedule(&user);
        state.touch(&user);
        state.make_room();
        drop(state);
        if sooner {
            self.0.sooner.notify_one();
        }
    }

    fn hand_out(&self, person: &Person, told: &[Told]) {
        for one in told {
            let note = match one {
                Told::Note(note) => Arc::clone(note),
                Told::Refetch(reason, position) => {
                    self.count_refetches(*reason, person.clients.len());
                    refetch(*reason, *position)
                }
            };
            person.clients.values().for_each(|queue| queue.push(&note));
        }
    }

    /// Goes on without what does not come, until it is told to stop.
    pub(crate) async fn watch_gaps(&self, stop: CancellationToken) {
        loop {
            let next = self.state().due.first().map(|(deadline, _)| *deadline);
            let deadline = async {
                match next {
                    Some(deadline) => sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.0.sooner.notified() => {}
                () = deadline => self.settle_overdue(Instant::now()),
            }
        }
    }

    fn settle_overdue(&self, now: Instant) {
        loop {
            let due = self.state().due.first().cloned();
            match due {
                Some((deadline, user)) if deadline <= now => self.tell(&user, |stream| stream.overdue(now)),
                _ => return,
            }
        }
    }

    /// Asks every client to go, in small groups, and lets nobody in any more.
    pub(crate) async fn part(&self, within: Duration) {
        let queues: Vec<Arc<Queue>> = {
            let mut state = self.state();
            state.leaving = true;
            let clients = state.persons.values().flat_map(|person| person.clients.values());
            clients.map(Arc::clone).collect()
        };
        let count = u32::try_from(queues.len()).unwrap_or(u32::MAX).max(1);
        let pause = (Duration::from_secs(1) / PARTING_EACH_SECOND).min(within / count);
        let begun = Instant::now();
        for (asked, queue) in (0_u32..).zip(queues) {
            // A millisecond is the least that can be slept, so the time is kept by the clock and not by the pauses.
            sleep_until(begun + pause * asked).await;
            queue.say(Farewell::Restarting);
        }
    }

    /// Counts a connection that the service ends.
    pub(crate) fn count_farewell(&self, farewell: Farewell) {
        let dropped = &WEBSOCKET_DROPPED_CLIENTS_TOTAL;
        self.0.metrics.counter(dropped, &[farewell.label()]).inc();
    }

    fn count_refetches(&self, reason: RefetchReason, clients: usize) {
        let refetches = self.0.metrics.counter(&WEBSOCKET_REFETCHES_TOTAL, &[reason.as_str()]);
        refetches.inc_by(clients as u64);
    }

    fn connections(&self, protocol: Protocol) -> metrics::Gauge {
        let name = match protocol {
            Protocol::Websocket => "websocket",
            Protocol::ServerSentEvents => "sse",
        };
        self.0.metrics.gauge(&WEBSOCKET_CONNECTIONS, &[name])
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The one copy of the person's name.
    fn person(&self, user: &str) -> Arc<str> {
        let known = self.persons.get_key_value(user);
        known.map_or_else(|| Arc::from(user), |(name, _)| Arc::clone(name))
    }

    /// Keeps the deadline of the person's stream; says whether it is the earliest now.
    fn schedule(&mut self, user: &Arc<str>) -> bool {
        let Some(person) = self.persons.get_mut(user) else {
            return false;
        };
        let deadline = person.stream.deadline();
        if let Some(old) = std::mem::replace(&mut person.due, deadline) {
            self.due.remove(&(old, Arc::clone(user)));
        }
        let Some(deadline) = deadline else { return false };
        let earliest = self.due.first().is_none_or(|(first, _)| deadline < *first);
        self.due.insert((deadline, Arc::clone(user)));
        earliest
    }

    /// The person was heard of.
    fn touch(&mut self, user: &Arc<str>) {
        self.moments += 1;
        let Some(person) = self.persons.get_mut(user) else {
            return;
        };
        let old = std::mem::replace(&mut person.age, self.moments);
        self.ages.remove(&old);
        self.ages.insert(self.moments, Arc::clone(user));
    }

    /// Forgets the streams that were still for longest, until the rest fits.
    fn make_room(&mut self) {
        let mut looked_at = self.ages.len();
        while self.bytes + STREAM_BYTES * self.persons.len() > REMEMBERED_BYTES && looked_at > 1 {
            looked_at -= 1;
            let Some((_, user)) = self.ages.pop_first() else { return };
            let Some(person) = self.persons.get_mut(&user) else {
                continue;
            };
            self.bytes -= person.stream.bytes();
            person.stream.forget();
            if person.clients.is_empty() && !person.stream.waits() {
                self.persons.remove(&user);
            } else {
                self.touch(&user);
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.hub.state();
        if let Some(person) = state.persons.get_mut(&self.user) {
            person.clients.remove(&self.client);
            if person.clients.is_empty() && person.stream.is_blank() {
                let age = person.age;
                state.persons.remove(&self.user);
                state.ages.remove(&age);
            }
        }
        drop(state);
        self.hub.connections(self.protocol).dec();
    }
}

fn refetch(reason: RefetchReason, sequence: Option<u64>) -> Arc<Note> {
    Arc::new(ServerMessage::Refetch { reason, sequence }.to_note())
}

#[cfg(test)]
mod tests;
