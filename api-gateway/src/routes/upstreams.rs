//! `[upstream.NAME]`: what a team writes about servers of its own.

use std::path::Path;

use super::members::Members;
use super::values::{self, DAY, HOUR, MINUTE, MOMENT, SECOND};
use super::{file::resolve, host};
use crate::upstream::{Balance, HealthCheck, TlsOptions, UpstreamConfig};

/// The upstream of the servers in `AUTH_API_URLS`.
pub const AUTH_API: &str = "auth-api";
/// The upstream of the console.
pub const CONSOLE: &str = "console";

/// What the gateway defines itself.
pub(super) const RESERVED: [&str; 2] = [AUTH_API, CONSOLE];

const MAX_REQUESTS: u32 = 1_000_000;
/// Ejections double up to here.
const MAX_EJECTION: std::time::Duration = values::MINUTE.saturating_mul(5);

/// Reads one upstream.
pub(super) fn read(name: &str, mut members: Members<'_>, folder: &Path) -> UpstreamConfig {
    if RESERVED.contains(&name) {
        members.fault("", "the gateway defines this upstream itself: choose another name");
    } else if let Err(form) = values::identifier(name) {
        members.fault("", format!("the name must be plain: {form}"));
    }
    let servers = members.filled_list("servers", values::server);
    members.need("servers", "servers = [\"http://10.0.0.5:9000\"]");
    let has_tls = servers.iter().any(|server| server.tls);
    let defaults = UpstreamConfig::of_servers(name, servers);
    let balances = [("round_robin", Balance::RoundRobin), ("least_loaded", Balance::LeastLoaded)];
    let count = |number: Option<u32>, default| number.map_or(default, |number| number as usize);
    let upstream = UpstreamConfig {
        balance: members.choice("balance", &balances).unwrap_or(defaults.balance),
        health: read_health(&mut members),
        http2: members.choice("protocol", &[("http1", false), ("http2", true)]).unwrap_or(defaults.http2),
        tls: read_tls(&mut members, folder),
        connect_timeout: members.period("connect_timeout", MOMENT..=MINUTE).unwrap_or(defaults.connect_timeout),
        idle_timeout: members.period("idle_timeout", SECOND..=HOUR).unwrap_or(defaults.idle_timeout),
        max_requests: count(members.number("max_requests", 1..=MAX_REQUESTS), defaults.max_requests),
        queue: count(members.number("queue", 0..=MAX_REQUESTS), defaults.queue),
        queue_timeout: members.period("queue_timeout", MOMENT..=MINUTE).unwrap_or(defaults.queue_timeout),
        eject_after: members.number("eject_after", 1..=1_000).unwrap_or(defaults.eject_after),
        eject_time: members.period("eject_time", MOMENT..=MAX_EJECTION).unwrap_or(defaults.eject_time),
        slow_start: members.period("slow_start", std::time::Duration::ZERO..=HOUR).unwrap_or(defaults.slow_start),
        resolve_interval: members.period("resolve_interval", SECOND..=DAY).unwrap_or(defaults.resolve_interval),
        name: defaults.name,
        servers: defaults.servers,
    };
    if members.has("tls") && !has_tls {
        members.fault("tls", "no server of this upstream is https, so tls has no effect: write https:// or remove tls");
    }
    members.finish();
    upstream
}

fn read_health(members: &mut Members<'_>) -> Option<HealthCheck> {
    let mut table = members.table("health")?;
    let path = table.text("path", values::plain_path);
    table.need("path", "path = \"/health\"");
    let interval = table.period("interval", MOMENT.saturating_mul(100)..=HOUR).unwrap_or(SECOND * 5);
    let timeout = table.period("timeout", MOMENT..=MINUTE).unwrap_or(SECOND * 2);
    let healthy_after = table.number("healthy_after", 1..=100).unwrap_or(2);
    let unhealthy_after = table.number("unhealthy_after", 1..=100).unwrap_or(3);
    table.finish();
    Some(HealthCheck { path: path?, interval, timeout, healthy_after, unhealthy_after })
}

fn read_tls(members: &mut Members<'_>, folder: &Path) -> TlsOptions {
    let Some(mut table) = members.table("tls") else { return TlsOptions::default() };
    let ca = table.text("ca", |text| resolve(folder, text));
    let server_name = table.text("server_name", |text| host::check_name(text).map(|()| text.to_ascii_lowercase()));
    let cert = table.text("client_cert", |text| resolve(folder, text));
    let key = table.text("client_key", |text| resolve(folder, text));
    match (table.has("client_cert"), table.has("client_key")) {
        (true, false) => table.fault("client_cert", "tls.client_cert needs its key: write client_key as well"),
        (false, true) => table.fault("client_key", "tls.client_key needs its certificate: write client_cert as well"),
        (true, true) | (false, false) => {}
    }
    table.finish();
    TlsOptions { ca, server_name, client: cert.zip(key) }
}
