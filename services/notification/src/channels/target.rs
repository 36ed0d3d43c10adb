//! Where a channel leads.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Guard, web_push::Browser};

/// Bytes of an address that is called.
const URL_BYTES: usize = 2000;
/// Bytes of an address of a mailbox.
const MAIL_BYTES: usize = 254;

/// The kinds of channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// In the application: the ledger, and an open browser.
    InApp,
    /// A push message to a browser.
    WebPush,
    /// A mail.
    Email,
    /// A signed call of an address.
    Webhook,
}

impl Kind {
    /// The word for it, in rows, answers and metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::InApp => "in_app",
            Self::WebPush => "web_push",
            Self::Email => "email",
            Self::Webhook => "webhook",
        }
    }
}

/// Where a channel leads, by kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Target {
    /// Into the application. There without being added; adding it allows to switch it off.
    InApp {},
    /// To a browser, as its `PushSubscription` says in JSON.
    WebPush {
        /// Address of the push service: `https`.
        #[schema(max_length = 2000)]
        endpoint: String,
        /// Keys of the subscription.
        keys: PushKeys,
    },
    /// To a mailbox.
    Email {
        /// The address.
        #[schema(max_length = 254, example = "ada@example.org")]
        address: String,
    },
    /// To a server of the person's.
    Webhook {
        /// Its address: `https`, and nothing inside of our network.
        #[schema(max_length = 2000, example = "https://example.org/reminders")]
        url: String,
    },
}

/// Keys of a push subscription, in base64url.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PushKeys {
    /// The browser's public key.
    #[schema(max_length = 100)]
    pub(crate) p256dh: String,
    /// The shared secret.
    #[schema(max_length = 40)]
    pub(crate) auth: String,
}

impl Target {
    /// Its kind.
    pub(crate) const fn kind(&self) -> Kind {
        match self {
            Self::InApp {} => Kind::InApp,
            Self::WebPush { .. } => Kind::WebPush,
            Self::Email { .. } => Kind::Email,
            Self::Webhook { .. } => Kind::Webhook,
        }
    }
}

/// Whether messages can be sent there, as far as can be told without trying. Else what is wrong, and where.
pub(crate) fn is_usable(target: &Target, guard: Guard) -> Result<(), (&'static str, String)> {
    let address = |pointer, url: &str| {
        let short = url.len() <= URL_BYTES;
        let checked = guard.check(url).map_err(|refused| (pointer, refused.to_string()))?;
        if short && checked.fragment().is_none() {
            Ok(())
        } else {
            let message = format!("must have at most {URL_BYTES} bytes and no fragment");
            Err((pointer, message))
        }
    };
    match target {
        Target::InApp {} => Ok(()),
        Target::Webhook { url } => address("/target/url", url),
        Target::Email { address } => match address.parse::<lettre::Address>() {
            Ok(_) if address.len() <= MAIL_BYTES => Ok(()),
            _ => Err(("/target/address", "must be the address of a mailbox".to_owned())),
        },
        Target::WebPush { endpoint, keys } => {
            address("/target/endpoint", endpoint)?;
            Browser::new(keys)
                .map(|_| ())
                .ok_or_else(|| ("/target/keys", "must be the keys of a push subscription".to_owned()))
        }
    }
}
