//! The gateway as an operator runs it, alone and in one process with everything else.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;

use anyhow::Result;

use super::{Deployment, Instance, local_address, program};

const READY: &str = "/gateway/health/ready";

impl Deployment {
    /// Starts a gateway that lets whoever holds a token through to an upstream, and learns keys and revocations from
    /// this instance of the API.
    pub fn start_gateway(&self, upstream: SocketAddr, api: SocketAddr) -> Result<Instance> {
        let (address, metrics) = (local_address()?, local_address()?);
        let routes = self.folder.path().join(format!("gateway-{}.toml", address.port()));
        fs::write(&routes, routes_to(upstream))?;
        let mut command = Command::new(program()?);
        command.arg("gateway").env_clear().envs(self.shared.iter().cloned()).current_dir(self.folder.path());
        command.env("GATEWAY_ADDR", address.to_string()).env("GATEWAY_METRICS_ADDR", metrics.to_string());
        command.env("GATEWAY_CONFIG", routes).env("AUTH_API_URLS", format!("http://{api}"));
        self.launch(command, address, READY)
    }

    /// Starts every server in one process, and waits for its gateway.
    pub fn start_all_in_one(&self) -> Result<Instance> {
        let (service, gateway) = (local_address()?, local_address()?);
        let (admin, metrics) = (local_address()?, local_address()?);
        let mut command = self.command(&["up"])?;
        command.env("SERVICE_ADDR", service.to_string()).env("GATEWAY_ADDR", gateway.to_string());
        command.env("ADMIN_ADDR", admin.to_string()).env("METRICS_ADDR", metrics.to_string());
        self.launch(command, gateway, READY)
    }
}

/// One route for all that is asked for.
fn routes_to(upstream: SocketAddr) -> String {
    format!(
        r#"default_routes = false

[[route]]
name = "bench"
match = {{ path = "/" }}
upstream = "bare"
auth = "required"

[upstream.bare]
servers = ["http://{upstream}"]
"#
    )
}
