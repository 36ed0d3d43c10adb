//! What the kit gives to a test is real, is the test's own, and goes away with it.

use std::{borrow::Cow, time::Duration};

use rdkafka::{
    ClientConfig, Message as _,
    consumer::{Consumer as _, StreamConsumer},
    producer::{FutureProducer, FutureRecord},
};
use sqlx::{
    Connection as _, PgConnection, SqlStr,
    migrate::{Migration, MigrationType, Migrator},
};
use test_kit::{Database, EnginePair, Topics, kafka_brokers, postgres_url, wait_until};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(20);

fn migrator(statement: &'static str) -> Migrator {
    let migration = Migration::new(
        1,
        Cow::Borrowed("first"),
        MigrationType::Simple,
        SqlStr::from_static(statement),
        false,
    );
    Migrator {
        migrations: Cow::Owned(vec![migration]),
        ..Migrator::DEFAULT
    }
}

async fn exists(database: &str) -> bool {
    let mut connection = PgConnection::connect(&postgres_url())
        .await
        .expect("the server takes connections");
    let found = sqlx::query("select from pg_database where datname = $1")
        .bind(database)
        .fetch_optional(&mut connection)
        .await
        .expect("the databases can be listed");
    found.is_some()
}

fn name(database: &Database) -> String {
    let url = database.url();
    let (_, name) = url.rsplit_once('/').expect("the address has a path");
    name.split('?').next().unwrap_or(name).to_owned()
}

#[tokio::test]
async fn tests_with_the_same_migrations_share_nothing_but_the_template() {
    let migrator = migrator("create table note (id integer primary key)");
    let migrators = [&migrator];
    let (first, second) = tokio::join!(Database::migrated(&migrators), Database::migrated(&migrators));
    sqlx::query("insert into note values (1)")
        .execute(&first.pool().await)
        .await
        .unwrap();
    let rows: i64 = sqlx::query_scalar("select count(*) from note")
        .fetch_one(&second.pool().await)
        .await
        .unwrap();
    assert_eq!(rows, 0);
}

#[tokio::test]
async fn a_database_goes_with_its_test_even_while_it_is_in_use() {
    let database = Database::empty().await;
    let _pool = database.pool().await;
    let name = name(&database);
    assert!(exists(&name).await);
    drop(database);
    assert!(!exists(&name).await);
}

#[tokio::test]
async fn the_database_of_a_failed_test_is_kept() {
    let database = Database::empty().await;
    let name = name(&database);
    let failing = std::thread::spawn(move || {
        let _owned = database;
        panic!("as a failing assertion would");
    });
    assert!(failing.join().is_err());
    assert!(exists(&name).await);
    let mut connection = PgConnection::connect(&postgres_url()).await.unwrap();
    let drop = sqlx::AssertSqlSafe(format!("drop database {name}"));
    sqlx::query(drop).execute(&mut connection).await.unwrap();
}

#[tokio::test]
async fn what_is_published_to_a_topic_is_consumed_from_it() {
    let topics = Topics::create(&[("notes", 3)]).await;
    round_trip(&topics).await;
}

async fn round_trip(topics: &Topics) {
    let topic = topics.name("notes");
    let mut settings = ClientConfig::new();
    settings.set("bootstrap.servers", topics.brokers());
    let producer: FutureProducer = settings.create().expect("the settings are valid");
    let record = FutureRecord::to(&topic).key("7").payload("hello");
    producer
        .send(record, PATIENCE)
        .await
        .expect("the broker takes the record");

    let consumer: StreamConsumer = settings
        .set("group.id", format!("{}group", topics.prefix()))
        .set("auto.offset.reset", "earliest")
        .create()
        .expect("the settings are valid");
    consumer.subscribe(&[&topic]).expect("the name is valid");
    let message = timeout(PATIENCE, consumer.recv())
        .await
        .expect("the record comes in time")
        .expect("it can be received");
    assert_eq!(message.payload(), Some(&b"hello"[..]));
}

#[tokio::test]
async fn topics_go_with_their_test() {
    let topics = Topics::create(&[("notes", 1)]).await;
    let name = topics.name("notes");
    assert!(topic_exists(&name));
    drop(topics);
    wait_until("the topic is gone", PATIENCE, async || {
        if topic_exists(&name) {
            Err("it is there")
        } else {
            Ok(())
        }
    })
    .await;
}

fn topic_exists(name: &str) -> bool {
    let client: StreamConsumer = ClientConfig::new()
        .set("bootstrap.servers", kafka_brokers())
        .create()
        .expect("the settings are valid");
    let metadata = client.fetch_metadata(None, PATIENCE).expect("the broker answers");
    metadata.topics().iter().any(|topic| topic.name() == name)
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_keeps_what_was_committed() {
    let pair = EnginePair::start().await;
    let topics = Topics::create_on(&pair.kafka.address(), &[("notes", 1)]).await;
    let database =
        Database::migrated_on(&pair.postgres.address(), &[&migrator("create table note (id integer)")]).await;
    let mut connection = PgConnection::connect(&database.url()).await.unwrap();
    sqlx::query("insert into note values (1)")
        .execute(&mut connection)
        .await
        .unwrap();
    round_trip(&topics).await;

    tokio::join!(pair.postgres.kill(), pair.kafka.kill());
    assert!(sqlx::query("select 1").execute(&mut connection).await.is_err());
    tokio::join!(pair.postgres.start(), pair.kafka.start());

    let mut connection = PgConnection::connect(&database.url()).await.unwrap();
    let rows: i64 = sqlx::query_scalar("select count(*) from note")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(rows, 1);
    round_trip(&topics).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killable_engines_can_also_fall_silent() {
    let pair = EnginePair::start().await;
    let mut connection = PgConnection::connect(&pair.postgres.address()).await.unwrap();
    pair.postgres.pause().await;
    let mut question = Box::pin(sqlx::query("select 1").execute(&mut connection));
    assert!(timeout(Duration::from_millis(300), &mut question).await.is_err());
    pair.postgres.unpause().await;
    timeout(PATIENCE, question).await.unwrap().unwrap();
}
