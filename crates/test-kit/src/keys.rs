//! Keys made at test time: none is ever stored.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use pem::Pem;
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _},
};
use serde_json::{Value, json};
use uuid::Uuid;

/// What stands before the 32 bytes of a private Ed25519 key in PKCS #8 (RFC 8410).
const ED25519_PRIVATE_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
/// What stands before the 32 bytes of a public Ed25519 key in X.509's form.
const ED25519_PUBLIC_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// A key that signs tokens by ES256. Written with `ring`, as the services are: the libraries for tokens bring the `rsa`
/// crate, whose timing leak (RUSTSEC-2023-0071) has no fix.
pub(crate) struct Es256Key {
    id: String,
    pair: EcdsaKeyPair,
}

impl Es256Key {
    /// A new key with a new id.
    pub(crate) fn new() -> Self {
        let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("the system has randomness");
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random);
        Self {
            id: Uuid::new_v4().to_string(),
            pair: pair.expect("it was just made"),
        }
    }

    /// A token with these claims (RFC 7515, compact).
    pub(crate) fn sign(&self, claims: &Value) -> String {
        let header = json!({"alg": "ES256", "typ": "JWT", "kid": self.id});
        let encode = |part: &Value| BASE64_URL_SAFE_NO_PAD.encode(part.to_string());
        let message = format!("{}.{}", encode(&header), encode(claims));
        let signature = self.pair.sign(&SystemRandom::new(), message.as_bytes());
        let signature = signature.expect("the system has randomness");
        format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    /// The public half as an entry of a key set (RFC 7517).
    pub(crate) fn public(&self) -> Value {
        // The point, uncompressed: 0x04, x, y.
        let (x, y) = self.pair.public_key().as_ref()[1..].split_at(32);
        let [x, y] = [x, y].map(|coordinate| BASE64_URL_SAFE_NO_PAD.encode(coordinate));
        json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.id, "x": x, "y": y})
    }
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
    ed25519_of(&rand::random())
}

fn ed25519_of(seed: &[u8; 32]) -> Ed25519Pem {
    let pair = Ed25519KeyPair::from_seed_unchecked(seed).expect("every seed of 32 bytes is a key");
    let encode = |tag: &str, prefix: &[u8], key: &[u8]| pem::encode(&Pem::new(tag, [prefix, key].concat()));
    Ed25519Pem {
        private: encode("PRIVATE KEY", &ED25519_PRIVATE_PREFIX, seed),
        public: encode("PUBLIC KEY", &ED25519_PUBLIC_PREFIX, pair.public_key().as_ref()),
    }
}

#[cfg(test)]
mod tests {
    use base64::prelude::BASE64_STANDARD;

    use super::*;

    /// The example of RFC 8410, section 10.
    #[test]
    fn both_halves_are_written_as_the_standard_shows() {
        let private = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC";
        let public = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
        let seed = BASE64_STANDARD.decode(private).unwrap()[ED25519_PRIVATE_PREFIX.len()..].to_vec();
        let written = ed25519_of(&seed.try_into().unwrap());
        assert_eq!(written.private.lines().nth(1), Some(private));
        assert_eq!(written.public.lines().nth(1), Some(public));
    }

    #[test]
    fn no_two_keys_are_alike() {
        assert_ne!(ed25519().private, ed25519().private);
        assert_ne!(Es256Key::new().id, Es256Key::new().id);
    }
}
