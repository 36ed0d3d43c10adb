//! The chain of a task: what the hash of a row covers.

use std::fmt;

use serde::{Serialize, Serializer};
use service_kit::database::time::Instant;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::day::Day;

/// A SHA-256 hash; shown in lower-case hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(transparent)]
pub(crate) struct Hash(pub(crate) [u8; 32]);

impl Hash {
    /// What the first row of a chain follows.
    pub(crate) const START: Self = Self([0; 32]);
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Where the chain of a task ends, and whose task it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) task_id: i64,
    pub(crate) user_id: String,
    /// Of the last row; 0 before the first.
    pub(crate) position: i64,
    /// Of the last row; [`Hash::START`] before the first.
    pub(crate) hash: Hash,
}

/// Rows of a chain that went with their days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Anchor {
    pub(crate) task_id: i64,
    pub(crate) first_position: i64,
    pub(crate) last_position: i64,
    /// What the first of them followed.
    pub(crate) previous_hash: Hash,
    /// Of the last of them.
    pub(crate) last_hash: Hash,
}

/// An event in the chain of its task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) task_id: i64,
    /// In the chain, from 1.
    pub(crate) position: i64,
    pub(crate) event_day: Day,
    pub(crate) source: String,
    pub(crate) event_id: Uuid,
    pub(crate) event_type: String,
    pub(crate) recorded_at: Instant,
    /// The envelope as it arrived.
    pub(crate) event: Vec<u8>,
    pub(crate) previous_hash: Hash,
    pub(crate) hash: Hash,
}

impl Row {
    /// The hash that this row must have in the chain of this person's task: SHA-256 of the previous hash and of every
    /// column, each with its length before it, so that no byte can move from one into the next.
    ///
    /// What this covers never changes: every row that was ever written is verified with it. ADR 0031 has it in words,
    /// for those who verify an export.
    pub(crate) fn computed(&self, user_id: &str) -> Hash {
        let mut sha = Sha256::new();
        let mut cover = |bytes: &[u8]| {
            sha.update((bytes.len() as u64).to_be_bytes());
            sha.update(bytes);
        };
        cover(&self.previous_hash.0);
        cover(user_id.as_bytes());
        cover(&self.task_id.to_be_bytes());
        cover(&self.position.to_be_bytes());
        cover(self.event_day.to_string().as_bytes());
        cover(self.source.as_bytes());
        cover(self.event_id.as_bytes());
        cover(self.event_type.as_bytes());
        cover(&self.recorded_at.0.as_microsecond().to_be_bytes());
        cover(&self.event);
        Hash(sha.finalize().into())
    }

    /// The same row with the hash that it must have.
    pub(crate) fn sealed(self, user_id: &str) -> Self {
        let hash = self.computed(user_id);
        Self { hash, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        Row {
            task_id: 7,
            position: 1,
            event_day: Day("2026-11-24".parse().unwrap()),
            source: "/services/chat-api".to_owned(),
            event_id: Uuid::from_u128(7),
            event_type: "dev.taskflow.task.created.v1".to_owned(),
            recorded_at: Instant("2026-11-24T08:00:00Z".parse().unwrap()),
            event: b"{}".to_vec(),
            previous_hash: Hash::START,
            hash: Hash::START,
        }
    }

    /// Computed by another program from the description in ADR 0031.
    #[test]
    fn the_hash_of_a_row_stays_what_it_was() {
        let hash = row().computed("ada").to_string();
        assert_eq!(hash, "8ce0ad92d0829e90ad7a2e641f72b48995a34b0f8bcd03012d851859277841ab");
    }

    #[test]
    fn a_change_anywhere_is_another_hash() {
        let original = row().computed("ada");
        let changes: [fn(&mut Row); 9] = [
            |row| row.task_id += 1,
            |row| row.position += 1,
            |row| row.event_day = row.event_day.plus(1),
            |row| row.source.push('x'),
            |row| row.event_id = Uuid::from_u128(8),
            |row| row.event_type.push('x'),
            |row| row.recorded_at.0 += jiff::SignedDuration::from_micros(1),
            |row| row.event.push(b' '),
            |row| row.previous_hash.0[31] = 1,
        ];
        for (index, change) in changes.iter().enumerate() {
            let mut other = row();
            change(&mut other);
            assert_ne!(other.computed("ada"), original, "change {index}");
        }
        assert_ne!(row().computed("bob"), original);
        let sealed = row().sealed("ada");
        assert_eq!(sealed.hash, sealed.computed("ada"), "the hash does not cover itself");
    }

    #[test]
    fn no_byte_can_move_from_one_column_into_the_next() {
        let (mut left, mut right) = (row(), row());
        (left.source, left.event_type) = ("ab".into(), "c".into());
        (right.source, right.event_type) = ("a".into(), "bc".into());
        assert_ne!(left.computed("ada"), right.computed("ada"));
    }
}
