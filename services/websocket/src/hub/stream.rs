//! The changes of one person in their order, and the latest of them remembered. Pure: time is an argument.
//!
//! chat-api counts a person's changes inside their transactions, so the numbers are the order of the commits. The
//! events come over several partitions, and may overtake each other on the way: a change that came too early waits for
//! those before it. What does not come within [`REORDER_WITHIN`] is not waited for any longer, and the person's clients
//! are told to load everything again; that shows them the missing change too, since it was committed before the later
//! one that is here already.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;
use uuid::Uuid;

use crate::message::{Note, RefetchReason};

/// How long a change waits for those before it.
pub(crate) const REORDER_WITHIN: Duration = Duration::from_secs(1);
/// How long the first change of a person that this replica sees waits for one before it: nobody knows whether there is one
/// on the way. Shorter, since it delays every first change; what comes later than this costs a refetch.
pub(crate) const FIRST_WAITS: Duration = Duration::from_millis(100);
/// Changes of one person that are remembered.
const REMEMBERED: usize = 256;
/// Bytes of one person's notes that are remembered.
const REMEMBERED_BYTES: usize = 256 * 1024;
/// Changes of one person that wait for one before them.
const WAITING: usize = 256;
/// Reminders by which a repeated one is known.
const REMINDERS: usize = 32;

/// The changes of one person in their order.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    /// The position: the latest change that was told. Unknown before the first.
    position: Option<u64>,
    /// Everything behind this position is remembered.
    base: u64,
    /// Where the stream began, when that was a guess: nobody was told of this change and those before it.
    guessed: Option<u64>,
    remembered: VecDeque<Remembered>,
    bytes: usize,
    /// What came too early, by its number.
    waiting: BTreeMap<u64, Waiting>,
    reminders: VecDeque<Uuid>,
}

#[derive(Debug)]
struct Remembered {
    /// The change's number, or that of the change before the reminder.
    sequence: u64,
    event: Uuid,
    note: Arc<Note>,
}

#[derive(Debug)]
struct Waiting {
    since: Instant,
    event: Uuid,
    note: Arc<Note>,
}

/// What the person's clients are to be told.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    /// This.
    Note(Arc<Note>),
    /// To load everything again; then they are at this position.
    Refetch(RefetchReason, Option<u64>),
}

/// Where a client stands that comes now.
#[derive(Debug)]
pub(crate) struct Resumed {
    /// The position of the stream, if it is known.
    pub(crate) position: Option<u64>,
    /// What the client has missed; `None` when that is not known.
    pub(crate) missed: Option<Vec<Arc<Note>>>,
}

impl Stream {
    /// Takes a change as it came.
    pub(crate) fn change(&mut self, sequence: u64, event: Uuid, note: Arc<Note>, now: Instant) -> Vec<Told> {
        if let Some(position) = self.position.filter(|position| sequence <= *position) {
            return self.seen_or_late(sequence, event, position);
        }
        let waiting = Waiting {
            since: now,
            event,
            note,
        };
        self.waiting.entry(sequence).or_insert(waiting);
        // Nothing comes before the first change of all.
        if self.position.is_none() && sequence == 1 {
            self.begin_at(0);
        }
        let mut told = self.tell_waiting();
        if self.waiting.len() > WAITING {
            told.extend(self.give_up());
        }
        told
    }

    /// A change that is not beyond the position.
    fn seen_or_late(&mut self, sequence: u64, event: Uuid, position: u64) -> Vec<Told> {
        let known = self
            .remembered
            .iter()
            .find(|it| it.sequence == sequence && it.note.sequence.is_some());
        if known.is_some_and(|it| it.event != event) {
            // The numbers were given a second time: the database is not the one that it was.
            *self = Self::default();
            self.begin_at(sequence);
            return vec![Told::Refetch(RefetchReason::Gap, Some(sequence))];
        }
        // A client that came before the stream began may lack this one. Told once: whoever loads everything after the
        // stream began has all that was committed before it.
        if self.guessed.is_some_and(|guessed| sequence <= guessed) {
            self.guessed = None;
            return vec![Told::Refetch(RefetchReason::Gap, Some(position))];
        }
        Vec::new()
    }

