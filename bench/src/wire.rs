//! Just enough HTTP/1.1 to be a cheap client: requests as bytes, answers with a length.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::ops::Range;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use serde_json::Value;

/// Larger than any answer that is asked for here.
pub const BUFFER: usize = 128 * 1024;
const START_DEADLINE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(1);

/// What came back.
#[derive(Debug)]
pub struct Answer<'a> {
    pub status: u16,
    pub body: &'a [u8],
}

/// A whole answer in the buffer of its connection.
#[derive(Debug, PartialEq, Eq)]
pub struct Extent {
    status: u16,
    body: Range<usize>,
}

impl Answer<'_> {
    /// A member of the JSON body that is a text.
    pub fn text(&self, name: &str) -> Result<String> {
        let body: Value = serde_json::from_slice(self.body)?;
        body[name].as_str().map(str::to_owned).with_context(|| format!("{} without {name}: {body}", self.status))
    }
}

/// A GET, by the holder of a token or by nobody.
pub fn get(path: &str, token: Option<&str>) -> Bytes {
    request("GET", path, token, "")
}

/// A POST of JSON.
pub fn post(path: &str, token: Option<&str>, body: &Value) -> Bytes {
    let body = body.to_string();
    request(
        "POST",
        path,
        token,
        &format!("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len()),
    )
}

fn request(method: &str, path: &str, token: Option<&str>, rest: &str) -> Bytes {
    let bearer = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let rest = if rest.is_empty() { "\r\n" } else { rest };
    format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{bearer}{rest}").into()
}

/// Where the answer lies in these bytes, once they hold all of it.
pub fn parse(bytes: &[u8]) -> Option<Extent> {
    let head_end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&bytes[..head_end]).ok()?;
    let status = head.get(9..12)?.parse().ok()?;
    let length = head.split("\r\n").find_map(|line| length_of(line));
    let length: usize = length.map_or(Some(0), |length| length.parse().ok())?;
    let body = head_end..head_end + length;
    (body.end <= bytes.len()).then_some(Extent { status, body })
}

/// Ours write the names of fields in lower case, nginx does not.
fn length_of(line: &str) -> Option<&str> {
    let (name, value) = line.split_once(": ")?;
    name.eq_ignore_ascii_case("content-length").then_some(value)
}

impl Extent {
    pub fn of(self, bytes: &[u8]) -> Answer<'_> {
        Answer { status: self.status, body: &bytes[self.body] }
    }
}

/// One connection that asks and waits.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; BUFFER] })
    }

    pub fn ask(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        self.stream.write_all(request)?;
        let mut filled = 0;
        loop {
            match self.stream.read(&mut self.buffer[filled..])? {
                0 => bail!("the connection ended within an answer"),
                read => filled += read,
            }
            if let Some(extent) = parse(&self.buffer[..filled]) {
                return Ok(extent.of(&self.buffer));
            }
        }
    }
}

/// Asks again and again until the answer is 200, and returns the moment at which it was.
pub fn wait_for(address: SocketAddr, path: &str) -> Result<Instant> {
    let (began, request) = (Instant::now(), get(path, None));
    loop {
        let answered = Connection::open(address)
            .is_ok_and(|mut connection| connection.ask(&request).is_ok_and(|answer| answer.status == 200));
        if answered {
            return Ok(Instant::now());
        }
        if began.elapsed() > START_DEADLINE {
            bail!("{path} is not answered with 200");
        }
        thread::park_timeout(POLL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answer_is_whole_only_with_its_last_byte() {
        let bytes = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
        let answer = parse(bytes).unwrap().of(bytes);
        assert_eq!((answer.status, answer.body), (200, &b"{}"[..]));
        assert!((0..bytes.len()).all(|length| parse(&bytes[..length]).is_none()));
    }

    #[test]
    fn length_is_read_however_its_name_is_written() {
        let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
        assert_eq!(parse(bytes).unwrap().of(bytes).body, b"{}");
    }

    #[test]
    fn answer_without_content_ends_with_its_head() {
        assert_eq!(parse(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap(), Extent { status: 204, body: 27..27 });
    }
}
