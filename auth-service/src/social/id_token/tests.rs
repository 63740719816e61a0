//! ID tokens with one thing wrong at a time.

use std::sync::LazyLock;

use serde_json::json;

use super::*;
use crate::social::stand_in::{StandIn, new_key};

const ISSUER: &str = "https://accounts.example.com";
const NOW: i64 = 1_760_000_000;
const NONCE: &str = "n-0S6_WzA2Mj";
const ACCESS_TOKEN: &str = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
static CLIENT_IDS: LazyLock<Vec<String>> = LazyLock::new(|| ["web", "android"].map(str::to_owned).to_vec());

fn expected() -> Expected<'static> {
    Expected {
        client_ids: &CLIENT_IDS,
        nonce: Nonce::Plain(NONCE),
        access_token: None,
        now: Ts::from_micros(NOW * 1_000_000),
    }
}

fn good() -> Value {
    json!({"iss": ISSUER, "sub": "1234", "aud": "web", "exp": NOW + 3600, "iat": NOW, "nonce": NONCE})
}

/// The good claims with these members changed; `null` takes a member out.
fn with(changes: Value) -> Value {
    let mut claims = good();
    for (member, value) in changes.as_object().unwrap().clone() {
        claims[member] = value;
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims
}

fn judge(claims: &Value, expected: &Expected<'_>) -> Result<IdToken, IdTokenError> {
    let token = ForeignToken { algorithm: Algorithm::Rs256, claims: claims.to_string().into_bytes() };
    IdToken::judge(&token, ISSUER, expected)
}

/// Why the good claims with this change are refused.
fn refusal(changes: Value) -> Option<IdTokenError> {
    judge(&with(changes), &expected()).err()
}

#[test]
fn a_good_token_tells_who_logged_in() {
    let claims = with(json!({
        "email": "kim@example.com", "email_verified": true, "name": "김민준", "given_name": "민준", "family_name": "김",
        "nickname": "MJ", "picture": "https://example.com/p.png", "locale": "ko", "groups": ["staff"],
    }));
    let token = judge(&claims, &expected()).unwrap();
    assert_eq!((token.subject.as_str(), token.email.as_deref()), ("1234", Some("kim@example.com")));
    assert!(token.email_verified);
    let names = [&token.name, &token.given_name, &token.family_name, &token.nickname, &token.picture, &token.locale];
    let names = names.map(|name| name.as_deref().unwrap());
    assert_eq!(names, ["김민준", "민준", "김", "MJ", "https://example.com/p.png", "ko"]);
    assert_eq!(token.claims, claims);
}

#[test]
fn the_issuer_is_exactly_the_pinned_one() {
    for issuer in ["https://accounts.example.com/", "accounts.example.com", "HTTPS://accounts.example.com", ""] {
        assert_eq!(refusal(json!({"iss": issuer})), Some(IdTokenError::OtherIssuer(issuer.to_owned())));
    }
}

#[test]
fn the_token_is_for_one_of_our_clients() {
    for audience in [json!("web"), json!("android"), json!(["web"]), json!(["web"])] {
        assert_eq!(refusal(json!({"aud": audience})), None, "{audience}");
    }
    for audience in [json!("other"), json!(["other"]), json!([]), json!(""), json!("web "), json!(["other", "another"])]
    {
        assert_eq!(refusal(json!({"aud": audience})), Some(IdTokenError::Audience), "{audience}");
    }
}

#[test]
fn a_token_for_several_clients_was_asked_for_by_us() {
    let several = |azp: Value| refusal(json!({"aud": ["other", "web"], "azp": azp}));
    assert_eq!(several(json!("web")), None);
    assert_eq!(several(json!("android")), None);
    assert_eq!(several(json!("other")), Some(IdTokenError::Party));
    assert_eq!(several(Value::Null), Some(IdTokenError::Party));
    // Google's app on Android asks for a token for the web client: its own id need not be known here.
    assert_eq!(refusal(json!({"aud": "web", "azp": "an app"})), None);
}

#[test]
fn a_token_is_good_until_its_end() {
    assert_eq!(refusal(json!({"exp": NOW - 29})), None);
    assert_eq!(refusal(json!({"exp": NOW - 30})), Some(IdTokenError::Expired));
    assert_eq!(refusal(json!({"exp": -1})), Some(IdTokenError::Expired));
}

#[test]
fn a_token_is_of_now() {
    assert_eq!(refusal(json!({"iat": NOW + 30})), None);
    assert_eq!(refusal(json!({"iat": NOW + 31})), Some(IdTokenError::IssuedInFuture));
    assert_eq!(refusal(json!({"nbf": NOW + 30})), None);
    assert_eq!(refusal(json!({"nbf": NOW + 31})), Some(IdTokenError::IssuedInFuture));
    assert_eq!(refusal(json!({"iat": NOW - 630})), None);
    assert_eq!(refusal(json!({"iat": NOW - 631})), Some(IdTokenError::TooOld));
}

#[test]
fn times_may_have_fractions() {
    #[allow(clippy::cast_precision_loss, reason = "far below what f64 tells apart")]
    let now = NOW as f64;
    assert_eq!(refusal(json!({"exp": now + 3600.5, "iat": now - 0.5})), None);
    assert_eq!(refusal(json!({"iat": now + 31.9})), Some(IdTokenError::IssuedInFuture));
    assert_eq!(refusal(json!({"exp": now - 30.5})), Some(IdTokenError::Expired));
    assert_eq!(refusal(json!({"exp": 1e300})), None);
}

#[test]
fn a_token_of_another_login_is_refused() {
    for nonce in [json!("other"), json!(""), Value::Null, json!(NONCE.to_lowercase()), json!(format!("{NONCE} "))] {
        assert_eq!(refusal(json!({"nonce": nonce})), Some(IdTokenError::Nonce), "{nonce}");
    }
}

#[test]
fn a_nonce_may_be_carried_as_its_hash() {
    // printf n-0S6_WzA2Mj | sha256sum
    let hash = "0823a09b54cb9381561068b00aaf4e539b3f54604631d3e6a820879b6b04cc19";
    assert_eq!(HEXLOWER.encode(digest::digest(&SHA256, NONCE.as_bytes()).as_ref()), hash);
    for (nonce, takes_plain, takes_hash) in [
        (Nonce::Plain(NONCE), true, false),
        (Nonce::Sha256(NONCE), false, true),
        (Nonce::PlainOrSha256(NONCE), true, true),
    ] {
        assert_eq!(nonce.is(NONCE), takes_plain);
        assert_eq!(nonce.is(hash), takes_hash);
        assert_eq!(nonce.is(&hash.to_uppercase()), takes_hash);
        assert!(!nonce.is("other") && !nonce.is(""));
    }
}

#[test]
fn no_nonce_is_none() {
    let hash_of_nothing = HEXLOWER.encode(digest::digest(&SHA256, b"").as_ref());
    for nonce in [Nonce::Plain(""), Nonce::Sha256(""), Nonce::PlainOrSha256("")] {
        assert!(!nonce.is("") && !nonce.is(&hash_of_nothing));
    }
}

/// The example of OpenID Connect Core appendix A.3.
#[test]
fn an_access_token_of_another_login_is_refused() {
    let claims = with(json!({"at_hash": "77QmUPtjPfzWtF2AnpK9RQ"}));
    let with_token = |access_token| judge(&claims, &Expected { access_token, ..expected() }).err();
    assert_eq!(with_token(Some(ACCESS_TOKEN)), None);
    assert_eq!(with_token(None), None);
    assert_eq!(with_token(Some("another")), Some(IdTokenError::AccessToken));
    assert_eq!(judge(&good(), &Expected { access_token: Some(ACCESS_TOKEN), ..expected() }).err(), None);
}

#[test]
fn the_hash_of_an_access_token_is_that_of_the_signature() {
    let ed = half_hash(Algorithm::EdDsa, ACCESS_TOKEN);
    let half = |algorithm, length| digest::digest(algorithm, ACCESS_TOKEN.as_bytes()).as_ref()[..length].to_vec();
    assert_eq!(BASE64URL_NOPAD.decode(ed.as_bytes()).unwrap(), half(&SHA512, 32));
    let es = half_hash(Algorithm::Es256, ACCESS_TOKEN);
    assert_eq!(BASE64URL_NOPAD.decode(es.as_bytes()).unwrap(), half(&SHA256, 16));
}

#[test]
fn a_subject_is_text_of_255_bytes_at_most() {
    assert_eq!(refusal(json!({"sub": "s".repeat(255)})), None);
    for subject in [String::new(), "s".repeat(256), "é".repeat(128), "a\u{0}b".to_owned(), "a\nb".to_owned()] {
        assert_eq!(refusal(json!({"sub": subject})), Some(IdTokenError::Subject), "{subject:?}");
    }
}

#[test]
fn an_address_is_proven_only_by_a_clear_word() {
    let verified = |value: Value| judge(&with(json!({"email_verified": value})), &expected()).unwrap().email_verified;
    assert!(verified(json!(true)) && verified(json!("true")));
    for value in [json!(false), json!("false"), json!("TRUE"), json!("yes"), json!(1), json!([true]), Value::Null] {
        assert!(!verified(value.clone()), "{value}");
    }
}

#[test]
fn what_cannot_be_kept_of_a_person_is_left_out() {
    for value in [json!(""), json!(1), json!(["a"]), json!({"a": 1}), json!("a\u{0}b"), Value::Null] {
        let token = judge(&with(json!({"name": value, "email": value, "picture": value})), &expected()).unwrap();
        assert_eq!((token.name, token.email, token.picture), (None, None, None), "{value}");
    }
}

#[test]
fn an_event_is_no_login() {
    assert_eq!(refusal(json!({"events": {"https://example.com/x": {}}})), Some(IdTokenError::Events));
}

#[test]
fn claims_of_the_wrong_form_are_refused_untold() {
    for (member, values) in [
        ("iss", [json!(1), Value::Null]),
        ("sub", [json!(1234), Value::Null]),
        ("aud", [json!({"a": "web"}), Value::Null]),
        ("exp", [json!("1760003600"), Value::Null]),
        ("iat", [json!("1760000000"), Value::Null]),
        ("nonce", [json!(1), json!([NONCE])]),
    ] {
        for value in values {
            let outcome = refusal(json!({member: value}));
            assert!(matches!(outcome, Some(IdTokenError::Claims { .. })), "{member} {value}");
        }
    }
    let personal = judge(&with(json!({"iss": ["kim@example.com"]})), &expected()).unwrap_err().to_string();
    assert!(!personal.contains("kim"), "{personal}");
}

#[test]
fn what_is_no_object_or_says_a_thing_twice_is_refused() {
    let twice = good().to_string().replacen("{", r#"{"sub":"admin","#, 1);
    let by_position = json!([
        ISSUER,
        "1234",
        "web",
        null,
        NOW + 3600,
        NOW,
        NOW,
        NONCE,
        null,
        null,
        "a@b.co",
        true,
        null,
        null,
        null,
        null,
        null,
        null
    ]);
    for claims in [twice.as_str(), &by_position.to_string(), "null", "", "{}"] {
        let token = ForeignToken { algorithm: Algorithm::Rs256, claims: claims.as_bytes().to_vec() };
        let outcome = IdToken::judge(&token, ISSUER, &expected());
        assert!(matches!(outcome, Err(IdTokenError::Claims { .. })), "{claims}");
    }
}

#[tokio::test]
async fn a_token_is_believed_only_when_its_issuer_signed_it() {
    let (key, stranger) = (new_key(Algorithm::Rs256), new_key(Algorithm::Rs256));
    let stand_in = StandIn::start(&[&key]).await;
    let issuer = stand_in.issuer();
    let claims = with(json!({"iss": stand_in.name}));
    let token = key.sign_other("JWT", &claims).unwrap();
    assert_eq!(IdToken::verify(&token, &issuer, &expected()).await.unwrap().subject, "1234");
    let forged = stranger.sign_as(key.kid(), "JWT", &claims).unwrap();
    let event = key.sign_other("secevent+jwt", &claims).unwrap();
    let other = key.sign_other("JWT", &good()).unwrap();
    for token in [forged, event] {
        let outcome = IdToken::verify(&token, &issuer, &expected()).await;
        assert!(matches!(outcome, Err(IdTokenError::Issuer(IssuerError::Token(_)))), "{outcome:?}");
    }
    let outcome = IdToken::verify(&other, &issuer, &expected()).await;
    assert_eq!(outcome, Err(IdTokenError::OtherIssuer(ISSUER.to_owned())));
}
