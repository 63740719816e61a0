//! POST /api/v1/auth/login

use data_encoding::BASE64URL_NOPAD;
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Answer, Deployment, Engine, Instance, PASSWORD};

const LOGIN: &str = "/api/v1/auth/login";

async fn register_with_username(api: &Instance) {
    let body = json!({"email": "kim@example.com", "password": PASSWORD, "username": "TestUser"});
    assert_eq!(api.post("/api/v1/auth/register", body).await.status, 201);
}

#[rstest]
#[tokio::test]
async fn a_person_logs_in_by_address_or_name_in_any_case(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let api = Deployment::new(engine).start().await;
    register_with_username(&api).await;
    for (member, value) in
        [("email", "kim@example.com"), ("email", "KIM@Example.COM"), ("username", "TestUser"), ("username", "tESTuSER")]
    {
        let answer = api.post(LOGIN, json!({member: value, "password": PASSWORD})).await;
        assert_eq!(answer.status, 200, "{value}: {answer:?}");
    }
}

#[rstest]
#[tokio::test]
async fn a_login_names_exactly_one_account(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let api = Deployment::new(engine).start().await;
    let neither = api.post(LOGIN, json!({"password": PASSWORD})).await;
    assert_eq!((neither.status, neither.faults()), (422, vec![("email", "required")]));
    let both = api.post(LOGIN, json!({"email": "a@b.co", "username": "abc", "password": PASSWORD})).await;
    assert_eq!((both.status, both.faults()), (422, vec![("username", "conflict")]));
}