    /// When [`overdue`](Self::overdue) is to be asked.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let wait = if self.position.is_some() {
            REORDER_WITHIN
        } else {
            FIRST_WAITS
        };
        self.waiting.values().map(|it| it.since + wait).min()
    }

    /// What is told when the deadline has passed.
    pub(crate) fn overdue(&mut self, now: Instant) -> Vec<Told> {
        if self.deadline().is_some_and(|deadline| deadline <= now) {
            self.give_up()
        } else {
            Vec::new()
        }
    }

    /// Goes on without what is missing before the first change that waits.
    fn give_up(&mut self) -> Vec<Told> {
        let Some(before) = self.waiting.keys().next().map(|first| first - 1) else {
            return Vec::new();
        };
        let mut told = Vec::new();
        if self.position.is_some() {
            told.push(Told::Refetch(RefetchReason::Gap, Some(before)));
            self.begin_at(before);
        } else {
            self.begin_at(before);
            self.guessed = Some(before);
        }
        told.extend(self.tell_waiting());
        told
    }

    /// The position is this, and nothing before it is remembered.
    fn begin_at(&mut self, position: u64) {
        self.position = Some(position);
        self.base = position;
        self.guessed = None;
        self.remembered.clear();
        self.bytes = 0;
    }

    /// Tells what waits, as far as nothing is missing.
    fn tell_waiting(&mut self) -> Vec<Told> {
        let mut told = Vec::new();
        while let Some(position) = self.position
            && let Some(next) = self.waiting.remove(&(position + 1))
        {
            self.position = Some(position + 1);
            self.remember(position + 1, next.event, &next.note);
            told.push(Told::Note(next.note));
        }
        told
    }

    /// Takes a reminder: it has no number, and stands behind the change that was told last.
    pub(crate) fn reminder(&mut self, event: Uuid, note: Arc<Note>) -> Vec<Told> {
        if self.reminders.contains(&event) {
            return Vec::new();
        }
        if self.reminders.len() == REMINDERS {
            self.reminders.pop_front();
        }
        self.reminders.push_back(event);
        if let Some(position) = self.position {
            self.remember(position, event, &note);
        }
        vec![Told::Note(note)]
    }

    fn remember(&mut self, sequence: u64, event: Uuid, note: &Arc<Note>) {
        self.bytes += note.size();
        self.remembered.push_back(Remembered {
            sequence,
            event,
            note: Arc::clone(note),
        });
        while self.remembered.len() > REMEMBERED || self.bytes > REMEMBERED_BYTES {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some(oldest) = self.remembered.pop_front() {
            self.bytes -= oldest.note.size();
            // A reminder that is forgotten was missed by whoever stands at the change before it.
            self.base = match oldest.note.sequence {
                Some(sequence) => sequence,
                None => oldest.sequence + 1,
            };
        }
    }

    /// Forgets everything but the position.
    pub(crate) fn forget(&mut self) {
        while !self.remembered.is_empty() {
            self.forget_oldest();
        }
    }

    /// Bytes that the remembered notes take.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether there is nothing to remember.
    pub(crate) fn is_blank(&self) -> bool {
        self.position.is_none() && self.waiting.is_empty() && self.reminders.is_empty()
    }

    /// Whether something waits.
    pub(crate) fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Where a client stands that comes now, and was at this position before, if it was connected at all.
    pub(crate) fn resume(&self, from: Option<u64>) -> Resumed {
        let missed = from
            .zip(self.position)
            .filter(|(from, position)| (self.base..=*position).contains(from))
            .map(|(from, _)| {
                let after = |it: &&Remembered| match it.note.sequence {
                    Some(sequence) => sequence > from,
                    None => it.sequence >= from,
                };
                let notes = self.remembered.iter().filter(after);
                notes.map(|it| Arc::clone(&it.note)).collect()
            });
        Resumed {
            position: self.position,
            missed,
        }
    }
}

#[cfg(test)]
mod tests;
