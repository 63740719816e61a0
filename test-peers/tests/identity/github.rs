//! GitHub.

use data_encoding::BASE64;
use serde_json::{Value, json};
use test_peers::{Consent, GitHub, Reply, Visitor};

use super::{CALLBACK, CHALLENGE, CLIENT, SECRET, VERIFIER, client, get, get_as, json};

fn authorize(github: &GitHub, more: &str) -> Reply {
    get(&format!("{}/login/oauth/authorize?client_id={CLIENT}&state=s&{more}", github.url()))
}

fn redeem(github: &GitHub, form: &[(&str, &str)]) -> Value {
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.extend_pairs([("client_id", CLIENT), ("client_secret", SECRET)]).extend_pairs(form);
    let url = format!("{}/login/oauth/access_token", github.url());
    let reply = Visitor::default().send("POST", &url, &[("Accept", "application/json")], &body.finish()).unwrap();
    assert_eq!(reply.status, 200, "whatever it says");
    json(&reply)
}

fn log_in(github: &GitHub, scope: &str) -> String {
    let code = authorize(github, &format!("scope={scope}")).location_query("code").unwrap();
    redeem(github, &[("code", &code)])["access_token"].as_str().unwrap().to_owned()
}

#[test]
fn person_and_addresses_are_told_as_far_as_the_scope_goes() {
    let github = GitHub::start(client()).unwrap();
    let token = log_in(&github, "read:user%20user:email");
    let user = json(&get_as(&format!("{}/user", github.url()), "Bearer", &token));
    assert_eq!((&user["id"], &user["email"]), (&json!(583_231), &Value::Null));
    let emails = json(&get_as(&format!("{}/user/emails", github.url()), "Bearer", &token));
    assert_eq!((&emails[0]["primary"], &emails[0]["verified"]), (&json!(true), &json!(true)));
    github.sign_in(json!({"id": 1, "login": "a"}), json!([]));
    let token = log_in(&github, "");
    assert_eq!(get_as(&format!("{}/user", github.url()), "token", &token).status, 200);
    assert_eq!(get_as(&format!("{}/user/emails", github.url()), "Bearer", &token).status, 404, "no scope");
    assert_eq!(get_as(&format!("{}/user", github.url()), "Bearer", "guess").status, 401);
    assert_eq!(get(&format!("{}/user", github.url())).status, 403, "no User-Agent");
}

#[test]
fn refusals_are_forms_unless_json_is_asked_for() {
    let github = GitHub::start(client()).unwrap();
    let url = format!("{}/login/oauth/access_token", github.url());
    let form = [("client_id", CLIENT), ("client_secret", "guess"), ("code", "guess")];
    let refused = Visitor::default().post(&url, &form).unwrap();
    assert!(refused.status == 200 && refused.body.starts_with("error=incorrect_client_credentials&"), "{refused:?}");
    assert_eq!(redeem(&github, &[("code", "guess")])["error"], "bad_verification_code");
    let code = authorize(&github, "").location_query("code").unwrap();
    let elsewhere = redeem(&github, &[("code", &code), ("redirect_uri", "https://elsewhere.example/")]);
    assert_eq!(elsewhere["error"], "redirect_uri_mismatch");
    let refused = authorize(&github, "redirect_uri=https://elsewhere.example/");
    assert!(refused.location().unwrap().starts_with(&format!("{CALLBACK}?error=redirect_uri_mismatch")));
    github.set_consent(Consent::Deny);
    assert_eq!(authorize(&github, "").location_query("error").as_deref(), Some("access_denied"));
}

#[test]
fn code_is_good_once_and_for_its_verifier() {
    let github = GitHub::start(client()).unwrap();
    let proof = format!("code_challenge={CHALLENGE}&code_challenge_method=S256");
    let code = || authorize(&github, &proof).location_query("code").unwrap();
    assert_eq!(redeem(&github, &[("code", &code())])["error"], "bad_verification_code");
    let code = code();
    let form = [("code", code.as_str()), ("code_verifier", VERIFIER)];
    assert!(redeem(&github, &form)["access_token"].as_str().unwrap().starts_with("gho_"));
    assert_eq!(redeem(&github, &form)["error"], "bad_verification_code");
}

#[test]
fn app_ends_what_a_person_has_granted() {
    let github = GitHub::start(client()).unwrap();
    let token = log_in(&github, "");
    let url = format!("{}/applications/{CLIENT}/grant", github.url());
    let body = json!({"access_token": token}).to_string();
    let delete = |secret: &str| {
        let authorization = format!("Basic {}", BASE64.encode(format!("{CLIENT}:{secret}").as_bytes()));
        let headers = [("Authorization", authorization.as_str())];
        Visitor::default().send("DELETE", &url, &headers, &body).unwrap().status
    };
    assert_eq!((delete("guess"), delete(SECRET), delete(SECRET)), (404, 204, 422));
    assert_eq!(get_as(&format!("{}/user", github.url()), "Bearer", &token).status, 401);
}
