//! An independent judge tries what the document says, and what it does not say.

use test_kit::{Fuzz, fuzz::Requests};

use crate::{events::task_event, world::World};

#[tokio::test]
async fn the_document_says_what_is_taken_and_answered_and_what_is_refused() {
    let world = World::new().await;
    let replica = world.start().await;
    let events: Vec<_> = [1, 2, 9_007_199_254_740_991]
        .into_iter()
        .flat_map(|task| (1..=3).map(move |version| task_event("ada", task, version)))
        .collect();
    world.publish(&events).await;
    world.rows(9).await;
    let fuzz = Fuzz {
        address: replica.public,
        people: ["ada", "bob"].map(|name| (name, world.issuer.token_for(name))),
        operations: &[],
        examples: 100,
    };
    for requests in [Requests::Valid, Requests::Invalid] {
        fuzz.run(requests).await;
    }
    replica.stop().await;
}
