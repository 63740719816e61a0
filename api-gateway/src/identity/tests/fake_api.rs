//! The Auth API's wire format, spoken by a small server that does what a test says.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::stream;
use http::{Method, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::upstream::{ServerUrl, Upstream, UpstreamConfig};

pub(crate) const FEED_TOKEN: &str = "a token that gateways show";

type Body = BoxBody<Bytes, std::io::Error>;
type Sender = mpsc::UnboundedSender<std::io::Result<Frame<Bytes>>>;

/// What the server does, and what was asked of it.
pub(crate) struct FakeApi {
    /// The answer to the key set; another status than 200 when none.
    pub(super) jwks: Mutex<Option<String>>,
    pub(super) jwks_fetches: AtomicUsize,
    /// What a feed begins with.
    pub(super) first: Mutex<String>,
    /// The token that it wants.
    pub(super) feed_token: Mutex<Option<&'static str>>,
    pub(super) connects: AtomicUsize,
    /// Which gateways asked for a feed, by their own word.
    gateway_ids: Mutex<Vec<String>>,
    reports: Mutex<Vec<Value>>,
    /// One permit for each report that came, taken or not.
    reported: Semaphore,
    feeds: Mutex<Vec<Sender>>,
    /// By id and hash.
    pub(super) api_keys: Mutex<HashMap<(String, String), Value>>,
    pub(super) resolutions: AtomicUsize,
    /// One permit for each answer to such a question.
    pub(super) gate: Semaphore,
    address: SocketAddr,
    connections: Mutex<JoinSet<()>>,
}

impl FakeApi {
    /// Serves on a free port, with an empty snapshot and no keys.
    pub(crate) async fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api = Arc::new(Self {
            jwks: Mutex::default(),
            jwks_fetches: AtomicUsize::default(),
            first: Mutex::new(snapshot(0, &[])),
            feed_token: Mutex::new(Some(FEED_TOKEN)),
            connects: AtomicUsize::default(),
            gateway_ids: Mutex::default(),
            reports: Mutex::default(),
            reported: Semaphore::new(0),
            feeds: Mutex::default(),
            api_keys: Mutex::default(),
            resolutions: AtomicUsize::default(),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
            address: listener.local_addr().unwrap(),
            connections: Mutex::default(),
        });
        let server = Arc::clone(&api);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let this = Arc::clone(&server);
                let service = service_fn(move |request| Arc::clone(&this).answer(request));
                let connection =
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                server.connections.lock().unwrap().spawn(async move { drop(connection.await) });
            }
        });
        api
    }

    /// An upstream of these servers that ejects none: a test says itself when one is away.
    pub(super) fn upstream(servers: &[&Arc<Self>]) -> Arc<Upstream> {
        let url = |api: &&Arc<Self>| ServerUrl { tls: false, host: "127.0.0.1".to_owned(), port: api.address.port() };
        let config = UpstreamConfig::of_servers("auth-api", servers.iter().map(url).collect());
        Upstream::open(UpstreamConfig { eject_after: u32::MAX, ..config }, None).unwrap()
    }

    /// Sends this on every open feed, as it is.
    pub(super) fn send(&self, text: &str) {
        let chunk = Bytes::copy_from_slice(text.as_bytes());
        self.feeds.lock().unwrap().retain(|feed| feed.send(Ok(Frame::data(chunk.clone()))).is_ok());
    }

    /// Ends every open feed in good order.
    pub(super) fn close_feeds(&self) {
        self.feeds.lock().unwrap().clear();
    }

    /// Cuts every connection.
    pub(super) fn cut(&self) {
        self.connections.lock().unwrap().abort_all();
        self.feeds.lock().unwrap().clear();
    }

    pub(super) fn count(counter: &AtomicUsize) -> usize {
        counter.load(Ordering::SeqCst)
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every report that was taken.
    pub(crate) fn reports(&self) -> Vec<Value> {
        self.reports.lock().unwrap().clone()
    }

    /// Which gateways asked for a feed.
    pub(crate) fn gateway_ids(&self) -> Vec<String> {
        self.gateway_ids.lock().unwrap().clone()
    }

    /// Has no place for gateways, as an API without a token.
    pub(crate) fn refuse_gateways(&self) {
        *self.feed_token.lock().unwrap() = None;
    }

    /// Has one again.
    pub(crate) fn admit_gateways(&self) {
        *self.feed_token.lock().unwrap() = Some(FEED_TOKEN);
    }

    /// Returns once a report came, taken or not.
    pub(crate) async fn was_asked_for_reports(&self) {
        self.reported.acquire().await.unwrap().forget();
    }

    fn count_report(&self, answer: Response<Body>) -> Response<Body> {
        self.reported.add_permits(1);
        answer
    }

    async fn take_report(&self, request: Request<Incoming>) -> Response<Body> {
        let body = request.into_body().collect().await.unwrap().to_bytes();
        self.reports.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
        self.count_report(status(204))
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        assert_eq!(request.headers().get_all("host").iter().count(), 1);
        let path = request.uri().path().to_owned();
        Ok(match (request.method(), path.as_str()) {
            (&Method::GET, "/.well-known/jwks.json") => {
                self.jwks_fetches.fetch_add(1, Ordering::SeqCst);
                self.jwks.lock().unwrap().clone().map_or_else(|| status(503), |jwks| full(&jwks))
            }
            (&Method::GET, "/internal/v1/revocations") => {
                self.connects.fetch_add(1, Ordering::SeqCst);
                let id = request.headers().get("x-gateway-id").map(|id| id.to_str().unwrap().to_owned());
                self.gateway_ids.lock().unwrap().extend(id);
                self.refusal(&request).unwrap_or_else(|| self.feed())
            }
            (&Method::POST, "/internal/v1/gateways/report") => match self.refusal(&request) {
                Some(refusal) => self.count_report(refusal),
                None => self.take_report(request).await,
            },
            (&Method::POST, "/internal/v1/api-keys/resolve") => match self.refusal(&request) {
                Some(refusal) => refusal,
                None => self.resolve(request).await,
            },
            _ => status(404),
        })
    }

    fn refusal(&self, request: &Request<Incoming>) -> Option<Response<Body>> {
        let wanted = *self.feed_token.lock().unwrap();
        let Some(wanted) = wanted else { return Some(status(404)) };
        let presented = request.headers().get("authorization").and_then(|value| value.to_str().ok());
        (presented != Some(&format!("Bearer {wanted}"))).then(|| status(401))
    }

    fn feed(&self) -> Response<Body> {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        sender.send(Ok(Frame::data(self.first.lock().unwrap().clone().into()))).unwrap();
        self.feeds.lock().unwrap().push(sender);
        let frames = stream::poll_fn(move |cx| receiver.poll_recv(cx));
        Response::new(BodyExt::boxed(StreamBody::new(frames)))
    }

    async fn resolve(&self, request: Request<Incoming>) -> Response<Body> {
        assert_eq!(request.headers()["content-type"], "application/json");
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let question: Value = serde_json::from_slice(&body).unwrap();
        let key = ["id", "secret_sha256"].map(|member| question[member].as_str().unwrap().to_owned());
        // What the answer says is read before it is held up: so it can be overtaken.
        let answer = self.api_keys.lock().unwrap().get(&key.into()).cloned();
        self.resolutions.fetch_add(1, Ordering::SeqCst);
        self.gate.acquire().await.unwrap().forget();
        answer.map_or_else(|| status(404), |answer| full(&answer.to_string()))
    }
}

fn status(code: u16) -> Response<Body> {
    let mut response = full("{}");
    *response.status_mut() = StatusCode::from_u16(code).unwrap();
    response
}

fn full(text: &str) -> Response<Body> {
    let body = Full::new(Bytes::copy_from_slice(text.as_bytes()));
    Response::new(BodyExt::boxed(body.map_err(|never| match never {})))
}

/// An event as the API writes it.
pub(super) fn event(name: &str, data: &Value) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}

/// A snapshot that is `as_of` milliseconds old.
pub(super) fn snapshot(as_of: u64, revocations: &[Value]) -> String {
    event("snapshot", &json!({"as_of": as_of, "revocations": revocations}))
}

/// A heartbeat.
pub(super) fn heartbeat(as_of: u64) -> String {
    event("heartbeat", &json!({"as_of": as_of}))
}

/// A revocation as a feed carries it.
pub(super) fn revocation(kind: &str, subject: &str, version: i64) -> Value {
    json!({
        "id": "00000000-0000-0000-0000-000000000009", "kind": kind, "subject": subject, "version": version,
        "revoked_at": super::NOW * 1_000_000, "expires_at": (super::NOW + 2_000) * 1_000_000,
    })
}
