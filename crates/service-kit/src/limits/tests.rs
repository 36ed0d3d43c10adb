use axum::{body::Body, http::header, routing::get};
use catalogue::Catalogue;
use tower::ServiceExt as _;

use super::*;

#[tokio::test]
async fn an_answer_that_does_not_come_is_given_up_and_its_place_freed() {
    let metrics = Metrics::new(&Catalogue::taskflow(), catalogue::app_ids::CHAT_API);
    let gate = Gate {
        places: Arc::new(Semaphore::new(1)),
        full: metrics.counter(&HTTP_REQUESTS_SHED_TOTAL, &["concurrency"]),
        late: metrics.counter(&HTTP_REQUESTS_SHED_TOTAL, &["deadline"]),
        time: Duration::from_millis(20),
    };
    let never = get(async || std::future::pending::<()>().await);
    let router: Router = Router::new()
        .route("/", never)
        .layer(middleware::from_fn_with_state(gate.clone(), pass));
    for given_up in 1..=2 {
        let response = router.clone().oneshot(Request::new(Body::empty())).await.unwrap();
        assert_eq!(response.status(), codes::DEADLINE_EXCEEDED.status);
        assert_eq!(response.headers()[header::RETRY_AFTER], "1");
        assert_eq!(gate.late.get(), given_up);
        assert_eq!(gate.full.get(), 0);
    }
}
