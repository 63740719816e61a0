//! A server that does to each connection what a test says.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(super) struct Peer {
    pub address: SocketAddr,
    connections: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Peer {
    /// Each connection is given to `serve` with its number, from 0.
    pub async fn start<F, Fut>(serve: F) -> Self
    where
        F: Fn(Connection, usize) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(Connection { stream, read: Vec::new() }, count.fetch_add(1, Ordering::SeqCst)));
            }
        });
        Self { address, connections, task }
    }

    /// Answers each request with the same.
    pub async fn answering(answer: &'static str) -> Self {
        Self::start(move |mut connection, _| async move {
            while connection.read_head().await.is_some() {
                connection.write(answer).await;
            }
        })
        .await
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(super) struct Connection {
    pub stream: TcpStream,
    read: Vec<u8>,
}

impl Connection {
    /// The next head, without what follows it; nothing at the end.
    pub async fn read_head(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                let rest = self.read.split_off(end + 4);
                return String::from_utf8(std::mem::replace(&mut self.read, rest)).ok();
            }
            if self.read_more().await == 0 {
                return None;
            }
        }
    }

    /// A request with its body of known length.
    pub async fn read_request(&mut self) -> Option<(String, Vec<u8>)> {
        let head = self.read_head().await?;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let body = self.read_body(length.map_or(0, |length| length.parse().unwrap())).await?;
        Some((head, body))
    }

    pub async fn read_body(&mut self, length: usize) -> Option<Vec<u8>> {
        while self.read.len() < length {
            if self.read_more().await == 0 {
                return None;
            }
        }
        let rest = self.read.split_off(length);
        Some(std::mem::replace(&mut self.read, rest))
    }

    pub async fn write(&mut self, text: &str) {
        // The client may be gone, which is no fault of the server's.
        let _ = self.stream.write_all(text.as_bytes()).await;
    }

    /// Until the client closes.
    pub async fn wait_for_end(&mut self) {
        while self.read_more().await > 0 {}
    }

    /// Closes with a reset.
    pub fn reset(self) {
        socket2::SockRef::from(&self.stream).set_linger(Some(std::time::Duration::ZERO)).unwrap();
    }

    async fn read_more(&mut self) -> usize {
        self.stream.read_buf(&mut self.read).await.unwrap_or(0)
    }
}

/// An address where nobody listens.
pub(super) async fn refusing() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

/// Whatever reached a socket of this process before has been noticed by the runtime afterwards.
pub(super) async fn settle() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (ours, theirs) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
    theirs.unwrap().0.write_all(b"!").await.unwrap();
    ours.unwrap().read_u8().await.unwrap();
}

pub(super) const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
