//! Service, gateway and console, started with what the templates give them.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::{cloud::DOMAIN, read_template, task_definition::Servers};
use crate::{client::Client, program::Program, support::Workplace};

/// A generated password of the templates.
const GENERATED: &str = "t5Jq0WmVbLx2cYp9RkD7sHf4GnA1uZe8iQo3TjXyMwKvCrBlEaPdNgFhSUIO6zqL";

/// The container of a task definition.
fn container(template: &Value, task: &str) -> Value {
    template["Resources"][task]["Properties"]["ContainerDefinitions"][0].clone()
}

/// What stands in a template where the gateway is wanted.
fn resolve(value: &Value) -> Value {
    match value["Fn::If"].as_array() {
        Some(branches) => {
            assert_eq!(branches[0], "HasGateway");
            branches[1].clone()
        }
        None => value.clone(),
    }
}

/// A value, or the parameter that stands for it.
fn text(value: &Value) -> String {
    if let Some(text) = value.as_str() {
        return text.to_owned();
    }
    match value["Ref"].as_str().unwrap() {
        "PublicUrl" => format!("https://{DOMAIN}"),
        "AllowedHosts" => format!("yourdomain.com,{DOMAIN}"),
        "CorsAllowedOrigins" => r#"["https://yourdomain.com"]"#.to_owned(),
        other => panic!("who says what {other} is?"),
    }
}

/// A place with the environment of a container, on these servers, where the others are at these addresses.
fn place(servers: &Servers, container: &Value, others: &[(&str, String)]) -> Workplace {
    let place = Workplace::bare().set("SSL_CERT_FILE", servers.redis.ca_path().to_str().unwrap());
    let place = container["Environment"].as_array().unwrap().iter().fold(place, |place, one| {
        let value = text(&resolve(&one["Value"]));
        let value = others.iter().fold(value, |value, (name, address)| value.replace(name, address));
        place.set(one["Name"].as_str().unwrap(), &value)
    });
    container["Secrets"].as_array().unwrap().iter().map(resolve).fold(place, |place, one| {
        let name = one["Name"].as_str().unwrap();
        let value = match name {
            "DB_PRIMARY_DB_URL" => servers.secret("auth-service/db-url"),
            "REDIS_URL" => servers.secret("auth-service/redis-url"),
            "JWT_PRIVATE_KEY" => servers.secret("auth-service/jwt-private-key"),
            "JWT_PUBLIC_KEY" => servers.secret("auth-service/jwt-public-key"),
            "SECRETS_KEY" => format!("{}A=", &GENERATED[..42]),
            _ => GENERATED.to_owned(),
        };
        place.set(name, &value)
    })
}

/// Starts a container, whose own health check must come to pass at this port of ours.
async fn start(place: &Workplace, container: &Value, command: &str, port: u16) -> Program {
    let program = place.spawn_at(&[command], port);
    let inside = container["PortMappings"][0]["ContainerPort"].to_string();
    let check = container["HealthCheck"]["Command"][1].as_str().unwrap().replace(&inside, &port.to_string());
    let passes = async || {
        let mut shell = Command::new("sh");
        shell.args(["-c", &check]).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
    };
    program.until("it is healthy", passes).await;
    program
}

#[tokio::test]
async fn the_gateway_is_the_public_door_to_service_and_console() {
    let servers = Servers::start();
    let (system, doors) = (read_template("template.yaml"), read_template("gateway.yaml"));
    let [service, console, gateway] = [(&system, "TaskDefinition"), (&doors, "ConsoleTask"), (&doors, "GatewayTask")]
        .map(|(from, task)| container(from, task));
    assert_eq!((&console["Command"], &gateway["Command"]), (&json!(["admin"]), &json!(["gateway"])));

    let api = place(&servers, &service, &[]);
    let _api = start(&api, &service, "service", api.port).await;
    let mut others = vec![("auth-service.auth-system.internal:8000", format!("127.0.0.1:{}", api.port))];
    let admin = place(&servers, &console, &others);
    let _admin = start(&admin, &console, "admin", admin.admin_port).await;
    others.push(("auth-admin.auth-system.internal:5173", format!("127.0.0.1:{}", admin.admin_port)));
    let door = place(&servers, &gateway, &others);
    let _door = start(&door, &gateway, "gateway", door.gateway_port).await;

    let public = Client::new(door.gateway_port).with_header("host", DOMAIN);
    _door.until("it knows the revocations", async || public.get("/gateway/health/ready").await.status == 200).await;
    let person = public.person("kim@example.com").await;
    assert_eq!(public.me(&person.access).await.status, 200);
    assert_eq!(public.logout(&person.access).await.status, 204);
    assert_eq!(public.me(&person.access).await.status, 401);
    assert_eq!(public.get("/admin/sign-in").await.status, 303, "the console, by way of the gateway and the service");
    assert_eq!(public.get("/internal/v1/revocations").await.status, 404);
}
