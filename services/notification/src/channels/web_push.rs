//! Messages to browsers: encrypted for the browser (RFC 8291, RFC 8188), signed by us (VAPID, RFC 8292). The push service
//! in between reads nothing and knows who sends.
//!
//! The crates for it bring OpenSSL; `ring`, which carries our TLS, has all that is needed.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use http::header::{AUTHORIZATION, CONTENT_ENCODING};
use jiff::Timestamp;
use reqwest::{Client, StatusCode, Url};
use ring::{
    aead, agreement,
    error::Unspecified,
    hkdf,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use serde_json::json;

use super::{Answer, meaning, no_answer, target::PushKeys};
use crate::message::Message;

/// Seconds that the push service keeps a message for a browser that is away.
const TIME_TO_LIVE_SECONDS: &str = "86400";
/// Seconds that a signature is good for; services refuse more than a day.
const TOKEN_SECONDS: i64 = 12 * 3600;
/// Size of the one record, as it is told to the browser.
const RECORD_BYTES: u32 = 4096;
/// Most bytes of a message: what a record holds beside its end mark and tag, and its header.
const MESSAGE_BYTES: usize = 3900;
/// Bytes of an uncompressed point.
const POINT_BYTES: u8 = 65;

/// Signs messages for push services.
pub(crate) struct VapidKey {
    pair: EcdsaKeyPair,
    public: String,
    subject: String,
}

impl VapidKey {
    /// Reads a P-256 key, PKCS#8 in PEM. `None` when it is none.
    pub(crate) fn new(text: &str, subject: String) -> Option<Self> {
        let document = pem::parse(text).ok()?;
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.contents(), &random).ok()?;
        let public = BASE64_URL_SAFE_NO_PAD.encode(pair.public_key());
        Some(Self { pair, public, subject })
    }

    /// The value of `Authorization` for this push service.
    fn authorization(&self, endpoint: &Url, now: Timestamp) -> Option<String> {
        let part = |value: serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let claims = json!({
            "aud": endpoint.origin().ascii_serialization(),
            "exp": now.as_second() + TOKEN_SECONDS,
            "sub": self.subject,
        });
        let signed = format!("{}.{}", part(json!({"typ": "JWT", "alg": "ES256"})), part(claims));
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes()).ok()?;
        let signature = BASE64_URL_SAFE_NO_PAD.encode(signature);
        Some(format!("vapid t={signed}.{signature}, k={}", self.public))
    }
}

impl fmt::Debug for VapidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VapidKey")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

/// Sends messages to browsers.
#[derive(Clone, Debug)]
pub(crate) struct Push {
    client: Client,
    key: std::sync::Arc<VapidKey>,
}

impl Push {
    pub(crate) fn new(client: Client, key: VapidKey) -> Self {
        Self {
            client,
            key: key.into(),
        }
    }

    pub(crate) fn public_key(&self) -> &str {
        &self.key.public
    }

    pub(crate) async fn send(&self, endpoint: Url, keys: &PushKeys, message: &Message) -> Answer {
        let Some(browser) = Browser::new(keys) else {
            return Answer::Failed("the subscription has keys that are none".to_owned());
        };
        let body = message.to_push_json(MESSAGE_BYTES).to_string();
        let (Ok(body), Some(authorization)) = (
            browser.encrypt(body.as_bytes()),
            self.key.authorization(&endpoint, Timestamp::now()),
        ) else {
            return Answer::Failed("the message could not be encrypted for the subscription".to_owned());
        };
        let call = self
            .client
            .post(endpoint)
            .header(AUTHORIZATION, authorization)
            .header(CONTENT_ENCODING, "aes128gcm")
            .header("ttl", TIME_TO_LIVE_SECONDS)
            .header("urgency", "high")
            // One that waits for the browser is replaced by a repetition of it.
            .header("topic", message.id.simple().to_string())
            .body(body);
        match call.send().await {
            Ok(response) => meaning(response.status(), &[StatusCode::GONE, StatusCode::NOT_FOUND]),
            Err(error) => no_answer(error),
        }
    }
}

/// A browser that has subscribed.
#[derive(Debug)]
pub(crate) struct Browser {
    public: Vec<u8>,
    auth: Vec<u8>,
}

impl Browser {
    /// Reads the keys; `None` when they cannot be keys.
    pub(crate) fn new(keys: &PushKeys) -> Option<Self> {
        let decode = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok();
        let (public, auth) = (decode(&keys.p256dh)?, decode(&keys.auth)?);
        let is_point = public.len() == usize::from(POINT_BYTES) && public[0] == 4;
        (is_point && auth.len() == 16).then_some(Self { public, auth })
    }

    /// The body of a message to it.
    fn encrypt(&self, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let own = agreement::EphemeralPrivateKey::generate(&agreement::ECDH_P256, &SystemRandom::new())?;
        let own_public = own.compute_public_key()?;
        let browser = agreement::UnparsedPublicKey::new(&agreement::ECDH_P256, &self.public);
        let salt: [u8; 16] = rand::random();
        let keys = agreement::agree_ephemeral(own, &browser, |shared| self.keys(shared, own_public.as_ref(), &salt))??;

        let mut record = message.to_vec();
        record.push(2); // the end of the last record
        let nonce = aead::Nonce::assume_unique_for_key(keys.nonce);
        let key = aead::LessSafeKey::new(aead::UnboundKey::new(&aead::AES_128_GCM, &keys.content)?);
        key.seal_in_place_append_tag(nonce, aead::Aad::empty(), &mut record)?;

        let mut body = salt.to_vec();
        body.extend(RECORD_BYTES.to_be_bytes());
        body.push(POINT_BYTES);
        body.extend(own_public.as_ref());
        body.append(&mut record);
        Ok(body)
    }

    fn keys(&self, shared: &[u8], own_public: &[u8], salt: &[u8]) -> Result<RecordKeys, Unspecified> {
        let info = [b"WebPush: info\0", self.public.as_slice(), own_public];
        let mut input = [0; 32];
        derive(&self.auth, shared, &info, &mut input)?;
        let mut keys = RecordKeys::default();
        derive(salt, &input, &[b"Content-Encoding: aes128gcm\0"], &mut keys.content)?;
        derive(salt, &input, &[b"Content-Encoding: nonce\0"], &mut keys.nonce)?;
        Ok(keys)
    }
}

/// What one record is encrypted with.
#[derive(Default)]
struct RecordKeys {
    content: [u8; 16],
    nonce: [u8; 12],
}

/// HKDF with SHA-256.
fn derive(salt: &[u8], secret: &[u8], info: &[&[u8]], output: &mut [u8]) -> Result<(), Unspecified> {
    struct Length(usize);
    impl hkdf::KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let key = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(secret);
    key.expand(info, Length(output.len()))?.fill(output)
}

#[cfg(test)]
mod tests;
