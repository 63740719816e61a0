//! A team's own service behind the gateway: it records every head exactly as it came, and does what the path says.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// The service.
pub struct Upstream {
    pub port: u16,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Upstream {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::on(listener)
    }

    /// Serves on a listener that is open already.
    pub fn on(listener: TcpListener) -> Self {
        let (port, seen) = (listener.local_addr().unwrap().port(), Arc::new(Mutex::new(Vec::new())));
        tokio::spawn({
            let seen = Arc::clone(&seen);
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(serve(stream, Arc::clone(&seen)));
                }
            }
        });
        Self { port, seen }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Every head that came, oldest first.
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    /// The head of the last request.
    pub fn last(&self) -> String {
        self.seen().pop().expect("a request came")
    }
}

/// A header's values in a head that was recorded, whatever its spelling.
pub fn values<'a>(head: &'a str, name: &str) -> Vec<&'a str> {
    let lines = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    lines.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
}

async fn serve(stream: TcpStream, seen: Arc<Mutex<Vec<String>>>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let head = read_head(&mut stream).await?;
        seen.lock().unwrap().push(head.clone());
        let target = head.split(' ').nth(1)?.to_owned();
        match target.split('?').next()?.rsplit('/').next()? {
            "hang" => std::future::pending::<()>().await,
            "reset" => {
                socket2::SockRef::from(stream.get_ref()).set_linger(Some(Duration::ZERO)).ok()?;
                return None;
            }
            "lie" => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this").await.ok()?;
                return None;
            }
            "garbage" => {
                stream.write_all(b"this is no HTTP\r\n\r\n").await.ok()?;
                return None;
            }
            "early" => {
                stream.write_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nearly").await.ok()?;
                tokio::io::copy(&mut stream, &mut tokio::io::sink()).await.ok()?;
                return None;
            }
            "events" => return stream_events(stream).await,
            "socket" => return echo(stream, &head).await,
            "sink" => {
                let taken = discard_body(&mut stream, &head).await?;
                answer(&mut stream, &head, &taken.to_string()).await?;
            }
            "framed" => {
                discard_body(&mut stream, &head).await?;
                let answer = "HTTP/1.1 200 OK\r\nX-Frame-Options: SAMEORIGIN\r\nX-Frame-Options: ALLOWALL\r\nServer: secret/1.0\r\n\
                              Content-Security-Policy: default-src 'self'\r\nAccess-Control-Allow-Origin: *\r\nConnection: x-hop\r\nX-Hop: 1\r\nContent-Length: 0\r\n\r\n";
                stream.write_all(answer.as_bytes()).await.ok()?;
            }
            _ => {
                discard_body(&mut stream, &head).await?;
                answer(&mut stream, &head, "ok").await?;
            }
        }
    }
}

async fn read_head(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        (stream.read_line(&mut head).await.ok()? > 0).then_some(())?;
    }
    Some(head)
}

async fn answer(stream: &mut BufReader<TcpStream>, head: &str, body: &str) -> Option<()> {
    let body = if head.starts_with("HEAD ") { "" } else { body };
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(answer.as_bytes()).await.ok()
}

/// Reads the body, keeping none of it; how many bytes it had.
async fn discard_body(stream: &mut BufReader<TcpStream>, head: &str) -> Option<u64> {
    if let Some(length) = values(head, "content-length").first() {
        let length: u64 = length.parse().ok()?;
        return tokio::io::copy(&mut stream.take(length), &mut tokio::io::sink()).await.ok();
    }
    let (mut total, mut line) = (0, String::new());
    while values(head, "transfer-encoding") == ["chunked"] {
        line.clear();
        stream.read_line(&mut line).await.ok()?;
        let size = u64::from_str_radix(line.trim(), 16).ok()?;
        tokio::io::copy(&mut stream.take(size + 2), &mut tokio::io::sink()).await.ok()?;
        total += size;
        if size == 0 {
            break;
        }
    }
    Some(total)
}

async fn stream_events(mut stream: BufReader<TcpStream>) -> Option<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n").await.ok()?;
    for number in 0.. {
        stream.write_all(format!("data: {number}\n\n").as_bytes()).await.ok()?;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    None
}

/// A WebSocket, as far as a proxy can see: after the handshake bytes come back as they went.
async fn echo(mut stream: BufReader<TcpStream>, head: &str) -> Option<()> {
    if values(head, "upgrade") != ["websocket"] {
        return answer(&mut stream, head, "no upgrade asked for").await;
    }
    let hello = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n";
    stream.write_all(hello.as_bytes()).await.ok()?;
    let mut bytes = [0; 4096];
    loop {
        let count = stream.read(&mut bytes).await.ok().filter(|count| *count > 0)?;
        stream.write_all(&bytes[..count]).await.ok()?;
    }
}
