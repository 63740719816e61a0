//! The server of every stand-in: it keeps what it is asked, and answers wrongly where it is told to.

use std::io::{self, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::message::{Answer, HttpRequest};
use crate::{PeerError, free_port};

/// Between two bytes of [`HttpTrouble::Drip`]: short enough for deadlines of single reads never to pass.
const DRIP: Duration = Duration::from_millis(20);
/// More than a service should read of any answer.
const HUGE: usize = (1 << 20) + 1;

/// What a stand-in does in place of what it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpTrouble {
    /// It answers nothing until there is other trouble or none; then as it should.
    Hang,
    /// It answers as it should, so much later.
    Late(Duration),
    /// It answers as it should, a byte at a time and so slowly that it takes minutes.
    Drip,
    /// It hangs up without an answer.
    HangUp,
    /// It answers with bytes that are not HTTP.
    NotHttp,
    /// It answers 200 and a page in HTML where JSON is due.
    NotJson,
    /// It answers 200 and what it should, with blanks before it that make the body longer than 1 MiB.
    Huge,
    /// It redirects to this address.
    Redirect(String),
    /// It answers with this status and nothing.
    Status(u16),
    /// It answers 200 and this body as JSON.
    Body(String),
}

/// Where a server will be: its answers contain its own address.
pub(crate) struct Place {
    listener: TcpListener,
    address: SocketAddr,
}

/// A server on a port of 127.0.0.1, ended with this value.
pub struct StandIn {
    shared: Arc<Shared>,
}

struct Shared {
    address: SocketAddr,
    answer: Box<dyn Fn(&HttpRequest) -> Answer + Send + Sync>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    has_ended: bool,
    troubles: Vec<(String, HttpTrouble)>,
    requests: Vec<HttpRequest>,
}

impl Place {
    pub(crate) fn find() -> Result<Self, PeerError> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        Ok(Self { listener: TcpListener::bind(address).map_err(PeerError::io("listen"))?, address })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl StandIn {
    /// Starts a server at a place.
    pub(crate) fn start(place: Place, answer: impl Fn(&HttpRequest) -> Answer + Send + Sync + 'static) -> Self {
        let Place { listener, address } = place;
        let shared = Shared { address, answer: Box::new(answer), state: Mutex::default(), changed: Condvar::new() };
        let shared = Arc::new(shared);
        let acceptor = Arc::clone(&shared);
        std::thread::spawn(move || acceptor.accept_all(&listener));
        Self { shared }
    }

    /// Its address, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.shared.address)
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.shared.address.port()
    }

    /// All requests so far, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<HttpRequest> {
        self.shared.state().requests.clone()
    }

    /// The requests for this path so far, oldest first.
    #[must_use]
    pub fn requests_to(&self, path: &str) -> Vec<HttpRequest> {
        self.shared.state().requests.iter().filter(|request| request.path == path).cloned().collect()
    }

    /// Makes trouble at this path, in place of other trouble there, from the next answer on.
    pub fn set_trouble(&self, path: &str, trouble: HttpTrouble) {
        self.shared.change(|state| {
            state.troubles.retain(|(at, _)| at != path);
            state.troubles.push((path.to_owned(), trouble));
        });
    }

    /// Ends all trouble; what hangs is answered.
    pub fn clear_trouble(&self) {
        self.shared.change(|state| state.troubles.clear());
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.shared.change(|state| state.has_ended = true);
        // The acceptor sleeps in accept(2) and sees the change when somebody calls.
        let _ = TcpStream::connect(self.shared.address);
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.notify_all();
    }

    fn accept_all(self: &Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming().flatten() {
            if self.state().has_ended {
                return;
            }
            let shared = Arc::clone(self);
            // A client that hangs up or talks nonsense ends its own conversation.
            std::thread::spawn(move || drop(shared.converse(stream)));
        }
    }

    fn converse(&self, stream: TcpStream) -> io::Result<()> {
        let mut stream = BufReader::new(stream);
        let Some(request) = HttpRequest::read(&mut stream)? else {
            return Ok(());
        };
        self.state().requests.push(request.clone());
        self.respond(&request, &mut stream.into_inner())
    }

    fn respond(&self, request: &HttpRequest, stream: &mut TcpStream) -> io::Result<()> {
        let answer = || (self.answer)(request);
        let json = |body| Answer::text(200, "application/json", body);
        match self.trouble(&request.path) {
            None | Some(HttpTrouble::Hang) => answer().write(stream),
            Some(HttpTrouble::Late(by)) => self.wait(by).and_then(|()| answer().write(stream)),
            Some(HttpTrouble::Drip) => self.drip(&answer(), stream),
            Some(HttpTrouble::HangUp) => Ok(()),
            Some(HttpTrouble::NotHttp) => stream.write_all(b"\x16\x03\x01 this is not HTTP\r\n\r\n"),
            Some(HttpTrouble::NotJson) => Answer::html(200, "<!doctype html><p>Sorry</p>".into()).write(stream),
            Some(HttpTrouble::Huge) => json(" ".repeat(HUGE) + &answer().body).write(stream),
            Some(HttpTrouble::Redirect(location)) => Answer::redirect(location).write(stream),
            Some(HttpTrouble::Status(status)) => Answer::text(status, "text/plain", String::new()).write(stream),
            Some(HttpTrouble::Body(body)) => json(body).write(stream),
        }
    }

    /// The trouble at a path, once it is not to hang; the server's end is the end of hanging, too.
    fn trouble(&self, path: &str) -> Option<HttpTrouble> {
        let trouble =
            |state: &State| state.troubles.iter().find(|(at, _)| at == path).map(|(_, trouble)| trouble.clone());
        let hangs = |state: &mut State| !state.has_ended && trouble(state) == Some(HttpTrouble::Hang);
        let state = self.changed.wait_while(self.state(), hangs).unwrap_or_else(PoisonError::into_inner);
        trouble(&state)
    }

    /// Waits; fails if the server ends meanwhile.
    fn wait(&self, time: Duration) -> io::Result<()> {
        let waited = self.changed.wait_timeout_while(self.state(), time, |state| !state.has_ended);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if state.has_ended { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
    }

    fn drip(&self, answer: &Answer, stream: &mut TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        // Blanks between headers and values may be many (RFC 9110 section 5.5): they make any answer long.
        let drops = format!("HTTP/1.1 200 Answer\r\nX-Drip:{}x\r\n", " ".repeat(60_000));
        let rest = answer.head();
        let rest = rest.split_once("\r\n").map_or("", |(_, rest)| rest);
        for byte in [drops.as_str(), rest, &answer.body].iter().flat_map(|part| part.bytes()) {
            self.wait(DRIP)?;
            stream.write_all(&[byte])?;
        }
        Ok(())
    }
}
