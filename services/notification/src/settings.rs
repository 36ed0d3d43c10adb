//! What this service is told besides what every service is.

use std::time::Duration;

use catalogue::environment_variables::{
    TASKFLOW_MAIL_FROM, TASKFLOW_SMTP_HOST, TASKFLOW_SMTP_PASSWORD, TASKFLOW_SMTP_PORT, TASKFLOW_SMTP_USERNAME,
    TASKFLOW_SWEEP_SECONDS, TASKFLOW_VAPID_PRIVATE_KEY, TASKFLOW_VAPID_SUBJECT, TASKFLOW_WEBHOOK_ALLOW_PRIVATE,
};
use event_bus::BusSettings;
use service_kit::config::{self, Reader, Secret, TokenSettings, boolean, integer, seconds, text};

use crate::channels::{Guard, MailSettings, VapidKey};

/// The settings of notification.
#[derive(Debug)]
pub struct Settings {
    /// Whose tokens of people are believed.
    pub(crate) tokens: TokenSettings,
    /// Where events come from and go to.
    pub(crate) bus: BusSettings,
    /// Longest time between two looks for reminders that are due.
    pub(crate) sweep: Duration,
    /// Where people reach the application.
    pub(crate) public_url: Option<String>,
    /// The mail server; no mails without it.
    pub(crate) mail: Option<MailSettings>,
    /// Signs messages to browsers; none without it.
    pub(crate) push: Option<VapidKey>,
    /// Where channels may lead.
    pub(crate) guard: Guard,
}

impl Settings {
    /// Reads them. `None` when the reader has noted a problem.
    pub fn read(reader: &mut Reader) -> Option<Self> {
        let tokens = TokenSettings::read(reader, false);
        let bus = config::either_bus(reader);
        let sweep = reader.required(&TASKFLOW_SWEEP_SECONDS, seconds(1..=10));
        let public_url = config::public_url(reader);
        let mail = mail(reader);
        let push = push(reader);
        let allow_private = reader.required(&TASKFLOW_WEBHOOK_ALLOW_PRIVATE, boolean);
        Some(Self {
            tokens: tokens?,
            bus: bus?,
            sweep: sweep?,
            public_url,
            mail: mail?,
            push: push?,
            guard: Guard {
                allow_private: allow_private?,
            },
        })
    }
}

/// The mail server; `Some(None)` where there is none, `None` when a problem is noted.
#[expect(clippy::option_option, reason = "no mail server and a wrong one are two things")]
fn mail(reader: &mut Reader) -> Option<Option<MailSettings>> {
    let host = reader.optional(&TASKFLOW_SMTP_HOST, text);
    let port = reader.required(&TASKFLOW_SMTP_PORT, integer(1..=u16::MAX));
    let user = reader.optional(&TASKFLOW_SMTP_USERNAME, text);
    let password = reader.required_when(user.is_some(), &TASKFLOW_SMTP_PASSWORD, |it| Some(Secret::new(it)));
    let from = reader.required_when(host.is_some(), &TASKFLOW_MAIL_FROM, |it| it.parse().ok());
    let Some(host) = host else { return Some(None) };
    let login = match user {
        Some(user) => Some((user, password?)),
        None => None,
    };
    Some(Some(MailSettings {
        host,
        port: port?,
        login,
        from: from?,
    }))
}

/// The key for Web Push; `Some(None)` where there is none, `None` when a problem is noted.
#[expect(clippy::option_option, reason = "no key and a wrong one are two things")]
fn push(reader: &mut Reader) -> Option<Option<VapidKey>> {
    let is_contact = |it: &str| (it.starts_with("mailto:") || it.starts_with("https://")).then(|| it.to_owned());
    let key = reader.optional(&TASKFLOW_VAPID_PRIVATE_KEY, |pem| {
        VapidKey::new(pem, String::new()).map(|_| Secret::new(pem))
    });
    let subject = reader.required_when(key.is_some(), &TASKFLOW_VAPID_SUBJECT, is_contact);
    match key {
        Some(key) => Some(Some(VapidKey::new(key.expose(), subject?)?)),
        None => Some(None),
    }
}
