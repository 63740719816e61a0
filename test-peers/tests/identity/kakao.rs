//! Kakao.

use serde_json::{Value, json};
use test_peers::{Consent, Kakao, Reply, Visitor};

use super::{CALLBACK, CHALLENGE, CLIENT, SECRET, VERIFIER, client, get, get_as, json, verified};

fn kakao() -> Kakao {
    Kakao::start(client()).unwrap()
}

fn authorize(kakao: &Kakao, more: &str) -> Reply {
    let query = format!("client_id={CLIENT}&redirect_uri={CALLBACK}&response_type=code&state=s&{more}");
    get(&format!("{}/oauth/authorize?{query}", kakao.url()))
}

fn token(kakao: &Kakao, more: &[(&str, &str)]) -> Reply {
    let mut form = vec![("client_id", CLIENT), ("client_secret", SECRET), ("redirect_uri", CALLBACK)];
    form.extend(more);
    Visitor::default().post(&format!("{}/oauth/token", kakao.url()), &form).unwrap()
}

fn redeem(kakao: &Kakao, code: &str) -> Reply {
    token(kakao, &[("grant_type", "authorization_code"), ("code", code)])
}

fn refresh(kakao: &Kakao, token_of: &Value) -> Reply {
    let refresh = token_of["refresh_token"].as_str().unwrap();
    token(kakao, &[("grant_type", "refresh_token"), ("refresh_token", refresh)])
}

fn log_in(kakao: &Kakao, more: &str) -> Value {
    let code = authorize(kakao, more).location_query("code").unwrap();
    json(&redeem(kakao, &code))
}

fn me(kakao: &Kakao, tokens: &Value) -> Reply {
    get_as(&format!("{}/v2/user/me", kakao.url()), "Bearer", tokens["access_token"].as_str().unwrap())
}

fn unlink(kakao: &Kakao, key: &str, id: &str) -> Reply {
    let headers =
        [("Authorization", format!("KakaoAK {key}")), ("Content-Type", "application/x-www-form-urlencoded".to_owned())];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    let body = format!("target_id_type=user_id&target_id={id}");
    Visitor::default().send("POST", &format!("{}/v1/user/unlink", kakao.url()), &headers, &body).unwrap()
}

#[test]
fn person_is_described_with_an_id_no_float_can_hold() {
    let kakao = kakao();
    let tokens = log_in(&kakao, "");
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("bearer"), &json!(21_599)));
    let person = me(&kakao, &tokens);
    assert!(person.body.contains("\"id\":9007199254740993,") || person.body.contains("\"id\":9007199254740993}"));
    assert_eq!(json(&person)["kakao_account"]["is_email_verified"], true);
    kakao.sign_in(json!({"id": 5, "kakao_account": {}}));
    let tokens = log_in(&kakao, "scope=profile_nickname");
    assert_eq!(json(&me(&kakao, &tokens))["kakao_account"], json!({}));
    assert_eq!(tokens.get("id_token"), None, "openid was not asked for");
    assert_eq!(kakao.requests_to("/oauth/authorize").len(), 2);
    assert_eq!(kakao.requests_to("/oauth/token")[1].form("grant_type").as_deref(), Some("authorization_code"));
}

#[test]
fn refusals_come_in_the_documented_forms() {
    let kakao = kakao();
    let wrong_address = authorize(&kakao, "").url.as_str().replace("/callback", "/elsewhere");
    let page = get(&wrong_address);
    assert!(page.status == 400 && page.location().is_none() && page.body.contains("KOE006"), "no open redirector");
    kakao.enable_scopes(&["openid"]);
    let refused = authorize(&kakao, "scope=openid,account_email");
    assert_eq!(refused.location_query("error").as_deref(), Some("invalid_scope"));
    kakao.set_consent(Consent::Deny);
    let refused = authorize(&kakao, "");
    assert_eq!(refused.location_query("error").as_deref(), Some("access_denied"));
    assert_eq!(refused.location_query("error_description").as_deref(), Some("User denied access"));
    assert_eq!(refused.location_query("state").as_deref(), Some("s"));
    let wrong_secret = token(&kakao, &[]).url;
    let form = [("client_id", CLIENT), ("client_secret", "guess"), ("grant_type", "authorization_code")];
    let refused = Visitor::default().post(wrong_secret.as_str(), &form).unwrap();
    assert_eq!((refused.status, json(&refused)["error_code"].as_str()), (401, Some("KOE010")));
    let unknown = get_as(&format!("{}/v2/user/me", kakao.url()), "Bearer", "guess");
    assert_eq!((unknown.status, json(&unknown)["code"].as_i64()), (401, Some(-401)));
}

