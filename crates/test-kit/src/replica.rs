//! One process of a service.

use std::{net::SocketAddr, time::Duration};

use catalogue::{Service as Definition, paths};

use crate::{
    Service,
    core::Ports,
    http::{client, get},
    wait_until,
};

/// Far more than anything takes on a quiet machine; a group that lost a member waits for the end of its session.
const PATIENCE: Duration = Duration::from_mins(1);

/// One process of a service, and where it listens.
pub struct Replica {
    /// The process.
    pub process: Service,
    /// Routes for people.
    pub public: SocketAddr,
    /// Routes for other services; those for people where there are no others.
    pub internal: SocketAddr,
    /// Metrics.
    pub metrics: SocketAddr,
}

impl Replica {
    /// The `serve` of this service, once it listens.
    pub async fn of(mut process: Service, service: &Definition) -> Self {
        let public = process.address("public").await;
        Self {
            public,
            internal: match service.internal_port {
                Some(_) => process.address("internal").await,
                None => public,
            },
            metrics: process.address("metrics").await,
            process,
        }
    }

    /// The ports that it listens on.
    pub fn ports(&self) -> Ports {
        Ports {
            http: self.public.port(),
            internal: self.internal.port(),
            metrics: self.metrics.port(),
        }
    }

    /// Waits until it takes traffic.
    pub async fn becomes_ready(&self) {
        let url = format!("http://{}/ready", self.public);
        wait_until(&format!("{url} answers 200"), PATIENCE, async || {
            let answer = client().get(&url).send().await.map_err(|error| error.to_string())?;
            let status = answer.status();
            if status.is_success() {
                return Ok(());
            }
            Err(format!("{status}: {}", answer.text().await.unwrap_or_default()))
        })
        .await;
    }

    /// Value of a series in its metrics, which must be there.
    pub async fn value_of(&self, series: &str) -> f64 {
        let text = get(self.metrics, paths::METRICS).await.text;
        let mut lines = text.lines();
        let value = lines.find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        let value = value.and_then(|value| value.parse().ok());
        value.unwrap_or_else(|| panic!("no series `{series}` in {text}"))
    }

    /// Waits until the series has this value.
    #[expect(clippy::float_cmp, reason = "metrics that count are whole numbers")]
    pub async fn becomes(&self, series: &str, value: f64) {
        self.has(series, &format!("becomes {value}"), |now| now == value).await;
    }

    /// Waits until the series has at least this value.
    pub async fn reaches(&self, series: &str, value: f64) {
        self.has(series, &format!("reaches {value}"), |now| now >= value).await;
    }

    async fn has(&self, series: &str, what: &str, wanted: impl Fn(f64) -> bool) {
        wait_until(&format!("{series} {what}"), PATIENCE, async || {
            match self.value_of(series).await {
                now if wanted(now) => Ok(()),
                now => Err(now),
            }
        })
        .await;
    }

    /// Asks it to stop; it must do so well and in time.
    pub async fn stop(mut self) {
        self.process.terminate();
        let status = self.process.exit(PATIENCE).await;
        assert_eq!(status.code(), Some(0), "{:#?}", self.process.lines());
    }
}
