use std::{fmt, time::Duration};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use catalogue::Access;
use jiff::Timestamp;
use ring::{
    digest,
    signature::{Ed25519KeyPair, KeyPair as _},
};
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject as _};
use serde_json::{Value, json};

use super::{KeyError, PublicKey};

/// How long a service token is valid. Each call gets a new one, so this only has to outlast the call and clock skew.
const SERVICE_TOKEN_LIFETIME: Duration = Duration::from_mins(1);

/// Signs tokens with an Ed25519 key: those of built-in accounts, and those that services show each other.
pub struct TokenSigner {
    pair: Ed25519KeyPair,
    /// Name of the key by its content (RFC 7638).
    key_id: String,
}

/// What a token says.
#[derive(Clone, Copy, Debug)]
pub struct NewToken<'a> {
    /// Who vouches for it: `iss`.
    pub issuer: &'a str,
    /// Whom it is about: `sub`, 1 to 255 characters.
    pub subject: &'a str,
    /// Who may accept it: `aud`.
    pub audience: &'a str,
    /// What it allows: `scope`.
    pub scopes: &'a [&'a str],
    /// How long it is valid.
    pub lifetime: Duration,
}

impl TokenSigner {
    /// Reads an Ed25519 private key in PEM (`BEGIN PRIVATE KEY`).
    pub fn from_ed25519_pem(pem: &str) -> Result<Self, KeyError> {
        let error = KeyError { kind: "private" };
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| error)?;
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der()).map_err(|_| error)?;
        let key_id = thumbprint(pair.public_key().as_ref());
        Ok(Self { pair, key_id })
    }

    /// The key that checks what this one signs.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        PublicKey::from_ed25519(self.pair.public_key().as_ref())
    }

    /// The key set (RFC 7517) that holds the public key, for other services to check tokens with.
    #[must_use]
    pub fn key_set(&self) -> Value {
        let x = BASE64_URL_SAFE_NO_PAD.encode(self.pair.public_key());
        json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": self.key_id, "x": x }] })
    }

    /// Signs a token that is valid from `now` on.
    #[must_use]
    pub fn sign(&self, token: &NewToken<'_>, now: Timestamp) -> String {
        let now = now.as_second();
        let lifetime = i64::try_from(token.lifetime.as_secs()).unwrap_or(i64::MAX);
        let header = json!({ "alg": "EdDSA", "typ": "JWT", "kid": self.key_id });
        let claims = json!({
            "iss": token.issuer,
            "sub": token.subject,
            "aud": token.audience,
            "iat": now,
            "exp": now.saturating_add(lifetime),
            "scope": token.scopes.join(" "),
        });
        let encode = |part: Value| BASE64_URL_SAFE_NO_PAD.encode(part.to_string());
        let message = format!("{}.{}", encode(header), encode(claims));
        let signature = self.pair.sign(message.as_bytes());
        format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    /// Signs what the service with this app id shows to call a route of another service.
    ///
    /// # Panics
    /// When the route is not for services: a bug.
    #[must_use]
    pub fn service_token(&self, app_id: &str, access: Access, now: Timestamp) -> String {
        let Access::Service { audience, scope } = access else {
            panic!("the route takes no service tokens");
        };
        let token = NewToken {
            issuer: app_id,
            subject: app_id,
            audience,
            scopes: &[scope],
            lifetime: SERVICE_TOKEN_LIFETIME,
        };
        self.sign(&token, now)
    }
}

impl fmt::Debug for TokenSigner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TokenSigner")
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

fn thumbprint(public_key: &[u8]) -> String {
    let x = BASE64_URL_SAFE_NO_PAD.encode(public_key);
    let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    BASE64_URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, canonical.as_bytes()))
}