#[test]
fn code_is_good_once_and_for_its_verifier() {
    let kakao = kakao();
    let proof = format!("code_challenge={CHALLENGE}&code_challenge_method=S256");
    let code = authorize(&kakao, &proof).location_query("code").unwrap();
    let form = [("grant_type", "authorization_code"), ("code", code.as_str()), ("code_verifier", VERIFIER)];
    assert_eq!(token(&kakao, &form).status, 200);
    let again = json(&token(&kakao, &form));
    assert_eq!(
        again,
        json!({"error": "invalid_grant", "error_code": "KOE320",
            "error_description": format!("authorization code not found for code={code}")})
    );
    let code = authorize(&kakao, &proof).location_query("code").unwrap();
    assert_eq!(redeem(&kakao, &code).status, 400, "without the verifier");
}

#[test]
fn refresh_token_is_replaced_in_its_last_month_only() {
    let kakao = kakao();
    kakao.set_now(1_000_000);
    let tokens = log_in(&kakao, "");
    assert_eq!(json(&refresh(&kakao, &tokens)).get("refresh_token"), None);
    kakao.set_now(1_000_000 + 31 * 86_400);
    assert_eq!(me(&kakao, &tokens).status, 401, "the access token has ended");
    let replaced = json(&refresh(&kakao, &tokens));
    assert_ne!(replaced["refresh_token"], tokens["refresh_token"]);
    assert_eq!(json(&refresh(&kakao, &tokens))["error_code"], "KOE322");
    assert_eq!(refresh(&kakao, &replaced).status, 200);
}

#[test]
fn id_tokens_are_signed_by_the_published_key() {
    let kakao = kakao();
    let discovery = json(&get(&format!("{}/.well-known/openid-configuration", kakao.url())));
    assert_eq!(discovery["issuer"], kakao.url());
    let set = || json(&get(discovery["jwks_uri"].as_str().unwrap()));
    kakao.set_now(1_767_225_600);
    let tokens = log_in(&kakao, "scope=openid%20account_email&nonce=n");
    let (header, claims) = verified(tokens["id_token"].as_str().unwrap(), &set());
    assert_eq!(header["alg"], "RS256");
    assert_eq!((&claims["sub"], &claims["nonce"]), (&json!("9007199254740993"), &json!("n")));
    assert_eq!((&claims["iat"], &claims["aud"]), (&json!(1_767_225_600), &json!(CLIENT)));
    assert_eq!(claims.get("email_verified"), None);
    let old = header["kid"].clone();
    kakao.rotate_key();
    kakao.change_id_tokens(&json!({"aud": "another app", "nonce": null}));
    let tokens = log_in(&kakao, "scope=openid&nonce=n");
    let (header, claims) = verified(tokens["id_token"].as_str().unwrap(), &set());
    assert_ne!(header["kid"], old);
    assert_eq!((&claims["aud"], claims.get("nonce")), (&json!("another app"), None));
}

#[test]
fn unlinking_ends_the_tokens_of_one_person() {
    let kakao = kakao();
    let tokens = log_in(&kakao, "");
    assert_eq!(unlink(&kakao, "guess", "9007199254740993").status, 401);
    assert_eq!(unlink(&kakao, kakao.admin_key(), "4").status, 400, "nobody's");
    assert_eq!(me(&kakao, &tokens).status, 200);
    let ended = unlink(&kakao, kakao.admin_key(), "9007199254740993");
    assert_eq!(json(&ended), json!({"id": 9_007_199_254_740_993_u64}));
    assert_eq!(me(&kakao, &tokens).status, 401);
}

#[test]
fn webhooks_are_authentic() {
    let kakao = kakao();
    let unlinked = kakao.unlink_webhook(7, "UNLINK_FROM_APPS");
    assert_eq!(unlinked.body, format!("app_id={}&user_id=7&referrer_type=UNLINK_FROM_APPS", kakao.app_id()));
    assert!(unlinked.headers.contains(&("authorization", format!("KakaoAK {}", kakao.admin_key()))));
    let kind = "https://schemas.openid.net/secevent/risc/event-type/account-disabled";
    let event = kakao.security_event(kind, 7).unwrap();
    let set = json(&get(&format!("{}/.well-known/jwks.json", kakao.url())));
    let (header, claims) = verified(&event.body, &set);
    assert_eq!(header["typ"], "secevent+jwt");
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!(kakao.url()), &json!(CLIENT)));
    assert_eq!(claims["events"][kind]["subject"]["sub"], "7");
}
