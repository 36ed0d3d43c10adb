//! What the services expect to find in the engines: in a cluster, operators make it.

use anyhow::{Context as _, Result};
use catalogue::database::DATABASE;
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    types::RDKafkaErrorCode,
};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, postgres::PgConnectOptions};
use test_kit::core::wiring;

/// Makes the topics that are not there yet, as the catalogue wants them.
pub(crate) async fn make_topics(brokers: &str) -> Result<()> {
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .create()
        .context("could not make a client of Kafka")?;
    let topics = wiring::topics();
    let settings: Vec<[String; 2]> = topics
        .iter()
        .map(|topic| {
            [
                topic.default_retention.as_millis().to_string(),
                topic.max_message_bytes.to_string(),
            ]
        })
        .collect();
    let wanted: Vec<NewTopic> = topics
        .iter()
        .zip(&settings)
        .map(|(topic, [retention, size])| {
            let partitions = topic.default_partitions.cast_signed();
            NewTopic::new(topic.name, partitions, TopicReplication::Fixed(1))
                .set("retention.ms", retention)
                .set("max.message.bytes", size)
        })
        .collect();
    let made = admin.create_topics(&wanted, &AdminOptions::new()).await;
    for result in made.context("could not make topics")? {
        match result {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((topic, error)) => return Err(error).with_context(|| format!("could not make the topic {topic}")),
        }
    }
    Ok(())
}

/// Makes the database where it is not there yet; its address.
pub(crate) async fn make_database(server: &str) -> Result<String> {
    let options: PgConnectOptions = server.parse().context("the address of PostgreSQL is none")?;
    let mut connection = PgConnection::connect_with(&options)
        .await
        .context("could not connect to PostgreSQL")?;
    let exists = sqlx::query("select from pg_database where datname = $1")
        .bind(DATABASE)
        .fetch_optional(&mut connection)
        .await
        .context("could not list the databases")?
        .is_some();
    if !exists {
        sqlx::query(AssertSqlSafe(format!("create database {DATABASE}")))
            .execute(&mut connection)
            .await
            .context("could not make the database")?;
    }
    connection.close().await.context("could not leave PostgreSQL")?;
    Ok(options.database(DATABASE).to_url_lossy().to_string())
}
