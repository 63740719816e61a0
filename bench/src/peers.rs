//! What others put in front of a service: proxies of Debian's packages, set up to be as fast as they can.

pub mod haproxy;
pub mod nginx;

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use test_peers::{Proxy, ProxyProgram};

use crate::process::Meter;

/// A running proxy, ended with this value.
pub struct Peer {
    pub address: SocketAddr,
    proxy: Proxy,
}

impl Peer {
    pub fn meter(&self) -> Result<Meter> {
        Ok(Meter::of(self.proxy.id().context("the proxy has ended")?))
    }

    /// Starts one that listens at this address; none, and says so, where it is not installed.
    fn start(program: ProxyProgram, address: SocketAddr, files: &[(&str, &str)]) -> Result<Option<Self>> {
        if program.find().is_none() {
            let name = program.name();
            eprintln!("{name} is not installed: what stands beside it is left out (apt-get install {name})");
            return Ok(None);
        }
        let proxy = Proxy::start(program, files, address.port())?;
        Ok(Some(Self { address, proxy }))
    }
}
