//! docker-compose.yml and docker-compose.prod.yml, with what .env.production.example says.

use std::{fs, process::Command};

use serde_json::json;
use test_peers::{
    Postgres, Redis, Security, Smtp, free_port,
    installation::{python_tool, redis_server},
};

use super::{
    commands_below, path, read,
    stack::{Running, Service, Stack, Substitutes},
    succeed,
};
use crate::{
    client::Client,
    program::Program,
    support::{Finished, Workplace, postgres},
};

const FILES: [&str; 2] = ["docker-compose.yml", "docker-compose.prod.yml"];
const HEX: &str = "3f9ac1d27be84560a9c0d3e5f7182b4c3f9ac1d27be84560a9c0d3e5f7182b4c";

/// Names and values of an env file.
fn variables(env_file: &str) -> Vec<(&str, &str)> {
    env_file.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('=')).collect()
}

fn names_known_to_the_program() -> String {
    Workplace::bare().run(&["docs", "configuration"]).out
}

/// What finds fault with compose files by the schema of their specification.
fn schema_check() -> Command {
    let mut check = Command::new(python_tool("check-jsonschema").unwrap());
    check.args(["--builtin-schema", "vendor.compose-spec"]);
    check
}

#[test]
fn the_files_are_of_the_compose_specification() {
    succeed(schema_check().args(FILES.map(path)));
    let folder = tempfile::tempdir().unwrap();
    let misspelt = folder.path().join("docker-compose.yml");
    fs::write(&misspelt, read(FILES[0]).replacen("    healthcheck:", "    healthchek:", 1)).unwrap();
    let finished = Finished::from(schema_check().arg(&misspelt).output().unwrap());
    assert!(finished.code == Some(1) && finished.out.contains("healthchek"), "{finished:?}");
}

#[test]
fn every_variable_is_one_that_the_program_reads() {
    let (known, example) = (names_known_to_the_program(), read(".env.production.example"));
    let mut said: Vec<String> = variables(&example).into_iter().map(|(name, _)| name.to_owned()).collect();
    assert!(said.iter().any(|name| name == "DB_PRIMARY_DB_URL"), "{said:?}");
    for file in FILES {
        let stack = Stack::load(file, &example);
        said.extend(stack.services.values().filter(|one| one.is_ours()).flat_map(|one| one.environment().into_keys()));
    }
    for name in said {
        assert!(known.contains(&format!("| `{name}` |")), "{name} is none of the program's");
    }
}

#[test]
fn a_fixed_address_is_given_to_nobody_else_while_it_is_being_replaced() {
    for file in FILES {
        let (text, stack) = (read(file), Stack::load(file, &read(".env.production.example")));
        let (_, range) = text.split_once("ip_range: ").unwrap();
        let network = range.split_once(".128/25").unwrap().0;
        let fixed = |one: &Service| one.raw["networks"]["default"]["ipv4_address"].as_str().map(str::to_owned);
        let addresses: Vec<String> = stack.services.values().filter_map(fixed).collect();
        assert!(!addresses.is_empty(), "{file}");
        for address in addresses {
            let host = address.strip_prefix(&format!("{network}.")).unwrap_or_else(|| panic!("{file}: {address}"));
            assert!(host.parse::<u8>().unwrap() < 128, "{file}: {address}");
        }
    }
}

#[test]
fn production_publishes_nothing_but_nginx_and_writes_nothing() {
    let stack = Stack::load("docker-compose.prod.yml", &read(".env.production.example"));
    for (name, service) in &stack.services {
        let ports = service.raw["ports"].clone();
        match name.as_str() {
            "nginx" => assert_eq!(ports, json!([{"published": 80, "target": 80}, {"published": 443, "target": 443}])),
            "auth-service" => assert_eq!(ports, json!(["127.0.0.1:8000:8000/tcp"])),
            _ => assert!(ports.is_null(), "{name} publishes {ports}"),
        }
        assert_eq!(service.raw["read_only"], true, "{name}");
        assert_eq!(service.raw["logging"]["options"], json!({"max-size": "10m", "max-file": "3"}), "{name}");
        let (restart, is_task) = (&service.raw["restart"], name == "migrate");
        assert_eq!(restart, if is_task { "no" } else { "always" }, "{name}");
        assert_ne!(service.raw["healthcheck"].is_object(), is_task, "{name}");
        for volume in service.raw["volumes"].as_array().into_iter().flatten() {
            assert!(volume.as_str().unwrap().ends_with(":ro"), "{name}: {volume}");
        }
    }
}

