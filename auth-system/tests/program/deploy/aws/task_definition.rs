//! The task definition for those who set up ECS by hand.

use serde_json::{Value, json};
use test_peers::Redis;

use super::{read, repository};
use crate::support::{Workplace, postgres};

/// As it stands in the deployment guide that operators of the former system follow.
const GUIDE: &str = include_str!("guide-task-definition.json");
const OURS: &str = "deploy/aws/ecs-task-definition.json";
const REDIS_TOKEN: &str = "3f0c8a5d4b1e9672a8c4e0f1b3d5972640a1c9e8f7b6d5c4";
const KEY_SECRETS: [(&str, &str); 2] =
    [("JWT_PRIVATE_KEY", "auth-service/jwt-private-key"), ("JWT_PUBLIC_KEY", "auth-service/jwt-public-key")];

/// The servers that its secrets stand for.
pub(super) struct Servers {
    database: String,
    pub redis: Redis,
}

impl Servers {
    pub fn start() -> Self {
        let redis = Redis::start_tls().unwrap();
        redis.require_password(REDIS_TOKEN).unwrap();
        let database = postgres().create_database().unwrap();
        for script in ["init.sql", "migrations/001_add_performance_indexes.sql"] {
            let script = repository("auth-service/scripts").join(script);
            postgres().psql(&database, ["-f", script.to_str().unwrap()]).unwrap();
        }
        Self { database, redis }
    }

    /// What Secrets Manager would hand over.
    pub fn secret(&self, name: &str) -> String {
        match name {
            "auth-service/db-url" => self.database.clone(),
            "auth-service/redis-url" => self.redis.url().replace("rediss://", &format!("rediss://:{REDIS_TOKEN}@")),
            "auth-service/jwt-private-key" => {
                include_str!("../../../../../auth-token/tests/keys/rsa-2048.pem").to_owned()
            }
            "auth-service/jwt-public-key" => {
                include_str!("../../../../../auth-token/tests/keys/rsa-2048.public.pem").to_owned()
            }
            other => panic!("no secret {other}"),
        }
    }

    /// The environment that ECS makes of a definition, and nothing else.
    fn environment(&self, definition: &Value) -> Workplace {
        let container = &definition["containerDefinitions"][0];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let place = Workplace::bare().set("SSL_CERT_FILE", self.redis.ca_path().to_str().unwrap());
        let plain = container["environment"].as_array().unwrap().iter();
        let place = plain.fold(place, |place, one| place.set(&text(&one["name"]), &text(&one["value"])));
        let secrets = container["secrets"].as_array().unwrap().iter();
        secrets.fold(place, |place, one| {
            let arn = text(&one["valueFrom"]);
            place.set(&text(&one["name"]), &self.secret(arn.split_once(":secret:").unwrap().1))
        })
    }
}

#[test]
fn ours_is_that_of_the_guide_with_two_lines_more() {
    let mut expected: Value = serde_json::from_str(GUIDE).unwrap();
    let secrets = expected["containerDefinitions"][0]["secrets"].as_array_mut().unwrap();
    for (name, secret) in KEY_SECRETS {
        let arn = format!("arn:aws:secretsmanager:ap-northeast-2:YOUR_ACCOUNT_ID:secret:{secret}");
        secrets.push(json!({"name": name, "valueFrom": arn}));
    }
    assert_eq!(serde_json::from_str::<Value>(&read(OURS)).unwrap(), expected);
}

#[test]
fn that_of_the_guide_has_no_key_and_the_program_names_the_lines_to_add() {
    let servers = Servers::start();
    let finished = servers.environment(&serde_json::from_str(GUIDE).unwrap()).run(&["service"]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    let reasons: Vec<&str> = finished.err.lines().filter(|line| line.starts_with("  - ")).collect();
    assert_eq!(reasons.len(), 1, "{}", finished.err);
    for (name, secret) in KEY_SECRETS {
        let line = format!(r#"{{"name": "{name}", "valueFrom": "ARN of {secret}"}}"#);
        assert!(reasons[0].contains(&line), "{line} is not in\n{}", finished.err);
    }
}

#[tokio::test]
async fn ours_starts_and_serves_over_tls_to_redis() {
    let servers = Servers::start();
    let program = servers.environment(&serde_json::from_str(&read(OURS)).unwrap()).spawn(&["service"]);
    program.until_ready().await;
    program.until_logged("Connected to Redis").await;
    assert_eq!(program.client.health().await.text("environment"), "production");
    let client = program.client.with_header("host", "api.yourdomain.com");
    assert_eq!(client.register("kim@example.com").await.status, 201);
    assert_eq!(client.login("kim@example.com").await.status, 200);
    program.stop().await;
}
