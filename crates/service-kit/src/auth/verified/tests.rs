use std::collections::BTreeSet;

use super::*;

const NOW: i64 = 1_800_000_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn verified(id: &str) -> Verified {
    Verified {
        user: User::new(id.to_owned(), BTreeSet::new(), 1_800_000_060.0),
        expires: 1_800_000_060.0,
        keys: Arc::default(),
    }
}

#[test]
fn a_token_is_known_until_it_expires_or_its_keys_change() {
    let tokens = VerifiedTokens::default();
    tokens.insert("t", verified("ada"));
    let known = |token: &str, keys_are_current: bool, second: i64| {
        tokens
            .get(token, |_| keys_are_current, at(second))
            .map(|user| user.id().to_owned())
    };
    assert_eq!(known("t", true, NOW).as_deref(), Some("ada"));
    assert_eq!(known("u", true, NOW), None);
    assert_eq!(known("t", true, NOW + 60), None);
    assert_eq!(known("t", false, NOW), None);
}

#[test]
fn memory_is_bounded_and_what_is_used_stays() {
    let tokens = VerifiedTokens::default();
    tokens.insert("kept", verified("ada"));
    for number in 0..5 * GENERATION {
        tokens.insert(&number.to_string(), verified("bob"));
        if number % 100 == 0 {
            assert!(tokens.get("kept", |_| true, at(NOW)).is_some(), "after {number}");
        }
    }
    let generations = tokens.generations.lock().unwrap();
    assert!(generations.young.len() <= GENERATION && generations.old.len() <= GENERATION);
}