#[rstest]
#[tokio::test]
async fn a_token_set_is_as_documented(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let api = Deployment::new(engine).start().await;
    register_with_username(&api).await;
    let answer = api.login("kim@example.com", PASSWORD).await;
    let members = ["access_token", "expires_in", "refresh_expires_in", "refresh_token", "session_id", "token_type"];
    assert_eq!(answer.members(), members);
    assert_eq!(answer.body["token_type"], "Bearer");
    assert_eq!(answer.body["expires_in"], 1_800);
    assert_eq!(answer.body["refresh_expires_in"], 604_800);
    assert_eq!(BASE64URL_NOPAD.decode(answer.text("refresh_token").as_bytes()).unwrap().len(), 32);
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[rstest]
#[tokio::test]
async fn an_access_token_says_what_is_documented_and_nothing_more(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let api = Deployment::new(engine).start().await;
    register_with_username(&api).await;
    let answer = api.login("kim@example.com", PASSWORD).await;
    let token = answer.text("access_token");
    let (header, claims) = (part(&token, 0), part(&token, 1));
    let keys = api.get("/.well-known/jwks.json").await;
    assert_eq!(header, json!({"alg": "RS256", "typ": "at+jwt", "kid": keys.body["keys"][0]["kid"]}));
    let me = api.me(&token).await;
    let issued = 1_767_225_600;
    let expected = json!({
        "iss": "auth-system", "aud": "auth-system", "sub": me.body["id"], "sid": answer.body["session_id"],
        "iat": issued, "exp": issued + 1_800, "auth_time": issued, "jti": claims["jti"],
        "ver": 1, "rv": 1, "roles": ["user"], "permissions": [], "amr": ["pwd"],
    });
    assert_eq!(claims, expected);
    assert_ne!(claims["jti"], Value::Null);
}

/// What is left of an answer when its id is taken away.
fn shape(answer: &Answer) -> (u16, Value, Vec<String>) {
    let mut body = answer.body.clone();
    body.as_object_mut().unwrap().remove("request_id");
    let mut headers: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
    headers.sort_unstable();
    (answer.status, body, headers)
}

#[rstest]
#[tokio::test]
async fn every_refusal_is_the_same_answer(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    for name in ["wrong", "disabled", "deleted", "locked", "without-password"] {
        assert_eq!(api.register(&format!("{name}@example.com")).await.status, 201);
    }
    for change in [
        "UPDATE users SET status = 'disabled' WHERE email = 'disabled@example.com'",
        "UPDATE users SET deleted_at = created_at WHERE email = 'deleted@example.com'",
        "UPDATE users SET password_hash = NULL WHERE email = 'without-password@example.com'",
    ] {
        assert_eq!(deployment.change(change).await, 1);
    }
    for _ in 0..5 {
        assert_eq!(api.login("locked@example.com", "wrong").await.status, 401);
    }
    let unknown = api.login("unknown@example.com", PASSWORD).await;
    assert_eq!((unknown.status, unknown.code()), (401, "invalid_credentials"));
    assert_eq!(unknown.header("www-authenticate"), "");
    assert_eq!(shape(&api.login("wrong@example.com", "wrong").await), shape(&unknown));
    for name in ["disabled", "deleted", "locked", "without-password"] {
        let refused = api.login(&format!("{name}@example.com"), PASSWORD).await;
        assert_eq!(shape(&refused), shape(&unknown), "{name}");
    }
    let by_name = api.post(LOGIN, json!({"username": "unknown", "password": PASSWORD})).await;
    assert_eq!(shape(&by_name), shape(&unknown));
}

#[rstest]
#[tokio::test]
async fn a_device_is_handed_its_token_once(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let api = Deployment::new(engine).start().await;
    register_with_username(&api).await;
    let first = api.login("kim@example.com", PASSWORD).await;
    let (token, cookie) = (first.header("x-device-token"), first.header("set-cookie"));
    let attributes = "; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=15552000";
    assert_eq!(cookie, format!("__Host-device={token}{attributes}"));
    for (name, value) in [("x-device-token", token), ("cookie", &format!("a=b; __Host-device={token}"))] {
        let again = api.with_header(name, value).login("kim@example.com", PASSWORD).await;
        assert_eq!(again.status, 200);
        assert_eq!((again.header("x-device-token"), again.header("set-cookie")), ("", ""), "{name}");
    }
    let other = api.with_header("x-device-token", &"A".repeat(43)).login("kim@example.com", PASSWORD).await;
    assert_ne!(other.header("x-device-token"), "", "a token that we never made counts for nothing");
}

#[rstest]
#[tokio::test]
async fn logins_are_kept_in_the_history_and_in_the_audit_log(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await.with_header("user-agent", "test/1.0").with_header("x-request-id", "the-request");
    register_with_username(&api).await;
    assert_eq!(api.login("kim@example.com", PASSWORD).await.status, 200);
    assert_eq!(api.login("kim@example.com", "wrong").await.status, 401);
    assert_eq!(api.login("history-of-nobody@example.com", "wrong").await.status, 401);
    let own = "ip_address = '127.0.0.1' AND user_agent = 'test/1.0'";
    let count = async |table: &str, condition: &str| {
        deployment.number(&format!("SELECT COUNT(*) FROM {table} WHERE {condition} AND {own}")).await
    };
    assert_eq!(count("login_histories", "outcome = 'logged_in' AND session_id IS NOT NULL").await, 1);
    assert_eq!(count("login_histories", "outcome = 'refused' AND session_id IS NULL").await, 1);
    let audited = async |event: &str, condition: &str| {
        count("audit_logs", &format!("event = '{event}' AND request_id = 'the-request' AND {condition}")).await
    };
    assert_eq!(audited("logged_in", "outcome = 'done' AND details LIKE '%session_id%'").await, 1);
    assert_eq!(audited("login_failed", "outcome = 'refused' AND target_id IS NOT NULL").await, 1);
    assert_eq!(audited("login_failed", "outcome = 'refused' AND target_id IS NULL").await, 1);
    assert_eq!(deployment.number("SELECT COUNT(*) FROM users WHERE last_login_at IS NOT NULL").await, 1);
}

#[rstest]
#[tokio::test]
async fn a_foreign_hash_is_replaced_at_the_first_login(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    register_with_username(&api).await;
    let foreign = bcrypt::hash(PASSWORD, 5).unwrap();
    assert_eq!(deployment.change(&format!("UPDATE users SET password_hash = '{foreign}'")).await, 1);
    assert_eq!(api.login("kim@example.com", "wrong").await.status, 401);
    let stored = async || deployment.column::<String>("SELECT password_hash FROM users").await.remove(0);
    assert_eq!(stored().await, foreign, "a wrong password changes nothing");
    assert_eq!(api.login("kim@example.com", PASSWORD).await.status, 200);
    assert!(stored().await.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    assert_eq!(api.login("kim@example.com", PASSWORD).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn logins_at_once_may_all_replace_a_foreign_hash(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    register_with_username(&api).await;
    let foreign = bcrypt::hash(PASSWORD, 5).unwrap();
    assert_eq!(deployment.change(&format!("UPDATE users SET password_hash = '{foreign}'")).await, 1);
    let login = || api.login("kim@example.com", PASSWORD);
    let answers = tokio::join!(login(), login(), login(), login());
    for answer in [answers.0, answers.1, answers.2, answers.3] {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap()
}
