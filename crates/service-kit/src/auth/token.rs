use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    AuthFailure,
    claims::Claims,
    public_key::{Algorithm, PublicKey},
};

/// Bytes of a token. Issuers stay well below; headers of requests are bounded anyway.
const MAX_TOKEN_BYTES: usize = 8192;

/// A signed JSON Web Token (RFC 7519, compact form), taken apart and not believed yet.
#[derive(Debug)]
pub(super) struct Token<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) key_id: Option<String>,
    /// Header and claims as they were signed.
    message: &'a str,
    signature: Vec<u8>,
    claims: Claims,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    /// Extensions that the reader must understand; we understand none.
    crit: Option<serde_json::Value>,
}

impl<'a> Token<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, AuthFailure> {
        if text.len() > MAX_TOKEN_BYTES {
            return Err(AuthFailure::Malformed("it is too long"));
        }
        let parts = text.rsplit_once('.').and_then(|(message, signature)| {
            let (header, claims) = message.split_once('.')?;
            Some((message, header, claims, signature))
        });
        let (message, header, claims, signature) =
            parts.ok_or(AuthFailure::Malformed("it is not three parts with dots between"))?;
        let header: Header = part(header).ok_or(AuthFailure::Malformed("its header cannot be read"))?;
        let algorithm = Algorithm::from_name(&header.alg).ok_or(AuthFailure::Malformed(
            "its algorithm is none of ES256, EdDSA and RS256",
        ))?;
        if header.crit.is_some() {
            return Err(AuthFailure::Malformed("it has extensions that are not understood"));
        }
        if !header.typ.as_deref().is_none_or(is_token) {
            return Err(AuthFailure::Malformed("its `typ` is not that of a token"));
        }
        Ok(Self {
            algorithm,
            key_id: header.kid,
            message,
            signature: BASE64_URL_SAFE_NO_PAD
                .decode(signature)
                .map_err(|_| AuthFailure::Malformed("its signature cannot be read"))?,
            claims: part(claims).ok_or(AuthFailure::Malformed("its claims cannot be read"))?,
        })
    }

    /// Who says that it issued the token.
    pub(super) fn issuer(&self) -> Result<&str, AuthFailure> {
        self.claims
            .issuer
            .as_deref()
            .ok_or(AuthFailure::Malformed("it has no `iss`"))
    }

    /// The claims, if the key made the signature with the algorithm that the token names.
    pub(super) fn signed_by(self, key: &PublicKey) -> Result<Claims, AuthFailure> {
        if key.algorithm() == self.algorithm && key.verifies(self.message.as_bytes(), &self.signature) {
            Ok(self.claims)
        } else {
            Err(AuthFailure::Signature)
        }
    }
}

fn part<T: DeserializeOwned>(encoded: &str) -> Option<T> {
    let json = BASE64_URL_SAFE_NO_PAD.decode(encoded).ok()?;
    serde_json::from_slice(&json).ok()
}

/// Plain tokens and access tokens (RFC 9068), with or without the prefix that the media type may go without.
fn is_token(kind: &str) -> bool {
    let kind = kind.to_ascii_lowercase();
    matches!(kind.strip_prefix("application/").unwrap_or(&kind), "jwt" | "at+jwt")
}

#[cfg(test)]
mod tests;
