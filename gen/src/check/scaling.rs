//! Rules about scaling.

use super::{Rule, Subject, rule};
use crate::diagnostic::Diagnostic;
use crate::resolve::{ScalerKind, Service};
use crate::spec::autoscaler::Lag;
use crate::spec::units::Duration;

pub(super) const RULES: &[Rule] = &[
    rule(
        501,
        "every pod of a consumer can have a partition",
        pods_have_partitions,
    ),
    rule(
        502,
        "the least number of pods is not above the most",
        least_is_below_most,
    ),
    rule(503, "one thing serves external metrics", one_scaler),
    rule(504, "consumers have a scaler", some_scaler),
    rule(
        505,
        "a derived lag threshold is at least one event",
        lag_is_at_least_one,
    ),
    rule(
        506,
        "the processor target is a whole percentage",
        processor_target_is_whole,
    ),
    rule(
        507,
        "an autoscaler's times are ones that Kubernetes takes",
        times_are_accepted,
    ),
];

/// Longest window and longest period of an HPA (kubernetes/kubernetes:`pkg/apis/autoscaling/validation`).
const LONGEST_WINDOW: Duration = Duration::seconds(3600);
const LONGEST_PERIOD: Duration = Duration::seconds(1800);

fn pods_have_partitions(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let topics = &subject.env.topics;
    let mut found = Vec::new();
    for service in &subject.env.services {
        let group = service.entry.consumer_group.and_then(|group| group.shared_name());
        let widest = service
            .entry
            .reads_topics()
            .filter_map(|name| topics.iter().find(|topic| topic.name == name))
            .max_by_key(|topic| topic.partitions);
        let (Some(group), Some(topic)) = (group, widest) else {
            continue;
        };
        if service.max_replicas <= topic.partitions {
            continue;
        }
        let message = format!(
            "`{}` may have {} pods, `{}` has {} partitions",
            service.app_id(),
            service.max_replicas,
            topic.name,
            topic.partitions
        );
        found.push(
            subject
                .error(501, &replicas(subject, service), message)
                .label(format!("{} pods", service.max_replicas))
                .related(
                    subject.written.span(&format!("{}/partitions", topic.pointer)),
                    format!("{} partitions", topic.partitions),
                )
                .reason(format!(
                    "a partition is read by one pod of the group `{group}`: the others cost memory, take part in every rebalance and do nothing"
                ))
                .fix(format!("write at most {}, or give the topic more partitions", topic.partitions)),
        );
    }
    found
}

/// Where the spec says the number of pods.
fn replicas(subject: &Subject<'_>, service: &Service) -> String {
    let most = format!("{}/replicas/max", service.pointer());
    if subject.written.says(&most) {
        most
    } else {
        format!("{}/replicas/min", service.pointer())
    }
}

fn least_is_below_most(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let env = subject.env;
    env.services
        .iter()
        .filter(|service| service.min_replicas > service.max_replicas)
        .map(|service| {
            let message = format!(
                "`{}` has at least {} and at most {} pods",
                service.app_id(),
                service.min_replicas,
                service.max_replicas
            );
            subject
                .error(502, &replicas(subject, service), message)
                .label(format!("at most {}", service.max_replicas))
                .related(
                    subject.written.span(&format!("{}/replicas/min", service.pointer())),
                    format!("at least {}", service.min_replicas),
                )
                .reason("no autoscaler accepts this, and without one the least number would be ignored")
                .fix("exchange the two, or write one of them only")
        })
        .collect()
}

fn one_scaler(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let autoscaler = &subject.env.autoscaler;
    if !(autoscaler.has_keda && autoscaler.has_hpa) {
        return Vec::new();
    }
    vec![
        subject
            .error(503, "/autoscaler/hpa", "both `keda` and `hpa` are to serve external metrics")
            .label("the second one")
            .related(subject.written.span("/autoscaler/keda"), "the first one")
            .reason("a cluster has one server of external.metrics.k8s.io: KEDA and prometheus-adapter take the APIService from each other, and the lag of the loser is <unknown>")
            .fix("keep one of the two"),
    ]
}

fn some_scaler(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let autoscaler = &subject.env.autoscaler;
    if autoscaler.has_keda || autoscaler.has_hpa {
        return Vec::new();
    }
    vec![
        subject
            .error(504, "/autoscaler", "nothing scales the services that consume events")
            .label("neither `keda` nor `hpa`")
            .reason("events would wait while idle processors look fine")
            .fix("write `keda: {}`, or `hpa: {}`"),
    ]
}

fn lag_is_at_least_one(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let Some(Lag::Derived(derived)) = &subject.written.spec.autoscaler.lag else {
        return Vec::new();
    };
    if u64::from(derived.rate_per_pod) * derived.delay.0 >= 1000 {
        return Vec::new();
    }
    let message = format!(
        "{} events per second for {} are less than one event",
        derived.rate_per_pod, derived.delay
    );
    vec![
        subject
            .error(505, "/autoscaler/lag/derived/delay", message)
            .label("less than one event")
            .reason("a threshold of nothing adds pods for ever; the least that there is, one event, would do so at every single event")
            .fix("accept a longer delay"),
    ]
}

fn processor_target_is_whole(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let cpu = subject.env.autoscaler.cpu;
    if cpu.0 >= 100 && cpu.0.is_multiple_of(100) {
        return Vec::new();
    }
    vec![
        subject
            .error(506, "/autoscaler/cpu", format!("{cpu} is no target for an autoscaler"))
            .label("not a whole percentage from 1 % to 100 %")
            .reason("Kubernetes takes whole percents above 0 and refuses everything else with the stage")
            .fix("write a whole percentage such as `70%`"),
    ]
}

fn times_are_accepted(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let autoscaler = &subject.env.autoscaler;
    let second = Duration::seconds(1);
    let mut times = vec![
        (
            "scaleDownAfter",
            autoscaler.scale_down_after,
            Duration(0),
            LONGEST_WINDOW,
        ),
        ("scaleUpPeriod", autoscaler.scale_up_period, second, LONGEST_PERIOD),
    ];
    if let ScalerKind::Keda { polling_interval } = autoscaler.kind {
        times.push(("keda/pollingInterval", polling_interval, second, LONGEST_PERIOD));
    }
    times
        .into_iter()
        .filter(|(_, time, least, most)| time < least || time > most || !time.0.is_multiple_of(1000))
        .map(|(key, time, least, most)| {
            let name = key.rsplit('/').next().unwrap_or(key);
            subject
                .error(
                    507,
                    &format!("/autoscaler/{key}"),
                    format!("`{name}: {time}` is not accepted"),
                )
                .label(format!("whole seconds, {least} to {most}"))
                .reason("the API server refuses the autoscaler, and its stage with it")
                .fix(format!("write whole seconds from {least} to {most}"))
        })
        .collect()
}
