//! What a person reads: a reminder in words, with times as the clocks show where they live.

use std::sync::LazyLock;

use domain::time::Zone;
use handlebars::{Handlebars, no_escape};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

/// A reminder that is seen later than this says so.
pub(crate) const LATE: SignedDuration = SignedDuration::from_secs(60);

/// The texts. Nothing is escaped: mails are plain text, and push messages are JSON that is written as such.
static TEMPLATES: LazyLock<Handlebars<'static>> = LazyLock::new(|| {
    let mut templates = Handlebars::new();
    templates.set_strict_mode(true);
    templates.register_escape_fn(no_escape);
    for (name, text) in [
        ("subject", include_str!("message/subject.hbs")),
        ("mail", include_str!("message/mail.hbs")),
        ("push", include_str!("message/push.hbs")),
    ] {
        templates
            .register_template_string(name, text)
            .expect("the templates are tested");
    }
    templates
});

/// A reminder on its way to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// The same however often it is sent, so that whoever gets it can tell a repetition.
    pub(crate) id: Uuid,
    /// The reminder; `None` for a message that only tries a channel.
    pub(crate) reminder: Option<Uuid>,
    /// The task.
    pub(crate) task_id: Option<i64>,
    /// Its title.
    pub(crate) title: String,
    /// When the task is due.
    pub(crate) due_at: Option<Timestamp>,
    /// When the reminder was meant to be seen.
    pub(crate) remind_at: Timestamp,
    /// When it is sent.
    pub(crate) sent_at: Timestamp,
    /// Where the person lives.
    pub(crate) zone: Zone,
    /// Where the application is.
    pub(crate) application: Option<String>,
}

/// What the templates name.
#[derive(Serialize)]
struct Words {
    title: String,
    due: Option<String>,
    remind: String,
    late: bool,
    link: Option<String>,
}

impl Message {
    /// A message that only tries a channel.
    pub(crate) fn test(now: Timestamp, zone: Zone, application: Option<String>) -> Self {
        Self {
            id: Uuid::now_v7(),
            reminder: None,
            task_id: None,
            title: "This channel works".to_owned(),
            due_at: None,
            remind_at: now,
            sent_at: now,
            zone,
            application,
        }
    }

    /// Whether it comes noticeably later than it was meant to.
    pub(crate) fn is_late(&self) -> bool {
        self.sent_at.duration_since(self.remind_at) > LATE
    }

    /// The subject of a mail, in one line.
    pub(crate) fn subject(&self) -> String {
        self.write("subject").split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The text of a mail.
    pub(crate) fn text(&self) -> String {
        self.write("mail")
    }

    /// What a webhook gets.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "type": if self.reminder.is_some() { "reminder.due" } else { "channel.test" },
            "timestamp": self.sent_at,
            "data": {
                "delivery_id": self.id,
                "reminder_id": self.reminder,
                "task_id": self.task_id,
                "title": self.title,
                "due_at": self.due_at,
                "remind_at": self.remind_at,
                "time_zone": self.zone.name(),
                "late": self.is_late(),
                "late_seconds": self.sent_at.duration_since(self.remind_at).as_secs().max(0),
                "url": self.link(),
            },
        })
    }

    /// What a browser gets, in at most so many bytes: the title is cut where it has to be.
    pub(crate) fn to_push_json(&self, most_bytes: usize) -> Value {
        let mut title = self.title.clone();
        loop {
            let message = json!({
                "title": title,
                "body": self.write("push").trim(),
                "tag": self.reminder.unwrap_or(self.id),
                "url": self.link(),
                "late": self.is_late(),
                "timestamp": self.remind_at.as_millisecond(),
            });
            if message.to_string().len() <= most_bytes || title.pop().is_none() {
                return message;
            }
        }
    }

    fn link(&self) -> Option<String> {
        let (application, task) = (self.application.as_ref()?, self.task_id?);
        Some(format!("{application}/tasks/{task}"))
    }

    fn write(&self, template: &str) -> String {
        let words = Words {
            title: self.title.split_whitespace().collect::<Vec<_>>().join(" "),
            due: self.due_at.map(|at| self.clock(at)),
            remind: self.clock(self.remind_at),
            late: self.is_late(),
            link: self.link(),
        };
        TEMPLATES
            .render(template, &words)
            .expect("the templates name only what there is")
    }

    /// What clocks show where the person lives, with the zone, since people travel.
    fn clock(&self, at: Timestamp) -> String {
        let local = self.zone.local(at);
        format!("{} ({})", local.strftime("%A, %-d %B %Y, %H:%M"), self.zone.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(title: &str, sent_at: &str) -> Message {
        Message {
            id: Uuid::nil(),
            reminder: Some(Uuid::nil()),
            task_id: Some(7),
            title: title.to_owned(),
            due_at: Some("2026-11-30T08:00:00Z".parse().unwrap()),
            remind_at: "2026-11-30T07:00:00Z".parse().unwrap(),
            sent_at: sent_at.parse().unwrap(),
            zone: Zone::new("Europe/Berlin").unwrap(),
            application: Some("https://tasks.example.org".to_owned()),
        }
    }

    #[test]
    fn a_mail_tells_times_where_the_person_lives() {
        let mail = message("Buy <milk> & \"bread\"", "2026-11-30T07:00:02Z");
        assert_eq!(mail.subject(), "Reminder: Buy <milk> & \"bread\"");
        assert_eq!(
            mail.text(),
            "Buy <milk> & \"bread\"\n\n\
             Due: Monday, 30 November 2026, 09:00 (Europe/Berlin)\n\n\
             https://tasks.example.org/tasks/7\n"
        );
    }

    #[test]
    fn what_comes_late_says_so() {
        let mail = message("Call", "2026-11-30T09:00:00Z");
        assert_eq!(mail.subject(), "Late reminder: Call");
        let told = "This reminder is late: it was meant for Monday, 30 November 2026, 08:00 (Europe/Berlin).";
        assert!(mail.text().contains(told), "{}", mail.text());
        assert_eq!(mail.to_json()["data"]["late_seconds"], 7200);
        assert_eq!(mail.to_json()["data"]["late"], true);
    }

    #[test]
    fn a_title_cannot_break_out_of_the_subject() {
        let mail = message("a\r\nBcc: eve@example.org", "2026-11-30T07:00:00Z");
        assert_eq!(mail.subject(), "Reminder: a Bcc: eve@example.org");
    }

    #[test]
    fn a_push_message_fits_into_its_record_whatever_the_title() {
        let push = message(&"\u{1f9c0}".repeat(2000), "2026-11-30T07:00:00Z");
        assert!(push.to_push_json(3900).to_string().len() <= 3900);
        assert_eq!(
            message("Call", "2026-11-30T07:00:00Z").to_push_json(3900)["title"],
            "Call"
        );
    }
}
