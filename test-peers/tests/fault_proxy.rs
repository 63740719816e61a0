//! The fault proxy does to connections what each fault promises.

#![allow(clippy::unwrap_used)]

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use test_peers::{Fault, FaultProxy};

/// Echoes each connection until it ends, then says goodbye.
fn echo_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                let (mut from, mut to) = (&stream, &stream);
                let _ = std::io::copy(&mut from, &mut to).and_then(|_| to.write_all(b"bye"));
            });
        }
    });
    address
}

fn connect(proxy: &FaultProxy) -> TcpStream {
    TcpStream::connect(proxy.address()).unwrap()
}

fn echo(mut stream: &TcpStream) -> std::io::Result<()> {
    stream.write_all(b"ping")?;
    stream.read_exact(&mut [0; 4])
}

fn is_silent(stream: &TcpStream) -> bool {
    stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let answer = echo(stream);
    stream.set_read_timeout(None).unwrap();
    answer.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

fn failure(result: std::io::Result<()>) -> ErrorKind {
    result.unwrap_err().kind()
}

#[test]
fn bytes_and_ends_pass_both_ways() {
    let proxy = FaultProxy::start(echo_server()).unwrap();
    let mut stream = connect(&proxy);
    echo(&stream).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "bye");
}

#[test]
fn large_transfers_arrive_whole() {
    let proxy = FaultProxy::start(echo_server()).unwrap();
    let stream = connect(&proxy);
    let sent: Vec<u8> = (0..4_000_000_u32).map(|i| i.to_le_bytes()[0]).collect();
    let mut received = vec![0; sent.len()];
    std::thread::scope(|scope| {
        scope.spawn(|| (&stream).write_all(&sent).unwrap());
        (&stream).read_exact(&mut received).unwrap();
    });
    assert!(received == sent);
}

#[test]
fn latency_holds_each_answer_back() {
    let proxy = FaultProxy::start(echo_server()).unwrap();
    proxy.set(Fault::Latency(Duration::from_millis(80)));
    let stream = connect(&proxy);
    let begin = Instant::now();
    echo(&stream).unwrap();
    assert!(begin.elapsed() >= Duration::from_millis(80));
}

#[test]
fn blackhole_moves_no_byte_until_it_ends() {
    let proxy = FaultProxy::start(echo_server()).unwrap();
    let stream = connect(&proxy);
    echo(&stream).unwrap();
    proxy.set(Fault::Blackhole);
    assert!(is_silent(&stream) && is_silent(&connect(&proxy)));
    proxy.set(Fault::Pass);
    (&stream).read_exact(&mut [0; 4]).unwrap();
}

#[test]
fn reset_ends_old_and_new_connections_at_once() {
    let proxy = FaultProxy::start(echo_server()).unwrap();
    let old = connect(&proxy);
    echo(&old).unwrap();
    proxy.set(Fault::Reset);
    assert_eq!(failure((&old).read_exact(&mut [0])), ErrorKind::ConnectionReset);
    assert_eq!(failure((&connect(&proxy)).read_exact(&mut [0])), ErrorKind::ConnectionReset);
    proxy.set(Fault::Pass);
    echo(&connect(&proxy)).unwrap();
}

#[test]
fn refused_connections_are_taken_again_afterwards() {
    let proxy = FaultProxy::start(echo_server()).unwrap();
    let old = connect(&proxy);
    echo(&old).unwrap();
    for _ in 0..20 {
        proxy.set(Fault::Refuse);
        assert_eq!(TcpStream::connect(proxy.address()).unwrap_err().kind(), ErrorKind::ConnectionRefused);
        proxy.set(Fault::Pass);
        echo(&connect(&proxy)).unwrap();
    }
    assert_eq!(failure((&old).read_exact(&mut [0])), ErrorKind::ConnectionReset);
}

#[test]
fn dropped_proxy_listens_no_more() {
    let proxy = FaultProxy::start(echo_server()).unwrap();
    let (address, stream) = (proxy.address(), connect(&proxy));
    echo(&stream).unwrap();
    drop(proxy);
    assert!(TcpStream::connect(address).is_err());
    assert!(echo(&stream).is_err());
}
