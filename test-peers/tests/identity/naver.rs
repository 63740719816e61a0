//! Naver.

use serde_json::{Value, json};
use test_peers::{Consent, Naver, Reply, Visitor};

use super::{CALLBACK, CLIENT, SECRET, client, get, get_as, json};

fn authorize(naver: &Naver) -> Reply {
    let query = format!("response_type=code&client_id={CLIENT}&redirect_uri={CALLBACK}&state=s");
    get(&format!("{}/oauth2.0/authorize?{query}", naver.url()))
}

fn token(naver: &Naver, more: &[(&str, &str)]) -> Reply {
    let mut form = vec![("client_id", CLIENT), ("client_secret", SECRET)];
    form.extend(more);
    Visitor::default().post(&format!("{}/oauth2.0/token", naver.url()), &form).unwrap()
}

fn me(naver: &Naver, tokens: &Value) -> Reply {
    get_as(&format!("{}/v1/nid/me", naver.url()), "Bearer", tokens["access_token"].as_str().unwrap())
}

#[test]
fn person_is_described_to_whoever_has_a_token() {
    let naver = Naver::start(client()).unwrap();
    naver.sign_in(json!({"id": "n1"}));
    let code = authorize(&naver).location_query("code").unwrap();
    let form = [("grant_type", "authorization_code"), ("code", code.as_str()), ("state", "s")];
    let tokens = json(&token(&naver, &form));
    assert_eq!(tokens["expires_in"], "3600", "a string");
    assert_eq!(json(&me(&naver, &tokens)), json!({"resultcode": "00", "message": "success", "response": {"id": "n1"}}));
    let spent = token(&naver, &form);
    assert_eq!((spent.status, json(&spent)["error"].as_str()), (200, Some("invalid_request")));
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", tokens["refresh_token"].as_str().unwrap())];
    let fresh = json(&token(&naver, &refresh));
    assert_eq!((me(&naver, &fresh).status, fresh.get("refresh_token")), (200, None));
}

#[test]
fn refusals_have_the_status_of_success() {
    let naver = Naver::start(client()).unwrap();
    let url =
        format!("{}/oauth2.0/token?grant_type=authorization_code&client_id={CLIENT}&client_secret=guess", naver.url());
    let refused = get(&url);
    assert_eq!((refused.status, json(&refused)["error"].as_str()), (200, Some("invalid_client")));
    naver.set_consent(Consent::Deny);
    assert_eq!(authorize(&naver).location_query("error").as_deref(), Some("access_denied"));
    let unknown = me(&naver, &json!({"access_token": "guess"}));
    assert_eq!((unknown.status, json(&unknown)["resultcode"].as_str()), (401, Some("024")));
}

#[test]
fn deleted_token_is_good_no_more() {
    let naver = Naver::start(client()).unwrap();
    let code = authorize(&naver).location_query("code").unwrap();
    let tokens = json(&token(&naver, &[("grant_type", "authorization_code"), ("code", &code), ("state", "s")]));
    let deletion = [
        ("grant_type", "delete"),
        ("access_token", tokens["access_token"].as_str().unwrap()),
        ("service_provider", "NAVER"),
    ];
    assert_eq!(json(&token(&naver, &deletion))["result"], "success");
    assert_eq!(me(&naver, &tokens).status, 401);
}
