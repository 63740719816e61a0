//! Tells the database every ten seconds that this instance lives, and how; and at once when a gateway comes or goes.

use std::{net::SocketAddr, time::Duration};

use auth_sdk::ApiState;
use tokio::time::MissedTickBehavior;

use super::{
    API, status,
    store::{self, InstanceRow},
};
use crate::{
    app::App,
    db::{DbError, Ts},
};

/// Time between two reports.
const INTERVAL: Duration = Duration::from_secs(10);

/// Reports for as long as the instance lives, and once more when it leaves.
pub async fn run(app: App) {
    let address = address(app.config.addr);
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let left = tokio::select! {
            _ = ticks.tick() => None,
            // Gateways that come and go are news.
            () = app.feeds.changed() => None,
            () = app.readiness.leaving() => Some(app.now()),
        };
        // What is away, or of another schema, is not asked.
        if left.is_some() || app.readiness.is_ready() {
            match report(&app, &address, left).await {
                Ok(true) => {}
                Ok(false) => tracing::warn!("too many instances: this one is not listed"),
                Err(cause) => tracing::debug!(%cause, "this instance could not say that it lives"),
            }
        }
        if left.is_some() {
            return;
        }
    }
}

async fn report(app: &App, address: &str, left_at: Option<Ts>) -> Result<bool, DbError> {
    let state = ApiState { status: status::gather(app).await, feeds: app.feeds.list() };
    let row = InstanceRow {
        id: app.instance.id,
        role: API.to_owned(),
        address: address.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: app.instance.started_at,
        seen_at: app.now(),
        left_at,
        state: serde_json::to_string(&state).unwrap_or_default(),
    };
    store::upsert(&mut app.db.write().await?, &row).await
}

/// Where it listens; by the machine's name where that is everywhere.
fn address(listens_on: SocketAddr) -> String {
    if !listens_on.ip().is_unspecified() {
        return listens_on.to_string();
    }
    let name = rustix::system::uname();
    format!("{}:{}", name.nodename().to_string_lossy(), listens_on.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_the_machine_where_it_listens_everywhere() {
        assert_eq!(address("127.0.0.1:8000".parse().unwrap()), "127.0.0.1:8000");
        for everywhere in ["0.0.0.0:8000", "[::]:8000"] {
            let told = address(everywhere.parse().unwrap());
            assert!(told.ends_with(":8000") && !told.starts_with(['0', '[', ':']), "{told}");
        }
    }
}
