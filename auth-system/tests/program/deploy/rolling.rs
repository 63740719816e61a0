//! Two instances restarted one after the other under load: nobody is refused, and nobody logged out.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use serde_json::json;
use test_peers::free_port;
use tokio::{sync::Semaphore, task::JoinSet};

use super::nginx::Nginx;
use crate::{
    client::{Answer, Client, PASSWORD, Person},
    gateway::{FEED_TOKEN, Gateway},
    program::Program,
    support::{Engine, Workplace},
};

/// Each a person with a session of their own.
const PEOPLE: usize = 6;
/// Who logs in at a time: more than a busy machine can hash within a second are refused at any time, restart or not.
const LOGINS: usize = 1;

/// Two instances of the Auth API on one database.
struct Pair([(Workplace, Program); 2]);

impl Pair {
    async fn start() -> Self {
        let first = Workplace::on(Engine::Postgres)
            .set("ENV", "test")
            .set("TRUSTED_PROXIES", "127.0.0.1")
            .set("GATEWAY_FEED_TOKEN", FEED_TOKEN)
            .set("RATE_LIMIT_LOGIN_PER_ADDRESS", "off")
            .set("RATE_LIMIT_REGISTER_PER_ADDRESS", "off")
            .set("RATE_LIMIT_REFRESH_PER_SESSION", "off")
            .set("RATE_LIMIT_API_PER_ADDRESS", "off")
            .set("RATE_LIMIT_API_PER_USER", "off");
        // The same environment, but a place to listen of its own.
        let mut second = first.clone();
        second.port = free_port().unwrap();
        let [address, metrics] = [second.port, free_port().unwrap()].map(|port| format!("127.0.0.1:{port}"));
        let second = second.set("SERVICE_ADDR", &address).set("METRICS_ADDR", &metrics);
        let running = first.spawn(&["service"]);
        running.until_ready().await;
        let other = second.spawn(&["service"]);
        other.until_ready().await;
        Self([(first, running), (second, other)])
    }

    fn ports(&self) -> [u16; 2] {
        self.0.each_ref().map(|(place, _)| place.port)
    }

    /// One after the other, as the guide has it: the second when the first is ready again, and `settled`.
    async fn restart_each(&mut self, settled: impl AsyncFn()) {
        for (place, program) in &mut self.0 {
            program.signal("TERM");
            assert_eq!(program.ended().await, Some(0), "{}{}", program.out(), program.err());
            *program = place.spawn(&["service"]);
            program.until_ready().await;
            settled().await;
        }
    }
}

/// People who log in, ask who they are, and refresh, until they are told to stop.
struct Load {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    logins: Arc<Semaphore>,
    people: JoinSet<Result<Person, String>>,
}

impl Load {
    async fn start(front: impl Fn() -> Client) -> Self {
        let logins = Arc::new(Semaphore::new(LOGINS));
        let mut load = Self { stop: Arc::default(), answered: Arc::default(), logins, people: JoinSet::new() };
        for number in 0..PEOPLE {
            let (client, email) = (front(), format!("person{number}@example.com"));
            let person = client.person(&email).await;
            let (stop, answered) = (Arc::clone(&load.stop), Arc::clone(&load.answered));
            let logins = Arc::clone(&load.logins);
            load.people.spawn(async move {
                let mut person = person;
                while !stop.load(Ordering::Relaxed) {
                    person = live(&client, person).await?;
                    if let Ok(_permit) = logins.try_acquire() {
                        log_in_once_more(&client, &email).await?;
                    }
                    answered.fetch_add(1, Ordering::Relaxed);
                }
                Ok(person)
            });
        }
        load
    }

    /// Waits for as many rounds of everybody's, on the average.
    async fn rounds(&self, program: &Program, rounds: usize) {
        let until = self.answered.load(Ordering::Relaxed) + rounds * PEOPLE;
        program
            .until("the load goes on", async || self.answered.load(Ordering::Relaxed) >= until || self.has_failed())
            .await;
    }

    fn has_failed(&self) -> bool {
        self.people.len() < PEOPLE
    }

    /// Ends it; who they are at the end.
    async fn end(self) -> Vec<Person> {
        self.stop.store(true, Ordering::Relaxed);
        println!(
            "{} rounds of a question and a refresh, and as many logins as fit between",
            self.answered.load(Ordering::Relaxed)
        );
        let outcomes: Result<Vec<_>, String> = self.people.join_all().await.into_iter().collect();
        outcomes.unwrap_or_else(|failure| panic!("{failure}"))
    }
}

/// What a person does with a session; what is not the expected answer.
async fn live(client: &Client, person: Person) -> Result<Person, String> {
    expect("me", ask(client, &person.access).await)?;
    let refreshed = expect("refresh", client.try_refresh(&person.refresh).await)?;
    Ok(Person { access: refreshed.text("access_token"), refresh: refreshed.text("refresh_token") })
}

async fn log_in_once_more(client: &Client, email: &str) -> Result<(), String> {
    let login = json!({"email": email, "password": PASSWORD});
    let login = expect("login", client.try_post("/api/v1/auth/login", login).await)?;
    expect("me after the login", ask(client, &login.text("access_token")).await).map(drop)
}

async fn ask(client: &Client, access: &str) -> reqwest::Result<Answer> {
    Answer::of(client.bearing(access).request(reqwest::Method::GET, "/api/v1/users/me")).await
}

fn expect(what: &str, answer: reqwest::Result<Answer>) -> Result<Answer, String> {
    match answer {
        Ok(answer) if answer.status == 200 => Ok(answer),
        other => Err(format!("{what}: {other:?}")),
    }
}

async fn assert_all_are_still_known(front: &Client, people: Vec<Person>) {
    assert_eq!(people.len(), PEOPLE);
    for person in people {
        assert_eq!(front.me(&person.access).await.status, 200, "logged out");
        assert_eq!(front.refresh(&person.refresh).await.status, 200, "logged out");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_nginx_a_rolling_restart_fails_no_request_and_logs_nobody_out() {
    let mut pair = Pair::start().await;
    let nginx = Nginx::start(pair.ports(), free_port().unwrap()).await;
    let load = Load::start(|| nginx.client([127, 0, 0, 1])).await;
    load.rounds(&pair.0[0].1, 1).await;
    pair.restart_each(async || ()).await;
    load.rounds(&pair.0[0].1, 2).await;
    let people = load.end().await;
    assert_all_are_still_known(&nginx.client([127, 0, 0, 1]), people).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_our_gateway_a_rolling_restart_fails_no_request_and_logs_nobody_out() {
    let mut pair = Pair::start().await;
    let routes = "[limits]\nper_address = \"off\"\nper_user = \"off\"\n";
    let gateway = Gateway::start(&pair.ports(), routes).await;
    let load = Load::start(|| Client::new(gateway.port)).await;
    load.rounds(&pair.0[0].1, 1).await;
    let both = json!({"servers": 2, "usable": 2});
    let settled = async || {
        let usable = async || gateway.details().await.body["upstreams"]["auth-api"] == both;
        gateway.program.until("both instances are usable", usable).await;
    };
    pair.restart_each(settled).await;
    load.rounds(&pair.0[0].1, 2).await;
    let people = load.end().await;
    assert_all_are_still_known(&gateway.client, people).await;
}
