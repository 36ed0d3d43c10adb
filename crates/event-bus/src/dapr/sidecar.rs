//! The sidecar's API for publishing.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use catalogue::services::pubsub_component;
use kafka_settings::SidecarSettings;
use reqwest::{Client, header::HeaderValue, redirect};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};

use super::TOKEN_HEADER;
use crate::publisher::PublishError;

/// Time for a connection: the sidecar is on this machine.
const CONNECT_TIME: Duration = Duration::from_secs(1);
/// Characters of an answer that are told.
const TOLD_CHARS: usize = 300;

/// The sidecar's API for publishing. Clones share connections.
#[derive(Clone)]
pub(super) struct Sidecar {
    client: Client,
    /// What stands before the name of a topic.
    url: String,
    token: HeaderValue,
    prefix: String,
}

/// A record to publish.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    /// Tells the entries of one call apart.
    #[serde(rename = "entryId")]
    id: String,
    event: String,
    content_type: &'static str,
    /// Headers of the record, and what tells the sidecar where it belongs.
    metadata: BTreeMap<String, String>,
}

/// What the sidecar says when it has not published all.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Refusal {
    #[serde(default)]
    failed_entries: Vec<FailedEntry>,
    #[serde(default)]
    error_code: Option<String>,
    #[serde(default)]
    message: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FailedEntry {
    #[serde(rename = "entryId")]
    id: String,
    #[serde(default)]
    error: String,
}

/// The entries that are not known to be published, with what the sidecar says of each.
pub(super) type Failed = BTreeMap<String, String>;

impl Entry {
    pub(super) fn new(entry_id: String, value: &[u8], headers: BTreeMap<String, String>) -> Self {
        Self {
            id: entry_id,
            // Bytes go through the JSON of the call as they are only in this form.
            event: STANDARD.encode(value),
            content_type: "application/octet-stream",
            metadata: headers,
        }
    }

    /// Gives the record its key.
    pub(super) fn keyed(mut self, key: &str) -> Self {
        self.metadata.insert("partitionKey".to_owned(), key.to_owned());
        self
    }

    /// Says where the record belongs; otherwise the sidecar's own hash of the key does.
    pub(super) fn placed(mut self, partition: u32) -> Self {
        self.metadata
            .insert("partitionNumber".to_owned(), partition.to_string());
        self
    }
}

impl Sidecar {
    pub(super) fn new(settings: &SidecarSettings, app_id: &str) -> reqwest::Result<Self> {
        let client = Client::builder()
            .connect_timeout(CONNECT_TIME)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .build()?;
        let token = HeaderValue::from_str(&settings.api_token.0);
        // One that cannot stand in a header opens no door either: the sidecar says so at every call.
        let mut token = token.unwrap_or_else(|_| HeaderValue::from_static(""));
        token.set_sensitive(true);
        Ok(Self {
            client,
            url: format!("{}/v1.0/publish/bulk/{}", settings.endpoint, pubsub_component(app_id)),
            token,
            prefix: settings.prefix.clone(),
        })
    }

    /// Publishes the entries to one topic, and says which failed. An error means that none is known to be published.
    pub(super) async fn publish(
        &self,
        topic: &str,
        entries: &[Entry],
        deadline: Instant,
    ) -> Result<Failed, PublishError> {
        let call = self
            .client
            .post(format!("{}/{}{topic}", self.url, self.prefix))
            .query(&[("metadata.rawPayload", "true")])
            .header(TOKEN_HEADER, self.token.clone())
            .json(entries);
        let answer = async {
            let response = call.send().await?;
            let status = response.status();
            Ok::<_, reqwest::Error>((status, response.bytes().await?))
        };
        let (status, body) = timeout_at(deadline, answer)
            .await
            .map_err(|_elapsed| PublishError::TimedOut)?
            .map_err(PublishError::Unreached)?;
        if status.is_success() {
            return Ok(Failed::new());
        }
        let refusal = serde_json::from_slice::<Refusal>(&body).ok();
        let failed: Failed = refusal
            .iter()
            .flat_map(|it| &it.failed_entries)
            .map(|it| (it.id.clone(), shortened(&it.error)))
            .collect();
        let sent: BTreeSet<&str> = entries.iter().map(|it| it.id.as_str()).collect();
        if failed.keys().any(|id| sent.contains(id.as_str())) {
            return Ok(failed);
        }
        let told = refusal.and_then(|it| it.message.or(it.error_code));
        let told = told.unwrap_or_else(|| String::from_utf8_lossy(&body).into_owned());
        Err(PublishError::Sidecar(format!("{status}: {}", shortened(&told))))
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(TOLD_CHARS).collect()
}
