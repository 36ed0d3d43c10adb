//! Hours in which a person wants no messages through a channel. What falls due in them is sent when they end.

use domain::time::Zone;
use jiff::{Timestamp, ToSpan as _, civil::Time};

use crate::store::channels::ChannelRow;

/// From one time of the day until another, by the clocks where the person lives; over midnight where the second is not
/// later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quiet {
    from: Time,
    until: Time,
}

impl Quiet {
    /// Reads both times, as `HH:MM`. `None` when one is no time, or both are the same.
    pub(crate) fn new(from: &str, until: &str) -> Option<Self> {
        let (from, until) = (time(from)?, time(until)?);
        (from != until).then_some(Self { from, until })
    }

    /// What a channel has.
    pub(crate) fn of(channel: &ChannelRow) -> Option<Self> {
        Self::new(channel.quiet_from.as_deref()?, channel.quiet_until.as_deref()?)
    }

    /// When the quiet that reigns at this instant ends; `None` when there is none.
    pub(crate) fn ends_after(self, now: Timestamp, zone: &Zone) -> Option<Timestamp> {
        let local = zone.local(now);
        let (date, time) = (local.date(), local.time());
        let over_midnight = self.until < self.from;
        let last_day = if over_midnight && time >= self.from {
            date.checked_add(1.day()).ok()?
        } else if (over_midnight && time < self.until) || (self.from..self.until).contains(&time) {
            date
        } else {
            return None;
        };
        let end = zone.instant(last_day.to_datetime(self.until));
        (end > now).then_some(end)
    }
}

fn time(text: &str) -> Option<Time> {
    let well_formed = text.len() == 5 && text.as_bytes()[2] == b':';
    Time::strptime("%H:%M", text).ok().filter(|_| well_formed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(from: &str, until: &str, now: &str, zone: &str) -> Option<String> {
        let quiet = Quiet::new(from, until).unwrap();
        let zone = Zone::new(zone).unwrap();
        quiet.ends_after(now.parse().unwrap(), &zone).map(|end| end.to_string())
    }

    #[test]
    fn a_night_ends_in_the_morning_where_the_person_lives() {
        let end = |now| ends("22:00", "07:00", now, "Europe/Berlin");
        assert_eq!(end("2026-11-24T20:59:59Z"), None);
        assert_eq!(end("2026-11-24T21:00:00Z").as_deref(), Some("2026-11-25T06:00:00Z"));
        assert_eq!(end("2026-11-25T05:59:59Z").as_deref(), Some("2026-11-25T06:00:00Z"));
        assert_eq!(end("2026-11-25T06:00:00Z"), None);
    }

    #[test]
    fn hours_of_one_day_end_on_it() {
        let end = |now| ends("12:00", "13:30", now, "UTC");
        assert_eq!(end("2026-11-24T12:00:00Z").as_deref(), Some("2026-11-24T13:30:00Z"));
        assert_eq!(end("2026-11-24T13:30:00Z"), None);
        assert_eq!(end("2026-11-24T11:59:59Z"), None);
    }

    #[test]
    fn a_night_in_which_the_clocks_change_ends_by_the_clock() {
        let end = ends("22:00", "07:00", "2026-03-29T00:30:00Z", "Europe/Berlin");
        assert_eq!(end.as_deref(), Some("2026-03-29T05:00:00Z"));
    }

    #[test]
    fn what_is_no_time_of_the_day_is_refused() {
        for (from, until) in [
            ("22:00", "22:00"),
            ("24:00", "07:00"),
            ("7:00", "08:00"),
            ("", "08:00"),
            ("äb:0", "08:00"),
        ] {
            assert_eq!(Quiet::new(from, until), None, "{from} {until}");
        }
    }
}
