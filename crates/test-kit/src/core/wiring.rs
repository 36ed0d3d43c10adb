//! What the processes of the core are told: the same variables as in a cluster, for loopback.

use std::collections::BTreeMap;

use catalogue::{
    Catalogue, Service, Topic, app_ids,
    environment_variables::{
        TASKFLOW_BUILTIN_ACCOUNTS, TASKFLOW_BUILTIN_ACCOUNTS_PRIVATE_KEY, TASKFLOW_BUS, TASKFLOW_CHAT_API_INTERNAL_URL,
        TASKFLOW_DATABASE_URL, TASKFLOW_HTTP_PORT, TASKFLOW_INTERNAL_PORT, TASKFLOW_KAFKA_BROKERS,
        TASKFLOW_KAFKA_PREFIX, TASKFLOW_LISTEN_ADDRESS, TASKFLOW_METRICS_PORT, TASKFLOW_OIDC_ISSUER,
        TASKFLOW_OIDC_JWKS_URL, TASKFLOW_PUBLIC_URL, TASKFLOW_SERVICE_TOKEN_PRIVATE_KEY,
        TASKFLOW_SERVICE_TOKEN_PUBLIC_KEY, TASKFLOW_USER_REQUESTS_PER_SECOND,
    },
    services::{AUDIT, CHAT_API, RECURRING_TASKS},
};

use crate::{Database, Issuer, Topics, keys, keys::Ed25519Pem};

/// The services of the core, in the order in which they start: a later one calls an earlier one.
pub const SERVICES: [&Service; 3] = [&CHAT_API, &RECURRING_TASKS, &AUDIT];

/// Where people reach chat-api if nobody knows better; as the issuer of built-in accounts it is only a name.
const USUAL_ADDRESS: &str = "http://127.0.0.1:8000";

/// What the core is connected with.
#[derive(Clone)]
pub struct Wiring {
    /// The one database; each service has its schema in it.
    pub database_url: String,
    /// Kafka.
    pub brokers: String,
    /// What stands before every topic and consumer group; may be empty.
    pub prefix: String,
    /// Whose tokens open the door.
    pub people: People,
    /// Signs and checks what services show each other.
    pub service_key: Ed25519Pem,
    /// Where chat-api listens. recurring-tasks calls its internal port, audit asks its public port for the key of
    /// built-in accounts: both must be known before those two start.
    pub chat_api: Ports,
    /// Further variables for every service that reads them, in place of those above.
    pub more: Vec<(&'static str, String)>,
}

/// Who issues the tokens of people.
#[derive(Clone)]
pub enum People {
    /// chat-api itself, with this private key (PEM).
    BuiltInAccounts(String),
    /// Somebody else.
    Issuer {
        /// `iss` of the tokens.
        name: String,
        /// Where its keys are.
        jwks_url: String,
    },
}

/// The ports of one replica on loopback; the system chooses for 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ports {
    /// Routes for people.
    pub http: u16,
    /// Routes for other services.
    pub internal: u16,
    /// Metrics.
    pub metrics: u16,
}

impl Wiring {
    /// For a test: its database, its topics, tokens of its issuer, new keys, and no limit to how fast one person calls.
    pub fn of_test(database: &Database, topics: &Topics, issuer: &Issuer) -> Self {
        Self {
            database_url: database.url(),
            brokers: topics.brokers().to_owned(),
            prefix: topics.prefix().to_owned(),
            people: People::Issuer {
                name: issuer.url(),
                jwks_url: issuer.jwks_url(),
            },
            service_key: keys::ed25519(),
            chat_api: Ports::default(),
            more: vec![(TASKFLOW_USER_REQUESTS_PER_SECOND.name, "10000".to_owned())],
        }
    }

