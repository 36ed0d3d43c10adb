use governor::clock::FakeRelativeClock;

use super::*;

#[test]
fn a_user_gets_its_rate_and_then_waits() {
    let clock = FakeRelativeClock::default();
    let buckets = Buckets::new(2, clock.clone());
    assert_eq!(buckets.take("ada"), Ok(()));
    assert_eq!(buckets.take("ada"), Ok(()));
    assert_eq!(buckets.take("ada"), Err(Duration::from_millis(500)));
    assert_eq!(
        buckets.take("bob"),
        Ok(()),
        "one user does not use up what is another's"
    );
    clock.advance(Duration::from_millis(500));
    assert_eq!(buckets.take("ada"), Ok(()));
    assert!(buckets.take("ada").is_err());
}

#[test]
fn users_who_stay_away_are_forgotten() {
    let clock = FakeRelativeClock::default();
    let buckets = Buckets::new(50, clock.clone());
    for user in 0..20 * SWEEP_EVERY {
        buckets.take(&user.to_string()).unwrap();
        clock.advance(Duration::from_millis(1));
    }
    let longest = usize::try_from(SWEEP_EVERY).unwrap() + 1_000;
    assert!(buckets.limiter.len() <= longest, "{} buckets", buckets.limiter.len());
}
