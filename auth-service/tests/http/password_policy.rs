//! GET /api/v1/auth/password-policy, and what the presets refuse

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use data_encoding::HEXUPPER;
use rstest::rstest;
use serde_json::{Value, json};
use service_kit::config::Env;

use crate::support::{Answer, Deployment, Engine, Instance};

async fn register(api: &Instance, password: &str) -> Answer {
    api.post(
        "/api/v1/auth/register",
        json!({"email": "dalrae@example.com", "username": "moonlit", "password": password}),
    )
    .await
}

/// The code of the refusal, and its sentences, which must differ by language.
async fn refusal(api: &Instance, password: &str) -> String {
    let (english, korean) =
        (register(api, password).await, register(&api.with_header("accept-language", "ko"), password).await);
    let sentence = |answer: &Answer| answer.body["errors"][0]["detail"].as_str().unwrap().to_owned();
    assert_eq!((english.status, english.code()), (422, "weak_password"), "{password}: {english:?}");
    assert!(sentence(&english).is_ascii() && !sentence(&korean).is_ascii(), "{english:?} {korean:?}");
    english.faults()[0].1.to_owned()
}

#[rstest]
#[case("nist", json!([8, 1, null, false, true]))]
#[case("kisa-2019", json!([8, 2, 10, true, false]))]
#[case("legacy-8x3", json!([8, 3, null, false, false]))]
#[tokio::test]
async fn forms_are_told_the_policy(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
    #[case] preset: &str,
    #[case] rule: Value,
) {
    let api = Deployment::new(engine).set("PASSWORD_POLICY", preset).start().await;
    let answer = api.get("/api/v1/auth/password-policy").await;
    let expected = json!({
        "policy": preset, "min_length": rule[0], "max_length": 128, "min_kinds": rule[1], "any_kind_from_length": rule[2],
        "refuses_runs": rule[3], "refuses_own_names": rule[3], "estimates_strength": rule[4], "checks_common": true,
        "checks_breached": false, "expires_after_days": null,
    });
    assert_eq!((answer.status, answer.body), (200, expected));
}

#[rstest]
#[tokio::test]
async fn kisa_refuses_by_its_own_rules_and_says_which(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let api = Deployment::new(engine).set("PASSWORD_POLICY", "kisa-2019").start().await;
    for (password, code) in [
        ("hkwqprvm", "needs_two_kinds"),
        ("hkwq777prvm", "run_of_three"),
        ("hkwqabcprvm", "run_of_three"),
        ("xxDalRae!92", "contains_own_name"),
        ("92!MOONLIT", "contains_own_name"),
        ("password1!", "common"),
    ] {
        assert_eq!(refusal(&api, password).await, code, "{password}");
    }
    let short = register(&api, "h1!w").await;
    assert_eq!((short.status, short.faults()), (422, vec![("password", "too_short")]));
    assert_eq!(register(&api, "hkwqprvmzx").await.status, 201, "ten of one kind");
}

#[rstest]
#[tokio::test]
async fn legacy_demands_three_kinds_and_no_estimate(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let api = Deployment::new(engine).set("PASSWORD_POLICY", "legacy-8x3").start().await;
    assert_eq!(refusal(&api, "correct horse battery staple").await, "needs_three_kinds");
    assert_eq!(refusal(&api, "P@ssw0rd").await, "common");
    assert_eq!(register(&api, "dalrae1!").await.status, 201);
}

#[rstest]
#[case("nist")]
#[case("kisa-2019")]
#[case("legacy-8x3")]
#[tokio::test]
async fn a_breached_password_is_refused_under_every_preset(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
    #[case] preset: &str,
) {
    let known = "hkwq prvm 82!";
    let hash = |text: &str| HEXUPPER.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes()).as_ref());
    let mut lines: Vec<String> = (0..2_000).map(|n| format!("{}:{n}", hash(&n.to_string()))).collect();
    lines.push(format!("{}:3861493", hash(known)));
    lines.sort_unstable();
    let deployment = Deployment::new(engine).set("PASSWORD_POLICY", preset);
    let file = format!("{}/breached.txt", deployment.get("DATA_DIR"));
    std::fs::write(&file, lines.join("\r\n")).unwrap();
    let api = deployment.set("PASSWORD_BREACHED_FILE", &file).start().await;
    assert_eq!(api.get("/api/v1/auth/password-policy").await.body["checks_breached"], true);
    assert_eq!(refusal(&api, known).await, "breached");
    assert_eq!(register(&api, "hkwq prvm 83!").await.status, 201);
}

/// What the configuration is refused for.
fn refusals(variables: &[(&str, &str)]) -> String {
    let mut env = Env::from_pairs(variables.iter().copied());
    let _ = auth_service::Config::read(&mut env);
    env.finish().err().map(|refusals| refusals.to_string()).unwrap_or_default()
}

#[test]
fn a_start_refuses_settings_that_cannot_be_kept() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("list");
    std::fs::write(&file, "no list\n").unwrap();
    for (variable, value) in [
        ("PASSWORD_POLICY", "strict"),
        ("PASSWORD_BREACHED_FILE", "/nowhere/list"),
        ("PASSWORD_BREACHED_FILE", file.to_str().unwrap()),
        ("PASSWORD_EXPIRES_DAYS", "0"),
        ("PASSWORD_EXPIRES_DAYS", "never"),
        ("DORMANT_AFTER_DAYS", "30"),
    ] {
        assert!(refusals(&[(variable, value)]).contains(variable), "{variable}={value}");
    }
    let late = [("DORMANT_AFTER_DAYS", "90"), ("DORMANT_NOTICE_DAYS", "60")];
    assert!(refusals(&late).contains("DORMANT_NOTICE_DAYS"));
    assert_eq!(refusals(&[("DORMANT_AFTER_DAYS", "90"), ("DORMANT_NOTICE_DAYS", "59")]), "");
}
