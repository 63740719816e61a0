//! What every test stands on: a deployment with a database of its own, instances of the service on it, and a client.

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use auth_service::{App, Config};
use auth_token::{Algorithm, RsaBits, SigningKey};
use reqwest::{Method, header::HeaderMap, redirect::Policy};
use serde_json::{Value, json};
use service_kit::{
    clock::Clock,
    config::Env,
    serve::{ServeLimits, serve},
    shutdown::{Shutdown, Trigger},
};
use tempfile::TempDir;
use test_peers::{Postgres, Redis};
use tokio::net::TcpListener;

/// A password that passes the default rule.
pub const PASSWORD: &str = "TestPass123!";
/// What gateways present in tests.
pub const FEED_TOKEN: &str = "feed-token-of-the-tests";

/// What a deployment stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// SQLite, and counts in memory.
    Sqlite,
    /// PostgreSQL and Redis.
    Postgres,
}

/// A database, and the settings that every instance on it shares.
pub struct Deployment {
    pub engine: Engine,
    /// Stands still until a test advances it.
    pub clock: Clock,
    env: Vec<(String, String)>,
    data: Arc<TempDir>,
}

impl Deployment {
    /// A fresh database with a current schema.
    pub fn new(engine: Engine) -> Self {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().to_str().unwrap().to_owned();
        let clock = Clock::manual("2026-01-01T00:00:00Z".parse().unwrap());
        let deployment = Self { engine, clock, env: Vec::new(), data: Arc::new(data) };
        let deployment = deployment.set("DATA_DIR", &folder);
        let deployment = deployment.set("JWT_PRIVATE_KEY", signing_key()).set("GATEWAY_FEED_TOKEN", FEED_TOKEN);
        match engine {
            Engine::Sqlite => deployment,
            Engine::Postgres => {
                let database = postgres().create_database_from(template()).unwrap();
                let redis = Redis::shared().unwrap();
                deployment.set("DB_PRIMARY_DB_URL", &database).set("REDIS_URL", redis.url())
            }
        }
    }

    /// The same with a variable set, in place of what it was.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.env.retain(|(known, _)| known != name);
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> &str {
        self.env.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).unwrap()
    }

    /// What its instances run by.
    pub fn config(&self) -> Config {
        let mut env = Env::from_pairs(self.env.clone());
        let mut config = Config::read(&mut env);
        env.finish().unwrap_or_else(|refusals| panic!("{refusals}"));
        // Many tests hash at once on few cores; overload has its own tests.
        config.hashing.max_wait = Duration::from_secs(60);
        config
    }

    /// Starts one more instance.
    pub async fn start(&self) -> Instance {
        self.start_at(self.clock.clone()).await
    }

    /// Starts one more instance, by a clock of its own.
    pub async fn start_at(&self, clock: Clock) -> Instance {
        self.run(self.config(), clock, 0).await
    }

    /// Starts one more instance, which runs by another configuration.
    pub async fn start_with(&self, config: Config) -> Instance {
        self.run(config, self.clock.clone(), 0).await
    }

    /// Starts one more instance where browsers were told to find it: at this port of 127.0.0.1.
    pub async fn start_on(&self, port: u16) -> Instance {
        self.run(self.config(), self.clock.clone(), port).await
    }

    async fn run(&self, config: Config, clock: Clock, port: u16) -> Instance {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (trigger, shutdown) = Shutdown::manual();
        let app = App::start(config, clock, shutdown.clone()).await.unwrap();
        tokio::spawn(serve(listener, auth_service::router(app.clone()), ServeLimits::default(), shutdown));
        Instance {
            app,
            address,
            client: reqwest::Client::builder().redirect(Policy::none()).build().unwrap(),
            headers: HeaderMap::new(),
            _data: Arc::clone(&self.data),
            trigger: Arc::new(trigger),
        }
    }
}

/// A running instance, and a client to it.
#[derive(Clone)]
pub struct Instance {
    pub app: App,
    pub address: SocketAddr,
    client: reqwest::Client,
    headers: HeaderMap,
    /// Kept as long as the instance may open files in it.
    _data: Arc<TempDir>,
    trigger: Arc<Trigger>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    /// JSON where it was, else the text.
    pub body: Value,
}

