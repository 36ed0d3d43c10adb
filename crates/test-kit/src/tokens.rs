//! An issuer of tokens (`OpenID` Connect) on loopback: its discovery document, its keys, its tokens.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::keys::Es256Key;

const HOUR_SECONDS: u64 = 3600;

/// An issuer with one ES256 key at a time. It stops serving together with this value.
pub struct Issuer {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    server: JoinHandle<()>,
}

struct State {
    key: Es256Key,
    is_away: bool,
    requests_for_keys: usize,
}

impl State {
    fn new() -> Self {
        Self {
            key: Es256Key::new(),
            is_away: false,
            requests_for_keys: 0,
        }
    }
}

impl Issuer {
    /// Serves on a free port of loopback, until dropped.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("loopback has a free port");
        let address = listener.local_addr().expect("the socket is bound");
        let state = Arc::new(Mutex::new(State::new()));
        let server = tokio::spawn(serve(listener, address, Arc::clone(&state)));
        Self { address, state, server }
    }

    /// What `iss` of the tokens says; the discovery document lies below it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where the public key is.
    pub fn jwks_url(&self) -> String {
        format!("{}/jwks.json", self.url())
    }

    /// A token of this user for an hour, with audience `taskflow`.
    pub fn token_for(&self, user: &str) -> String {
        self.sign(&self.claims_for(user))
    }

    /// The claims of [`token_for`](Self::token_for), to be changed before [`sign`](Self::sign).
    pub fn claims_for(&self, user: &str) -> Value {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("the clock is past 1970")
            .as_secs();
        json!({"iss": self.url(), "aud": "taskflow", "sub": user, "iat": now, "exp": now + HOUR_SECONDS})
    }

    /// A token with these claims, whatever they are.
    pub fn sign(&self, claims: &Value) -> String {
        self.state().key.sign(claims)
    }

    /// A new key takes the place of the old one, which is not published any more.
    pub fn rotate(&self) {
        let requests_for_keys = self.state().requests_for_keys;
        *self.state() = State {
            requests_for_keys,
            ..State::new()
        };
    }

    /// From now on every request is answered with 503 (or again as it should, with `false`).
    pub fn set_away(&self, is_away: bool) {
        self.state().is_away = is_away;
    }

    /// How often somebody has asked for the keys.
    pub fn requests_for_keys(&self) -> usize {
        self.state().requests_for_keys
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, address: SocketAddr, state: Arc<Mutex<State>>) {
    while let Ok((connection, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        tokio::spawn(async move { answer(connection, address, &state).await });
    }
}

/// One request a connection: a few lines of HTTP say less than a dependency on a server.
async fn answer(mut connection: TcpStream, address: SocketAddr, state: &Mutex<State>) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(connection.read_u8().await?);
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let path = request.split(' ').nth(1).unwrap_or_default();
    let (status, body) = respond(path, address, &mut state.lock().unwrap_or_else(PoisonError::into_inner));
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    connection.write_all(format!("{head}{body}").as_bytes()).await?;
    connection.shutdown().await
}

fn respond(path: &str, address: SocketAddr, state: &mut State) -> (&'static str, Value) {
    if path == "/jwks.json" {
        state.requests_for_keys += 1;
    }
    match path {
        _ if state.is_away => ("503 Service Unavailable", json!({})),
        "/jwks.json" => ("200 OK", json!({"keys": [state.key.public()]})),
        "/.well-known/openid-configuration" => {
            let issuer = format!("http://{address}");
            let keys = format!("{issuer}/jwks.json");
            ("200 OK", json!({"issuer": issuer, "jwks_uri": keys}))
        }
        _ => ("404 Not Found", json!({})),
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
    use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    use super::*;

    /// Status line and body.
    async fn get(issuer: &Issuer, path: &str) -> (String, String) {
        let mut connection = TcpStream::connect(issuer.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut response = String::new();
        connection.read_to_string(&mut response).await.unwrap();
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        (head.lines().next().unwrap().to_owned(), body.to_owned())
    }

    async fn published(issuer: &Issuer) -> Value {
        serde_json::from_str(&get(issuer, "/jwks.json").await.1).unwrap()
    }

    fn decoded(part: &str) -> Vec<u8> {
        BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()
    }

    /// Whom the token is about, where one of the keys has signed it.
    fn user(keys: &Value, token: &str) -> Option<String> {
        let (message, signature) = token.rsplit_once('.').unwrap();
        let parts = message.split('.').map(decoded);
        let [header, claims] = &parts
            .map(|it| serde_json::from_slice(&it).unwrap())
            .collect::<Vec<Value>>()[..]
        else {
            panic!("a token has three parts");
        };
        let key = keys["keys"]
            .as_array()
            .unwrap()
            .iter()
            .find(|it| it["kid"] == header["kid"])?;
        let coordinate = |name: &str| decoded(key[name].as_str().unwrap());
        let point = [vec![4], coordinate("x"), coordinate("y")].concat();
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
        key.verify(message.as_bytes(), &decoded(signature)).unwrap();
        claims["sub"].as_str().map(str::to_owned)
    }

    #[tokio::test]
    async fn a_token_is_checked_with_the_published_key_until_that_changes() {
        let issuer = Issuer::start().await;
        let token = issuer.token_for("ada");
        let keys = published(&issuer).await;
        assert_eq!(user(&keys, &token).as_deref(), Some("ada"));

        issuer.rotate();
        let new_keys = published(&issuer).await;
        assert_eq!(user(&new_keys, &token), None);
        assert_eq!(user(&new_keys, &issuer.token_for("ada")).as_deref(), Some("ada"));
        assert_eq!(issuer.requests_for_keys(), 2);
    }

    #[tokio::test]
    async fn an_issuer_that_is_away_says_so() {
        let issuer = Issuer::start().await;
        issuer.set_away(true);
        assert_eq!(get(&issuer, "/jwks.json").await.0, "HTTP/1.1 503 Service Unavailable");
    }
}
