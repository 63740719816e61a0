//! The deployment guide, word for word: its environment, its keys, its two psql calls, and nothing else.

use reqwest::Method;
use serde_json::json;
use test_peers::Redis;

use crate::{
    client::{Answer, Client},
    program::Program,
    support::{Workplace, postgres},
};

const DATABASE_PASSWORD: &str = "q8Zp4mW1s7Yt0Lx5vB9nC3kR6hJ2dF8g";
const REDIS_TOKEN: &str = "u5Xn2cV8bM4kQ7wE1rT6yU9iO3pA0sDfGhJkL2zX";
const SCRIPTS: [&str; 2] = ["init.sql", "migrations/001_add_performance_indexes.sql"];

/// A deployment as the guide makes it, with a Redis of its own.
async fn deploy(redis: &Redis) -> Program {
    redis.require_password(REDIS_TOKEN).unwrap();
    let database = postgres().create_database().unwrap();
    for script in SCRIPTS {
        let path = format!("{}/../auth-service/scripts/{script}", env!("CARGO_MANIFEST_DIR"));
        postgres().psql(&database, ["-f", &path]).unwrap();
    }
    let place = Workplace::bare()
        .set("ENV", "production")
        .set("DB_PRIMARY_DB_URL", &database.replace("postgres@", &format!("postgres:{DATABASE_PASSWORD}@")))
        .set("REDIS_URL", &redis.url().replace("rediss://", &format!("rediss://:{REDIS_TOKEN}@")))
        .set("SSL_CERT_FILE", redis.ca_path().to_str().unwrap())
        .set("JWT_ALGORITHM", "RS256")
        .set("JWT_PRIVATE_KEY_PATH", "keys/private.pem")
        .set("JWT_PUBLIC_KEY_PATH", "keys/public.pem")
        .set("JWT_ACCESS_TOKEN_EXPIRE_MINUTES", "30")
        .set("JWT_REFRESH_TOKEN_EXPIRE_DAYS", "7")
        .set("CORS_ALLOWED_ORIGINS", r#"["https://yourdomain.com","https://app.yourdomain.com"]"#)
        .set("ALLOWED_HOSTS", "yourdomain.com,api.yourdomain.com,*.yourdomain.com")
        .set("GOOGLE_CLIENT_ID", "")
        .set("GOOGLE_CLIENT_SECRET", "")
        .set("KAKAO_CLIENT_ID", "")
        .set("KAKAO_CLIENT_SECRET", "");
    assert_eq!(place.run(&["keys", "generate"]).code, Some(0));
    let doctor = place.run(&["doctor"]);
    assert_eq!(doctor.code, Some(0), "{doctor:?}");
    let program = place.start().await;
    program.until_logged("Connected to Redis").await;
    program
}

async fn preflight(client: &Client, origin: &str) -> Answer {
    let request = client.request(Method::OPTIONS, "/api/v1/auth/login");
    let request = request.header("origin", origin).header("access-control-request-method", "POST");
    Answer::of(request.header("access-control-request-headers", "content-type")).await.unwrap()
}

#[tokio::test]
async fn the_environment_of_the_guide_and_nothing_more_starts_and_serves() {
    let redis = Redis::start_tls().unwrap();
    let program = deploy(&redis).await;
    let out = program.out();
    assert!(out.lines().any(|line| line.contains("the Auth API listens") && line.contains("0.0.0.0:")), "{out}");
    let health = program.client.health().await;
    assert_eq!(health.body, json!({"status": "healthy", "version": "1.0.0", "environment": "production"}));

    let client = program.client.with_header("host", "api.yourdomain.com");
    let body = json!({"email": "prodtest@example.com", "password": "SecurePass123!", "username": "produser"});
    assert_eq!(client.post("/api/v1/auth/register", body).await.status, 201);
    let body = json!({"email": "prodtest@example.com", "password": "SecurePass123!"});
    let tokens = client.post("/api/v1/auth/login", body).await;
    assert_eq!(tokens.status, 200, "{tokens:?}");
    assert_eq!((&tokens.body["expires_in"], &tokens.body["refresh_expires_in"]), (&json!(1800), &json!(604_800)));
    assert_eq!(client.me(&tokens.text("access_token")).await.text("email"), "prodtest@example.com");
    assert_eq!(client.logout(&tokens.text("access_token")).await.status, 204);
    assert_eq!(client.me(&tokens.text("access_token")).await.status, 401);
    program.stop().await;
}

#[tokio::test]
async fn production_answers_only_for_its_hosts_and_its_origins() {
    let redis = Redis::start_tls().unwrap();
    let program = deploy(&redis).await;
    for host in ["evil.example.com", "yourdomain.com.evil.example.com", "notyourdomain.com", "127.0.0.1"] {
        let client = program.client.with_header("host", host);
        for path in ["/api/v1/users/me", "/docs", "/", "/nowhere"] {
            assert_eq!(client.get(path).await.status, 400, "{host}{path}");
        }
        for path in ["/api/v1/health", "/api/v1/health/ready", "/.well-known/jwks.json"] {
            assert_eq!(client.get(path).await.status, 200, "{host}{path}");
        }
    }
    let client = program.client.with_header("host", "app.yourdomain.com");
    assert_eq!(client.get("/api/v1/users/me").await.status, 401);
    let listed = preflight(&client, "https://app.yourdomain.com").await;
    assert_eq!(listed.header("access-control-allow-origin"), "https://app.yourdomain.com", "{listed:?}");
    assert_eq!(listed.header("access-control-allow-credentials"), "true");
    assert_eq!(listed.header("strict-transport-security"), "max-age=31536000; includeSubDomains");
    for foreign in ["https://evil.example.com", "http://app.yourdomain.com", "https://app.yourdomain.com:8443", "null"]
    {
        let answer = preflight(&client, foreign).await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{foreign}: {answer:?}");
    }
}
