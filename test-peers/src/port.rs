//! Ports that nothing listens on.

use std::hash::{BuildHasher, RandomState};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use crate::PeerError;

/// Below the ephemeral ports of Linux (from 32768) and macOS (from 49152): no outgoing connection takes the port of a
/// server that is stopped and started again.
const FIRST: u16 = 15_000;
const COUNT: u16 = 17_000;
/// A frozen server with a full backlog answers nothing.
const PATIENCE: Duration = Duration::from_millis(200);

/// A TCP port on 127.0.0.1 that nothing listens on; this process is given each one once.
///
/// # Errors
/// [`PeerError::Io`] if every port of the range is taken.
pub fn free_port() -> Result<u16, PeerError> {
    // Processes begin at random places, so that two of them rarely look at the same port.
    static BEGIN: OnceLock<u16> = OnceLock::new();
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    let begin = *BEGIN.get_or_init(|| u16::try_from(RandomState::new().hash_one(0) % u64::from(COUNT)).unwrap_or(0));
    for _ in 0..COUNT {
        let place = u32::from(begin) + u32::from(GIVEN.fetch_add(1, Ordering::Relaxed));
        let port = FIRST + u16::try_from(place % u32::from(COUNT)).unwrap_or(0);
        // Asked by a call: a listener of ours would live on in whatever process is being forked at the moment.
        match TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), PATIENCE) {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => return Ok(port),
            Ok(_) | Err(_) => {}
        }
    }
    Err(PeerError::io("find a free port")(ErrorKind::AddrInUse.into()))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn each_port_is_given_once_and_can_be_listened_on() {
        let ports: Vec<u16> = (0..50).map(|_| free_port().unwrap()).collect();
        let distinct: std::collections::HashSet<_> = ports.iter().collect();
        assert_eq!(distinct.len(), ports.len());
        TcpListener::bind((Ipv4Addr::LOCALHOST, ports[0])).unwrap();
    }
}
