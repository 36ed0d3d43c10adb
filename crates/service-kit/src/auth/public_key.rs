use std::fmt;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use rustls::pki_types::{SubjectPublicKeyInfoDer, pem::PemObject as _};
use serde::Deserialize;

/// The algorithms that are accepted. `none` and the symmetric ones are not among them, so a public key can never be
/// taken for a shared secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Algorithm {
    /// ECDSA over P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
    /// RSA PKCS #1 v1.5 with SHA-256, keys of 2048 to 8192 bits.
    Rs256,
}

impl Algorithm {
    /// The algorithm with this name in the header `alg` of a token.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        match name {
            "ES256" => Some(Self::Es256),
            "EdDSA" => Some(Self::EdDsa),
            "RS256" => Some(Self::Rs256),
            _ => None,
        }
    }
}

/// A key that checks signatures, bound to one algorithm.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(Material);

#[derive(Clone, PartialEq, Eq)]
enum Material {
    /// The point, uncompressed: 0x04, x, y.
    P256(Vec<u8>),
    /// The 32 bytes of the key.
    Ed25519(Vec<u8>),
    /// Modulus and exponent, big-endian.
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
}

/// A text that is no Ed25519 key in PEM. It does not repeat the text: it may be a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("could not read an Ed25519 {kind} key from PEM")]
pub struct KeyError {
    pub(super) kind: &'static str,
}

/// DER of `SubjectPublicKeyInfo` up to an Ed25519 key (RFC 8410).
const ED25519_SPKI: &[u8] = &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// Length of an Ed25519 key, and of each coordinate of a P-256 point.
const COORDINATE_BYTES: usize = 32;

impl PublicKey {
    /// Reads an Ed25519 public key in PEM (`BEGIN PUBLIC KEY`).
    pub fn from_ed25519_pem(pem: &str) -> Result<Self, KeyError> {
        let error = KeyError { kind: "public" };
        let Ok(info) = SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes()) else {
            return Err(error);
        };
        match info.strip_prefix(ED25519_SPKI) {
            Some(key) if key.len() == COORDINATE_BYTES => Ok(Self::from_ed25519(key)),
            _ => Err(error),
        }
    }

    /// An Ed25519 key by its 32 bytes.
    pub(super) fn from_ed25519(key: &[u8]) -> Self {
        Self(Material::Ed25519(key.to_vec()))
    }

    /// Reads a key of a key set; `None` when it is not for signatures or of a kind that is not accepted.
    pub(super) fn from_jwk(jwk: &Jwk) -> Option<Self> {
        if jwk.purpose.as_deref().is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        let decode = |part: &Option<String>| BASE64_URL_SAFE_NO_PAD.decode(part.as_deref()?).ok();
        let coordinate = |part| decode(part).filter(|bytes| bytes.len() == COORDINATE_BYTES);
        let material = match (jwk.kind.as_str(), jwk.curve.as_deref()) {
            ("EC", Some("P-256")) => Material::P256([&[4], &*coordinate(&jwk.x)?, &*coordinate(&jwk.y)?].concat()),
            ("OKP", Some("Ed25519")) => Material::Ed25519(coordinate(&jwk.x)?),
            ("RSA", _) => Material::Rsa {
                modulus: decode(&jwk.modulus)?,
                exponent: decode(&jwk.exponent)?,
            },
            _ => return None,
        };
        let key = Self(material);
        let named = jwk.algorithm.as_deref().map(Algorithm::from_name);
        named.is_none_or(|named| named == Some(key.algorithm())).then_some(key)
    }

    /// The one algorithm that the key is for.
    pub(super) fn algorithm(&self) -> Algorithm {
        match self.0 {
            Material::P256(_) => Algorithm::Es256,
            Material::Ed25519(_) => Algorithm::EdDsa,
            Material::Rsa { .. } => Algorithm::Rs256,
        }
    }

    /// Whether the signature over the message was made with the private half of this key.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let verified = match &self.0 {
            Material::P256(point) => {
                UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
            Material::Ed25519(key) => UnparsedPublicKey::new(&signature::ED25519, key).verify(message, signature),
            Material::Rsa { modulus, exponent } => RsaPublicKeyComponents {
                n: modulus,
                e: exponent,
            }
            .verify(&signature::RSA_PKCS1_2048_8192_SHA256, message, signature),
        };
        verified.is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("PublicKey").field(&self.algorithm()).finish()
    }
}

/// A key of a key set (RFC 7517), as far as it matters here.
#[derive(Debug, Deserialize)]
pub(super) struct Jwk {
    #[serde(rename = "kty")]
    kind: String,
    #[serde(rename = "use")]
    purpose: Option<String>,
    #[serde(rename = "alg")]
    algorithm: Option<String>,
    /// Name of the key, which tokens refer to.
    #[serde(rename = "kid")]
    pub(super) id: Option<String>,
    #[serde(rename = "crv")]
    curve: Option<String>,
    x: Option<String>,
    y: Option<String>,
    #[serde(rename = "n")]
    modulus: Option<String>,
    #[serde(rename = "e")]
    exponent: Option<String>,
}
