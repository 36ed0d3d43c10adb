use serde_json::{Value, json};

use super::*;

// The published examples of RFC 7515 (A.2, A.3) and RFC 8037 (A.1, A.4): independent signers of all three algorithms.
const RS256_N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT\
                       -SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQ\
                       OS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj\
                       8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
const RS256_TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19\
                           yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YK\
                           t_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMH\
                           lb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUip\
                           UTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
const ES256_TOKEN: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19\
                           yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6N\
                           U1Q";

fn rsa() -> Value {
    json!({"kty": "RSA", "kid": "r", "n": RS256_N, "e": "AQAB"})
}

fn p256() -> Value {
    json!({
        "kty": "EC", "kid": "e", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    })
}

fn ed25519() -> Value {
    json!({"kty": "OKP", "kid": "d", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
}

fn set(keys: &Value) -> Option<KeySet> {
    KeySet::parse(json!({ "keys": keys }).to_string().as_bytes())
}

fn with(mut key: Value, name: &str, value: &str) -> Value {
    key[name] = json!(value);
    key
}

#[test]
fn published_signatures_are_accepted_and_altered_ones_are_not() {
    for (key, token) in [(rsa(), RS256_TOKEN), (p256(), ES256_TOKEN)] {
        let keys = set(&json!([key])).unwrap();
        let signed = |text: &str| {
            let token = Token::parse(text).unwrap();
            let key = keys.key_of(&token).unwrap().clone();
            token.signed_by(&key).is_ok()
        };
        assert!(signed(token));
        assert!(!signed(&token.replace(".eyJpc3MiOiJqb2Ui", ".eyJpc3MiOiJqb2Ei")));
    }
}

#[test]
fn the_published_ed25519_signature_is_accepted() {
    let keys = set(&json!([ed25519()])).unwrap();
    let key = &keys.keys[&Some("d".to_owned())];
    let message = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    let signature = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let signature = base64::Engine::decode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, signature).unwrap();
    assert!(key.verifies(message, &signature));
    assert!(!key.verifies(b"another", &signature));
}

#[test]
fn keys_that_are_not_for_us_are_left_out() {
    let others = json!([
        with(rsa(), "use", "enc"),
        with(p256(), "alg", "ES384"),
        with(rsa(), "alg", "RS512"),
        with(rsa(), "alg", "HS256"),
        with(p256(), "crv", "P-384"),
        with(p256(), "x", "AAAA"),
        with(p256(), "y", "not base64url"),
        with(ed25519(), "crv", "X25519"),
        with(ed25519(), "x", ""),
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "RSA", "n": RS256_N},
        {"kty": "new"},
        {},
        7,
    ]);
    assert_eq!(set(&others), None);
    let mut mixed = others.as_array().unwrap().clone();
    mixed.push(with(p256(), "use", "sig"));
    assert_eq!(set(&json!(mixed)), set(&json!([p256()])));
    for no_set in ["", "[]", "{}", r#"{"keys":{}}"#] {
        assert_eq!(KeySet::parse(no_set.as_bytes()), None, "{no_set}");
    }
}

#[test]
fn a_token_finds_its_key_by_name_or_by_being_the_only_one() {
    let named = |key_id: Option<&str>| {
        let mut token = Token::parse(ES256_TOKEN).unwrap();
        token.key_id = key_id.map(str::to_owned);
        token
    };
    let two = set(&json!([p256(), with(p256(), "kid", "f"), rsa()])).unwrap();
    assert!(two.key_of(&named(Some("f"))).is_some());
    assert!(two.key_of(&named(Some("g"))).is_none());
    assert!(two.key_of(&named(None)).is_none());

    let one = set(&json!([p256(), rsa()])).unwrap();
    assert!(one.key_of(&named(None)).is_some());
    assert!(one.key_of(&named(Some("g"))).is_none());

    let nameless = set(&json!([{"kty": "EC", "crv": "P-256", "x": p256()["x"], "y": p256()["y"]}, rsa()])).unwrap();
    assert!(nameless.key_of(&named(Some("g"))).is_some());
}

#[test]
fn a_key_of_another_kind_does_not_check_a_token() {
    let keys = set(&json!([with(rsa(), "kid", "e")])).unwrap();
    let mut token = Token::parse(ES256_TOKEN).unwrap();
    token.key_id = Some("e".to_owned());
    let key = keys.key_of(&token).unwrap().clone();
    assert_eq!(token.signed_by(&key).unwrap_err(), crate::auth::AuthFailure::Signature);
}
