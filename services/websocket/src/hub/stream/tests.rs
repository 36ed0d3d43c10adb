use proptest::{collection::vec, prelude::*, sample::Index};

use super::*;

fn note(sequence: Option<u64>) -> Arc<Note> {
    Arc::new(Note {
        name: "change",
        text: sequence.unwrap_or_default().to_string().into(),
        sequence,
        happened: None,
    })
}

fn id(number: u64) -> Uuid {
    Uuid::from_u128(number.into())
}

fn after(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// Numbers of changes as they are, reminders as 0, a refetch as the negative of its position.
fn plain(told: &[Told]) -> Vec<i64> {
    let number = |it: u64| i64::try_from(it).unwrap();
    told.iter()
        .map(|one| match one {
            Told::Note(note) => number(note.sequence.unwrap_or_default()),
            Told::Refetch(_, position) => -number(position.unwrap()),
        })
        .collect()
}

fn missed(stream: &Stream, from: u64) -> Option<Vec<i64>> {
    let notes = stream.resume(Some(from)).missed?;
    Some(plain(&notes.into_iter().map(Told::Note).collect::<Vec<_>>()))
}

/// A stream that was told of everything up to this position.
fn at(position: u64) -> Stream {
    let mut stream = Stream::default();
    stream.begin_at(position);
    stream
}

fn take(stream: &mut Stream, sequence: u64, now: Instant) -> Vec<i64> {
    plain(&stream.change(sequence, id(sequence), note(Some(sequence)), now))
}

#[test]
fn the_first_change_of_all_is_told_at_once() {
    let mut stream = Stream::default();
    assert_eq!(take(&mut stream, 1, Instant::now()), [1]);
}

#[test]
fn an_unknown_beginning_is_waited_for_a_moment() {
    let (mut stream, now) = (Stream::default(), Instant::now());
    assert_eq!(take(&mut stream, 8, now), [0_i64; 0]);
    assert_eq!(take(&mut stream, 7, now), [0_i64; 0]);
    assert_eq!(stream.deadline(), Some(now + FIRST_WAITS));
    assert_eq!(plain(&stream.overdue(now + FIRST_WAITS)), [7, 8]);
    assert_eq!(stream.deadline(), None);
}

#[test]
fn what_comes_before_a_guessed_beginning_costs_one_refetch() {
    let (mut stream, now) = (Stream::default(), Instant::now());
    take(&mut stream, 7, now);
    stream.overdue(now + FIRST_WAITS);
    assert_eq!(take(&mut stream, 6, now), [-7]);
    assert_eq!(take(&mut stream, 5, now), [0_i64; 0]);
    assert_eq!(take(&mut stream, 8, now), [8]);
}

#[test]
fn changes_that_overtook_others_are_put_in_order() {
    let (mut stream, now) = (at(4), Instant::now());
    assert_eq!(take(&mut stream, 6, now), [0_i64; 0]);
    assert_eq!(take(&mut stream, 8, now + after(0.5)), [0_i64; 0]);
    assert_eq!(stream.deadline(), Some(now + REORDER_WITHIN));
    assert_eq!(take(&mut stream, 5, now + after(0.9)), [5, 6]);
    // The next gap has its own second.
    assert_eq!(stream.deadline(), Some(now + after(0.5) + REORDER_WITHIN));
    assert_eq!(plain(&stream.overdue(now + REORDER_WITHIN)), [0_i64; 0]);
    assert_eq!(take(&mut stream, 7, now + after(1.4)), [7, 8]);
}

#[test]
fn a_gap_that_stays_is_told_and_what_comes_too_late_is_not() {
    let (mut stream, now) = (at(4), Instant::now());
    take(&mut stream, 6, now);
    assert_eq!(plain(&stream.overdue(now + REORDER_WITHIN)), [-5, 6]);
    assert_eq!(take(&mut stream, 5, now + after(2.0)), [0_i64; 0]);
    assert_eq!(missed(&stream, 4), None);
    assert_eq!(missed(&stream, 5), Some(vec![6]));
}

#[test]
fn the_same_change_is_told_once() {
    let (mut stream, now) = (at(4), Instant::now());
    assert_eq!(take(&mut stream, 5, now), [5]);
    assert_eq!(take(&mut stream, 5, now), [0_i64; 0]);
    assert_eq!(take(&mut stream, 4, now), [0_i64; 0]);
}

#[test]
fn numbers_that_are_given_a_second_time_are_noticed() {
    let (mut stream, now) = (at(4), Instant::now());
    take(&mut stream, 5, now);
    take(&mut stream, 6, now);
    let other = stream.change(5, id(99), note(Some(5)), now);
    assert_eq!(plain(&other), [-5]);
    assert_eq!(take(&mut stream, 6, now), [6]);
}

#[test]
fn a_client_is_told_what_it_missed_or_that_nobody_knows() {
    let (mut stream, now) = (at(4), Instant::now());
    assert_eq!(missed(&Stream::default(), 4), None);
    for sequence in 5..=7 {
        take(&mut stream, sequence, now);
    }
    assert_eq!(missed(&stream, 3), None);
    assert_eq!(missed(&stream, 4), Some(vec![5, 6, 7]));
    assert_eq!(missed(&stream, 7), Some(vec![]));
    // From another replica, which is ahead of this one; or from a database that was set back.
    assert_eq!(missed(&stream, 8), None);
    assert_eq!(stream.resume(None).position, Some(7));
}

#[test]
fn reminders_stand_behind_the_change_before_them() {
    let (mut stream, now) = (at(4), Instant::now());
    take(&mut stream, 5, now);
    assert_eq!(plain(&stream.reminder(id(50), note(None))), [0]);
    assert_eq!(plain(&stream.reminder(id(50), note(None))), [0_i64; 0]);
    take(&mut stream, 6, now);
    assert_eq!(missed(&stream, 4), Some(vec![5, 0, 6]));
    assert_eq!(missed(&stream, 5), Some(vec![0, 6]));
    assert_eq!(missed(&stream, 6), Some(vec![]));
}

#[test]
fn memory_is_bounded() {
    let (mut stream, now) = (at(0), Instant::now());
    for sequence in 1..=1000 {
        take(&mut stream, sequence, now);
    }
    assert_eq!(missed(&stream, 1000 - REMEMBERED as u64 - 1), None);
    assert_eq!(missed(&stream, 1000 - REMEMBERED as u64).unwrap().len(), REMEMBERED);
    let large = Arc::new(Note {
        name: "change",
        text: "a".repeat(REMEMBERED_BYTES / 4).into(),
        sequence: Some(1001),
        happened: None,
    });
    stream.change(1001, id(1001), large, now);
    assert!(stream.bytes() <= REMEMBERED_BYTES);
    stream.forget();
    assert_eq!(
        (stream.bytes(), missed(&stream, 1000), missed(&stream, 1001)),
        (0, None, Some(vec![]))
    );
    // What waits is bounded too: then nothing is waited for.
    for sequence in 0..=WAITING as u64 {
        take(&mut stream, 2000 + sequence, now);
    }
    assert!(!stream.waits());
}

proptest! {
    /// Whatever comes in whatever order, and whatever is lost: a client that does as it is told has everything that was
    /// committed once the last word was spoken, and every change only once and in its order.
    #[test]
    fn a_client_that_does_as_told_misses_nothing(
        known in proptest::option::of(0_u64..3),
        count in 1_u64..30,
        swaps in vec((any::<Index>(), any::<Index>()), 0..20),
        lost in vec(any::<Index>(), 0..4),
        repeated in vec(any::<Index>(), 0..4),
        pauses in vec(0_u64..400, 1..30),
    ) {
        let first = known.map_or(5, |known| known + 1);
        let mut arriving: Vec<u64> = (first..first + count).collect();
        let last = first + count - 1;
        for (a, b) in swaps {
            let length = arriving.len();
            arriving.swap(a.index(length), b.index(length));
        }
        for one in lost {
            if arriving.len() > 1 {
                let at = one.index(arriving.len());
                // The last one shows that those before it are lost; nothing shows that it is lost itself.
                if arriving[at] != last {
                    arriving.remove(at);
                }
            }
        }
        for one in repeated {
            let again = arriving[one.index(arriving.len())];
            arriving.push(again);
        }
        let mut stream = known.map_or_else(Stream::default, at);
        let mut now = Instant::now();
        let mut told = Vec::new();
        for (sequence, pause) in arriving.into_iter().zip(pauses.into_iter().cycle()) {
            now += Duration::from_millis(pause);
            while stream.deadline().is_some_and(|deadline| deadline <= now) {
                told.extend(stream.overdue(now));
            }
            told.extend(stream.change(sequence, id(sequence), note(Some(sequence)), now));
        }
        // Each gap has its own end.
        while stream.waits() {
            told.extend(stream.overdue(now + after(10.0)));
        }
        // Everything is committed before it arrives, so whoever loads everything when told has all up to the position.
        let mut has = first - 1;
        for one in plain(&told) {
            if one < 0 {
                has = has.max(one.unsigned_abs());
            } else {
                let sequence = one.unsigned_abs();
                // A guessed beginning is put right by the refetch that follows, or nothing came before it.
                prop_assert!(sequence == has + 1 || known.is_none(), "{sequence} after {has}: {:?}", plain(&told));
                prop_assert!(sequence > has, "{sequence} after {has}: {:?}", plain(&told));
                has = sequence;
            }
        }
        prop_assert_eq!(has, last);
    }
}
