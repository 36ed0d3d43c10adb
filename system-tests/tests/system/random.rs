//! Any of the services dies at any moment, again and again.

use std::{env, time::Duration};

use catalogue::services::{AUDIT, CHAT_API, RECURRING_TASKS};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use system_tests::{Workload, World};
use tokio::time::{Instant, sleep_until};

/// Repeats a run that failed, as far as the machine does.
const SEED: &str = "TASKFLOW_TEST_SEED";
const HOW_LONG: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn whoever_dies_at_any_moment_nothing_is_lost() {
    let seed = env::var(SEED).map_or_else(|_| rand::rng().random_range(0..1_000_000), |seed| seed.parse().unwrap());
    println!("{SEED}={seed} kills at the same moments");
    let mut random = StdRng::seed_from_u64(seed);
    let mut world = World::start().await;
    let workload = Workload::begin(&world, seed);
    let end = Instant::now() + HOW_LONG;
    let mut deaths = 0;
    while Instant::now() < end {
        // The moment is what is tested: there is no state to wait for.
        sleep_until(Instant::now() + Duration::from_millis(random.random_range(50..900))).await;
        let service = [&CHAT_API, &RECURRING_TASKS, &AUDIT][random.random_range(0..3)];
        world.core.restart(service, &[]).await;
        deaths += 1;
    }
    workload.goes_on(50).await;
    let (acts, trouble) = (workload.acts(), world.trouble.total());
    let ledger = workload.finish().await;
    world.settle(&ledger).await;
    println!("{deaths} deaths, {acts} acts, {trouble} of them had to be asked for again");
    assert!(
        deaths > 5 && trouble > 0,
        "{deaths} deaths, {trouble} broken connections"
    );
}
