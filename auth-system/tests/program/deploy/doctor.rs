//! The four problems of the deployment guide, each made with real parts, and what the doctor says to do about it.

use std::{fs, net::TcpListener};

use rstest::rstest;
use test_peers::{Postgres, Redis, free_port};

use crate::support::{Engine, Finished, Workplace};

const PASSWORD: &str = "q8Zp4mW1s7Yt0Lx5vB9nC3kR6hJ2dF8g";

/// Expects one fault of this subject, told by all of these words, and no other.
fn assert_found(place: &Workplace, subject: &str, said: &[&str]) {
    let Finished { code, out, err } = place.run(&["doctor"]);
    let faults: Vec<_> = out.lines().filter(|line| line.starts_with("FAILED")).collect();
    assert_eq!((code, faults.len()), (Some(1), 1), "{out}{err}");
    let fault = faults[0].strip_prefix("FAILED").unwrap().trim_start();
    assert!(fault.starts_with(&format!("{subject}: ")), "{fault}");
    for word in said {
        assert!(fault.contains(word), "{word} is not in\n{fault}");
    }
    assert!(!out.contains(PASSWORD), "{out}");
}

/// Expects the configuration to be refused by a reason with all of these words.
fn assert_refused(place: &Workplace, said: &[&str]) {
    let finished = place.run(&["doctor"]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    for word in said {
        assert!(finished.err.contains(word), "{word} is not in\n{}", finished.err);
    }
}

fn on_database(url: &str) -> Workplace {
    Workplace::on(Engine::Sqlite).set("DB_PRIMARY_DB_URL", url)
}

fn on_redis(url: &str) -> Workplace {
    let place = Workplace::on(Engine::Sqlite);
    assert_eq!(place.run(&["migrate"]).code, Some(0));
    place.set("REDIS_URL", url)
}

#[test]
fn database_that_is_unreachable() {
    let port = free_port().unwrap();
    let closed = on_database(&format!("postgresql://postgres:{PASSWORD}@127.0.0.1:{port}/authdb"));
    assert_found(&closed, "database", &["could not connect to server", "refused", "security group", "5432"]);
    // What a security group does: packets vanish.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgresql://postgres:{PASSWORD}@{}/authdb", silent.local_addr().unwrap());
    assert_found(&on_database(&url), "database", &["security group"]);
    let unknown = on_database(&format!("postgresql://postgres:{PASSWORD}@nowhere.invalid:5432/authdb"));
    assert_found(&unknown, "database", &["Check the host in DB_PRIMARY_DB_URL", "percent-encode"]);
    let broken = on_database(&format!("postgresql://admin:{PASSWORD}/+@db.example.com:5432/authdb"));
    assert_refused(&broken, &["DB_PRIMARY_DB_URL", "percent-encode"]);
}

#[test]
fn database_that_refuses() {
    let postgres = Postgres::start().unwrap();
    let admin = postgres.url("postgres");
    let psql = |sql: &str| postgres.psql(&admin, ["-Atc", sql]).unwrap();
    let absent = on_database(&postgres.url("authdb"));
    assert_found(&absent, "database", &["\"authdb\" does not exist", "CREATE DATABASE authdb"]);
    let without_tls = on_database(&format!("{}?sslmode=require", postgres.url("postgres")));
    assert_found(&without_tls, "database", &["Turn on TLS at the server"]);
    psql(&format!("CREATE ROLE authadmin LOGIN PASSWORD '{PASSWORD}'"));
    let rules = psql("SHOW hba_file");
    // As RDS does it: nobody without a password, and for one role nobody without TLS.
    let lines = "local all postgres trust\nhost all postgres all trust\nhostssl all tls all scram-sha-256\nhost all authadmin all scram-sha-256\n";
    fs::write(rules.trim(), lines).unwrap();
    psql("SELECT pg_reload_conf()");
    let wrong = postgres.url("postgres").replace("postgres@", "authadmin:wrong@");
    assert_found(&on_database(&wrong), "database", &["password authentication failed", "Check user and password"]);
    let plain = postgres.url("postgres").replace("postgres@", "tls:wrong@");
    let plain = on_database(&format!("{plain}?sslmode=disable"));
    assert_found(&plain, "database", &["no encryption", "Take sslmode=disable out"]);
    let right = postgres.url("postgres").replace("postgres@", &format!("authadmin:{PASSWORD}@"));
    let finished = on_database(&right).run(&["doctor"]);
    assert!(finished.out.lines().any(|line| line.starts_with("ok       database: ")), "{finished:?}");
}

#[test]
fn redis_that_is_away_or_wants_a_password() {
    let redis = Redis::start().unwrap();
    let nobody = on_redis(&format!("redis://127.0.0.1:{}/0", free_port().unwrap()));
    assert_found(&nobody, "redis", &["Error connecting to Redis", "refused", "security group (port 6379)"]);
    redis.require_password(PASSWORD).unwrap();
    for url in [redis.url().to_owned(), redis.url().replace("redis://", "redis://:wrong@")] {
        assert_found(&on_redis(&url), "redis", &["password", "Write the token in REDIS_URL"]);
    }
    let right = on_redis(&redis.url().replace("redis://", &format!("redis://:{PASSWORD}@")));
    assert_eq!(right.run(&["doctor"]).code, Some(0));
}

#[test]
fn redis_whose_tls_is_not_ours() {
    let (plain, secure) = (Redis::start().unwrap(), Redis::start_tls().unwrap());
    let without = secure.url().replace("rediss://", "redis://");
    assert_found(&on_redis(&without), "redis", &["without TLS", "Begin REDIS_URL with rediss://"]);
    let with = plain.url().replace("redis://", "rediss://");
    assert_found(&on_redis(&with), "redis", &["speaks no TLS", "Turn on encryption in transit"]);
    assert_found(&on_redis(secure.url()), "redis", &["certificate", "SSL_CERT_FILE"]);
    let trusted = on_redis(secure.url()).set("SSL_CERT_FILE", secure.ca_path().to_str().unwrap());
    assert_eq!(trusted.run(&["doctor"]).code, Some(0));
    let production = on_redis(plain.url()).set("ENV", "production").set("ALLOWED_HOSTS", "api.example.com");
    let remote = production.set("REDIS_URL", "redis://cache.example.com:6379/0");
    assert_refused(&remote, &["REDIS_URL: production needs TLS, rediss://"]);
}

/// With a key pair in files, and a database that is up to date.
fn with_files(algorithm: &str) -> Workplace {
    let place = Workplace::on(Engine::Sqlite).set("JWT_PRIVATE_KEY", "").set("JWT_ALGORITHM", algorithm);
    assert_eq!(place.run(&["keys", "generate", "--algorithm", algorithm]).code, Some(0));
    assert_eq!(place.run(&["migrate"]).code, Some(0));
    place
}

#[test]
fn tokens_whose_key_is_absent_or_of_another_kind() {
    let place = with_files("ES256");
    assert_eq!(place.run(&["doctor"]).code, Some(0));
    let other = with_files("ES256");
    fs::copy(other.path("keys/public.pem"), place.path("keys/public.pem")).unwrap();
    assert_found(&place, "signing key", &["keys/public.pem is not the public half", "give both of one pair"]);
    let kind = with_files("ES256").set("JWT_ALGORITHM", "RS256");
    assert_found(&kind, "signing key", &["RS256 needs a key of type RSA", "JWT_ALGORITHM is of the same kind"]);
    let absent = with_files("ES256");
    fs::remove_file(absent.path("keys/private.pem")).unwrap();
    assert_found(&absent, "signing key", &["keys/private.pem cannot be read", "auth-system keys generate"]);
    let secret = Workplace::on(Engine::Sqlite).set("JWT_PRIVATE_KEY", "").set("JWT_ALGORITHM", "HS256");
    assert_refused(&secret, &["JWT_ALGORITHM=HS256 needs JWT_SECRET_KEY", "openssl rand -base64 64"]);
}

#[rstest]
#[case::wildcard("*", "list the origins")]
#[case::half_a_list(r#"["https://app.example.com""#, "write a JSON array")]
#[case::object(r#"{"origins": "https://app.example.com"}"#, "write a JSON array")]
#[case::plain_http(r#"["http://app.example.com"]"#, "must begin with https:// in production")]
#[case::path(r#"["https://app.example.com/login"]"#, "write https://app.example.com, as browsers send it")]
#[case::no_scheme("app.example.com", "write for example https://app.example.com")]
fn origins_that_are_none(#[case] value: &str, #[case] said: &str) {
    let place = Workplace::on(Engine::Sqlite).set("ENV", "production").set("ALLOWED_HOSTS", "api.example.com");
    assert_refused(&place.set("CORS_ALLOWED_ORIGINS", value), &["CORS_ALLOWED_ORIGINS", said]);
}

#[test]
fn origins_that_are_in_force_are_told_as_browsers_must_send_them() {
    let place = Workplace::on(Engine::Sqlite).set("CORS_ALLOWED_ORIGINS", r#"["https://app.example.com/"]"#);
    let said = |place: &Workplace, line: &str| {
        let out = place.run(&["doctor"]).out;
        assert!(out.lines().any(|found| found.starts_with(line)), "{line} is not in\n{out}");
    };
    said(&place, "ok       cors: browsers may call from https://app.example.com");
    said(&place.clone().set("CORS_ALLOWED_ORIGINS", ""), "skipped  cors: CORS_ALLOWED_ORIGINS is not set");
    said(&place.set("CORS_ALLOWED_ORIGINS", "*"), "warning  cors: browsers may call from any page");
}
