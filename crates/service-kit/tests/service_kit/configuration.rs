//! What variables mean, for every service of the catalogue.

mod transport;

use std::{panic::AssertUnwindSafe, time::Duration};

use catalogue::{
    Service, app_ids,
    environment_variables::{self as variables, Presence},
    services, topics,
};
use proptest::prelude::*;
use service_kit::config::{
    AccountSettings, LimitSettings, Reader, ServiceSettings, TokenSettings, VariableError, http_address, https_address,
    integer, partitions, public_url,
};

const POOLED: &str = "postgres://role:sesame@pooler:6543/taskflow";
const DIRECT: &str = "postgresql://role:sesame@host/taskflow?sslmode=require";

fn rust_services() -> impl Iterator<Item = &'static Service> {
    services::ALL
        .iter()
        .filter(|it| app_ids::RUST_SERVICES.contains(&it.app_id))
}

/// The variables without which the service does not start.
fn needed(service: &Service) -> Vec<(&'static str, &'static str)> {
    let database = service.schema.map(|_| ("TASKFLOW_DATABASE_URL", POOLED));
    let name = (service.app_id == app_ids::WEBSOCKET).then_some(("TASKFLOW_POD_NAME", "websocket-0"));
    database.into_iter().chain(name).collect()
}

fn reader(service: &'static Service, more: &[(&'static str, &str)]) -> Reader {
    Reader::new(service, needed(service).iter().chain(more).copied())
}

fn settings(service: &'static Service, more: &[(&'static str, &str)]) -> Result<ServiceSettings, Vec<VariableError>> {
    let mut reader = reader(service, more);
    let settings = ServiceSettings::read(&mut reader);
    reader.finish(settings).map_err(|it| it.errors)
}

#[test]
fn defaults_are_those_of_the_catalogue() {
    for service in rust_services() {
        let read = settings(service, &[]).unwrap();
        assert_eq!(read.process.http_port, service.http_port);
        assert_eq!(read.process.internal_port, service.internal_port);
        assert_eq!(Some(read.process.metrics_port), service.metrics_port);
        assert_eq!(read.process.drain, Duration::from_secs(service.drain_seconds.into()));
        assert_eq!(read.telemetry.service_name, service.app_id);
        assert_eq!(read.telemetry.endpoint, None);
        assert_eq!(read.limits.max_concurrent_requests, 256);
        let database = read.database.as_ref().map(|it| (it.schema.name, it.max_connections));
        let schema = catalogue::Catalogue::taskflow()
            .schema_of(service)
            .map(|it| (it.name, it.default_pool_connections));
        assert_eq!(database, schema);
    }
}

#[test]
fn numbers_are_taken_between_the_bounds_that_the_catalogue_names() {
    let bounds = |format: &str| {
        let numbers: Vec<i64> = format
            .split(|c: char| !c.is_ascii_digit())
            .filter_map(|it| it.parse().ok())
            .collect();
        (numbers[0], numbers[1])
    };
    let numeric = variables::ALL.iter().filter(|it| it.format.starts_with("integer"));
    let mut seen = 0;
    for variable in numeric {
        for service in rust_services().filter(|it| variable.read_by.contains(&it.app_id)) {
            let accepts = |value: i64| {
                let mut reader = reader(service, &[(variable.name, value.to_string().as_str())]);
                let settings = ServiceSettings::read(&mut reader);
                if app_ids::PUBLISHERS.contains(&service.app_id) {
                    partitions(&mut reader, topics::TASK_EVENTS);
                    partitions(&mut reader, topics::REMINDERS);
                }
                let asked = !reader.unread().contains(&variable.name);
                asked.then(|| reader.finish(settings).is_ok())
            };
            let (lowest, highest) = bounds(variable.format);
            let Some(true) = accepts(lowest) else {
                continue; // read by the service's own settings
            };
            let outcomes = [lowest - 1, highest, highest + 1].map(|value| accepts(value).unwrap());
            assert_eq!(
                outcomes,
                [false, true, false],
                "{} of {}",
                variable.name,
                service.app_id
            );
            seen += 1;
        }
    }
    assert!(seen > 30, "only {seen} pairs of variable and service were tried");
}

