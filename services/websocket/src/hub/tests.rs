use catalogue::{Catalogue, app_ids};

use super::*;

const LIMIT: usize = 3;

fn hub() -> (Hub, Metrics) {
    let metrics = Metrics::new(&Catalogue::taskflow(), app_ids::WEBSOCKET);
    (Hub::new(LIMIT, Duration::from_secs(20), &metrics), metrics)
}

fn arrival(user: &str, resume: Option<u64>) -> Arrival<'_> {
    Arrival {
        user,
        resume,
        valid_until: Timestamp::MAX,
        protocol: Protocol::Websocket,
    }
}

fn change(hub: &Hub, user: &str, sequence: u64, text: &str) {
    let note = Note {
        name: "change",
        text: text.into(),
        sequence: Some(sequence),
        happened: None,
    };
    hub.change(user, sequence, Uuid::from_u128(sequence.into()), note);
}

/// The types of the messages that wait, and the positions of changes.
async fn waiting(place: &Place) -> Vec<String> {
    place.queue.say(Farewell::Restarting);
    let mut all = Vec::new();
    while let Next::Note(note) = place.queue.next().await {
        all.push(note.sequence.map_or_else(|| note.name.to_owned(), |it| it.to_string()));
    }
    all
}

#[tokio::test]
async fn everyone_hears_of_their_own_changes_only() {
    let (hub, _) = hub();
    let ada = hub.enter(arrival("ada", None)).unwrap();
    let other = hub.enter(arrival("ada", None)).unwrap();
    let bob = hub.enter(arrival("bob", None)).unwrap();
    change(&hub, "ada", 1, "x");
    assert_eq!(waiting(&ada).await, ["welcome", "1"]);
    assert_eq!(waiting(&other).await, ["welcome", "1"]);
    assert_eq!(waiting(&bob).await, ["welcome"]);
}

#[tokio::test]
async fn a_client_that_comes_back_is_told_what_it_missed_or_to_load_everything() {
    let (hub, metrics) = hub();
    for sequence in 1..=3 {
        change(&hub, "ada", sequence, "x");
    }
    let back = hub.enter(arrival("ada", Some(1))).unwrap();
    let unknown = hub.enter(arrival("bob", Some(1))).unwrap();
    let new = hub.enter(arrival("ada", None)).unwrap();
    change(&hub, "ada", 4, "x");
    assert_eq!(waiting(&back).await, ["welcome", "2", "3", "4"]);
    assert_eq!(waiting(&unknown).await, ["welcome", "refetch"]);
    assert_eq!(waiting(&new).await, ["welcome", "4"]);
    assert_eq!(metrics.counter(&WEBSOCKET_REFETCHES_TOTAL, &["too_old"]).get(), 1);
}

#[tokio::test]
async fn a_person_has_so_many_connections_and_no_more() {
    let (hub, _) = hub();
    let mut places: Vec<_> = (0..LIMIT).map(|_| hub.enter(arrival("ada", None)).unwrap()).collect();
    assert_eq!(hub.enter(arrival("ada", None)).unwrap_err(), Farewell::TooMany);
    hub.enter(arrival("bob", None)).unwrap();
    places.pop();
    hub.enter(arrival("ada", None)).unwrap();
}

#[tokio::test]
async fn nothing_is_left_of_who_came_and_went() {
    let (hub, metrics) = hub();
    let ada = hub.enter(arrival("ada", None)).unwrap();
    let open = metrics.gauge(&WEBSOCKET_CONNECTIONS, &["websocket"]);
    assert!(open.get() > 0.5);
    drop(ada);
    let state = hub.state();
    assert!(open.get() < 0.5 && state.persons.is_empty() && state.ages.is_empty());
}

#[tokio::test]
async fn what_is_remembered_of_all_is_bounded_and_the_latest_stays() {
    let (hub, _) = hub();
    let text = "x".repeat(100_000);
    let count = REMEMBERED_BYTES / 100_000 + 100;
    let connected = hub.enter(arrival("0", None)).unwrap();
    for user in 0..count {
        change(&hub, &user.to_string(), 1, &text);
    }
    {
        let state = hub.state();
        assert!(state.bytes <= REMEMBERED_BYTES, "{}", state.bytes);
        let sum: usize = state.persons.values().map(|person| person.stream.bytes()).sum();
        assert_eq!(state.bytes, sum);
        assert!(!state.persons.contains_key("1"));
    }
    let last = hub.enter(arrival(&(count - 1).to_string(), Some(0))).unwrap();
    assert_eq!(waiting(&last).await, ["welcome", "1"]);
    // Who is connected keeps the position, and misses nothing.
    change(&hub, "0", 2, "x");
    assert_eq!(waiting(&connected).await, ["welcome", "1", "2"]);
}

#[tokio::test(start_paused = true)]
async fn a_gap_is_told_after_a_second() {
    let (hub, metrics) = hub();
    let stop = CancellationToken::new();
    tokio::spawn({
        let (hub, stop) = (hub.clone(), stop.clone());
        async move { hub.watch_gaps(stop).await }
    });
    change(&hub, "ada", 1, "x");
    let ada = hub.enter(arrival("ada", None)).unwrap();
    change(&hub, "ada", 3, "x");
    let begun = Instant::now();
    assert!(matches!(ada.queue.next().await, Next::Note(note) if note.name == "welcome"));
    assert!(matches!(ada.queue.next().await, Next::Note(note) if note.name == "refetch"));
    assert_eq!(begun.elapsed().as_secs(), 1);
    assert!(matches!(ada.queue.next().await, Next::Note(note) if note.sequence == Some(3)));
    assert_eq!(metrics.counter(&WEBSOCKET_REFETCHES_TOTAL, &["gap"]).get(), 1);
    stop.cancel();
}

#[tokio::test(start_paused = true)]
async fn clients_are_asked_to_go_a_few_at_a_time() {
    let metrics = Metrics::new(&Catalogue::taskflow(), app_ids::WEBSOCKET);
    let hub = Hub::new(10_000, Duration::from_secs(20), &metrics);
    let places: Vec<_> = (0..2000).map(|_| hub.enter(arrival("ada", None)).unwrap()).collect();
    let begun = Instant::now();
    let parting = hub.part(Duration::from_secs(10));
    tokio::pin!(parting);
    let half = tokio::time::timeout(Duration::from_secs(1), parting.as_mut()).await;
    assert!(half.is_err());
    let asked = places.iter().filter(|it| it.queue.farewell().is_some()).count();
    assert!((900..=1100).contains(&asked), "{asked}");
    assert_eq!(hub.enter(arrival("bob", None)).unwrap_err(), Farewell::Restarting);
    parting.await;
    assert!(
        places
            .iter()
            .all(|it| it.queue.farewell() == Some(Farewell::Restarting))
    );
    assert!(begun.elapsed() <= Duration::from_secs(3));
}
