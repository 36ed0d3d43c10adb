use std::{sync::LazyLock, time::Duration};

use jiff::Timestamp;
use proptest::prelude::*;
use test_kit::keys;

use super::*;
use crate::auth::{NewToken, TokenSigner};

/// A token and the key that checks it.
static SIGNED: LazyLock<(String, PublicKey)> = LazyLock::new(|| {
    let signer = TokenSigner::from_ed25519_pem(&keys::ed25519().private).unwrap();
    let token = NewToken {
        issuer: "https://id.example",
        subject: "ada",
        audience: "taskflow",
        scopes: &["a", "b"],
        lifetime: Duration::from_mins(1),
    };
    (signer.sign(&token, Timestamp::now()), signer.public_key())
});

fn is_believed(text: &str) -> bool {
    let (_, key) = &*SIGNED;
    Token::parse(text).and_then(|token| token.signed_by(key)).is_ok()
}

#[test]
fn the_token_itself_is_believed() {
    assert!(is_believed(&SIGNED.0));
}

proptest! {
    #[test]
    fn a_token_with_one_character_changed_is_not_believed(at in any::<prop::sample::Index>(), to in "[A-Za-z0-9_.-]") {
        let mut token = SIGNED.0.clone();
        let at = at.index(token.len());
        prop_assume!(token[at..=at] != to);
        token.replace_range(at..=at, &to);
        prop_assert!(!is_believed(&token));
    }

    #[test]
    fn a_token_that_is_cut_or_continued_is_not_believed(at in any::<prop::sample::Index>(), more in "[A-Za-z0-9_.=-]{1,8}") {
        let token = &SIGNED.0;
        prop_assert!(!is_believed(&token[..at.index(token.len())]));
        let continued = format!("{token}{more}");
        prop_assert!(!is_believed(&continued));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "([^.]{0,40}\\.){0,4}[^.]{0,40}") {
        prop_assert!(!is_believed(&text));
    }
}
