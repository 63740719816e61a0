//! A compose file run without containers: each service is a process with the command and the environment that
//! docker-compose itself reads from the file, at a port of its own, started when those that it waits for are healthy.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;
use test_peers::{
    free_port,
    installation::{docker_compose, python_tool},
};

use super::{read, succeed};
use crate::{
    program::Program,
    support::{DEADLINE, Workplace, comes_within},
};

const YAML_TO_JSON: &str = "import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.stdin)))";
/// The image's own listeners, by service and port inside its container.
const LISTENERS: [(&str, u16); 3] = [("SERVICE_ADDR", 8000), ("GATEWAY_ADDR", 8080), ("ADMIN_ADDR", 5173)];
const METRICS: [&str; 3] = ["METRICS_ADDR", "GATEWAY_METRICS_ADDR", "ADMIN_METRICS_ADDR"];

/// A compose file as docker-compose 1.29 understands it.
pub struct Stack {
    pub services: BTreeMap<String, Service>,
}

/// One of its services.
pub struct Service {
    pub raw: Value,
    /// Where its one listener is in place of the container's; by the latter's port.
    port: (u16, u16),
}

/// What stands in for names and addresses that only containers have.
pub struct Substitutes(pub Vec<(String, String)>);

/// A process that ends with this value.
pub struct Running(Child);

impl Stack {
    /// Reads a file of the repository beside this `.env.production`.
    pub fn load(file: &str, env_production: &str) -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join(file), read(file)).unwrap();
        fs::write(folder.path().join(".env.production"), env_production).unwrap();
        let read = succeed(
            Command::new(docker_compose().unwrap())
                .args(["-f", file, "config"])
                .current_dir(folder.path())
                .env_remove("PUBLISH_API"),
        );
        fs::write(folder.path().join("config.yml"), read).unwrap();
        let yaml = fs::File::open(folder.path().join("config.yml")).unwrap();
        let json = succeed(Command::new(python_tool("python3").unwrap()).args(["-c", YAML_TO_JSON]).stdin(yaml));
        let config: Value = serde_json::from_str(&json).unwrap();
        let services = config["services"].as_object().unwrap().iter().map(|(name, raw)| {
            let inside = match raw["command"][0].as_str() {
                Some("gateway") => 8080,
                Some("admin") => 5173,
                _ => 8000,
            };
            (name.clone(), Service { raw: raw.clone(), port: (inside, free_port().unwrap()) })
        });
        Self { services: services.collect() }
    }

    /// The services of our image, those first that others wait for.
    pub fn ours_in_order(&self) -> Vec<&str> {
        let mut ordered: Vec<&str> = Vec::new();
        let mut rest: Vec<&str> = self.services.iter().filter(|(_, s)| s.is_ours()).map(|(name, _)| &**name).collect();
        while !rest.is_empty() {
            let waits = |name: &&str| self.services[*name].waits_for().iter().any(|other| rest.contains(&&**other));
            let (later, now): (Vec<&str>, Vec<&str>) = rest.iter().copied().partition(waits);
            assert!(!now.is_empty(), "these wait for each other: {later:?}");
            ordered.extend(now);
            rest = later;
        }
        ordered
    }

    /// The port on this machine of a service's one listener.
    pub fn port(&self, service: &str) -> u16 {
        self.services[service].port.1
    }

    /// Where a service of our image would run.
    pub fn place(&self, name: &str, substitutes: &Substitutes) -> Workplace {
        let service = &self.services[name];
        let mut place = Workplace::bare();
        for metrics in METRICS {
            place = place.set(metrics, &format!("127.0.0.1:{}", free_port().unwrap()));
        }
        for (variable, port) in LISTENERS {
            let here = if port == service.port.0 { service.port.1 } else { free_port().unwrap() };
            place = place.set(variable, &format!("0.0.0.0:{here}"));
        }
        for (variable, value) in service.environment() {
            place = place.set(&variable, &substitutes.apply(&self.with_local_ports(&value)));
        }
        place
    }

    /// Starts a service and waits until its own health check says so.
    pub async fn start(&self, name: &str, place: &Workplace) -> Program {
        let service = &self.services[name];
        let command = service.command();
        let command = if command.is_empty() { vec!["service".to_owned()] } else { command };
        let arguments: Vec<&str> = command.iter().map(String::as_str).collect();
        let program = place.spawn_at(&arguments, service.port.1);
        program.until("it is healthy", async || service.is_healthy()).await;
        program
    }

    fn with_local_ports(&self, value: &str) -> String {
        // The longer names first: one begins with another.
        let services = self.services.iter().rev();
        services.fold(value.to_owned(), |value, (name, Service { port: (inside, here), .. })| {
            value.replace(&format!("//{name}:{inside}"), &format!("//127.0.0.1:{here}"))
        })
    }
}

impl Service {
    pub fn is_ours(&self) -> bool {
        self.raw["image"] == "auth-service:latest"
    }

    /// Names of the services that must be healthy or done before.
    pub fn waits_for(&self) -> Vec<String> {
        self.raw["depends_on"].as_object().map(|on| on.keys().cloned().collect()).unwrap_or_default()
    }

    pub fn command(&self) -> Vec<String> {
        texts(&self.raw["command"])
    }

    pub fn environment(&self) -> BTreeMap<String, String> {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let environment = self.raw["environment"].as_object().into_iter().flatten();
        environment.map(|(name, value)| (name.clone(), text(value))).collect()
    }

    fn is_healthy(&self) -> bool {
        let test = texts(&self.raw["healthcheck"]["test"]);
        assert_eq!(test[0], "CMD", "{test:?}");
        let (inside, here) = self.port;
        let arguments = test[2..].iter().map(|word| word.replace(&format!(":{inside}/"), &format!(":{here}/")));
        let mut check = Command::new(&test[1]);
        check.args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
    }
}

impl Substitutes {
    fn apply(&self, value: &str) -> String {
        self.0.iter().fold(value.to_owned(), |value, (from, to)| value.replace(from, to))
    }
}

impl Running {
    /// Starts a program, and waits until it takes connections at a port of this machine.
    pub async fn start(program: &Path, arguments: &[String], port: u16) -> Self {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
        let running = Self(command.spawn().unwrap());
        let answers = async || tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok();
        assert!(comes_within(DEADLINE, answers).await, "{program:?} {arguments:?} does not listen");
        running
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
}
