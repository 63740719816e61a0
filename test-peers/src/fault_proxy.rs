//! A TCP proxy that misbehaves on demand.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use socket2::SockRef;

use crate::{PeerError, free_port};

/// How long a write may block before its thread looks whether the connection has been aborted.
const WRITE_TICK: Duration = Duration::from_millis(50);
const BUFFER: usize = 64 * 1024;

/// What a [`FaultProxy`] does to connections, old and new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: bytes pass.
    Pass,
    /// Every answer of the target is held back this long.
    Latency(Duration),
    /// Connections are accepted and stay open, and no byte moves; what was held back moves on in another mode.
    Blackhole,
    /// Connections are reset, new ones as soon as they are accepted.
    Reset,
    /// Connections are reset and new ones refused: nothing listens.
    Refuse,
}

/// A proxy from a free port of 127.0.0.1 to one target, ended with this value.
#[derive(Debug)]
pub struct FaultProxy {
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    address: SocketAddr,
    target: SocketAddr,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    fault: Fault,
    listening: bool,
    ended: bool,
    links: Vec<Arc<Link>>,
}

/// One client's connection and ours to the target.
#[derive(Debug)]
struct Link {
    client: TcpStream,
    target: TcpStream,
    aborted: AtomicBool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    ToTarget,
    ToClient,
}

impl FaultProxy {
    /// Starts a proxy to a target, which need not listen yet.
    ///
    /// # Errors
    /// [`PeerError::Io`] if no port is free.
    pub fn start(target: SocketAddr) -> Result<Self, PeerError> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let listener = TcpListener::bind(address).map_err(PeerError::io("listen"))?;
        let state = State { fault: Fault::Pass, listening: true, ended: false, links: Vec::new() };
        let shared = Arc::new(Shared { address, target, state: Mutex::new(state), changed: Condvar::new() });
        let acceptor = std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || shared.accept_all(listener)
        });
        Ok(Self { shared, acceptor: Some(acceptor) })
    }

    /// Where the proxy listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.shared.address
    }

    /// Changes what happens to connections; in force for old and new ones when it returns.
    pub fn set(&self, fault: Fault) {
        let mut state = self.shared.state();
        state.fault = fault;
        self.shared.apply(state);
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.ended = true;
        self.shared.apply(state);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

impl State {
    fn wants_listener(&self) -> bool {
        !self.ended && self.fault != Fault::Refuse
    }

    fn wants_links(&self) -> bool {
        self.wants_listener() && self.fault != Fault::Reset
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the links that may not stay, and waits until the acceptor has opened or closed its listener.
    fn apply(&self, mut state: MutexGuard<'_, State>) {
        if !state.wants_links() {
            state.links.drain(..).for_each(|link| link.abort());
        }
        self.changed.notify_all();
        while state.listening != state.wants_listener() {
            if state.listening {
                // The acceptor sleeps in accept(2) and sees the change when somebody calls.
                let _ = TcpStream::connect(self.address);
            }
            state = self.wait(state);
        }
    }

    fn accept_all(self: &Arc<Self>, listener: TcpListener) {
        let mut listener = Some(listener);
        loop {
            if let Some(listener) = listener.take() {
                self.accept_while_wanted(&listener);
            }
            let mut state = self.state();
            state.listening = false;
            self.changed.notify_all();
            while !state.ended && !state.wants_listener() {
                state = self.wait(state);
            }
            if state.ended {
                return;
            }
            listener = TcpListener::bind(self.address).ok();
            state.listening = true;
            self.changed.notify_all();
        }
    }

    fn accept_while_wanted(self: &Arc<Self>, listener: &TcpListener) {
        while let Ok((client, _)) = listener.accept() {
            let state = self.state();
            if !state.wants_listener() {
                return;
            }
            if state.wants_links() {
                let shared = Arc::clone(self);
                std::thread::spawn(move || shared.carry(client));
            } else {
                reset(&client);
            }
        }
    }

    /// Connects a client to the target and moves bytes both ways until both have ended.
    fn carry(self: Arc<Self>, client: TcpStream) {
        let Ok(target) = TcpStream::connect(self.target) else {
            return reset(&client);
        };
        for stream in [&client, &target] {
            let _ = stream.set_nodelay(true);
            let _ = stream.set_write_timeout(Some(WRITE_TICK));
        }
        let link = Arc::new(Link { client, target, aborted: AtomicBool::new(false) });
        let mut state = self.state();
        if !state.wants_links() {
            return link.abort();
        }
        state.links.push(Arc::clone(&link));
        drop(state);
        std::thread::scope(|scope| {
            scope.spawn(|| self.pump(&link, Direction::ToTarget));
            self.pump(&link, Direction::ToClient);
        });
        self.state().links.retain(|other| !Arc::ptr_eq(other, &link));
    }

    fn pump(&self, link: &Link, direction: Direction) {
        let (mut from, to) = match direction {
            Direction::ToTarget => (&link.client, &link.target),
            Direction::ToClient => (&link.target, &link.client),
        };
        let mut buffer = vec![0; BUFFER];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            self.hold_back(link, direction);
            if !link.write_all(to, &buffer[..length]) {
                return;
            }
        }
        if !link.is_aborted() {
            let _ = to.shutdown(std::net::Shutdown::Write);
        }
    }

    fn hold_back(&self, link: &Link, direction: Direction) {
        let mut state = self.state();
        while state.fault == Fault::Blackhole && !state.ended && !link.is_aborted() {
            state = self.wait(state);
        }
        let fault = state.fault;
        drop(state);
        if let (Fault::Latency(latency), Direction::ToClient) = (fault, direction) {
            std::thread::sleep(latency);
        }
    }
}

impl Link {
    fn is_aborted(&self) -> bool {
        self.aborted.load(Ordering::SeqCst)
    }

    /// Makes both pumps end, after which the last closes both connections by a reset.
    fn abort(&self) {
        self.aborted.store(true, Ordering::SeqCst);
        for stream in [&self.client, &self.target] {
            reset(stream);
            // Wakes the pump that reads; unlike the other ways of shutting down it sends nothing.
            let _ = stream.shutdown(std::net::Shutdown::Read);
        }
    }

    /// Writes all bytes; `false` if the connection has ended or been aborted.
    fn write_all(&self, mut to: &TcpStream, mut bytes: &[u8]) -> bool {
        // Asked before each write: bytes that came after the abortion, before its reader woke, go nowhere.
        while !bytes.is_empty() && !self.is_aborted() {
            match to.write(bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {
                }
                Err(_) => return false,
            }
        }
        bytes.is_empty()
    }
}

/// Makes the closing of a connection a reset.
fn reset(stream: &TcpStream) {
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}
