//! Whether rows are what was appended: no database, no clock.

use std::{collections::VecDeque, fmt, iter::Peekable, vec};

use crate::chain::{Anchor, Hash, Head, Row};

/// Something that is not as it was appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flaw {
    pub(crate) task_id: i64,
    /// Where in the chain; the first position where it is several.
    pub(crate) position: i64,
    pub(crate) kind: FlawKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FlawKind {
    /// The content of the row does not have the hash that stands beside it.
    Altered,
    /// The row, or the first of the dropped ones, follows another row than the one before it.
    Unlinked,
    /// There are no rows from the position to this one, and no dropped day had them.
    Missing { through: i64 },
    /// There is more than one row at the position, or one that should have gone with its day.
    Repeated,
    /// The row is behind the end of the chain.
    BehindHead,
    /// The last row does not have the hash that the head remembers.
    HeadDiffers,
    /// There are rows and no head.
    Headless,
}

impl Flaw {
    /// How many rows it concerns.
    pub(crate) fn rows(&self) -> u64 {
        match self.kind {
            FlawKind::Missing { through } => (through - self.position).unsigned_abs() + 1,
            _ => 1,
        }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { task_id, position, .. } = self;
        write!(f, "task {task_id}, position {position}: ")?;
        match self.kind {
            FlawKind::Altered => f.write_str("the row was altered"),
            FlawKind::Unlinked => f.write_str("the row before is another one than was there"),
            FlawKind::Missing { through } if through == *position => f.write_str("the row is missing"),
            FlawKind::Missing { through } => write!(f, "the rows up to position {through} are missing"),
            FlawKind::Repeated => f.write_str("a row that does not belong here"),
            FlawKind::BehindHead => f.write_str("a row behind the end of the chain"),
            FlawKind::HeadDiffers => f.write_str("the last row is another one than was there"),
            FlawKind::Headless => f.write_str("rows of a chain that nobody began"),
        }
    }
}

/// Checks the chains of some tasks, row by row.
pub(crate) struct Checker {
    heads: vec::IntoIter<Head>,
    anchors: Peekable<vec::IntoIter<Anchor>>,
    walk: Option<Walk>,
    /// The task that was last found without a head: told once.
    headless: Option<i64>,
}

impl Checker {
    /// Heads, anchors and rows are those of one moment, and sorted by task and position.
    pub(crate) fn new(heads: Vec<Head>, anchors: Vec<Anchor>) -> Self {
        let mut checker = Self {
            heads: heads.into_iter(),
            anchors: anchors.into_iter().peekable(),
            walk: None,
            headless: None,
        };
        checker.walk = checker.next_walk();
        checker
    }

    /// Takes the next row.
    pub(crate) fn row(&mut self, row: &Row, found: &mut impl FnMut(Flaw)) {
        while let Some(walk) = self.walk.take_if(|walk| walk.head.task_id < row.task_id) {
            walk.finish(found);
            self.walk = self.next_walk();
        }
        match &mut self.walk {
            Some(walk) if walk.head.task_id == row.task_id => walk.row(row, found),
            _ if self.headless == Some(row.task_id) => {}
            _ => {
                self.headless = Some(row.task_id);
                found(flaw_of(row, FlawKind::Headless));
            }
        }
    }

    /// There are no more rows.
    pub(crate) fn finish(mut self, found: &mut impl FnMut(Flaw)) {
        while let Some(walk) = self.walk.take() {
            walk.finish(found);
            self.walk = self.next_walk();
        }
    }

    fn next_walk(&mut self) -> Option<Walk> {
        let head = self.heads.next()?;
        while self.anchors.next_if(|it| it.task_id < head.task_id).is_some() {}
        let mut anchors = VecDeque::new();
        while let Some(anchor) = self.anchors.next_if(|it| it.task_id == head.task_id) {
            anchors.push_back(anchor);
        }
        Some(Walk {
            head,
            anchors,
            position: 0,
            hash: Some(Hash::START),
        })
    }
}

/// The way along one chain.
struct Walk {
    head: Head,
    anchors: VecDeque<Anchor>,
    /// Seen up to here.
    position: i64,
    /// Of the row at the position; unknown behind rows that are missing.
    hash: Option<Hash>,
}

impl Walk {
    fn row(&mut self, row: &Row, found: &mut impl FnMut(Flaw)) {
        self.pass_gaps(row.position, found);
        if row.position <= self.position {
            return found(flaw_of(row, FlawKind::Repeated));
        }
        if row.computed(&self.head.user_id) != row.hash {
            found(flaw_of(row, FlawKind::Altered));
        } else if self.hash.is_some_and(|hash| hash != row.previous_hash) {
            found(flaw_of(row, FlawKind::Unlinked));
        }
        if row.position > self.head.position {
            found(flaw_of(row, FlawKind::BehindHead));
        }
        self.position = row.position;
        self.hash = Some(row.hash);
    }

    fn finish(mut self, found: &mut impl FnMut(Flaw)) {
        self.pass_gaps(self.head.position.saturating_add(1), found);
        let differs = self.hash.is_some_and(|hash| hash != self.head.hash);
        if self.position == self.head.position && differs {
            found(self.flaw(self.position, FlawKind::HeadDiffers));
        }
    }

    /// Goes on to just before the position, over dropped days and over what is missing.
    fn pass_gaps(&mut self, before: i64, found: &mut impl FnMut(Flaw)) {
        while self.position + 1 < before {
            let next = self.position + 1;
            let Some(anchor) = self.anchors.pop_front_if(|it| it.first_position < before) else {
                return self.miss(before - 1, found);
            };
            if anchor.first_position > next {
                self.miss(anchor.first_position - 1, found);
            }
            if self.hash.is_some_and(|hash| hash != anchor.previous_hash) {
                found(self.flaw(anchor.first_position, FlawKind::Unlinked));
            }
            self.position = anchor.last_position;
            self.hash = Some(anchor.last_hash);
        }
    }

    fn miss(&mut self, through: i64, found: &mut impl FnMut(Flaw)) {
        found(self.flaw(self.position + 1, FlawKind::Missing { through }));
        self.position = through;
        self.hash = None;
    }

    fn flaw(&self, position: i64, kind: FlawKind) -> Flaw {
        Flaw {
            task_id: self.head.task_id,
            position,
            kind,
        }
    }
}

fn flaw_of(row: &Row, kind: FlawKind) -> Flaw {
    Flaw {
        task_id: row.task_id,
        position: row.position,
        kind,
    }
}

#[cfg(test)]
mod tests;
