//! A reminder that came back by the topic is dealt into one delivery per channel.
//!
//! In the application it is seen by standing in the ledger, so that delivery is one transaction with the rest; an open
//! browser learns of it from the same topic. The other channels wait for a courier.

use domain::time::Zone;
use event_bus::crash_point;
use jiff::Timestamp;
use service_kit::database::{Database, time::Instant};
use uuid::Uuid;

use crate::{
    channels::Kind,
    plan::State,
    quiet::Quiet,
    store::{
        channels::{self, ChannelRow},
        deliveries::{self, NewDelivery},
        reminders,
    },
    telling::Telling,
};

/// What became of the event of a reminder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dealt {
    /// It is on its way to the person.
    New,
    /// It was before, or is wanted no more.
    Before,
    /// No reminder waits for this event.
    Unknown,
}

/// Deals the reminder that this event tells of.
pub(crate) async fn deal(database: &Database, event_id: Uuid, telling: &Telling) -> sqlx::Result<Dealt> {
    let mut transaction = database.begin().await?;
    let Some(told) = reminders::lock_told(&mut transaction, event_id).await? else {
        return Ok(Dealt::Unknown);
    };
    if told.state != State::Due.as_str() {
        return Ok(Dealt::Before);
    }
    let channels = channels::of_user(&mut transaction, &told.user_id).await?;
    let zone = Zone::new(&told.time_zone).unwrap_or(Zone::UTC);
    let in_app = channels.iter().all(|it| it.kind != Kind::InApp.as_str() || it.enabled);
    let live = |it: &&ChannelRow| it.kind != Kind::InApp.as_str() && it.enabled && it.retired_at.is_none();
    let now = Timestamp::now();
    let mut held = Vec::new();
    for channel in channels.iter().filter(live) {
        let until = Quiet::of(channel).and_then(|quiet| quiet.ends_after(now, &zone));
        held.extend(until.map(|_| channel.kind.clone()));
        let new = NewDelivery {
            id: Uuid::now_v7(),
            reminder_id: told.id,
            generation: told.generation,
            channel_id: Some(channel.id),
            kind: channel.kind.clone(),
            next_at: Instant(until.unwrap_or(now)),
        };
        deliveries::add(&mut transaction, &new).await?;
    }
    let (mut seen, mut expired) = (None, false);
    if in_app {
        seen = deliveries::deliver_in_app(&mut transaction, told.id, told.generation).await?;
    } else {
        expired = reminders::expire_undeliverable(&mut transaction, told.id, told.generation).await?;
    }
    crash_point!("notification.before_deal_commit");
    transaction.commit().await?;
    crash_point!("notification.after_deal_commit");
    if let Some((remind_at, delivered_at)) = seen {
        telling.entered(State::Attempted, 1);
        telling.delivery(Kind::InApp.as_str(), "delivered");
        telling.seen(remind_at.0, delivered_at.0);
    }
    if expired {
        telling.entered(State::Expired, 1);
    }
    for kind in &held {
        telling.delivery(kind, "suppressed");
    }
    telling.dealt.notify_one();
    Ok(Dealt::New)
}
