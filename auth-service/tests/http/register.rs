//! POST /api/v1/auth/register

use rstest::rstest;
use serde_json::json;

use crate::support::{Deployment, Engine, PASSWORD};

const REGISTER: &str = "/api/v1/auth/register";
/// The members of `User`, sorted.
pub const USER: [&str; 15] = [
    "avatar_url",
    "created_at",
    "display_name",
    "email",
    "email_verified",
    "id",
    "last_login_at",
    "locale",
    "mfa_enabled",
    "permissions",
    "phone",
    "roles",
    "status",
    "updated_at",
    "username",
];

#[rstest]
#[tokio::test]
async fn registering_answers_with_the_account(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let api = Deployment::new(engine).start().await;
    let body = json!({"email": "Kim@Example.com", "password": PASSWORD, "username": "Kim.Dal-rae_1", "display_name": " 김달래 ", "locale": "ko"});
    let answer = api.post(REGISTER, body).await;
    assert_eq!((answer.status, answer.header("location")), (201, "/api/v1/users/me"), "{answer:?}");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.members(), USER);
    let mut account = answer.body.clone();
    let id = account.as_object_mut().unwrap().remove("id").unwrap();
    assert_eq!(&id.as_str().unwrap()[14..15], "7", "a UUIDv7: {id}");
    let expected = json!({
        "email": "kim@example.com", "email_verified": false, "username": "Kim.Dal-rae_1", "display_name": "김달래",
        "phone": null, "avatar_url": null, "locale": "ko", "status": "active", "mfa_enabled": false,
        "roles": ["user"], "permissions": [], "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z", "last_login_at": null,
    });
    assert_eq!(account, expected);
}

#[rstest]
#[tokio::test]
async fn an_account_without_a_locale_speaks_the_language_of_its_request(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let api = Deployment::new(engine).start().await;
    assert_eq!(api.register("a@example.com").await.text("locale"), "en");
    let korean = api.with_header("accept-language", "ko-KR,ko;q=0.9,en;q=0.8");
    assert_eq!(korean.register("b@example.com").await.text("locale"), "ko");
}

#[rstest]
#[tokio::test]
async fn an_address_is_taken_in_every_spelling(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let api = Deployment::new(engine).start().await;
    assert_eq!(api.register("é@example.com").await.status, 201);
    for spelling in ["é@example.com", "É@EXAMPLE.com", "e\u{301}@example.com"] {
        let answer = api.register(spelling).await;
        assert_eq!((answer.status, answer.code()), (409, "email_taken"), "{spelling}: {answer:?}");
    }
}

#[rstest]
#[tokio::test]
async fn a_username_is_taken_in_any_case(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let api = Deployment::new(engine).start().await;
    let register = async |email: &str, username: &str| {
        api.post(REGISTER, json!({"email": email, "password": PASSWORD, "username": username})).await
    };
    assert_eq!(register("a@example.com", "TestUser").await.status, 201);
    let answer = register("b@example.com", "testuser").await;
    assert_eq!((answer.status, answer.code()), (409, "username_taken"), "{answer:?}");
    assert_eq!(register("b@example.com", "testuser2").await.status, 201, "the refusal left nothing behind");
}

#[rstest]
#[tokio::test]
async fn every_fault_is_reported_at_once(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let api = Deployment::new(engine).start().await;
    let body = json!({"email": "no address", "password": "short", "username": "-x", "display_name": "", "locale": "fr", "roles": ["admin"]});
    let answer = api.post(REGISTER, body).await;
    assert_eq!((answer.status, answer.code()), (422, "invalid_request"));
    let expected = [
        ("email", "invalid_email"),
        ("password", "too_short"),
        ("username", "invalid_username"),
        ("display_name", "empty"),
        ("locale", "invalid_locale"),
        ("roles", "unknown"),
    ];
    assert_eq!(answer.faults(), expected);
}

#[rstest]
#[tokio::test]
async fn a_guessable_password_is_explained_in_both_languages(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let api = Deployment::new(engine).start().await;
    let body = json!({"email": "gildong.hong@example.com", "password": "gildong.hong1"});
    let english = api.post(REGISTER, body.clone()).await;
    let korean = api.with_header("accept-language", "ko").post(REGISTER, body).await;
    for answer in [&english, &korean] {
        assert_eq!((answer.status, answer.code()), (422, "weak_password"), "{answer:?}");
        assert_eq!(answer.faults(), [("password", "guessable")]);
    }
    assert!(english.text("detail").is_ascii() && english.body["errors"][0]["detail"].as_str().unwrap().is_ascii());
    assert!(korean.text("detail").contains("비밀번호"));
    assert!(korean.body["errors"][0]["detail"].as_str().unwrap().contains("비밀번호"));
    assert_eq!((english.header("content-language"), korean.header("content-language")), ("en", "ko"));
}

#[rstest]
#[case("test@example.com", "TestPass123!", "testuser")]
#[case("prodtest@example.com", "SecurePass123!", "produser")]
#[tokio::test]
async fn the_accounts_of_the_deployment_guide_are_accepted(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
    #[case] email: &str,
    #[case] password: &str,
    #[case] username: &str,
) {
    let api = Deployment::new(engine).start().await;
    let body = json!({"email": email, "password": password, "username": username});
    assert_eq!(api.post(REGISTER, body).await.status, 201);
    assert_eq!(api.login(email, password).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn fifty_parallel_registrations_of_one_address_make_one_account(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    let calls = (0..50).map(|_| {
        let api = api.clone();
        tokio::spawn(async move { api.register("kim@example.com").await })
    });
    let mut made = 0;
    for call in calls.collect::<Vec<_>>() {
        let answer = call.await.unwrap();
        match answer.status {
            201 => made += 1,
            _ => assert_eq!((answer.status, answer.code()), (409, "email_taken"), "{answer:?}"),
        }
    }
    assert_eq!(made, 1);
    assert_eq!(deployment.number("SELECT COUNT(*) FROM users").await, 1);
    assert_eq!(deployment.number("SELECT COUNT(*) FROM user_roles").await, 1);
    assert_eq!(deployment.number("SELECT COUNT(*) FROM audit_logs WHERE event = 'user_registered'").await, 1);
}
