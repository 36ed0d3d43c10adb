use bytes::Bytes;
use event_bus::record::RecordPlace;
use proptest::prelude::*;

use super::*;

fn header(name: &str, value: &[u8]) -> RecordHeader {
    RecordHeader {
        name: name.to_owned(),
        value: Some(Bytes::copy_from_slice(value)),
    }
}

fn record(value: &[u8], headers: Vec<RecordHeader>) -> RecordDelivery {
    RecordDelivery {
        topic: topics::TASK_EVENTS_DLQ,
        place: RecordPlace {
            topic: "prefix.task-events-dlq".to_owned(),
            partition: 1,
            offset: 17,
        },
        key: Some(Bytes::from_static(b"7")),
        value: Some(Bytes::copy_from_slice(value)),
        headers,
        timestamp: Some(Timestamp::UNIX_EPOCH),
    }
}

fn read(record: &RecordDelivery) -> Letter {
    Letter::read(record, "2026-11-24T12:00:00Z".parse().unwrap())
}

#[test]
fn what_a_service_says_is_read_and_its_last_word_counts() {
    let headers = vec![
        header(dead_letter::REASON, b"failed"),
        header("left-by", b"\xff\x00"),
        header(dead_letter::REASON, b"rejected"),
        header(dead_letter::DETAIL, b"task 12 of 345 is odd"),
        header(dead_letter::ATTEMPTS, b"4"),
        header(dead_letter::CONSUMER, b"audit"),
        header(dead_letter::ORIGIN_PARTITION, b"2"),
        header(dead_letter::ORIGIN_OFFSET, b"99"),
        header(dead_letter::FIRST_SEEN, b"2026-11-24T10:00:00Z"),
    ];
    let letter = read(&record(b"{}", headers));
    assert_eq!(
        (letter.origin, letter.reason.as_str(), letter.attempts),
        ("task-events", "rejected", Some(4))
    );
    assert_eq!((letter.origin_partition, letter.origin_offset), (Some(2), Some(99)));
    assert_eq!(letter.fault, "task # of # is odd");
    assert_eq!(letter.consumer.as_deref(), Some("audit"));
    assert_eq!(letter.first_seen.to_string(), "2026-11-24T10:00:00Z");
    assert_eq!(letter.headers[1], json!({"name": "left-by", "base64": "/wA="}));
}

#[test]
fn a_letter_of_a_sidecar_has_no_reason_and_still_an_origin() {
    let headers = vec![
        header("__partition", b"2"),
        header("__offset", b"99"),
        header("__timestamp", b"1000"),
    ];
    let read_directly = read(&record(b"{}", headers));
    let mut by_a_sidecar = record(b"{}", Vec::new());
    by_a_sidecar.place = RecordPlace {
        topic: "prefix.task-events".to_owned(),
        partition: 2,
        offset: 99,
    };
    let by_a_sidecar = read(&by_a_sidecar);
    for letter in [&read_directly, &by_a_sidecar] {
        assert_eq!(letter.reason, UNKNOWN);
        assert_eq!((letter.origin_partition, letter.origin_offset), (Some(2), Some(99)));
    }
    assert_eq!(read_directly.origin_timestamp, Timestamp::from_second(1).ok());
}

#[test]
fn letters_with_the_same_cause_have_the_same_group() {
    let with = |reason: &[u8], detail: &[u8]| {
        let headers = vec![header(dead_letter::REASON, reason), header(dead_letter::DETAIL, detail)];
        read(&record(b"{}", headers)).group_id
    };
    assert_eq!(with(b"failed", b"offset 1"), with(b"failed", b"offset 22"));
    assert_ne!(with(b"failed", b"offset 1"), with(b"rejected", b"offset 1"));
    assert_ne!(with(b"failed", b"offset 1"), with(b"failed", b"key 1"));
}

#[test]
fn a_value_that_was_left_out_is_told_by_its_size() {
    let letter = read(&record(
        b"null",
        vec![header(dead_letter::OMITTED_VALUE_BYTES, b"2000000")],
    ));
    assert_eq!((letter.value, letter.omitted_bytes), (None, Some(2_000_000)));
}

#[test]
fn an_attribute_that_is_wrong_costs_no_other() {
    let id = "01a0c450-6c06-7707-8707-070707070707";
    let value =
        format!(r#"{{"id":"{id}","type":7,"subject":"12","sequence":"0000000000000003","traceparent":[],"data":1}}"#);
    let envelope = read(&record(value.as_bytes(), Vec::new())).envelope;
    assert_eq!(envelope.event_id, id.parse().ok());
    assert_eq!(
        (envelope.event_type, envelope.task_id, envelope.version),
        (None, Some(12), Some(3))
    );
    assert_eq!(
        read(&record(b"\xff", Vec::new())).envelope.task_id,
        Some(7),
        "of the key"
    );
}

proptest! {
    #[test]
    fn whatever_arrives_becomes_a_letter_that_postgresql_can_store(
        value: Vec<u8>,
        headers in proptest::collection::vec((any::<String>(), any::<Vec<u8>>()), 0..8),
        reason: String,
        detail: String,
    ) {
        let mut all: Vec<RecordHeader> = headers.iter().map(|(name, value)| header(name, value)).collect();
        all.push(header(dead_letter::REASON, reason.as_bytes()));
        all.push(header(dead_letter::DETAIL, detail.as_bytes()));
        let letter = read(&record(&value, all));
        prop_assert_eq!(letter.value.as_deref(), Some(value.as_slice()));
        let texts = [&letter.reason, &letter.detail, &letter.fault];
        prop_assert!(texts.iter().all(|text| !text.contains('\0')));
        prop_assert!(!letter.headers.to_string().contains("\\u0000"));
    }
}
