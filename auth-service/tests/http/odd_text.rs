//! Text that databases, hashes and logs are known to stumble over.

use rstest::rstest;
use serde_json::json;

use crate::{
    bad_input::{ROUTES, Route, logged_in},
    support::{Deployment, Engine, PASSWORD},
};

#[rstest]
#[tokio::test]
async fn no_text_is_too_odd_to_be_answered(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let api = logged_in(engine).await;
    let long = "a".repeat(60_000);
    let texts = [
        "",
        " ",
        "\0",
        "a\0b",
        "a\0@b.co",
        "a@b.co\0",
        "\u{7f}",
        "\u{202e}a",
        "\u{fdd0}",
        "\u{10ffff}",
        "'; --",
        "%00",
        &long,
    ];
    for route in ROUTES {
        for name in route.members() {
            for text in texts {
                let answer = route.send(&api, json!({name: text}).to_string()).await;
                let expected = [200, 401, 403, 422];
                assert!(expected.contains(&answer.status), "{} {name} {text:?}: {answer:?}", route.path);
            }
        }
    }
}

#[rstest]
#[tokio::test]
async fn nul_is_refused_where_it_would_be_stored(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let api = logged_in(engine).await;
    let fault = async |route: &Route, name: &str, text: &str| {
        let answer = route.send(&api, json!({name: text}).to_string()).await;
        let faults = answer.faults();
        faults.iter().find(|(field, _)| *field == name).map(|(_, code)| (*code).to_owned())
    };
    let [register, login, _, _, me, _] = ROUTES;
    assert_eq!(fault(&register, "email", "a\0@b.co").await.as_deref(), Some("invalid_email"));
    assert_eq!(fault(&register, "username", "abc\0").await.as_deref(), Some("invalid_username"));
    assert_eq!(fault(&register, "display_name", "a\0b").await.as_deref(), Some("invalid_characters"));
    assert_eq!(fault(&login, "device_name", "a\0b").await.as_deref(), Some("invalid_characters"));
    assert_eq!(fault(&me, "display_name", "a\0b").await.as_deref(), Some("invalid_characters"));
    assert_eq!(fault(&me, "phone", "+8210\0").await.as_deref(), Some("invalid_phone"));
}

#[rstest]
#[tokio::test]
async fn a_password_may_hold_any_character(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let api = Deployment::new(engine).start().await;
    let passwords = [
        ("nul@example.com", "purple\0tram over hills", "purple"),
        ("space@example.com", "  purple tram  ", "purple tram"),
        ("script@example.com", "🦀 담쟁이 \u{202e} 달팽이", "🦀 담쟁이  달팽이"),
    ];
    for (email, password, changed) in passwords {
        let body = json!({"email": email, "password": password});
        assert_eq!(api.post("/api/v1/auth/register", body).await.status, 201, "{password:?}");
        assert_eq!(api.login(email, changed).await.status, 401, "not a byte is dropped from {password:?}");
        assert_eq!(api.login(email, password).await.status, 200);
    }
}

#[rstest]
#[tokio::test]
async fn headers_of_any_bytes_are_kept_as_text(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    let odd = format!("브라우저\t{}", "x".repeat(2_000));
    let odd = api
        .with_header("user-agent", &odd)
        .with_header("x-request-id", "a b")
        .with_header("cookie", "=;;__Host-device");
    let answer = odd.register("kim@example.com").await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_ne!(answer.header("x-request-id"), "a b");
    assert_eq!(odd.login("kim@example.com", PASSWORD).await.status, 200);
    let kept: Vec<String> = deployment.column("SELECT user_agent FROM sessions").await;
    assert_eq!(kept, [format!("브라우저{}", "x".repeat(496))]);
}
