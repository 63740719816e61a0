//! Events with one thing wrong at a time.

use auth_token::Algorithm;
use serde_json::{Value, json};

use super::*;
use crate::social::stand_in::{StandIn, new_key};

const KAKAO: &str = "https://kauth.kakao.com";
const NOW: i64 = 1_760_000_000;
const UNLINKED: &str = "https://schemas.openid.net/secevent/oauth/event-type/user-unlinked";
const DISABLED: &str = "https://schemas.openid.net/secevent/risc/event-type/account-disabled";

fn client_ids() -> Vec<String> {
    vec!["rest-api-key".to_owned()]
}

fn now() -> Ts {
    Ts::from_micros(NOW * 1_000_000)
}

fn good() -> Value {
    json!({"iss": KAKAO, "aud": "rest-api-key", "sub": "42", "iat": NOW, "jti": "e1", "events": {UNLINKED: {}}})
}

fn apple(event: &Value) -> Value {
    let events = event.to_string();
    json!({"iss": KAKAO, "aud": "rest-api-key", "iat": NOW, "exp": NOW + 86400, "jti": "e1", "events": events})
}

/// The good event with these members changed; `null` takes a member out.
fn with(changes: Value) -> Value {
    let mut claims = good();
    for (member, value) in changes.as_object().unwrap().clone() {
        claims[member] = value;
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims
}

fn judge(claims: &Value, dialect: Dialect) -> Result<SecurityEvent, EventError> {
    let payload = Payload::read(claims.to_string().as_bytes())?;
    SecurityEvent::judge(payload, dialect, KAKAO, &client_ids(), now())
}

fn judge_shared(changes: Value) -> Result<SecurityEvent, EventError> {
    judge(&with(changes), Dialect::SharedSignals)
}

fn is_malformed(outcome: &Result<SecurityEvent, EventError>) -> bool {
    matches!(outcome, Err(EventError::Malformed(_)))
}

#[test]
fn an_event_tells_what_happened_to_whom() {
    let event = judge_shared(json!({"events": {UNLINKED: {"reason": "UNLINK_FROM_APPS"}, DISABLED: {}}})).unwrap();
    assert_eq!((event.jti.as_str(), event.subject.as_deref()), ("e1", Some("42")));
    assert_eq!(event.kinds.len(), 2);
    assert!(event.kinds.contains(&Kind::UserUnlinked) && event.kinds.contains(&Kind::AccountDisabled));
}

#[test]
fn the_subject_stands_in_any_of_four_places() {
    let subject = json!({"subject_type": "iss-sub", "iss": KAKAO, "sub": "42"});
    let id = json!({"format": "iss_sub", "iss": KAKAO, "sub": "42"});
    for changes in [
        json!({}),
        json!({"sub": null, "sub_id": id}),
        json!({"sub": null, "events": {UNLINKED: {"subject": subject}}}),
        json!({"sub_id": id, "events": {UNLINKED: {"subject": subject}}}),
    ] {
        assert_eq!(judge_shared(changes.clone()).unwrap().subject.as_deref(), Some("42"), "{changes}");
    }
    let about_nobody =
        json!({"sub": null, "events": {UNLINKED: {"subject": {"subject_type": "email", "email": "a@b.co"}}}});
    assert_eq!(judge_shared(about_nobody).unwrap().subject, None);
}

#[test]
fn an_event_has_one_subject_and_it_is_the_issuers() {
    let subject = |iss: &str, sub: &str| json!({"events": {UNLINKED: {"subject": {"iss": iss, "sub": sub}}}});
    assert!(judge_shared(subject(KAKAO, "42")).is_ok());
    assert!(is_malformed(&judge_shared(subject(KAKAO, "43"))));
    assert!(is_malformed(&judge_shared(subject("https://evil.example", "42"))));
    assert!(is_malformed(&judge_shared(json!({"sub_id": {"iss": KAKAO, "sub": "43"}}))));
    assert!(is_malformed(&judge_shared(json!({"sub_id": {"iss": "https://evil.example", "sub": "42"}}))));
}

#[test]
fn an_event_is_for_us_and_from_the_pinned_issuer() {
    assert!(judge_shared(json!({"aud": ["other", "rest-api-key"]})).is_ok());
    for audience in [json!("other"), json!([]), json!(["other"])] {
        assert_eq!(judge_shared(json!({"aud": audience})), Err(EventError::Audience), "{audience}");
    }
    for issuer in ["https://kauth.kakao.com/", "https://evil.example"] {
        assert_eq!(judge_shared(json!({"iss": issuer})), Err(EventError::OtherIssuer(issuer.to_owned())));
    }
}

#[test]
fn an_event_is_of_this_day() {
    for (iat, is_accepted) in
        [(NOW + 30, true), (NOW + 31, false), (NOW - 86_430, true), (NOW - 86_431, false), (NOW * 1_000, false)]
    {
        assert_eq!(judge_shared(json!({"iat": iat})).is_ok(), is_accepted, "{iat}");
    }
    assert!(judge_shared(json!({"exp": NOW - 29})).is_ok());
    assert_eq!(judge_shared(json!({"exp": NOW - 30})), Err(EventError::Time));
}

#[test]
fn an_event_has_an_id_and_text_that_can_be_kept() {
    for unfit in [json!(""), json!("x".repeat(256)), json!("a\u{0}"), json!(1), Value::Null] {
        assert!(is_malformed(&judge_shared(json!({"jti": unfit}))), "{unfit}");
    }
    for unfit in [json!(""), json!("x".repeat(256)), json!("a\u{0}"), json!(1)] {
        assert!(is_malformed(&judge_shared(json!({"sub": unfit}))), "{unfit}");
    }
    assert!(judge_shared(json!({"jti": "x".repeat(255), "sub": "x".repeat(255)})).is_ok());
}

#[test]
fn events_of_another_form_are_refused() {
    for events in [
        json!({}),
        json!([]),
        json!([UNLINKED]),
        json!({UNLINKED: null}),
        json!({UNLINKED: []}),
        json!({UNLINKED: "x"}),
        json!("x"),
        json!(r#"{"type":"consent-revoked","sub":"42"}"#),
        Value::Null,
    ] {
        assert!(is_malformed(&judge_shared(json!({"events": events}))), "{events}");
    }
    let by_position = json!([KAKAO, "rest-api-key", NOW, NOW, "e1", "42", null, {UNLINKED: {}}]).to_string();
    for claims in [by_position.as_str(), "[]", "null", "", "x"] {
        assert!(Payload::read(claims.as_bytes()).is_err(), "{claims}");
    }
}

#[test]
fn events_are_known_by_their_uri() {
    let openid = |family: &str, name: &str| format!("https://schemas.openid.net/secevent/{family}/event-type/{name}");
    for (family, name, kind) in [
        ("oauth", "token-issued", Kind::TokenIssued),
        ("oauth", "token-revoked", Kind::TokenRevoked),
        ("oauth", "tokens-revoked", Kind::TokensRevoked),
        ("oauth", "user-linked", Kind::UserLinked),
        ("oauth", "user-unlinked", Kind::UserUnlinked),
        ("oauth", "user-scope-consent", Kind::ScopeConsented),
        ("oauth", "user-scope-withdraw", Kind::ScopeWithdrawn),
        ("risc", "account-disabled", Kind::AccountDisabled),
        ("risc", "account-enabled", Kind::AccountEnabled),
        ("risc", "account-purged", Kind::AccountPurged),
        ("risc", "account-credential-change-required", Kind::CredentialChangeRequired),
        ("risc", "credential-compromise", Kind::CredentialCompromised),
        ("risc", "identifier-changed", Kind::IdentifierChanged),
        ("risc", "identifier-recycled", Kind::IdentifierRecycled),
        ("risc", "sessions-revoked", Kind::SessionsRevoked),
        ("caep", "session-revoked", Kind::SessionRevoked),
        ("caep", "credential-change", Kind::CredentialChanged),
        ("caep", "assurance-level-change", Kind::AssuranceLevelChanged),
        ("risc", "verification", Kind::Verification),
        ("ssf", "verification", Kind::Verification),
    ] {
        assert_eq!(Kind::of_uri(&openid(family, name)), kind);
    }
    let changed = "https://schemas.kakao.com/platevent/kakao/event-type/user-profile-changed";
    assert_eq!(Kind::of_uri(changed), Kind::ProfileChanged);
    for other in
        [openid("oauth", "account-purged"), openid("risc", "new"), UNLINKED.replace("https", "http"), String::new()]
    {
        assert_eq!(Kind::of_uri(&other), Kind::Other(other.clone()));
    }
}

#[test]
fn apple_writes_its_events_as_text() {
    for (name, kind) in [
        ("consent-revoked", Kind::UserUnlinked),
        ("account-delete", Kind::AccountPurged),
        ("account-deleted", Kind::AccountPurged),
        ("email-enabled", Kind::EmailEnabled),
        ("email-disabled", Kind::EmailDisabled),
        ("new", Kind::Other("new".to_owned())),
    ] {
        let event = json!({"type": name, "sub": "001.ab", "event_time": 1_760_000_000_000_i64});
        for events in [event.clone(), json!([event])] {
            let event = judge(&apple(&events), Dialect::Apple).unwrap();
            assert_eq!((event.subject.as_deref(), event.kinds.as_slice()), (Some("001.ab"), [kind.clone()].as_slice()));
        }
    }
    for events in [json!([]), json!({}), json!({"type": 1}), json!("x"), json!({"sub": "001.ab"}), json!([1])] {
        assert!(is_malformed(&judge(&apple(&events), Dialect::Apple)), "{events}");
    }
    assert!(is_malformed(&judge(&good(), Dialect::Apple)));
}

#[tokio::test]
async fn an_event_is_believed_only_when_its_issuer_signed_it_as_one() {
    let (key, stranger) = (new_key(Algorithm::Rs256), new_key(Algorithm::Rs256));
    let stand_in = StandIn::start(&[&key]).await;
    let issuer = stand_in.issuer();
    let shared = with(json!({"iss": stand_in.name}));
    let mut from_apple = apple(&json!({"type": "consent-revoked", "sub": "42"}));
    from_apple["iss"] = json!(stand_in.name);
    let verify =
        async |token: String, dialect| SecurityEvent::verify(&token, &issuer, dialect, &client_ids(), now()).await;

    let event = verify(key.sign_other("secevent+jwt", &shared).unwrap(), Dialect::SharedSignals).await.unwrap();
    assert_eq!(event.kinds, [Kind::UserUnlinked]);
    let event = verify(key.sign_other("JWT", &from_apple).unwrap(), Dialect::Apple).await.unwrap();
    assert_eq!(event.kinds, [Kind::UserUnlinked]);

    let untyped = verify(key.sign_other("JWT", &shared).unwrap(), Dialect::SharedSignals).await.unwrap_err();
    assert_eq!(untyped.code(), Some("invalid_request"));
    let forged = stranger.sign_as(key.kid(), "secevent+jwt", &shared).unwrap();
    let forged = verify(forged, Dialect::SharedSignals).await.unwrap_err();
    assert_eq!(forged.code(), Some("invalid_key"));
}

#[tokio::test]
async fn a_sender_is_told_what_is_wrong_and_nothing_while_its_issuer_is_away() {
    let code = |changes: Value| judge_shared(changes).unwrap_err().code();
    assert_eq!(code(json!({"iss": "https://evil.example"})), Some("invalid_issuer"));
    assert_eq!(code(json!({"aud": "other"})), Some("invalid_audience"));
    assert_eq!(code(json!({"iat": 0})), Some("invalid_request"));
    assert_eq!(code(json!({"events": {}})), Some("invalid_request"));
    let key = new_key(Algorithm::EdDsa);
    let stand_in = StandIn::start(&[&key]).await;
    stand_in.fail();
    let token = key.sign_other("secevent+jwt", &good()).unwrap();
    let issuer = stand_in.issuer();
    let outcome = SecurityEvent::verify(&token, &issuer, Dialect::SharedSignals, &client_ids(), now()).await;
    assert_eq!(outcome.unwrap_err().code(), None);
}
