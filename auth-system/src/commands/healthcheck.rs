//! `auth-system healthcheck`: one request to the running server, for images that carry no curl.

use std::{
    io::{Read, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream},
    process::ExitCode,
    time::Duration,
};

use anyhow::Context;

use crate::settings::{GatewaySettings, Settings};

/// Exits 0 when the API, or the gateway, on this machine answers 200.
///
/// # Errors
/// When it does not answer.
pub fn run(gateway: bool, ready: bool) -> anyhow::Result<ExitCode> {
    let (addr, health) = if gateway {
        (GatewaySettings::addr(), "/gateway/health")
    } else {
        (Settings::service_addr(), "/api/v1/health")
    };
    let (addr, path) = (reachable(addr), if ready { format!("{health}/ready") } else { health.to_owned() });
    let timeout = Duration::from_secs(4);
    let mut stream =
        TcpStream::connect_timeout(&addr, timeout).with_context(|| format!("nothing answers at {addr}"))?;
    stream.set_read_timeout(Some(timeout))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).with_context(|| format!("{addr} did not answer in time"))?;
    let (head, body) = answer.split_once("\r\n\r\n").with_context(|| format!("{addr} does not speak HTTP"))?;
    let status = head.lines().next().unwrap_or_default();
    println!("{status} {body}");
    Ok(if status.starts_with("HTTP/1.1 200") { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The address by which this machine reaches a server that listens on `addr`.
fn reachable(addr: SocketAddr) -> SocketAddr {
    if addr.ip().is_unspecified() { SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), addr.port()) } else { addr }
}