#[tokio::test]
async fn the_development_stack_starts_in_its_order_and_does_what_the_guide_calls() {
    let stack = Stack::load("docker-compose.yml", "");
    let (mail, redis_port) = (Smtp::start(Security::Plain).unwrap(), free_port().unwrap());
    let mut redis = stack.services["redis"].command()[1..].to_vec();
    redis.extend(["--port".to_owned(), redis_port.to_string()]);
    let _redis = Running::start(&redis_server().unwrap(), &redis, redis_port).await;
    let database = postgres().create_database().unwrap();
    let role = "DO $$ BEGIN IF to_regrole('devuser') IS NULL THEN CREATE ROLE devuser LOGIN SUPERUSER; END IF; END $$";
    postgres().psql(&database, ["-c", role]).unwrap();
    let substitutes = Substitutes(vec![
        ("@postgres:5432/authdb".to_owned(), database[database.find('@').unwrap()..].to_owned()),
        ("redis:6379".to_owned(), format!("127.0.0.1:{redis_port}")),
        ("mail:1025".to_owned(), mail.address().to_string()),
        ("172.30.81.10".to_owned(), "127.0.0.1".to_owned()),
    ]);
    let mut programs = Vec::new();
    for name in stack.ours_in_order() {
        programs.push(stack.start(name, &stack.place(name, &substitutes)).await);
    }
    assert_eq!(programs.len(), 3);
    let calls = commands_below(&read("docs/guides/deploy-compose.md"), "ask who you are:");
    let calls = calls.replace("localhost:8000", &format!("localhost:{}", stack.port("auth-service")));
    let said = succeed(Command::new("sh").args(["-euc", &calls]));
    assert_eq!(said.matches(r#""username":"testuser""#).count(), 2, "registered, and found by the token: {said}");
    let [console, gateway] = ["auth-admin", "api-gateway"].map(|name| Client::new(stack.port(name)));
    assert_eq!(console.get("/admin/sign-in").await.status, 303);
    assert_eq!(gateway.get("/admin/sign-in").await.status, 303, "the console through the gateway");
    assert_eq!(gateway.log_in("test@example.com").await.access.split('.').count(), 3);
    let reset = gateway.post("/api/v1/auth/password/forgot", json!({"email": "test@example.com"})).await;
    assert!(reset.status < 300, "{reset:?}");
    programs[0].until("the mail is caught", async || !mail.mails().is_empty()).await;
}

#[test]
fn postgresql_knows_every_setting_of_the_development_stack_and_takes_its_value() {
    let stack = Stack::load("docker-compose.yml", "");
    // Of its own: what is set there holds for everybody in it.
    let server = Postgres::start().unwrap();
    let command = stack.services["postgres"].command();
    let settings: Vec<_> = command.iter().filter_map(|word| word.split_once('=')).collect();
    assert!(settings.len() > 5, "{command:?}");
    for (name, value) in settings {
        let statement = format!("ALTER SYSTEM SET {name} = '{value}'");
        server.psql(&server.url("postgres"), ["-c", &statement]).unwrap();
    }
    server.stop().unwrap();
    server.start_again().unwrap();
}

/// Production, with what only the operator knows filled in.
struct Production {
    stack: Stack,
    programs: Vec<Program>,
    _redis: Redis,
}

impl Production {
    async fn start() -> Self {
        let redis = Redis::start_tls().unwrap();
        redis.require_password(HEX).unwrap();
        let database = postgres().create_database().unwrap();
        let example = read(".env.production.example");
        let example = ["GATEWAY_FEED_TOKEN=", "ADMIN_CLIENT_SECRET="]
            .into_iter()
            .fold(example, |text, name| text.replace(&format!("\n{name}\n"), &format!("\n{name}{HEX}\n")));
        let filled = example.replace("YOUR_REDIS_AUTH_TOKEN", HEX).replace("YOUR_DB_PASSWORD", HEX);
        let stack = Stack::load("docker-compose.prod.yml", &filled);
        let substitutes = Substitutes(vec![
            (
                "@auth-db.xxxxx.ap-northeast-2.rds.amazonaws.com:5432/authdb".to_owned(),
                database[database.find('@').unwrap()..].to_owned(),
            ),
            ("authadmin:".to_owned(), "postgres:".to_owned()),
            ("auth-redis.xxxxx.cache.amazonaws.com:6379".to_owned(), format!("localhost:{}", redis.port())),
            ("172.30.80.10,172.30.80.20".to_owned(), "127.0.0.1".to_owned()),
        ]);
        let keys = Workplace::bare();
        assert_eq!(keys.run(&["keys", "generate"]).code, Some(0));
        let mut programs = Vec::new();
        for name in stack.ours_in_order() {
            let place = stack.place(name, &substitutes).set("SSL_CERT_FILE", redis.ca_path().to_str().unwrap());
            if stack.services[name].raw["volumes"].is_array() {
                std::os::unix::fs::symlink(keys.path("keys"), place.path("keys")).unwrap();
            }
            if name == "migrate" {
                let finished = place.run(&["migrate"]);
                assert_eq!(finished.code, Some(0), "{finished:?}");
            } else {
                programs.push(stack.start(name, &place).await);
            }
            let left = fs::read_dir(place.path(".")).unwrap().map(|entry| entry.unwrap().file_name());
            let left: Vec<_> =
                left.filter(|name| !["keys", "stdout", "stderr"].iter().any(|ours| name == ours)).collect();
            assert!(left.is_empty(), "{name} wrote {left:?}");
        }
        Self { stack, programs, _redis: redis }
    }
}

#[tokio::test]
async fn production_starts_in_its_order_on_the_example_filled_in() {
    let production = Production::start().await;
    assert_eq!(production.programs.len(), 4);
    let host = |name| Client::new(production.stack.port(name)).with_header("host", "api.yourdomain.com");
    let person = host("auth-service").person("kim@example.com").await;
    assert_eq!(host("auth-service-2").me(&person.access).await.status, 200, "one key, one database");
    let gateway = host("api-gateway");
    assert_eq!(gateway.me(&person.access).await.status, 200);
    assert_eq!(gateway.get("/admin/sign-in").await.status, 303);
    assert_eq!(gateway.get("/internal/v1/revocations").await.status, 404);
    assert_eq!(host("auth-service").logout(&person.access).await.status, 204);
    assert_eq!(host("auth-service").me(&person.access).await.status, 401);
}
