//! The limit of every answer out of memory: axum alone, with its own server, and a body of 300 bytes.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use anyhow::Result;
use axum::{Router, http::header, routing::get};
use bytes::Bytes;

use crate::deployment::local_address;
use crate::process::Running;
use crate::wire;

/// What is asked for.
pub const PATH: &str = "/bare";
const BODY: [u8; 300] = [b' '; 300];

/// Starts it as a process of its own, like ours.
pub fn start() -> Result<(Running, SocketAddr)> {
    let address = local_address()?;
    let child: Child = Command::new(std::env::current_exe()?)
        .args(["--bare", &address.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()?;
    let running = Running::new(child);
    wire::wait_for(address, PATH)?;
    Ok((running, address))
}

/// Serves for as long as the process lives.
pub fn serve(address: SocketAddr) -> Result<()> {
    let answer = || async { ([(header::CONTENT_TYPE, "application/json")], Bytes::from_static(&BODY)) };
    let router = Router::new().route(PATH, get(answer));
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let listener = tokio::net::TcpListener::bind(address).await?;
        Ok(axum::serve(listener, router).await?)
    })
}
