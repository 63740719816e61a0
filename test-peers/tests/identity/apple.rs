//! Apple.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use test_peers::{Apple, AppleBooleans, Consent, Reply, Visitor};

use super::{CALLBACK, CLIENT, claims_of, client, get, json, verified};

const NOW: i64 = 1_767_225_600;

fn apple() -> Apple {
    let apple = Apple::start(client()).unwrap();
    apple.set_now(NOW);
    apple
}

/// What an app proves itself by, with some claims changed.
fn secret(apple: &Apple, changes: &Value) -> String {
    let app = apple.app().unwrap();
    let mut claims = json!({"iss": app.team_id, "sub": CLIENT, "aud": apple.url(), "iat": NOW, "exp": NOW + 300});
    claims.as_object_mut().unwrap().extend(changes.as_object().cloned().unwrap_or_default());
    let header = Header { kid: Some(app.key_id), ..Header::new(Algorithm::ES256) };
    let key = EncodingKey::from_ec_pem(app.private_key.as_bytes()).unwrap();
    jsonwebtoken::encode(&header, &claims, &key).unwrap()
}

fn authorize(apple: &Apple, more: &str) -> Reply {
    let query = format!("client_id={CLIENT}&redirect_uri={CALLBACK}&state=s%22%3E&nonce=n&{more}");
    get(&format!("{}/auth/authorize?{query}", apple.url()))
}

fn form_post(apple: &Apple) -> Reply {
    authorize(apple, "response_type=code%20id_token&response_mode=form_post&scope=name%20email")
}

fn field(page: &Reply, name: &str) -> Option<String> {
    let (_, rest) = page.body.split_once(&format!("name=\"{name}\" value=\""))?;
    Some(rest.split_once('"')?.0.replace("&quot;", "\"").replace("&lt;", "<").replace("&amp;", "&"))
}

fn redeem(apple: &Apple, code: &str, secret: &str) -> Reply {
    let form = [
        ("client_id", CLIENT),
        ("client_secret", secret),
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
    ];
    Visitor::default().post(&format!("{}/auth/token", apple.url()), &form).unwrap()
}

#[test]
fn name_is_posted_with_the_code_the_first_time_only() {
    let apple = apple();
    let page = form_post(&apple);
    assert!(page.body.contains(&format!("<form method=\"post\" action=\"{CALLBACK}\">")), "{}", page.body);
    assert_eq!(field(&page, "state").as_deref(), Some("s\">"), "escaped and whole");
    let user: Value = serde_json::from_str(&field(&page, "user").unwrap()).unwrap();
    assert_eq!(user["name"], json!({"firstName": "Ada", "lastName": "Lovelace"}));
    assert_eq!(claims_of(&field(&page, "id_token").unwrap()).1["nonce"], "n");
    assert_eq!(field(&form_post(&apple), "user"), None);
    let refused = authorize(&apple, "response_type=code&scope=email");
    assert!(refused.status == 400 && refused.location().is_none(), "an address needs a form");
    assert!(authorize(&apple, "response_type=code").location_query("code").is_some());
    apple.set_consent(Consent::Deny);
    assert_eq!(field(&form_post(&apple), "error").as_deref(), Some("user_cancelled_authorize"));
}

#[test]
fn id_token_says_in_words_what_is_true() {
    let apple = apple();
    let set = json(&get(&format!("{}/auth/keys", apple.url())));
    let log_in = || {
        let code = field(&form_post(&apple), "code").unwrap();
        let tokens = json(&redeem(&apple, &code, &secret(&apple, &json!({}))));
        verified(tokens["id_token"].as_str().unwrap(), &set).1
    };
    let claims = log_in();
    assert_eq!((&claims["email_verified"], &claims["is_private_email"]), (&json!("true"), &json!("true")));
    assert_eq!((&claims["iss"], &claims["aud"], &claims["nonce"]), (&json!(apple.url()), &json!(CLIENT), &json!("n")));
    apple.set_booleans(AppleBooleans::Json);
    assert_eq!(log_in()["email_verified"], true);
    apple.sign_in(json!({"sub": "nameless"}));
    assert_eq!((log_in().get("email"), log_in().get("email_verified")), (None, None));
    let of_phone = apple.id_token("com.example.app", Some("hash")).unwrap();
    assert_eq!(verified(&of_phone, &set).1["aud"], "com.example.app");
}

#[test]
fn app_is_known_by_its_own_short_lived_signature() {
    let apple = apple();
    for changes in [
        json!({"exp": NOW + 15_777_001}),
        json!({"exp": NOW}),
        json!({"iss": "another team"}),
        json!({"sub": "another app"}),
        json!({"aud": "https://elsewhere.example"}),
    ] {
        let refused = redeem(&apple, "any", &secret(&apple, &changes));
        assert_eq!((refused.status, json(&refused)), (400, json!({"error": "invalid_client"})), "{changes}");
    }
    let forged = secret(&self::apple(), &json!({"aud": apple.url()}));
    assert_eq!(json(&redeem(&apple, "any", &forged))["error"], "invalid_client", "by another key");
    let known = redeem(&apple, "any", &secret(&apple, &json!({})));
    assert_eq!(json(&known)["error"], "invalid_grant", "only the code is wrong");
}

#[test]
fn revoked_consent_is_asked_for_anew_with_the_name() {
    let apple = apple();
    let code = field(&form_post(&apple), "code").unwrap();
    let secret = secret(&apple, &json!({}));
    let tokens = json(&redeem(&apple, &code, &secret));
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let form = [
        ("client_id", CLIENT),
        ("client_secret", &secret),
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh),
    ];
    let ask = || Visitor::default().post(&format!("{}/auth/token", apple.url()), &form).unwrap().status;
    assert_eq!(ask(), 200);
    let form = [("client_id", CLIENT), ("client_secret", &secret), ("token", refresh)];
    assert_eq!(Visitor::default().post(&format!("{}/auth/revoke", apple.url()), &form).unwrap().status, 200);
    assert_eq!(ask(), 400);
    assert!(field(&form_post(&apple), "user").is_some());
}

#[test]
fn notifications_carry_their_event_as_a_text() {
    let apple = apple();
    let body: Value = serde_json::from_str(&apple.notification("consent-revoked", "001").unwrap()).unwrap();
    let set = json(&get(&format!("{}/auth/keys", apple.url())));
    let (_, claims) = verified(body["payload"].as_str().unwrap(), &set);
    let event: Value = serde_json::from_str(claims["events"].as_str().unwrap()).unwrap();
    assert_eq!((&event["type"], &event["sub"]), (&json!("consent-revoked"), &json!("001")));
}
