//! A person at a browser that runs no scripts: cookies, forms, and redirects that are looked at one by one.

use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use url::{Url, form_urlencoded};

use crate::PeerError;

const PATIENCE: Duration = Duration::from_secs(20);

/// A browser of its own, for `http` only, without any cookies yet.
#[derive(Debug, Default)]
pub struct Visitor {
    cookies: Vec<Cookie>,
}

/// Whatever its attributes say of its life: the clock of a test may stand in another year.
#[derive(Debug)]
struct Cookie {
    host: String,
    path: String,
    name: String,
    value: String,
}

/// What a server has answered.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Where it was asked.
    pub url: Url,
    /// The status.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body as text.
    pub body: String,
}

impl Visitor {
    /// Goes to an address.
    ///
    /// # Errors
    /// [`PeerError::Io`].
    pub fn get(&mut self, url: &str) -> Result<Reply, PeerError> {
        self.send("GET", url, &[], "")
    }

    /// Sends a form by POST.
    ///
    /// # Errors
    /// [`PeerError::Io`].
    pub fn post(&mut self, url: &str, form: &[(&str, &str)]) -> Result<Reply, PeerError> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.send("POST", url, &[("Content-Type", "application/x-www-form-urlencoded")], &body)
    }

    /// Sends any request.
    ///
    /// # Errors
    /// [`PeerError::Io`], also if the answer is no HTTP.
    pub fn send(&mut self, method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Result<Reply, PeerError> {
        let url = Url::parse(url).map_err(|cause| PeerError::io(format!("read the address {url}"))(invalid(cause)))?;
        let reply = self.exchange(method, &url, headers, body).map_err(PeerError::io(format!("ask {url}")))?;
        for (_, cookie) in reply.headers.iter().filter(|(name, _)| name == "set-cookie") {
            self.keep(&url, cookie);
        }
        Ok(reply)
    }

    fn exchange(&self, method: &str, url: &Url, headers: &[(&str, &str)], body: &str) -> std::io::Result<Reply> {
        let address = url.socket_addrs(|| None)?;
        let mut stream = TcpStream::connect(address.as_slice())?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut head =
            format!("{method} {} HTTP/1.1\r\nHost: {}\r\n", &url[url::Position::BeforePath..], url.authority());
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &self.cookie_header(url);
        head += &format!("Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        stream.write_all(head.as_bytes())?;
        stream.write_all(body.as_bytes())?;
        let mut answer = Vec::new();
        BufReader::new(stream).read_to_end(&mut answer)?;
        parse(url, &answer).ok_or_else(|| invalid("the answer is no HTTP"))
    }

    fn keep(&mut self, url: &Url, cookie: &str) {
        let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
        let Some((name, value)) = pair.split_once('=') else {
            return;
        };
        let path = attributes.split(';').find_map(|attribute| attribute.trim().strip_prefix("path=")).unwrap_or("/");
        let host = url.host_str().unwrap_or_default();
        self.cookies.retain(|kept| (kept.host.as_str(), kept.path.as_str(), kept.name.as_str()) != (host, path, name));
        if !value.is_empty() {
            let [host, path, name, value] = [host, path, name, value].map(str::to_owned);
            self.cookies.push(Cookie { host, path, name, value });
        }
    }

    fn cookie_header(&self, url: &Url) -> String {
        let fits =
            |cookie: &&Cookie| Some(cookie.host.as_str()) == url.host_str() && url.path().starts_with(&cookie.path);
        let cookies: Vec<_> = self.cookies.iter().filter(fits).map(|it| format!("{}={}", it.name, it.value)).collect();
        if cookies.is_empty() { String::new() } else { format!("Cookie: {}\r\n", cookies.join("; ")) }
    }
}

impl Reply {
    /// The first header of this name, given in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// Where it redirects to, in full.
    #[must_use]
    pub fn location(&self) -> Option<String> {
        self.url.join(self.header("location")?).ok().map(String::from)
    }

    /// A parameter in the query of where it redirects to.
    #[must_use]
    pub fn location_query(&self, name: &str) -> Option<String> {
        let location = Url::parse(&self.location()?).ok()?;
        location.query_pairs().find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
    }
}

fn parse(url: &Url, answer: &[u8]) -> Option<Reply> {
    let (head, body) = split(answer, b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(head);
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let pairs = lines.filter_map(|line| line.split_once(':'));
    let headers: Vec<_> = pairs.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
    let is_chunked = headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
    let body = if is_chunked { join_chunks(body)? } else { body.to_owned() };
    Some(Reply { url: url.clone(), status, headers, body: String::from_utf8_lossy(&body).into_owned() })
}

/// Undoes the chunked transfer coding (RFC 9112 section 7.1).
fn join_chunks(mut body: &[u8]) -> Option<Vec<u8>> {
    let mut joined = Vec::new();
    loop {
        let (size, rest) = split(body, b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(size).ok()?, 16).ok()?;
        if size == 0 {
            return Some(joined);
        }
        joined.extend_from_slice(rest.get(..size)?);
        body = rest.get(size + 2..)?;
    }
}

fn split<'a>(bytes: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = bytes.windows(separator.len()).position(|window| window == separator)?;
    Some((&bytes[..at], &bytes[at + separator.len()..]))
}

fn invalid(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, cause)
}
