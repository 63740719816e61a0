//! nginx, which forwards, and asks a service about tokens at the most.

use std::net::SocketAddr;

use anyhow::Result;
use test_peers::ProxyProgram;

use super::Peer;
use crate::deployment::local_address;
use crate::site::Site;

/// What a location needs to keep the connections to its upstream.
const KEEP: &str = r#"proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;"#;

/// One that forwards whatever comes.
pub fn start(site: &Site, upstream: SocketAddr) -> Result<Option<Peer>> {
    let location = format!("location / {{ {KEEP} proxy_pass http://upstream; }}");
    start_with(site, &[("upstream", upstream)], &location)
}

/// One that first asks our API for `/users/me`, which answers 401 to whom it refuses. By HEAD: nginx throws the answer's
/// body away, and the connection with it.
pub fn start_auth_request(site: &Site, upstream: SocketAddr, api: SocketAddr) -> Result<Option<Peer>> {
    let locations = format!(
        r#"location / {{ auth_request /auth; {KEEP} proxy_pass http://upstream; }}
        location = /auth {{
            internal;
            {KEEP}
            proxy_method HEAD;
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
            proxy_pass http://api/api/v1/users/me;
        }}"#
    );
    start_with(site, &[("upstream", upstream), ("api", api)], &locations)
}

fn start_with(site: &Site, upstreams: &[(&str, SocketAddr)], locations: &str) -> Result<Option<Peer>> {
    let address = local_address()?;
    let configuration = configuration(site.cores, address, upstreams, locations);
    Peer::start(ProxyProgram::Nginx, address, &[("configuration", &configuration)])
}

/// Without a log of requests, without the end that connections otherwise find after a thousand of them, and with a
/// socket for each worker, or one of them would take most of so few connections.
fn configuration(cores: usize, address: SocketAddr, upstreams: &[(&str, SocketAddr)], locations: &str) -> String {
    let upstreams: String = upstreams
        .iter()
        .map(|(name, address)| {
            format!("upstream {name} {{ server {address}; keepalive 64; keepalive_requests 1000000000; }}\n    ")
        })
        .collect();
    let folders: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {kind};\n    "))
        .concat();
    format!(
        "worker_processes {cores};
pid nginx.pid;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    {folders}{upstreams}server {{
        listen {address} reuseport;
        {locations}
    }}
}}
"
    )
}