#[test]
fn a_pooled_address_is_told_from_a_direct_one() {
    let database = |more: &[(&'static str, &str)]| settings(&services::AUDIT, more).unwrap().database.unwrap();
    let one = database(&[]);
    assert_eq!(
        (one.url.expose(), one.direct_url.expose(), one.pooled),
        (POOLED, POOLED, false)
    );
    let two = database(&[
        ("TASKFLOW_DATABASE_DIRECT_URL", DIRECT),
        ("TASKFLOW_DATABASE_MAX_CONNECTIONS", "7"),
    ]);
    assert_eq!(
        (two.url.expose(), two.direct_url.expose(), two.pooled),
        (POOLED, DIRECT, true)
    );
    assert_eq!(two.max_connections, 7);
}

#[test]
fn secrets_are_not_printed() {
    let read = settings(&services::CHAT_API, &[("TASKFLOW_DATABASE_DIRECT_URL", DIRECT)]).unwrap();
    assert!(!format!("{read:?}").contains("sesame"));
    let wrong = settings(&services::CHAT_API, &[("TASKFLOW_DATABASE_URL", "sesame")]).unwrap_err();
    assert!(!format!("{wrong:?}").contains("sesame"), "{wrong:?}");
}

#[test]
fn blanks_around_a_value_and_the_line_break_behind_a_secret_do_not_count() {
    let url = format!("{POOLED}\r\n");
    let read = settings(
        &services::CHAT_API,
        &[("TASKFLOW_HTTP_PORT", " 80\n"), ("TASKFLOW_DATABASE_URL", &url)],
    )
    .unwrap();
    assert_eq!(read.process.http_port, 80);
    assert_eq!(read.database.unwrap().url.expose(), POOLED);
    let empty = settings(
        &services::CHAT_API,
        &[("TASKFLOW_HTTP_PORT", ""), ("TASKFLOW_DATABASE_URL", "")],
    );
    let missing = empty.unwrap_err();
    assert_eq!(missing.len(), 1, "an empty value counts as not set: {missing:?}");
    let expected = "`TASKFLOW_DATABASE_URL` must be set: a postgresql address with role and password";
    assert_eq!(missing[0].to_string(), expected);
}

#[test]
fn a_replica_with_a_group_of_its_own_needs_a_name() {
    let named = settings(&services::WEBSOCKET, &[]).unwrap();
    assert_eq!(named.process.pod_name.as_deref(), Some("websocket-0"));
    let unnamed = settings(&services::WEBSOCKET, &[("TASKFLOW_POD_NAME", "")]).unwrap_err();
    let expected =
        "`TASKFLOW_POD_NAME` must be set when the consumer group is per replica: a DNS label, unique among replicas";
    assert_eq!(unnamed[0].to_string(), expected);
    assert_eq!(settings(&services::CHAT_API, &[]).unwrap().process.pod_name, None);
    for name in ["-a", "a-", "A", "a.b", "ä", &"a".repeat(64)] {
        assert!(
            settings(&services::CHAT_API, &[("TASKFLOW_POD_NAME", name)]).is_err(),
            "{name}"
        );
    }
}

#[test]
fn what_traces_say_is_read_from_pairs() {
    let attributes = |value| settings(&services::CHAT_API, &[("OTEL_RESOURCE_ATTRIBUTES", value)]);
    let read = attributes(" a=1, b = x=y ,").unwrap().telemetry.resource_attributes;
    let expected = [("a", "1"), ("b", "x=y")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(read, expected.into());
    assert!(attributes("a").is_err() && attributes("=b").is_err());
}

#[test]
fn tokens_come_from_an_issuer_or_from_built_in_accounts() {
    let issuer = ("TASKFLOW_OIDC_ISSUER", "https://id.example.org/");
    let mut outside = reader(&services::CHAT_API, &[issuer]);
    assert_eq!(AccountSettings::read(&mut outside), Some(None));
    let settings = TokenSettings::read(&mut outside, false);
    let settings = outside.finish(settings).unwrap();
    assert_eq!(
        settings.issuer.as_deref(),
        Some("https://id.example.org/"),
        "compared as it stands"
    );
    assert_eq!((settings.audience.as_str(), settings.jwks_url), ("taskflow", None));

    let mut nobody = reader(&services::CHAT_API, &[]);
    let settings = TokenSettings::read(&mut nobody, false);
    let errors = nobody.finish(settings).unwrap_err().errors;
    assert!(
        errors[0]
            .to_string()
            .starts_with("`TASKFLOW_OIDC_ISSUER` must be set when built-in accounts are off")
    );

    let on = [
        ("TASKFLOW_BUILTIN_ACCOUNTS", "true"),
        ("TASKFLOW_BUILTIN_ACCOUNTS_PRIVATE_KEY", "PEM"),
    ];
    let mut inside = reader(&services::CHAT_API, &on);
    let accounts = AccountSettings::read(&mut inside).flatten().unwrap();
    assert_eq!(accounts.private_key.expose(), "PEM");
    let settings = TokenSettings::read(&mut inside, true);
    assert_eq!(inside.finish(settings).unwrap().issuer, None);
}

#[test]
fn only_those_with_tokens_have_a_rate() {
    let rate = |service| {
        let mut reader = reader(service, &[]);
        LimitSettings::read(&mut reader).unwrap().user_requests_per_second
    };
    assert_eq!(rate(&services::CHAT_API), Some(50));
    assert_eq!(rate(&services::RECURRING_TASKS), None);
}

#[test]
fn addresses_are_checked() {
    for good in [
        "https://a.example",
        "https://a.example:8443/path/",
        "http://127.0.0.1:1",
        "http://[::1]",
        "http://localhost:3000",
    ] {
        assert_eq!(
            https_address(good).as_deref(),
            Some(good.trim_end_matches('/')),
            "{good}"
        );
    }
    for bad in [
        "http://a.example",
        "ftp://a.example",
        "a.example",
        "https://",
        "https://u:p@a.example",
        "https://a?b",
        "https://a#b",
        "",
    ] {
        assert_eq!(https_address(bad), None, "{bad}");
    }
    assert!(http_address("http://a.example").is_some());
    let url = |value| public_url(&mut reader(&services::CHAT_API, &[("TASKFLOW_PUBLIC_URL", value)]));
    assert_eq!(url("https://tasks.example/").as_deref(), Some("https://tasks.example"));
    assert_eq!(url("https://tasks.example/app"), None);
}

#[test]
fn unknown_variables_are_noticed_and_those_of_others_are_not() {
    let more = [
        ("TASKFLOW_HTTP_PROT", "1"),
        ("TASKFLOW_COLOUR", "red"),
        ("TASKFLOW_SMTP_HOST", "for notification"),
        ("TASKFLOW_TEST_POSTGRES_URL", "for tests"),
        ("TASKFLOW_CRASH_AT", "for tests"),
        ("HTTP_PORT", "not ours"),
    ];
    let unknown = reader(&services::CHAT_API, &more).unknown();
    let said: Vec<String> = unknown.iter().map(ToString::to_string).collect();
    let expected = [
        "`TASKFLOW_COLOUR` is read by no service",
        "`TASKFLOW_HTTP_PROT` is read by no service; did you mean `TASKFLOW_HTTP_PORT`?",
    ];
    assert_eq!(said, expected);
}

#[test]
fn a_service_cannot_read_what_the_catalogue_does_not_give_it() {
    let mut reader = reader(&services::AUDIT, &[]);
    let read = AssertUnwindSafe(|| reader.optional(&variables::TASKFLOW_SMTP_HOST, |_| Some(())));
    let panic = std::panic::catch_unwind(read).unwrap_err();
    assert_eq!(
        panic.downcast_ref::<String>().unwrap(),
        "`audit` must not read `TASKFLOW_SMTP_HOST`"
    );
}

#[test]
fn a_default_of_the_catalogue_is_a_value_that_is_accepted() {
    for variable in variables::ALL
        .iter()
        .filter(|it| matches!(it.presence, Presence::Default(_)))
    {
        let Presence::Default(value) = variable.presence else {
            continue;
        };
        for service in rust_services().filter(|it| variable.read_by.contains(&it.app_id)) {
            let with_default = settings(service, &[(variable.name, value)]);
            assert!(
                with_default.is_ok(),
                "{} of {}: {with_default:?}",
                variable.name,
                service.app_id
            );
        }
    }
}

proptest! {
    #[test]
    fn no_value_makes_reading_panic(values in proptest::collection::vec(".{0,20}", variables::ALL.len())) {
        for service in rust_services() {
            let all = variables::ALL.iter().map(|it| it.name).zip(values.iter().cloned());
            let mut reader = Reader::new(service, all);
            let settings = ServiceSettings::read(&mut reader);
            if let Err(invalid) = reader.finish(settings) {
                prop_assert!(!invalid.errors.is_empty());
            }
        }
    }

    #[test]
    fn an_integer_is_digits_within_its_range(value in any::<u64>(), low in any::<u64>(), high in any::<u64>()) {
        let expected = (low..=high).contains(&value).then_some(value);
        prop_assert_eq!(integer(low..=high)(&value.to_string()), expected);
        prop_assert_eq!(integer(0..=u64::MAX)(&format!("+{value}")), None);
    }
}
