//! How events travel.

use std::collections::BTreeSet;

use catalogue::{Transport, services, topics};
use kafka_settings::{BusSettings, SaslMechanism, Security};
use service_kit::config::{DaprSettings, ServiceSettings, TokenSettings, bus, either_bus, kafka};

use super::reader;

#[test]
fn brokers_are_reached_as_the_variables_say() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, "PEM").unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (certificate, key) = (file("certificate"), file("key"));
    let read = |more: &[(&'static str, &str)]| {
        let mut reader = reader(&services::AUDIT, more);
        let settings = kafka(&mut reader, Transport::Kafka);
        reader
            .finish(settings)
            .map_err(|it| it.errors.iter().map(|it| it.variable).collect::<Vec<_>>())
    };
    let brokers = ("TASKFLOW_KAFKA_BROKERS", "a:9092, [::1]:9093");
    let plain = read(&[brokers]).unwrap();
    assert_eq!(
        (plain.brokers.as_str(), plain.security),
        ("a:9092,[::1]:9093", Security::Plaintext)
    );
    assert_eq!(read(&[]).unwrap_err(), ["TASKFLOW_KAFKA_BROKERS"]);
    for wrong in ["a", "a:", ":9092", "a:0", "a:9092,", "a:9092;b:9092"] {
        assert!(read(&[("TASKFLOW_KAFKA_BROKERS", wrong)]).is_err(), "{wrong}");
    }

    assert_eq!(plain.prefix, "");
    let prefixed = |prefix| read(&[brokers, ("TASKFLOW_KAFKA_PREFIX", prefix)]).map(|it| it.prefix);
    assert_eq!(prefixed("blue.").unwrap(), "blue.");
    assert!(prefixed("blue/").is_err() && prefixed(&"a".repeat(101)).is_err());

    let tls = ("TASKFLOW_KAFKA_SECURITY", "tls");
    let incomplete = read(&[brokers, tls, ("TASKFLOW_KAFKA_CA_FILE", "/nowhere/ca")]).unwrap_err();
    assert_eq!(
        incomplete,
        [
            "TASKFLOW_KAFKA_CA_FILE",
            "TASKFLOW_KAFKA_CERTIFICATE_FILE",
            "TASKFLOW_KAFKA_KEY_FILE"
        ]
    );
    let files = [
        ("TASKFLOW_KAFKA_CERTIFICATE_FILE", certificate.as_str()),
        ("TASKFLOW_KAFKA_KEY_FILE", &key),
    ];
    let security = Security::Tls {
        ca_file: None,
        certificate_file: certificate.clone().into(),
        key_file: key.clone().into(),
    };
    assert_eq!(read(&[brokers, tls, files[0], files[1]]).unwrap().security, security);

    let sasl = ("TASKFLOW_KAFKA_SECURITY", "sasl-tls");
    let missing = read(&[brokers, sasl]).unwrap_err();
    assert_eq!(
        missing,
        ["TASKFLOW_KAFKA_SASL_USERNAME", "TASKFLOW_KAFKA_SASL_PASSWORD"]
    );
    let user = [
        ("TASKFLOW_KAFKA_SASL_USERNAME", "audit"),
        ("TASKFLOW_KAFKA_SASL_PASSWORD", "sesame"),
    ];
    let read = read(&[brokers, sasl, user[0], user[1]]).unwrap();
    assert!(!format!("{read:?}").contains("sesame"));
    let Security::SaslTls {
        mechanism,
        username,
        password,
        ..
    } = read.security
    else {
        panic!("SASL was asked for");
    };
    assert_eq!((mechanism, username.as_str()), (SaslMechanism::ScramSha512, "audit"));
    assert_eq!(password.0, "sesame");
}

#[test]
fn the_transport_decides_which_variables_count() {
    let mut undecided = reader(&services::AUDIT, &[]);
    assert_eq!(bus(&mut undecided), None);
    let tokens = [
        ("TASKFLOW_BUS", "dapr"),
        ("DAPR_API_TOKEN", "one"),
        ("APP_API_TOKEN", "two"),
    ];
    let mut dapr = reader(&services::AUDIT, &tokens);
    let transport = bus(&mut dapr).unwrap();
    assert_eq!(kafka(&mut dapr, transport), None);
    let settings = DaprSettings::read(&mut dapr, transport);
    let settings = dapr.finish(settings).unwrap();
    assert_eq!(settings.endpoint, "http://127.0.0.1:3500");
    assert_eq!(
        (settings.api_token.expose(), settings.app_token.expose()),
        ("one", "two")
    );

    let brokers = [("TASKFLOW_BUS", "kafka"), ("TASKFLOW_KAFKA_BROKERS", "a:1")];
    let mut direct = reader(&services::AUDIT, &brokers);
    let transport = bus(&mut direct).unwrap();
    assert!(DaprSettings::read(&mut direct, transport).is_none());
    let settings = kafka(&mut direct, transport);
    assert_eq!(direct.finish(settings).unwrap().brokers, "a:1");
}

#[test]
fn over_dapr_the_sidecar_is_what_matters_and_its_problems_are_told() {
    let mut lacking = reader(
        &services::CHAT_API,
        &[("TASKFLOW_BUS", "dapr"), ("TASKFLOW_TASK_EVENTS_PARTITIONS", "0")],
    );
    let settings = either_bus(&mut lacking);
    let problems = lacking.finish(settings).unwrap_err().errors;
    let variables: BTreeSet<_> = problems.iter().map(|it| it.variable).collect();
    let expected = ["APP_API_TOKEN", "DAPR_API_TOKEN", "TASKFLOW_TASK_EVENTS_PARTITIONS"];
    assert_eq!(variables, expected.into());

    let tokens = [
        ("TASKFLOW_BUS", "dapr"),
        ("DAPR_API_TOKEN", "one"),
        ("APP_API_TOKEN", "two"),
        ("TASKFLOW_TASK_EVENTS_PARTITIONS", "12"),
        ("TASKFLOW_KAFKA_PREFIX", "here."),
    ];
    let mut chosen = reader(&services::CHAT_API, &tokens);
    let settings = either_bus(&mut chosen);
    let Ok(BusSettings::Sidecar(sidecar)) = chosen.finish(settings) else {
        panic!("Dapr was chosen");
    };
    assert_eq!(sidecar.partitions[0], (topics::TASK_EVENTS, 12));
    assert_eq!(
        (sidecar.api_token.0.as_str(), sidecar.app_token.0.as_str()),
        ("one", "two")
    );
    assert_eq!(sidecar.prefix, "here.");
    assert!(!format!("{sidecar:?}").contains("two"), "nobody is shown a token");
}

#[test]
fn nothing_that_the_catalogue_gives_to_every_consumer_is_left_unread() {
    let brokers = [("TASKFLOW_BUS", "kafka"), ("TASKFLOW_KAFKA_BROKERS", "a:1")];
    let mut reader = reader(&services::AUDIT, &brokers);
    let settings = ServiceSettings::read(&mut reader);
    assert!(matches!(either_bus(&mut reader), Some(BusSettings::Direct(_))));
    TokenSettings::read(&mut reader, true);
    assert_eq!(reader.unread(), ["TASKFLOW_RETENTION_DAYS"], "its own settings");
    assert!(reader.finish(settings).is_ok());
}
