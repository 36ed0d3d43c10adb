//! A record as the sidecar delivers it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::HeaderMap;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde::Deserialize;

use crate::record::{RecordDelivery, RecordHeader, RecordPlace, RecordView};

/// Headers of the request that belong to the delivery and not to the record.
const OF_THE_DELIVERY: &[&str] = &[
    "accept",
    "accept-encoding",
    "baggage",
    "connection",
    "content-length",
    "content-type",
    "forwarded",
    "grpc-trace-bin",
    "host",
    "pubsubname",
    "traceparent",
    "tracestate",
    "transfer-encoding",
    "user-agent",
];
/// Beginnings of the names of such headers.
const OF_THE_SIDECAR: &[&str] = &["__", "dapr-", "x-forwarded-"];

/// A record as the sidecar delivers it.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) place: Place,
    pub(super) key: Option<String>,
    pub(super) value: Bytes,
    /// The record's own headers. Their names have lost their capitals.
    pub(super) headers: Vec<(String, String)>,
    pub(super) timestamp: Option<Timestamp>,
}

/// Where a record is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// As the broker knows it.
    pub(super) topic: String,
    pub(super) partition: i32,
    pub(super) offset: i64,
}

/// Why a request is no delivery.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoDelivery {
    #[error("the header `{0}` is missing or no {1}")]
    Header(&'static str, &'static str),
    #[error("the body is no raw payload: the subscription must have `rawPayload`")]
    NotRaw(#[source] serde_json::Error),
    #[error("the payload is no base64")]
    NotBase64(#[source] base64::DecodeError),
}

/// What the sidecar wraps a raw payload in.
#[derive(Deserialize)]
struct Wrapped {
    data_base64: String,
}

impl Record {
    pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, NoDelivery> {
        let wrapped: Wrapped = serde_json::from_slice(body).map_err(NoDelivery::NotRaw)?;
        let value = STANDARD.decode(wrapped.data_base64).map_err(NoDelivery::NotBase64)?;
        let timestamp: Option<i64> = text(headers, "__timestamp").and_then(|it| it.parse().ok());
        let own = headers.iter().filter(|(name, _)| is_of_the_record(name.as_str()));
        Ok(Self {
            place: Place {
                topic: text(headers, "__topic")
                    .ok_or(NoDelivery::Header("__topic", "text"))?
                    .to_owned(),
                partition: number(headers, "__partition")?,
                offset: number(headers, "__offset")?,
            },
            key: text(headers, "__key").map(unescaped),
            value: value.into(),
            headers: own
                .filter_map(|(name, value)| Some((name.to_string(), unescaped(value.to_str().ok()?))))
                .collect(),
            timestamp: timestamp.and_then(|it| Timestamp::from_millisecond(it).ok()),
        })
    }
}

impl RecordView for Record {
    fn value(&self) -> Option<Bytes> {
        Some(self.value.clone())
    }

    fn whole(&self, topic: &'static str) -> RecordDelivery {
        let headers = self.headers.iter().map(|(name, value)| RecordHeader {
            name: name.clone(),
            value: Some(value.clone().into()),
        });
        RecordDelivery {
            topic,
            place: RecordPlace {
                topic: self.place.topic.clone(),
                partition: self.place.partition,
                offset: self.place.offset,
            },
            key: self.key.clone().map(Bytes::from),
            value: Some(self.value.clone()),
            headers: headers.collect(),
            timestamp: self.timestamp,
        }
    }
}

fn is_of_the_record(name: &str) -> bool {
    !OF_THE_DELIVERY.contains(&name) && !OF_THE_SIDECAR.iter().any(|beginning| name.starts_with(beginning))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn number<T: std::str::FromStr>(headers: &HeaderMap, name: &'static str) -> Result<T, NoDelivery> {
    let number = text(headers, name).and_then(|it| it.parse().ok());
    number.ok_or(NoDelivery::Header(name, "number"))
}

/// The sidecar escapes values as in the query of an address (`escapeHeaders`). What then is no text stays escaped.
fn unescaped(value: &str) -> String {
    let spaced = value.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded.map_or_else(|_| value.to_owned(), std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(more: &[(&'static str, &'static str)]) -> HeaderMap {
        let usual = [
            ("__topic", "a.task-events"),
            ("__partition", "2"),
            ("__offset", "17"),
            ("__timestamp", "1000"),
        ];
        let all = usual.iter().chain(more).map(|(name, value)| {
            (
                http::HeaderName::from_static(name),
                http::HeaderValue::from_static(value),
            )
        });
        all.collect()
    }

    #[test]
    fn a_delivery_is_taken_apart() {
        let more = [
            ("__key", "a%2Fb+c"),
            ("left-by", "another+program"),
            ("dapr-api-token", "x"),
            ("host", "y"),
        ];
        let record = Record::read(&headers(&more), br#"{"id":"any","data_base64":"eyJhIjoxfQ=="}"#).unwrap();
        assert_eq!(record.value, br#"{"a":1}"#.as_slice());
        assert_eq!(record.key.as_deref(), Some("a/b c"));
        assert_eq!(record.headers, [("left-by".to_owned(), "another program".to_owned())]);
        let Place {
            topic,
            partition,
            offset,
        } = record.place;
        assert_eq!((topic.as_str(), partition, offset), ("a.task-events", 2, 17));
        assert_eq!(record.timestamp, Some("1970-01-01T00:00:01Z".parse().unwrap()));
    }

    #[test]
    fn what_is_no_text_stays_escaped() {
        assert_eq!(unescaped("bytes+%FF%00"), "bytes+%FF%00");
    }

    #[test]
    fn what_is_no_raw_payload_is_refused() {
        for body in [
            b"".as_slice(),
            b"[]",
            br#"{"specversion":"1.0","data":{}}"#,
            br#"{"data_base64":"*"}"#,
        ] {
            assert!(Record::read(&headers(&[]), body).is_err(), "{body:?}");
        }
        let mut lost = headers(&[]);
        lost.remove("__offset");
        assert!(matches!(
            Record::read(&lost, br#"{"data_base64":""}"#),
            Err(NoDelivery::Header("__offset", _))
        ));
    }
}
