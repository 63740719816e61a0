//! Bytes as they are: a client that sends exactly what it is given, and a server that takes whatever comes.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// One connection to the program.
pub struct Wire(TcpStream);

impl Wire {
    pub async fn connect(port: u16) -> Self {
        Self(TcpStream::connect(("127.0.0.1", port)).await.unwrap())
    }

    pub async fn send(&mut self, bytes: &str) {
        self.0.write_all(bytes.as_bytes()).await.unwrap();
    }

    /// What comes until the server closes.
    pub async fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        self.0.read_to_end(&mut rest).await.unwrap();
        String::from_utf8(rest).unwrap()
    }
}

/// A collector of what the program reports: takes every POST, and answers 200.
pub struct Collector {
    pub port: u16,
    taken: Arc<Mutex<Vec<String>>>,
}

impl Collector {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, taken) = (listener.local_addr().unwrap().port(), Arc::new(Mutex::new(Vec::new())));
        tokio::spawn({
            let taken = Arc::clone(&taken);
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(take_posts(stream, Arc::clone(&taken)));
                }
            }
        });
        Self { port, taken }
    }

    /// Everything that was taken, heads and bodies; what is no text is replaced.
    pub fn taken(&self) -> Vec<String> {
        self.taken.lock().unwrap().clone()
    }
}

async fn take_posts(mut stream: TcpStream, taken: Arc<Mutex<Vec<String>>>) -> Option<()> {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.ok()?);
        }
        let head = String::from_utf8(head).ok()?;
        let length =
            head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; length?];
        stream.read_exact(&mut body).await.ok()?;
        taken.lock().unwrap().push(head + &String::from_utf8_lossy(&body));
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await.ok()?;
    }
}
