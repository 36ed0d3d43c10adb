//! Keys made at test time: none is ever stored.

use jsonwebtoken::EncodingKey;
use pem::Pem;
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _},
};

/// What stands before the 32 bytes of a private Ed25519 key in PKCS #8 (RFC 8410).
const ED25519_PRIVATE_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
/// What stands before the 32 bytes of a public Ed25519 key in X.509's form.
const ED25519_PUBLIC_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// A new key for ES256.
pub fn es256() -> EncodingKey {
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
        .expect("the system has randomness");
    EncodingKey::from_ec_der(document.as_ref())
}

/// Both halves of an Ed25519 key in PEM, as services take them from their environment.
#[derive(Clone)]
pub struct Ed25519Pem {
    /// PKCS #8.
    pub private: String,
    /// `SubjectPublicKeyInfo`.
    pub public: String,
}

/// A new Ed25519 key.
pub fn ed25519() -> Ed25519Pem {
    let seed: [u8; 32] = rand::random();
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed).expect("every seed of 32 bytes is a key");
    let encode = |tag: &str, prefix: &[u8], key: &[u8]| pem::encode(&Pem::new(tag, [prefix, key].concat()));
    Ed25519Pem {
        private: encode("PRIVATE KEY", &ED25519_PRIVATE_PREFIX, &seed),
        public: encode("PUBLIC KEY", &ED25519_PUBLIC_PREFIX, pair.public_key().as_ref()),
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, encode};
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_one_half_signs_the_other_half_checks() {
        let [mine, other] = [ed25519(), ed25519()];
        let key = EncodingKey::from_ed_pem(mine.private.as_bytes()).unwrap();
        let token = encode(&Header::new(Algorithm::EdDSA), &json!({"exp": 4_102_444_800_u64}), &key).unwrap();
        let check = |public: &str| {
            let key = DecodingKey::from_ed_pem(public.as_bytes()).unwrap();
            decode::<Value>(&token, &key, &Validation::new(Algorithm::EdDSA)).is_ok()
        };
        assert!(check(&mine.public));
        assert!(!check(&other.public));
    }
}
