//! Every rule holds for the catalogue of `TaskFlow`, and each one notices when it is broken.

mod broker;
mod names;
mod rules;
mod services;
mod telemetry;

use catalogue::Catalogue;

/// The rule is silent on the real catalogue, and tells `expected` once `break_it` was applied.
#[track_caller]
fn notices(rule: fn(&Catalogue) -> Vec<String>, break_it: impl FnOnce(&mut Catalogue), expected: &str) {
    let mut catalogue = Catalogue::taskflow();
    assert_eq!(rule(&catalogue), Vec::<String>::new());
    break_it(&mut catalogue);
    let problems = rule(&catalogue);
    assert!(
        problems.iter().any(|problem| problem == expected),
        "expected {expected:?} among {problems:#?}"
    );
}

fn service<'a>(catalogue: &'a mut Catalogue, app_id: &str) -> &'a mut catalogue::Service {
    let mut services = catalogue.services.iter_mut();
    services
        .find(|it| it.app_id == app_id)
        .expect("the catalogue has this service")
}

fn metric<'a>(catalogue: &'a mut Catalogue, name: &str) -> &'a mut catalogue::Metric {
    let mut metrics = catalogue.metrics.iter_mut();
    metrics
        .find(|it| it.name == name)
        .expect("the catalogue has this metric")
}

fn topic<'a>(catalogue: &'a mut Catalogue, name: &str) -> &'a mut catalogue::Topic {
    let mut topics = catalogue.topics.iter_mut();
    topics.find(|it| it.name == name).expect("the catalogue has this topic")
}
