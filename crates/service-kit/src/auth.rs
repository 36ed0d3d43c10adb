//! Who calls: tokens of people and of services, and the doors that ask for them.
//!
//! A token is a JSON Web Token signed with ES256, `EdDSA` or RS256; each key is for one of these, whatever the token says.
//! It must name its issuer, an audience that is ours, a subject and an end. Signatures are checked by `ring`, which also
//! carries our TLS; `jsonwebtoken` would bring the `rsa` crate, whose timing leak (RUSTSEC-2023-0071) has no fix.
//!
//! People: [`TokenChecker`] knows the configured issuer by its key set, and the built-in one by its key;
//! [`users_only`] and [`operators_only`] put it before routes, and handlers take a [`User`]. Services:
//! [`ServiceTokenChecker`], [`services_only`] and [`ServiceCaller`]. [`TokenSigner`] makes both kinds of token.

mod caller;
mod checker;
mod claims;
mod failure;
mod issuer;
mod key_set;
mod public_key;
mod signer;
mod token;
mod verified;

use subtle::ConstantTimeEq as _;

pub use caller::{ServiceCaller, User, operators_only, services_only, users_only};
pub use checker::{LocalIssuer, ServiceTokenChecker, TokenChecker};
pub use failure::AuthFailure;
pub use public_key::{KeyError, PublicKey};
pub use signer::{NewToken, TokenSigner};

/// Whether two secrets are equal, in a time that does not tell where they differ; it may tell that they differ in length.
#[must_use]
pub fn is_same_secret(shown: &str, expected: &str) -> bool {
    shown.as_bytes().ct_eq(expected.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::is_same_secret;

    #[test]
    fn only_equal_secrets_are_the_same() {
        assert!(is_same_secret("secret", "secret"));
        for other in ["", "secre", "secret ", "Secret", "secreT"] {
            assert!(!is_same_secret(other, "secret"), "{other}");
        }
    }
}
