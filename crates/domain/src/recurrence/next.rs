//! Which occurrence follows a completed one.

use jiff::civil::{Date, DateTime};

use crate::recurrence::rule::End;
use crate::recurrence::{Basis, CatchUp, OccurrenceKey, Recurrence, Terms, expand};

/// One occurrence of a series, and its place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// Which occurrence.
    pub key: OccurrenceKey,
    /// How much of COUNT is used up with it: 1 for the first task of a series. Every occurrence created and every
    /// exception passed on the way uses up one; a missed occurrence that is dropped uses up nothing.
    pub ordinal: u32,
}

/// What follows a completed occurrence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// This one, and no other.
    Occurrence(Occurrence),
    /// Nothing: COUNT is used up, UNTIL or the calendar has passed.
    Ended,
}

impl Recurrence {
    /// The occurrence that follows `completed`, which was completed at this local date and time of the series.
    ///
    /// The answer depends on nothing else: however late or often a completion is looked at, it has the same one
    /// successor. Its key is strictly after the completed one, also when that was completed early.
    ///
    /// - Fixed schedule: the keys of the rule after the completed one, by the catch-up policy. `All`: the first of
    ///   them. `None`: the first after the completion. `One`: the last not after the completion, and where there is
    ///   none, the first.
    /// - After completion: the rule is anchored anew on the local date of the completion, at the wall time of the
    ///   anchor, and the first of its keys after the new anchor is taken. Should that rule never match (every second
    ///   month, but only in January, completed in February), the interval is set aside for this once.
    pub fn next(&self, completed: Occurrence, completed_at: DateTime) -> Next {
        let terms = self.terms();
        match terms.basis {
            Basis::FixedSchedule => {
                let keys = expand::keys(terms, completed.key.get());
                self.choose(keys, terms.catch_up, completed, completed_at)
            }
            Basis::AfterCompletion => {
                let anew = counted_anew(terms, completed_at.date());
                let keys = expand::keys(&anew, anew.anchor).skip_while(|key| key.get() <= anew.anchor);
                self.choose(keys, CatchUp::All, completed, completed_at)
            }
        }
    }

    fn choose(
        &self,
        keys: impl Iterator<Item = OccurrenceKey>,
        catch_up: CatchUp,
        completed: Occurrence,
        completed_at: DateTime,
    ) -> Next {
        let mut ordinal = completed.ordinal.saturating_add(1);
        let mut latest_missed = None;
        for key in keys.skip_while(|key| *key <= completed.key) {
            if self.terms().exceptions.contains(&key) {
                ordinal = ordinal.saturating_add(1);
                continue;
            }
            let successor = Occurrence { key, ordinal };
            match catch_up {
                CatchUp::All => return self.within_count(successor),
                CatchUp::One if key.get() <= completed_at => latest_missed = Some(successor),
                CatchUp::None if key.get() <= completed_at => {}
                CatchUp::One | CatchUp::None => return self.within_count(latest_missed.unwrap_or(successor)),
            }
        }
        latest_missed.map_or(Next::Ended, |missed| self.within_count(missed))
    }

    fn within_count(&self, successor: Occurrence) -> Next {
        match self.terms().rule.end {
            End::Count(count) if successor.ordinal > count => Next::Ended,
            _ => Next::Occurrence(successor),
        }
    }
}

/// The terms as they count after a completion.
fn counted_anew(terms: &Terms, completed_on: Date) -> Terms {
    let mut anew = anchored_on(terms, completed_on);
    anew.rule.end = End::Never;
    if expand::keys(&anew, anew.anchor).all(|key| key.get() <= anew.anchor) {
        anew.rule.interval = 1;
    }
    anew.rule.end = terms.rule.end;
    anew
}

/// The terms with their anchor moved to this date.
pub(super) fn anchored_on(terms: &Terms, date: Date) -> Terms {
    Terms {
        anchor: date.to_datetime(terms.anchor.time()),
        ..terms.clone()
    }
}
