//! The schema of the messages, for whoever writes a client.

use std::{env, fs, path::Path};

use schemars::generate::SchemaSettings;
use serde_json::json;

use crate::message::{ClientMessage, PROTOCOL, ServerMessage};

#[test]
fn the_committed_schema_is_that_of_the_messages() {
    let mut server = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let from_server = server.clone().into_root_schema_for::<ServerMessage<'_>>();
    server.definitions_mut().clear();
    let from_client = SchemaSettings::draft2020_12()
        .for_deserialize()
        .into_generator()
        .into_root_schema_for::<ClientMessage>();
    let document = json!({
        "protocol": PROTOCOL,
        "from_server": from_server,
        "from_client": from_client,
    });
    let text = format!("{document:#}\n");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts/live/messages.json");
    if env::var("INSTA_UPDATE").as_deref() == Ok("always") {
        fs::write(&path, &text).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == text,
        "contracts/live/messages.json is stale; write it with\n  \
         INSTA_UPDATE=always cargo test -p websocket --lib schema"
    );
}
