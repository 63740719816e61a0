//! What production refuses, what it warns of, and how an operator finds out.

use std::{fs, os::unix::fs::PermissionsExt};

use test_peers::free_port;

use crate::support::{Engine, Finished, Workplace, postgres};

/// Refused wherever it stands: RSA needs 2048 bits.
const SHORT_RSA: &str = include_str!("../../../auth-token/tests/keys/rsa-1024.pem");

/// Production that starts as it is, on SQLite.
pub fn production() -> Workplace {
    Workplace::on(Engine::Sqlite)
        .set("ENV", "production")
        .set("ALLOWED_HOSTS", "api.example.com")
        .set("AUTO_MIGRATE", "true")
}

/// Starts it, and expects one message that has all of this.
fn assert_refused(place: &Workplace, said: &[&str]) -> Finished {
    let finished = place.run(&[]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    for text in said {
        assert!(finished.err.contains(text), "{text} is not in\n{}", finished.err);
    }
    finished
}

#[test]
fn production_says_all_that_is_wrong_at_once_and_repeats_no_secret() {
    let place = production()
        .set("JWT_PRIVATE_KEY", "")
        .set("JWT_PRIVATE_KEY_PATH", "short.pem")
        .set("DB_PRIMARY_DB_URL", "postgresql://admin:devpassword@db.example.com:5432/authdb")
        .set("REDIS_URL", "redis://:token-of-redis@cache.example.com:6379/0")
        .set("CORS_ALLOWED_ORIGINS", r#"["*","http://app.example.com"]"#)
        .set("ALLOWED_HOSTS", "")
        .set("JWT_ALGORITM", "RS256")
        .set("RATE_LIMIT_LOGIN_PER_ADDRESS", "many")
        .set("DB_POOL_MAX_SIZE", "0")
        .set("GATEWAY_FEED_TOKEN", "feed-token")
        .set("SECRETS_KEY_PATH", "secrets.key");
    fs::write(place.path("secrets.key"), "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap();
    fs::set_permissions(place.path("secrets.key"), fs::Permissions::from_mode(0o660)).unwrap();
    fs::write(place.path("short.pem"), SHORT_RSA).unwrap();
    fs::set_permissions(place.path("short.pem"), fs::Permissions::from_mode(0o622)).unwrap();
    let reasons = [
        "short.pem: RSA keys below 2048 bits",
        "short.pem can be changed by others: run `chmod 600",
        "DB_PRIMARY_DB_URL holds a development password",
        "REDIS_URL: production needs TLS, rediss://",
        r#"CORS_ALLOWED_ORIGINS: "*""#,
        "CORS_ALLOWED_ORIGINS: http://app.example.com must begin with https://",
        "ALLOWED_HOSTS: name the hosts",
        "JWT_ALGORITM: no such variable; did you mean JWT_ALGORITHM?",
        "RATE_LIMIT_LOGIN_PER_ADDRESS",
        "DB_POOL_MAX_SIZE must be at least 1",
        "GATEWAY_FEED_TOKEN needs at least 32 characters",
        "secrets.key can be changed by others: run `chmod 600",
    ];
    let finished = assert_refused(&place, &reasons);
    assert_eq!(finished.err.lines().filter(|line| line.starts_with("  - ")).count(), reasons.len(), "{}", finished.err);
    for secret in ["devpassword", "token-of-redis", "feed-token"] {
        assert!(!finished.err.contains(secret), "{secret} is repeated in\n{}", finished.err);
    }
    assert!(!place.path("data").exists(), "something was made before the refusal");
}

#[test]
fn a_weak_shared_secret_is_refused() {
    let place = || production().set("JWT_ALGORITHM", "HS256");
    assert_refused(&place(), &["JWT_ALGORITHM=HS256 needs JWT_SECRET_KEY"]);
    assert_refused(&place().set("JWT_SECRET_KEY", "twenty-four-bytes-of-it!"), &["at least 32 bytes, this one has 24"]);
    let sample = place().set("JWT_SECRET_KEY", "your_secret_key_change_me_in_production_please");
    assert_refused(&sample, &["JWT_SECRET_KEY holds a sample value", "openssl rand -base64 64"]);
}

#[test]
fn an_unknown_environment_is_refused() {
    let place = production().set("ENV", "prod");
    assert_refused(&place, &["ENV:", "development", "production"]);
}

#[test]
fn a_missing_key_file_is_named_with_what_to_do() {
    let place = production().set("JWT_PRIVATE_KEY", "").set("JWT_PRIVATE_KEY_PATH", "keys/absent.pem");
    assert_refused(&place, &["keys/absent.pem", "auth-system keys generate"]);
    assert!(!place.path("keys").exists(), "production makes no keys by itself");
}

#[test]
fn halves_of_different_pairs_are_refused() {
    let place = production().set("JWT_PRIVATE_KEY", "");
    assert_eq!(place.run(&["keys", "generate"]).code, Some(0));
    let other = ["keys", "generate", "--private", "other.pem", "--public", "other.public.pem"];
    assert_eq!(place.run(&other).code, Some(0));
    assert_refused(&place.set("JWT_PUBLIC_KEY_PATH", "other.public.pem"), &["other.public.pem", "one pair"]);
}

#[tokio::test]
async fn what_is_only_unwise_is_a_warning() {
    let place = production().set("JWT_PRIVATE_KEY", "");
    assert_eq!(place.run(&["keys", "generate"]).code, Some(0));
    fs::set_permissions(place.path("keys/private.pem"), fs::Permissions::from_mode(0o644)).unwrap();
    let program = place.start().await;
    for warned in [
        "DB_PRIMARY_DB_URL is not set",
        "REDIS_URL is not set",
        "keys/private.pem can be read by others: run `chmod 600",
    ] {
        let out = program.out();
        let line =
            out.lines().find(|line| line.contains(warned)).unwrap_or_else(|| panic!("{warned} is not in\n{out}"));
        assert!(line.contains("WARN"), "{line}");
    }
}

#[tokio::test]
async fn an_empty_variable_is_an_unset_one() {
    let place = Workplace::on(Engine::Sqlite)
        .set("DB_PRIMARY_DB_URL", "")
        .set("REDIS_URL", " ")
        .set("PUBLIC_URL", "")
        .set("DB_POOL_MAX_SIZE", "")
        .set("ENV", "");
    let program = place.start().await;
    assert_eq!(program.client.health().await.text("environment"), "development");
}

#[tokio::test]
async fn a_schema_that_is_behind_means_not_ready_until_migrate_has_run() {
    let database = postgres().create_database().unwrap();
    let place = production().set("AUTO_MIGRATE", "").set("DB_PRIMARY_DB_URL", &database);
    let program = place.spawn(&[]);
    program.until_logged("run `auth-system migrate`").await;
    assert_eq!(program.client.get("/api/v1/health/ready").await.status, 503);
    assert_eq!(program.client.health().await.status, 200);
    let behind = place.run(&["migrate", "--check"]);
    assert_eq!(behind.code, Some(1), "{behind:?}");
    assert!(behind.out.contains("auth-system migrate") && behind.out.contains("[000, 001]"), "{behind:?}");
    let migrated = place.run(&["migrate"]);
    assert_eq!(migrated.code, Some(0), "{migrated:?}");
    program.until_ready().await;
    assert_eq!(place.run(&["migrate", "--check"]).code, Some(0));
    let again = place.run(&["migrate"]);
    assert_eq!((again.code, again.out.as_str()), (Some(0), "the schema is current\n"));
}

#[test]
fn the_doctor_finds_nothing_wrong_with_a_good_environment() {
    let place = Workplace::on(Engine::Postgres);
    assert_eq!(place.run(&["migrate"]).code, Some(0));
    let finished = place.run(&["doctor"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    for subject in ["signing key", "disk", "redis", "mail", "database", "schema", "indexes", "clock"] {
        assert!(finished.out.lines().any(|line| line.starts_with("ok ") && line.contains(subject)), "{finished:?}");
    }
}

#[test]
fn the_doctor_says_what_to_do_about_each_fault() {
    let nobody = format!("127.0.0.1:{}", free_port().unwrap());
    let away = Workplace::on(Engine::Sqlite)
        .set("DB_PRIMARY_DB_URL", &format!("postgresql://postgres@{nobody}/authdb"))
        .set("REDIS_URL", &format!("redis://{nobody}/0"))
        .set("JWT_PRIVATE_KEY", "no PEM at all");
    let finished = away.run(&["doctor"]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    for (subject, advice) in [
        ("signing key", "JWT_PRIVATE_KEY"),
        ("redis", "Error connecting to Redis"),
        ("database", "could not connect to server"),
        ("database", "security group"),
    ] {
        let fault = finished.out.lines().find(|line| line.starts_with("FAILED") && line.contains(subject));
        assert!(fault.is_some_and(|line| line.contains(advice)), "{subject}: {advice} is not in\n{}", finished.out);
    }
    let behind = Workplace::on(Engine::Postgres).run(&["doctor"]);
    assert_eq!(behind.code, Some(1));
    let schema = behind.out.lines().find(|line| line.starts_with("FAILED   schema")).unwrap();
    assert!(schema.contains("auth-system migrate"), "{schema}");
}

#[test]
fn the_doctor_names_what_is_refused_before_anything_else() {
    let finished = production().set("ALLOWED_HOSTS", "").run(&["doctor"]);
    assert_eq!(finished.code, Some(1));
    assert!(finished.err.contains("ALLOWED_HOSTS"), "{finished:?}");
}
