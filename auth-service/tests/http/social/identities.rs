//! Who somebody is: a subject of an issuer, and never an address.

use rstest::rstest;
use serde_json::{Value, json};
use sqlx::{Connection, Executor, PgConnection};

use super::support::{World, at_kakao};
use crate::support::Engine;

const EMAIL: &str = "kim@example.com";

#[rstest]
#[tokio::test]
async fn the_same_subject_at_another_issuer_is_another_person(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    world.kakao.sign_in(json!({"id": 7}));
    world.acme.sign_in(json!({"id": 7}));
    world.naver.sign_in(json!({"id": "7"}));
    let mut ids = Vec::new();
    for provider in ["kakao", "acme", "naver", "kakao", "acme", "naver"] {
        let answer = world.log_in(provider).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        ids.push(world.me(&answer).await["id"].clone());
    }
    assert_eq!(ids[..3], ids[3..], "each comes back to their own account");
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2], "{ids:?}");
}

fn with(email: &str, is_valid: &Value, is_verified: &Value) -> Value {
    json!({"id": 7, "kakao_account": {"email": email, "is_email_valid": is_valid, "is_email_verified": is_verified}})
}

#[rstest]
#[tokio::test]
async fn an_address_that_the_provider_does_not_vouch_for_finds_no_account_and_becomes_none(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    world.api.person(EMAIL).await;
    let owner = world.api.person("lee@example.com").await;
    world.deployment.change("UPDATE users SET email_verified_at = created_at WHERE email = 'lee@example.com'").await;
    world.naver.sign_in(json!({"id": "n", "email": EMAIL}));
    world.acme.sign_in(with(EMAIL, &json!(true), &json!(true)));
    for email in [EMAIL, "lee@example.com"] {
        world.kakao.sign_in(with(email, &json!(false), &json!(true)));
        world.naver.sign_in(json!({"id": "n", "email": email}));
        // An ID token of Kakao's holds an address, and not a word on whether it is verified.
        world.acme.sign_in(with(email, &json!(true), &json!(true)));
        for provider in ["kakao", "naver", "acme"] {
            let answer = world.log_in(provider).await;
            assert_eq!((answer.status, &answer.body["status"]), (200, &json!(null)), "{answer:?}");
            let me = world.me(&answer).await;
            assert_eq!((&me["email"], &me["email_verified"]), (&json!(null), &json!(false)), "{provider}");
        }
    }
    for (valid, verified) in [(json!(true), json!(false)), (json!(null), json!(true)), (json!(1), json!("yes"))] {
        world.kakao.sign_in(with(EMAIL, &valid, &verified));
        let answer = world.log_in("kakao").await;
        assert_eq!(world.me(&answer).await["email"], json!(null), "{valid} {verified}");
    }
    for email in [EMAIL, "lee@example.com"] {
        let answer = world.api.login(email, crate::support::PASSWORD).await;
        assert_eq!(answer.status, 200, "whose account it is lost nothing");
        assert_eq!(world.identities(&answer.text("access_token")).await, [] as [Value; 0]);
    }
    assert_eq!(world.api.me(&owner.access).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn a_word_on_one_address_is_none_on_another(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let world = World::new(engine).await;
    // The ID token says that an address is verified, and not which; the address is said elsewhere, and is not.
    world.acme.change_id_tokens(&json!({"email": null, "email_verified": true}));
    for (id, is_verified, address) in [(1, false, json!(null)), (2, true, json!(EMAIL))] {
        let mut person = with(EMAIL, &json!(true), &json!(is_verified));
        person["id"] = json!(id);
        world.acme.sign_in(person);
        let answer = world.log_in("acme").await;
        assert_eq!(world.identities(&answer.text("access_token")).await[0]["email_verified"], is_verified);
        assert_eq!(world.me(&answer).await["email"], address);
    }
}

#[rstest]
#[tokio::test]
async fn fifty_first_logins_of_one_person_make_one_account(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
    #[values(true, false)] has_address: bool,
) {
    let world = World::new(engine).await;
    world.kakao.sign_in(if has_address { at_kakao(7, EMAIL) } else { json!({"id": 7}) });
    let mut codes = Vec::new();
    for _ in 0..50 {
        codes.push(world.code("kakao").await);
    }
    let calls = codes.into_iter().map(|code| {
        let api = world.api.clone();
        let body = json!({"code": code, "code_verifier": super::support::VERIFIER});
        tokio::spawn(async move { api.post("/api/v1/oauth/exchange", body).await })
    });
    for call in calls.collect::<Vec<_>>() {
        let answer = call.await.unwrap();
        assert!(answer.status == 200 && answer.body["access_token"].is_string(), "{answer:?}");
    }
    for table in ["users", "oauth_accounts"] {
        assert_eq!(world.deployment.number(&format!("SELECT COUNT(*) FROM {table}")).await, 1, "{table}");
    }
}

#[tokio::test]
async fn a_first_login_that_overlaps_another_is_no_strangers() {
    let world = World::new(Engine::Postgres).await;
    world.kakao.sign_in(at_kakao(7, EMAIL));
    assert_eq!(world.log_in("kakao").await.status, 200);
    let code = world.code("kakao").await;
    // The other login is not committed when the identity is looked for, and is when the address is.
    world.deployment.change("UPDATE oauth_accounts SET linked_at = NULL").await;
    let mut other = PgConnection::connect(world.deployment.get("DB_PRIMARY_DB_URL")).await.unwrap();
    other.execute("BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let (api, body) = (world.api.clone(), json!({"code": code, "code_verifier": super::support::VERIFIER}));
    let login = tokio::spawn(async move { api.post("/api/v1/oauth/exchange", body).await });
    world.deployment.waits_for_a_lock(|| login.is_finished()).await;
    other.execute("UPDATE oauth_accounts SET linked_at = created_at; COMMIT").await.unwrap();
    let answer = login.await.unwrap();
    assert!(answer.status == 200 && answer.body["access_token"].is_string(), "{answer:?}");
}

#[rstest]
#[tokio::test]
async fn what_cannot_be_kept_of_a_profile_keeps_nobody_out(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let world = World::new(engine).await;
    // Else the ID token would be too long to be looked at.
    world.kakao.enable_scopes(&["account_email"]);
    let long = "가".repeat(100_000);
    for (id, email, name) in [(1, "kim\0@example.com", "a\0b"), (2, long.as_str(), long.as_str())] {
        let account = json!({
            "email": email, "is_email_valid": true, "is_email_verified": true, "profile": {"nickname": name},
        });
        world.kakao.sign_in(json!({"id": id, "kakao_account": account}));
        for _ in 0..2 {
            let answer = world.log_in("kakao").await;
            assert_eq!(answer.status, 200, "{answer:?}");
            assert_eq!(world.me(&answer).await["email"], json!(null));
        }
    }
    for id in ["n\0", &long] {
        world.naver.sign_in(json!({ "id": id }));
        let (_, reply) = world.go(test_peers::Visitor::default(), &world.authorize_url("naver")).await;
        assert_eq!(reply.location_query("error").as_deref(), Some("server_error"), "{reply:?}");
    }
}
