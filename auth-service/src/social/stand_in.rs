//! An issuer on this machine for tests: it publishes what it is told to, counts its visitors, and fails on demand.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use auth_token::{Algorithm, KeySet, RsaBits, SigningKey};
use axum::{Router, extract::State, routing::get};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::{Notify, OwnedRwLockWriteGuard, RwLock},
};

use super::{
    issuer::Issuer,
    outbound::{Outbound, Reach},
};

const JWKS_PATH: &str = "/keys";

/// An issuer on this machine.
pub(super) struct StandIn {
    /// Its name.
    pub(super) name: String,
    published: Arc<Published>,
}

#[derive(Default)]
struct Published {
    document: Mutex<(StatusCode, String)>,
    keys: Mutex<(StatusCode, String)>,
    documents_asked: AtomicUsize,
    keys_asked: AtomicUsize,
    /// Tells each visitor's arrival.
    arrivals: Notify,
    /// Read by those who answer: whoever writes holds them up.
    gate: Arc<RwLock<()>>,
}

impl StandIn {
    /// Starts one that publishes these keys.
    pub(super) async fn start(keys: &[&SigningKey]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let name = format!("http://{}", listener.local_addr().unwrap());
        let published = Arc::new(Published::default());
        let app = Router::new()
            .route("/.well-known/openid-configuration", get(document))
            .route(JWKS_PATH, get(published_keys))
            .with_state(Arc::clone(&published));
        tokio::spawn(async move { axum::serve(listener, app).await });
        let stand_in = Self { name, published };
        stand_in.publish(|_| {});
        stand_in.publish_keys(keys);
        stand_in
    }

    /// As a relying party sees it, through a client of its own.
    pub(super) fn issuer(&self) -> Issuer {
        Issuer::new(&self.name, Outbound::open(Reach::Loopback, None).unwrap()).unwrap()
    }

    /// Publishes the usual document with a change.
    pub(super) fn publish(&self, change: impl FnOnce(&mut Value)) {
        let at = |path: &str| format!("{}{path}", self.name);
        let mut document = json!({
            "issuer": self.name,
            "authorization_endpoint": at("/authorize"),
            "token_endpoint": at("/token"),
            "userinfo_endpoint": at("/userinfo"),
            "jwks_uri": at(JWKS_PATH),
        });
        change(&mut document);
        *self.published.document.lock().unwrap() = (StatusCode::OK, document.to_string());
    }

    /// Publishes these keys from now on.
    pub(super) fn publish_keys(&self, keys: &[&SigningKey]) {
        let keys = KeySet::new(keys.iter().map(|key| key.verification_key()).collect());
        self.publish_key_text(keys.jwks_json());
    }

    /// Publishes this in place of keys.
    pub(super) fn publish_key_text(&self, text: &str) {
        *self.published.keys.lock().unwrap() = (StatusCode::OK, text.to_owned());
    }

    /// Answers everything with an error from now on.
    pub(super) fn fail(&self) {
        for answer in [&self.published.document, &self.published.keys] {
            answer.lock().unwrap().0 = StatusCode::SERVICE_UNAVAILABLE;
        }
    }

    /// Holds back all answers for as long as the guard lives.
    pub(super) async fn hold(&self) -> OwnedRwLockWriteGuard<()> {
        Arc::clone(&self.published.gate).write_owned().await
    }

    /// Waits for the next visitor.
    pub(super) async fn is_asked(&self) {
        self.published.arrivals.notified().await;
    }

    /// How often its document and its keys were asked for.
    pub(super) fn asked(&self) -> (usize, usize) {
        let count = |counter: &AtomicUsize| counter.load(Ordering::SeqCst);
        (count(&self.published.documents_asked), count(&self.published.keys_asked))
    }
}

impl Published {
    async fn receive(&self, counter: &AtomicUsize) {
        counter.fetch_add(1, Ordering::SeqCst);
        self.arrivals.notify_one();
        drop(self.gate.read().await);
    }
}

/// A key that signs tokens.
pub(super) fn new_key(algorithm: Algorithm) -> SigningKey {
    SigningKey::generate(algorithm, RsaBits::default()).unwrap()
}

/// Lets time pass. Only in between: while a call waits, a clock that stands still would run ahead to its deadline.
pub(super) async fn pass(span: Duration) {
    tokio::time::pause();
    tokio::time::advance(span).await;
    tokio::time::resume();
}

async fn document(State(published): State<Arc<Published>>) -> (StatusCode, String) {
    published.receive(&published.documents_asked).await;
    published.document.lock().unwrap().clone()
}

async fn published_keys(State(published): State<Arc<Published>>) -> (StatusCode, String) {
    published.receive(&published.keys_asked).await;
    published.keys.lock().unwrap().clone()
}
