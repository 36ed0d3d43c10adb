//! Why the service ends a connection, as clients and metrics hear it.

use schemars::JsonSchema;
use serde::Serialize;

/// Why the service ends a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Farewell {
    /// No `hello` came in time.
    TokenMissing,
    /// The token does not let anybody in, or is another person's than that of the connection.
    TokenRefused,
    /// The token is no longer valid: come back with a new one.
    TokenExpired,
    /// The client said something that is no message of the protocol, or too much.
    Misuse,
    /// The client takes its messages too slowly.
    Slow,
    /// Nothing was heard from the client between two heartbeats.
    Silent,
    /// The person has as many connections as allowed.
    TooMany,
    /// Tokens cannot be checked, or there is no place: come back a little later.
    TryAgainLater,
    /// The replica stops: come back at once, another one takes over.
    Restarting,
}

impl Farewell {
    /// Every one of them.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 9] = [
        Self::TokenMissing,
        Self::TokenRefused,
        Self::TokenExpired,
        Self::Misuse,
        Self::Slow,
        Self::Silent,
        Self::TooMany,
        Self::TryAgainLater,
        Self::Restarting,
    ];

    /// The close code of the websocket protocol. Those from 4000 on are ours.
    pub(crate) const fn code(self) -> u16 {
        match self {
            Self::TokenMissing => 4001,
            Self::TokenRefused => 4002,
            Self::TokenExpired => 4003,
            Self::Misuse => 4004,
            Self::Slow => 4008,
            Self::Silent => 4009,
            Self::TooMany => 4029,
            Self::TryAgainLater => 1013,
            Self::Restarting => 1012,
        }
    }

    /// The name: reason of the close frame, and `reason` over server-sent events.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::TokenMissing => "token_missing",
            Self::TokenRefused => "token_refused",
            Self::TokenExpired => "token_expired",
            Self::Misuse => "misuse",
            Self::Slow => "slow",
            Self::Silent => "silent",
            Self::TooMany => "too_many",
            Self::TryAgainLater => "try_again_later",
            Self::Restarting => "restarting",
        }
    }

    /// The label `reason` of `websocket_dropped_clients_total`.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::TokenMissing | Self::TokenRefused => "unauthenticated",
            Self::TokenExpired => "expired",
            Self::Misuse => "misuse",
            Self::Slow => "slow",
            Self::Silent => "heartbeat",
            Self::TooMany | Self::TryAgainLater => "limit",
            Self::Restarting => "shutdown",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn every_code_is_documented() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/live-updates.md");
        let text = fs::read_to_string(path).unwrap();
        for farewell in Farewell::ALL {
            let row = format!("| {} | `{}` |", farewell.code(), farewell.as_str());
            assert!(text.contains(&row), "docs/live-updates.md has no row `{row}`");
            assert_eq!(serde_json::json!(farewell), farewell.as_str());
        }
    }
}
