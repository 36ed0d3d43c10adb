use serde_json::{Value, json};

use super::*;

const NOW: i64 = 1_800_000_000;

fn checked(claims: &Value) -> Result<Proof, AuthFailure> {
    let claims: Claims = serde_json::from_value(claims.clone()).unwrap();
    claims.check("taskflow", Timestamp::from_second(NOW).unwrap())
}

/// Claims that hold, with some replaced; `null` takes one away.
fn but(changed: &Value) -> Value {
    let mut claims = json!({"iss": "https://id.example", "sub": "ada", "aud": "taskflow", "exp": NOW + 60});
    for (name, value) in changed.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

#[test]
fn claims_that_hold_prove_a_subject_and_its_scopes() {
    let expected = |scopes: &[&str]| Proof {
        subject: "ada".to_owned(),
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        expires: 1_800_000_090.0,
    };
    assert_eq!(checked(&but(&json!({}))), Ok(expected(&[])));
    assert_eq!(checked(&but(&json!({"aud": ["other", "taskflow"]}))), Ok(expected(&[])));
    assert_eq!(checked(&but(&json!({"scope": "a  b"}))), Ok(expected(&["a", "b"])));
    assert_eq!(
        checked(&but(&json!({"scope": "a", "scp": ["b", "c"]}))),
        Ok(expected(&["a", "b", "c"]))
    );
    assert_eq!(checked(&but(&json!({"nbf": NOW}))), Ok(expected(&[])));
}

#[test]
fn time_is_checked_with_half_a_minute_of_leeway() {
    let begin_or_end = |name: &str, seconds: f64| checked(&but(&json!({ name: seconds }))).map(|_| ());
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let now = NOW as f64;
    assert_eq!(begin_or_end("exp", now - 29.5), Ok(()));
    assert_eq!(begin_or_end("exp", now - 30.0), Err(AuthFailure::Expired));
    assert_eq!(begin_or_end("exp", -1.0), Err(AuthFailure::Expired));
    assert_eq!(begin_or_end("exp", 1e300), Ok(()));
    assert_eq!(begin_or_end("nbf", now + 30.0), Ok(()));
    assert_eq!(begin_or_end("nbf", now + 30.5), Err(AuthFailure::Expired));
}

#[test]
fn who_it_is_for_must_be_us() {
    for audience in [json!("other"), json!([]), json!(["Taskflow", "taskflow "]), json!("")] {
        assert_eq!(
            checked(&but(&json!({"aud": audience}))),
            Err(AuthFailure::Audience),
            "{audience}"
        );
    }
}

#[test]
fn a_claim_that_is_needed_is_missed() {
    for name in ["sub", "aud", "exp"] {
        let refused = checked(&but(&json!({ name: null })));
        assert!(
            matches!(refused, Err(AuthFailure::Malformed(why)) if why.contains(name)),
            "{name}"
        );
    }
}

#[test]
fn a_subject_is_1_to_255_printable_characters() {
    let with = |subject: &str| checked(&but(&json!({"sub": subject}))).map(|proof| proof.subject.chars().count());
    assert_eq!(with("ü"), Ok(1));
    assert_eq!(with(&"ü".repeat(255)), Ok(255));
    for bad in ["", &"a".repeat(256), "a\0", "a\nb", "\u{85}"] {
        assert!(matches!(with(bad), Err(AuthFailure::Malformed(_))), "{bad:?}");
    }
}
