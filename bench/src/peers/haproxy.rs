//! `HAProxy`, which verifies tokens itself since 2.5.

use std::net::SocketAddr;

use anyhow::Result;
use test_peers::ProxyProgram;

use super::Peer;
use crate::deployment::local_address;
use crate::site::Site;

/// The algorithm before the signature, as its manual has it under `jwt_verify`, and the end of the token's life.
const VERIFY: &str = r#"
    http-request set-var(txn.bearer) http_auth_bearer
    http-request set-var(txn.alg) var(txn.bearer),jwt_header_query('$.alg')
    http-request set-var(txn.exp) var(txn.bearer),jwt_payload_query('$.exp','int')
    http-request set-var(txn.now) date()
    http-request deny deny_status 401 unless { var(txn.alg) -m str RS256 }
    http-request deny deny_status 401 unless { var(txn.exp),sub(txn.now) -m int gt 0 }
    http-request deny deny_status 401 unless { var(txn.bearer),jwt_verify(txn.alg,"public.pem") -m int eq 1 }"#;

/// One that verifies every token with this key, RS256, and forwards whoever holds a good one.
pub fn start(site: &Site, upstream: SocketAddr, public_pem: &str) -> Result<Option<Peer>> {
    let (address, cores) = (local_address()?, site.cores);
    let configuration = format!(
        "global
    nbthread {cores}
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    http-reuse always
frontend door
    bind {address}{VERIFY}
    default_backend upstream
backend upstream
    server upstream {upstream}
"
    );
    Peer::start(ProxyProgram::HaProxy, address, &[("configuration", &configuration), ("public.pem", public_pem)])
}