/// A person who has logged in.
#[derive(Clone, Debug)]
pub struct Person {
    pub email: String,
    pub access: String,
    pub refresh: String,
    pub session: String,
}

impl Instance {
    /// Has it leave, as a signal does.
    pub fn stop(&self) {
        self.trigger.request();
    }

    /// The same client, sending one more header with everything.
    pub fn with_header(&self, name: &'static str, value: &str) -> Self {
        let mut other = self.clone();
        other.headers.insert(name, value.parse().unwrap());
        other
    }

    /// The same client, with an access token.
    pub fn bearing(&self, access: &str) -> Self {
        self.with_header("authorization", &format!("Bearer {access}"))
    }

    /// Sends a request with any body, and only the headers of this client.
    pub async fn request(&self, method: Method, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        let request = self.client.request(method, format!("http://{}{path}", self.address));
        let response = request.headers(self.headers.clone()).body(body).send().await.unwrap();
        Answer::read(response).await
    }

    /// Sends a body of any type.
    pub async fn send(&self, method: Method, path: &str, body: impl Into<reqwest::Body>, content_type: &str) -> Answer {
        self.with_header("content-type", content_type).request(method, path, body).await
    }

    /// Sends JSON.
    pub async fn call(&self, method: Method, path: &str, body: Value) -> Answer {
        self.send(method, path, body.to_string(), "application/json").await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path, "").await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, body).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.request(Method::DELETE, path, "").await
    }

    pub async fn register(&self, email: &str) -> Answer {
        self.post("/api/v1/auth/register", json!({"email": email, "password": PASSWORD})).await
    }

    pub async fn login(&self, email: &str, password: &str) -> Answer {
        self.post("/api/v1/auth/login", json!({"email": email, "password": password})).await
    }

    pub async fn refresh(&self, token: &str) -> Answer {
        self.post("/api/v1/auth/refresh", json!({"refresh_token": token})).await
    }

    /// `GET /users/me` with this access token.
    pub async fn me(&self, access: &str) -> Answer {
        self.bearing(access).get("/api/v1/users/me").await
    }

    /// Registers a person and logs them in.
    pub async fn person(&self, email: &str) -> Person {
        assert_eq!(self.register(email).await.status, 201);
        self.log_in(email).await
    }

    /// One more session of a person.
    pub async fn log_in(&self, email: &str) -> Person {
        let answer = self.login(email, PASSWORD).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        Person {
            email: email.to_owned(),
            access: answer.text("access_token"),
            refresh: answer.text("refresh_token"),
            session: answer.text("session_id"),
        }
    }
}

impl Answer {
    async fn read(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Self { status, headers, body }
    }

    /// A member of the body that is a text.
    pub fn text(&self, name: &str) -> String {
        self.body[name].as_str().unwrap_or_else(|| panic!("{name} in {self:?}")).to_owned()
    }

    /// The names of the body's members, sorted.
    pub fn members(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.body.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    /// The stable code of a problem.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// The fields that a problem blames, with the code of each.
    pub fn faults(&self) -> Vec<(&str, &str)> {
        let errors = self.body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        errors.iter().map(|error| (error["field"].as_str().unwrap(), error["code"].as_str().unwrap())).collect()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

fn postgres() -> &'static Postgres {
    Postgres::shared().unwrap_or_else(|error| panic!("{error}"))
}

/// A database made as the deployment guide says, with psql alone.
fn template() -> &'static str {
    static TEMPLATE: OnceLock<String> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let url = postgres().create_database().unwrap();
        let scripts = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts");
        for script in ["init.sql", "migrations/001_add_performance_indexes.sql"] {
            postgres().psql(&url, ["-v", "ON_ERROR_STOP=1", "-f", &format!("{scripts}/{script}")]).unwrap();
        }
        url.rsplit_once('/').unwrap().1.to_owned()
    })
}

/// One RSA key for all tests of this process: making one takes longer than most tests.
fn signing_key() -> &'static str {
    static KEY: OnceLock<String> = OnceLock::new();
    KEY.get_or_init(|| {
        SigningKey::generate(Algorithm::Rs256, RsaBits::default()).unwrap().to_pkcs8_pem().unwrap().to_string()
    })
}
