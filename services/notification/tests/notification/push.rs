//! Reminders to browsers, through a push service that reads nothing. Here stands the other side: it verifies who sent, and
//! decrypts as a browser does, with code of its own.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use catalogue::environment_variables::{TASKFLOW_VAPID_PRIVATE_KEY, TASKFLOW_VAPID_SUBJECT};
use p256::{EncodedPoint, PublicKey, SecretKey, ecdh::diffie_hellman};
use ring::{
    aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, UnparsedPublicKey},
};
use serde_json::{Value, json};

use crate::{
    events::Task,
    receiver::{Call, Receiver, Reply},
    world::{Replica, World},
};

/// A browser that has subscribed.
struct Browser {
    private: SecretKey,
    public: Vec<u8>,
    auth: [u8; 16],
}

fn hash(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    for part in parts {
        context.update(part);
    }
    context.sign().as_ref().to_vec()
}

impl Browser {
    fn new() -> Self {
        let private = SecretKey::from_slice(&[7; 32]).unwrap();
        let public = EncodedPoint::from(private.public_key()).as_bytes().to_vec();
        Self {
            private,
            public,
            auth: [9; 16],
        }
    }

    fn subscription(&self, endpoint: &str) -> Value {
        let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let keys = json!({"p256dh": encode(&self.public), "auth": encode(&self.auth)});
        json!({"kind": "web_push", "endpoint": endpoint, "keys": keys})
    }

    /// RFC 8291, step by step.
    fn read(&self, call: &Call) -> Value {
        assert_eq!(call.header("content-encoding"), "aes128gcm");
        let (salt, rest) = call.body.split_at(16);
        let (sender, record) = rest[5..].split_at(usize::from(rest[4]));
        let sender_key = PublicKey::from_sec1_bytes(sender).unwrap();
        let shared = diffie_hellman(self.private.to_nonzero_scalar(), sender_key.as_affine());
        let input = hash(&self.auth, &[shared.raw_secret_bytes()]);
        let input = hash(&input, &[b"WebPush: info\0", &self.public, sender, &[1]]);
        let pseudorandom = hash(salt, &[&input]);
        let key = hash(&pseudorandom, &[b"Content-Encoding: aes128gcm\0\x01"]);
        let nonce = hash(&pseudorandom, &[b"Content-Encoding: nonce\0\x01"]);
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key[..16]).unwrap());
        let nonce = Nonce::try_assume_unique_for_key(&nonce[..12]).unwrap();
        let mut record = record.to_vec();
        let plain = key.open_in_place(nonce, Aad::empty(), &mut record).unwrap();
        let (end, message) = plain.split_last().unwrap();
        assert_eq!(*end, 2);
        serde_json::from_slice(message).unwrap()
    }
}

/// Who sent: the claims of a token that the key in the header has signed.
fn sender(call: &Call, public_key: &str) -> Value {
    let decode = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).unwrap();
    let (token, key) = call
        .header("authorization")
        .strip_prefix("vapid t=")
        .unwrap()
        .split_once(", k=")
        .unwrap();
    assert_eq!(key, public_key);
    let (signed, signature) = token.rsplit_once('.').unwrap();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, decode(key))
        .verify(signed.as_bytes(), &decode(signature))
        .unwrap();
    serde_json::from_slice(&decode(signed.split_once('.').unwrap().1)).unwrap()
}

async fn start() -> (World, Replica, Receiver, Browser, String) {
    let world = World::new().await;
    let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
    let key = pem::encode(&pem::Pem::new("PRIVATE KEY", key.as_ref()));
    let replica = world
        .start_with(&[
            (TASKFLOW_VAPID_PRIVATE_KEY.name, &key),
            (TASKFLOW_VAPID_SUBJECT.name, "mailto:ops@example.org"),
        ])
        .await;
    replica.becomes_ready().await;
    let (receiver, browser) = (Receiver::start().await, Browser::new());
    world
        .channel(&replica, "ada", browser.subscription(&receiver.url()))
        .await;
    let channels = world.get(&replica, "ada", "/channels").await.json();
    let public_key = channels["vapid_public_key"].as_str().unwrap().to_owned();
    (world, replica, receiver, browser, public_key)
}

#[tokio::test]
async fn a_browser_decrypts_its_reminder_and_the_push_service_knows_who_sent_it() {
    let (world, replica, receiver, browser, public_key) = start().await;
    receiver.replies(&[Reply::Status(201)]);
    world.publish(&[Task::in_seconds("ada", 7, 2).is_saved()]).await;
    let calls = receiver.gets(1).await;
    let message = browser.read(&calls[0]);
    assert_eq!(message["title"], "Water the plants");
    assert_eq!(message["url"], "https://tasks.example.org/tasks/7");
    let claims = sender(&calls[0], &public_key);
    assert_eq!(claims["sub"], "mailto:ops@example.org");
    assert_eq!(claims["aud"], receiver.url().trim_end_matches("/hook"));
    let now = jiff::Timestamp::now().as_second();
    let ends = claims["exp"].as_i64().unwrap();
    assert!(now < ends && ends <= now + 24 * 3600, "{claims}");
    assert!(!String::from_utf8_lossy(&calls[0].body).contains("plants"));
    let delivered = "select count(*) from notification.delivery where kind = 'web_push' and state = 'delivered'";
    world.counts(delivered, 1).await;
    replica.stop().await;
    world.assert_settled().await;
}

#[tokio::test]
async fn a_subscription_that_is_gone_is_retired_and_shown() {
    let (world, replica, receiver, _, _) = start().await;
    receiver.replies(&[Reply::Status(410)]);
    world.publish(&[Task::in_seconds("ada", 7, 2).is_saved()]).await;
    world
        .counts(
            "select count(*) from notification.delivery where kind = 'web_push' and state = 'gone'",
            1,
        )
        .await;
    let channels = world.get(&replica, "ada", "/channels").await.json();
    assert_eq!(channels["items"][0]["retired_because"], "answered 410");
    let gone = r#"notification_deliveries_total{channel="web_push",outcome="gone"}"#;
    replica.reaches(gone, 1.0).await;
    replica.stop().await;
    world.assert_settled().await;
}
