//! Until when a task is put off.

use domain::time::Zone;
use jiff::{Span, Timestamp};
use serde::Deserialize;
use service_kit::problem::Fault;
use utoipa::ToSchema;

use super::{invalid::InvalidFields, scalar};

/// Until when a task is put off: exactly one of the two.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Snooze {
    #[serde(default, deserialize_with = "scalar::optional_instant")]
    until: Option<Timestamp>,
    #[serde(default, rename = "for")]
    duration: Option<String>,
}

/// Until when a task is put off: exactly one of the two.
//
// The document's words for `Snooze`, which takes both at once, to say that they contradict each other.
#[derive(ToSchema)]
#[schema(as = Snooze)]
#[serde(untagged)]
#[expect(dead_code, reason = "stands for its schema")]
pub(crate) enum SnoozeForms {
    /// Until an instant.
    Until {
        /// The instant, later than now.
        #[schema(value_type = scalar::InstantText)]
        until: String,
    },
    /// For so long from now.
    For {
        /// A duration of ISO 8601. Days and longer units are counted on the calendar.
        #[serde(rename = "for")]
        #[schema(example = "PT1H", format = "duration")]
        duration: String,
    },
}

impl Snooze {
    /// The instant, for a person who lives in this zone.
    ///
    /// # Errors
    /// When it is given in no way or in two, or lies outside of all calendars.
    pub(crate) fn until(&self, user_zone: &Zone, now: Timestamp) -> Result<Timestamp, InvalidFields> {
        match (self.until, &self.duration) {
            (Some(until), None) => Ok(until),
            (None, Some(duration)) => after(duration, user_zone, now),
            (None, None) => Err(InvalidFields::one("/until", Fault::Missing, "or `for` must be given")),
            (Some(_), Some(_)) => {
                let message = "cannot be given together with `until`";
                Err(InvalidFields::one("/for", Fault::Contradiction, message))
            }
        }
    }
}

fn after(duration: &str, user_zone: &Zone, now: Timestamp) -> Result<Timestamp, InvalidFields> {
    let no_duration = "must be a duration of ISO 8601, such as `PT1H`";
    let is_iso = duration.starts_with(['P', 'p']);
    let span: Span = is_iso
        .then(|| duration.parse().ok())
        .flatten()
        .ok_or_else(|| InvalidFields::one("/for", Fault::InvalidFormat, no_duration))?;
    let until = now.to_zoned_datetime(user_zone.time_zone().clone()).checked_add(span);
    let until = until.map_err(|_| InvalidFields::one("/for", Fault::OutOfRange, "leads beyond the year 9999"))?;
    Ok(until.timestamp())
}

#[cfg(test)]
mod tests {
    use service_kit::problem::Place;

    use super::*;

    fn until(json: &str, zone: &str) -> Result<String, InvalidFields> {
        let snooze: Snooze = serde_json::from_str(json).unwrap();
        let now = "2026-03-28T12:00:00Z".parse().unwrap();
        snooze.until(&Zone::new(zone).unwrap(), now).map(|it| it.to_string())
    }

    #[test]
    fn days_are_those_of_the_calendar_and_hours_those_of_the_clock() {
        let day = |zone| until(r#"{"for":"P1D"}"#, zone).unwrap();
        assert_eq!(day("UTC"), "2026-03-29T12:00:00Z");
        assert_eq!(day("Europe/Berlin"), "2026-03-29T11:00:00Z");
        let hours = until(r#"{"for":"PT24H"}"#, "Europe/Berlin").unwrap();
        assert_eq!(hours, "2026-03-29T12:00:00Z");
        let instant = until(r#"{"until":"2026-04-01T00:00:00Z"}"#, "UTC").unwrap();
        assert_eq!(instant, "2026-04-01T00:00:00Z");
    }

    #[test]
    fn exactly_one_way_is_taken() {
        for (json, pointer) in [
            ("{}", "/until"),
            (r#"{"for":"PT1H","until":"2026-04-01T00:00:00Z"}"#, "/for"),
            (r#"{"for":"1 hour"}"#, "/for"),
            (r#"{"for":"P9999Y"}"#, "/for"),
            (r#"{"for":""}"#, "/for"),
        ] {
            let errors = until(json, "UTC").unwrap_err().into_errors();
            assert_eq!(errors[0].place, Place::Pointer(pointer.to_owned()), "{json}");
        }
    }
}
