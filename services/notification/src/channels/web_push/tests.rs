use p256::{PublicKey, SecretKey, ecdh::diffie_hellman};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

use super::*;

fn decode(text: &str) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// What a browser does, with its private key.
fn decrypt(private: &[u8], auth: &[u8], body: &[u8]) -> Vec<u8> {
    let private = SecretKey::from_slice(private).unwrap();
    let (salt, rest) = body.split_at(16);
    assert_eq!(rest[..5], [0, 0, 16, 0, 65]);
    let (sender, record) = rest[5..].split_at(65);
    let shared = diffie_hellman(
        private.to_nonzero_scalar(),
        PublicKey::from_sec1_bytes(sender).unwrap().as_affine(),
    );
    let public = p256::EncodedPoint::from(private.public_key());
    let browser = Browser {
        public: public.as_bytes().to_vec(),
        auth: auth.to_vec(),
    };
    let keys = browser.keys(shared.raw_secret_bytes(), sender, salt).unwrap();
    let key = aead::LessSafeKey::new(aead::UnboundKey::new(&aead::AES_128_GCM, &keys.content).unwrap());
    let nonce = aead::Nonce::assume_unique_for_key(keys.nonce);
    let mut record = record.to_vec();
    let plain = key.open_in_place(nonce, aead::Aad::empty(), &mut record).unwrap();
    let end = plain.iter().rposition(|byte| *byte != 0).unwrap();
    assert_eq!(plain[end], 2);
    plain[..end].to_vec()
}

/// RFC 8291, section 5 and appendix A: the keys that we derive open the message that its authors made.
#[test]
fn the_example_of_the_standard_is_understood() {
    let private = decode("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94");
    let auth = decode("BTBZMqHH6r4Tts7J_aSIgg");
    let body = decode(concat!(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml",
        "mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT",
        "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    ));
    assert_eq!(
        decrypt(&private, &auth, &body),
        b"When I grow up, I want to be a watermelon"
    );
}

fn browser() -> (Vec<u8>, Browser) {
    let private = [7_u8; 32].to_vec();
    let public = p256::EncodedPoint::from(SecretKey::from_slice(&private).unwrap().public_key());
    let keys = PushKeys {
        p256dh: BASE64_URL_SAFE_NO_PAD.encode(public.as_bytes()),
        auth: BASE64_URL_SAFE_NO_PAD.encode([9_u8; 16]),
    };
    (private, Browser::new(&keys).unwrap())
}

#[test]
fn a_message_is_read_by_its_browser_and_never_looks_the_same() {
    let (private, browser) = browser();
    let bodies = [(); 2].map(|()| browser.encrypt("Käse kaufen".as_bytes()).unwrap());
    assert_ne!(bodies[0], bodies[1]);
    for body in bodies {
        assert_eq!(decrypt(&private, &[9; 16], &body), "Käse kaufen".as_bytes());
    }
}

#[test]
fn keys_that_are_none_are_refused() {
    for (p256dh, auth) in [
        ("", ""),
        ("AAAA", "BTBZMqHH6r4Tts7J_aSIgg"),
        ("not base64!", "BTBZMqHH6r4Tts7J_aSIgg"),
    ] {
        let keys = PushKeys {
            p256dh: p256dh.to_owned(),
            auth: auth.to_owned(),
        };
        assert!(Browser::new(&keys).is_none(), "{p256dh}");
    }
    // The right form, and no point of the curve.
    let mut point = vec![4_u8; 65];
    point[64] = 9;
    let browser = Browser {
        public: point,
        auth: vec![0; 16],
    };
    assert!(browser.encrypt(b"x").is_err());
}

#[test]
fn the_signature_is_for_the_push_service_alone_and_ends() {
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
    let text = pem::encode(&pem::Pem::new("PRIVATE KEY", document.as_ref()));
    let key = VapidKey::new(&text, "mailto:ops@example.org".to_owned()).unwrap();
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    let endpoint = "https://push.example.org:8443/send/abc".parse().unwrap();
    let header = key.authorization(&endpoint, now).unwrap();
    let (token, public) = header.strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, decode(public))
        .verify(signed.as_bytes(), &decode(signature))
        .unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&decode(signed.split_once('.').unwrap().1)).unwrap();
    assert_eq!(claims["aud"], "https://push.example.org:8443");
    assert_eq!(claims["sub"], "mailto:ops@example.org");
    assert_eq!(claims["exp"], 1_800_043_200);
    assert!(VapidKey::new("no key", String::new()).is_none());
}
