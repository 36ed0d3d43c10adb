use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    public_key::{Jwk, PublicKey},
    token::Token,
};

/// The signing keys of an issuer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct KeySet {
    /// By key id; at most one has none.
    keys: BTreeMap<Option<String>, PublicKey>,
}

impl KeySet {
    /// Reads a key set (RFC 7517), without the keys that are not for us. `None` when no key is left.
    pub(super) fn parse(json: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Document {
            keys: Vec<serde_json::Value>,
        }
        let document: Document = serde_json::from_slice(json).ok()?;
        // A key that cannot be read is of a kind that came after us, and no reason to refuse the others.
        let readable = document
            .keys
            .into_iter()
            .filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
        let keys: BTreeMap<_, _> = readable
            .filter_map(|jwk| Some((jwk.id.clone(), PublicKey::from_jwk(&jwk)?)))
            .collect();
        (!keys.is_empty()).then_some(Self { keys })
    }

    /// The set of one key without a name.
    pub(super) fn of(key: PublicKey) -> Self {
        Self {
            keys: BTreeMap::from([(None, key)]),
        }
    }

    /// The key that the token names, or the one that has no name. A token that names none means the only key for its
    /// algorithm, if there is only one.
    pub(super) fn key_of(&self, token: &Token<'_>) -> Option<&PublicKey> {
        if token.key_id.is_some() {
            return self.keys.get(&token.key_id).or_else(|| self.keys.get(&None));
        }
        let mut fitting = self.keys.values().filter(|key| key.algorithm() == token.algorithm);
        fitting.next().filter(|_| fitting.next().is_none())
    }
}

#[cfg(test)]
mod tests;
