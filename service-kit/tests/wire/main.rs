//! The edge and the serving loop over real sockets, as a client sees them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod client;
mod edge;
mod framing;
mod http2;
mod limits;
mod serving;
mod tls;
mod upgrade;

use std::net::SocketAddr;

use axum::Router;
use service_kit::serve::{ServeLimits, serve};
use service_kit::shutdown::{Shutdown, Trigger};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A server of its own for each test; it stops when dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) trigger: Trigger,
    pub(crate) done: JoinHandle<std::io::Result<()>>,
}

pub(crate) async fn start(app: Router, limits: ServeLimits) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (trigger, shutdown) = Shutdown::manual();
    let done = tokio::spawn(serve(listener, app, limits, shutdown));
    Server { address, trigger, done }
}
