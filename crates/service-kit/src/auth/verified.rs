use std::{
    collections::BTreeMap,
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;
use ring::digest;

use super::{User, key_set::KeySet};

/// Tokens in one generation; two are kept.
const GENERATION: usize = 4096;

/// Tokens that were checked before, so that a client that shows the same one with each request costs one check of a
/// signature and not thousands. A token is remembered by the digest of all its characters, its signature included.
#[derive(Debug, Default)]
pub(super) struct VerifiedTokens {
    generations: Mutex<Generations>,
}

/// What was asked for lately, and what before that. Forgetting the older generation as a whole bounds the memory
/// without keeping an order of use.
#[derive(Debug, Default)]
struct Generations {
    young: BTreeMap<TokenDigest, Verified>,
    old: BTreeMap<TokenDigest, Verified>,
}

/// SHA-256 of a token.
type TokenDigest = [u8; digest::SHA256_OUTPUT_LEN];

/// What a token proved.
#[derive(Clone, Debug)]
pub(super) struct Verified {
    /// Whom it is about.
    pub(super) user: User,
    /// Seconds since 1970 from which on it proves nothing.
    pub(super) expires: f64,
    /// The keys that it was checked with; with other keys it is to be checked again.
    pub(super) keys: Arc<KeySet>,
}

impl VerifiedTokens {
    /// What the token proved before, if that still holds.
    pub(super) fn get(&self, token: &str, keys: impl Fn(&Arc<KeySet>) -> bool, now: Timestamp) -> Option<User> {
        let digest = digest(token);
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        let found = match generations.young.get(&digest).cloned() {
            Some(found) => found,
            None => generations.renew(digest)?,
        };
        drop(generations);
        let valid = now.as_duration().as_secs_f64() < found.expires && keys(&found.keys);
        valid.then_some(found.user)
    }

    /// Remembers what the token proved.
    pub(super) fn insert(&self, token: &str, verified: Verified) {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        generations.insert(digest(token), verified);
    }
}

impl Generations {
    /// Takes a token of the older generation over into the younger.
    fn renew(&mut self, digest: TokenDigest) -> Option<Verified> {
        let found = self.old.remove(&digest)?;
        self.insert(digest, found.clone());
        Some(found)
    }

    fn insert(&mut self, digest: TokenDigest, verified: Verified) {
        if self.young.len() >= GENERATION {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(digest, verified);
    }
}

fn digest(token: &str) -> TokenDigest {
    let digest = digest::digest(&digest::SHA256, token.as_bytes());
    digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

#[cfg(test)]
mod tests;