    /// The variables of a replica that listens on these ports: those that the catalogue says it reads.
    pub fn variables(&self, service: &Service, ports: Ports) -> BTreeMap<&'static str, String> {
        let mut all = BTreeMap::from([
            (TASKFLOW_LISTEN_ADDRESS.name, "127.0.0.1".to_owned()),
            (TASKFLOW_HTTP_PORT.name, ports.http.to_string()),
            (TASKFLOW_INTERNAL_PORT.name, ports.internal.to_string()),
            (TASKFLOW_METRICS_PORT.name, ports.metrics.to_string()),
            (TASKFLOW_DATABASE_URL.name, self.database_url.clone()),
            (TASKFLOW_BUS.name, "kafka".to_owned()),
            (TASKFLOW_KAFKA_BROKERS.name, self.brokers.clone()),
            (TASKFLOW_KAFKA_PREFIX.name, self.prefix.clone()),
            (
                TASKFLOW_CHAT_API_INTERNAL_URL.name,
                format!("http://127.0.0.1:{}", self.chat_api.internal),
            ),
            (
                TASKFLOW_SERVICE_TOKEN_PRIVATE_KEY.name,
                self.service_key.private.clone(),
            ),
            (TASKFLOW_SERVICE_TOKEN_PUBLIC_KEY.name, self.service_key.public.clone()),
        ]);
        all.extend(self.variables_of_people(service));
        all.extend(self.more.iter().cloned());
        let catalogue = Catalogue::taskflow();
        // Whatever the catalogue does not know is not its business: it is for tests, or a mistake that a service tells.
        all.retain(|name, _| {
            let known = catalogue.environment_variable(name);
            known.is_none_or(|variable| variable.read_by.contains(&service.app_id))
        });
        all
    }

    fn variables_of_people(&self, service: &Service) -> Vec<(&'static str, String)> {
        match &self.people {
            People::Issuer { name, jwks_url } => vec![
                (TASKFLOW_OIDC_ISSUER.name, name.clone()),
                (TASKFLOW_OIDC_JWKS_URL.name, jwks_url.clone()),
            ],
            // It needs no network to find its own key.
            People::BuiltInAccounts(private_key) if service.app_id == app_ids::CHAT_API => vec![
                (TASKFLOW_BUILTIN_ACCOUNTS.name, "true".to_owned()),
                (TASKFLOW_BUILTIN_ACCOUNTS_PRIVATE_KEY.name, private_key.clone()),
                (TASKFLOW_PUBLIC_URL.name, self.address_for_people()),
            ],
            People::BuiltInAccounts(_) => vec![
                (TASKFLOW_OIDC_ISSUER.name, self.address_for_people()),
                (
                    TASKFLOW_OIDC_JWKS_URL.name,
                    format!("http://127.0.0.1:{}/.well-known/jwks.json", self.chat_api.http),
                ),
            ],
        }
    }

    /// The name of chat-api as an issuer: it stays what it was when chat-api starts again, whatever port it gets.
    fn address_for_people(&self) -> String {
        let named = self.more.iter().find(|(name, _)| *name == TASKFLOW_PUBLIC_URL.name);
        named.map_or_else(|| USUAL_ADDRESS.to_owned(), |(_, address)| address.clone())
    }
}

/// The topics that the core reads and writes, dead letters included, each once.
pub fn topics() -> Vec<Topic> {
    let wanted = |topic: &Topic| {
        let reads = |it: &&Service| it.consumes.iter().any(|it| it.topic == topic.name);
        let writes = |it: &&Service| it.publishes.contains(&topic.name);
        let gives_up = |it: &&Service| it.consumes.iter().any(|it| it.dead_letter == Some(topic.name));
        SERVICES.iter().any(|it| reads(it) || writes(it) || gives_up(it))
    };
    catalogue::topics::ALL.iter().filter(|it| wanted(it)).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wiring(people: People) -> Wiring {
        Wiring {
            database_url: "postgres://localhost/taskflow".to_owned(),
            brokers: "localhost:9092".to_owned(),
            prefix: String::new(),
            people,
            service_key: keys::ed25519(),
            chat_api: Ports {
                http: 1,
                internal: 2,
                metrics: 3,
            },
            more: vec![("TASKFLOW_RETENTION_DAYS", "7".to_owned())],
        }
    }

    #[test]
    fn a_secret_goes_only_to_the_service_that_reads_it() {
        let wiring = wiring(People::BuiltInAccounts("a key".to_owned()));
        let readers = |name: &str| {
            let told = |it: &&&Service| wiring.variables(it, Ports::default()).contains_key(name);
            SERVICES.iter().filter(told).map(|it| it.app_id).collect::<Vec<_>>()
        };
        assert_eq!(readers("TASKFLOW_BUILTIN_ACCOUNTS_PRIVATE_KEY"), ["chat-api"]);
        assert_eq!(readers("TASKFLOW_SERVICE_TOKEN_PUBLIC_KEY"), ["chat-api"]);
        assert_eq!(readers("TASKFLOW_SERVICE_TOKEN_PRIVATE_KEY"), ["recurring-tasks"]);
        assert_eq!(readers("TASKFLOW_RETENTION_DAYS"), ["audit"]);
    }

    #[test]
    fn audit_believes_the_accounts_of_chat_api_by_the_name_that_chat_api_uses() {
        let mut wiring = wiring(People::BuiltInAccounts("a key".to_owned()));
        for address in [USUAL_ADDRESS, "http://localhost:7000"] {
            let audit = wiring.variables(&AUDIT, Ports::default());
            assert_eq!(audit["TASKFLOW_OIDC_ISSUER"], address);
            assert_eq!(
                audit["TASKFLOW_OIDC_JWKS_URL"],
                "http://127.0.0.1:1/.well-known/jwks.json"
            );
            let chat_api = wiring.variables(&CHAT_API, wiring.chat_api);
            assert_eq!(chat_api["TASKFLOW_PUBLIC_URL"], address);
            wiring.more = vec![("TASKFLOW_PUBLIC_URL", "http://localhost:7000".to_owned())];
        }
    }

    #[test]
    fn the_topics_are_those_of_tasks_and_reminders_with_their_twins() {
        let names: Vec<&str> = topics().iter().map(|topic| topic.name).collect();
        assert_eq!(names, ["task-events", "task-events-dlq", "reminders", "reminders-dlq"]);
    }
}
