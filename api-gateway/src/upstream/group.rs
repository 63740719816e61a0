//! The addresses of an upstream, as they are now.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::upstream::config::UpstreamConfig;
use service_kit::proxies::OwnConnections;

use crate::upstream::connect::{Connector, Protocol};
use crate::upstream::endpoint::{Endpoint, Endpoints};
use crate::upstream::health;
use crate::upstream::resolve::literal;
use crate::upstream::server::Server;
use crate::upstream::tls::ClientTls;

/// The addresses of an upstream.
pub(super) struct Group {
    pub config: UpstreamConfig,
    pub servers: Vec<Arc<Server>>,
    pub endpoints: Arc<Endpoints>,
    connector: Arc<Connector>,
    /// Whether all names were looked up once.
    looked_up: watch::Sender<bool>,
}

impl Group {
    /// # Errors
    /// One sentence, when a server or its TLS options cannot be used.
    pub fn new(
        config: UpstreamConfig,
        extra_roots_pem: Option<&[u8]>,
        own: Option<OwnConnections>,
    ) -> Result<Self, String> {
        let servers: Vec<_> = config
            .servers
            .iter()
            .map(|url| Server::new(&config.name, url.clone(), &config.tls).map(Arc::new))
            .collect::<Result<_, _>>()?;
        let speaks_tls = config.servers.iter().any(|url| url.tls);
        let tls = if speaks_tls { Some(ClientTls::read(&config.tls, extra_roots_pem)?) } else { None };
        let preferred = if config.http2 { Protocol::Http2 } else { Protocol::Http1 };
        let connector = Arc::new(Connector { timeout: config.connect_timeout, preferred, tls, own });
        let names_left = config.servers.iter().any(|url| literal(url).is_none());
        let looked_up = watch::Sender::new(!names_left);
        let group = Self { config, servers, endpoints: Arc::default(), connector, looked_up };
        let known: Vec<_> = group.servers.iter().map(|s| literal(&s.url).map(|address| vec![address])).collect();
        group.endpoints.store(Arc::new(group.arrange(&known)));
        Ok(group)
    }

    /// Whether any server is given by name.
    pub fn has_names(&self) -> bool {
        self.servers.iter().any(|server| literal(&server.url).is_none())
    }

    /// Takes what was found for each server; where nothing was, the old addresses stay.
    pub fn set_addresses(&self, found: &[Option<Vec<SocketAddr>>]) {
        let endpoints = self.arrange(found);
        let first_time = !*self.looked_up.borrow();
        let old = self.endpoints.swap(Arc::new(endpoints));
        if !first_time {
            let (now, known) = (Instant::now(), old.iter().map(Arc::as_ptr).collect::<HashSet<_>>());
            let endpoints = self.endpoints.load();
            endpoints.iter().filter(|e| !known.contains(&Arc::as_ptr(e))).for_each(|e| e.ramp.restart(now));
        }
        self.looked_up.send_replace(true);
    }

    /// Waits until there are addresses, or the first look-up of them is over, but not for long.
    pub async fn wait_for_addresses(&self) {
        let mut looked_up = self.looked_up.subscribe();
        let over = looked_up.wait_for(|over| *over);
        // Either way it is seen next whether there are any.
        drop(tokio::time::timeout(self.config.connect_timeout, over).await);
    }

    /// Known endpoints are kept, so that their pools and what is known of them survive.
    fn arrange(&self, found: &[Option<Vec<SocketAddr>>]) -> Vec<Arc<Endpoint>> {
        let old = self.endpoints.load();
        let mut endpoints = Vec::new();
        for (server, found) in self.servers.iter().zip(found) {
            let of_server = || old.iter().filter(|endpoint| Arc::ptr_eq(&endpoint.server, server));
            match found {
                None => endpoints.extend(of_server().cloned()),
                Some(addresses) => endpoints.extend(addresses.iter().map(|address| {
                    let known = of_server().find(|endpoint| endpoint.address == *address);
                    known.cloned().unwrap_or_else(|| self.begin(*address, server))
                })),
            }
        }
        endpoints
    }

    fn begin(&self, address: SocketAddr, server: &Arc<Server>) -> Arc<Endpoint> {
        let (server, connector) = (Arc::clone(server), Arc::clone(&self.connector));
        let all = Arc::downgrade(&self.endpoints);
        let endpoint = Arc::new(Endpoint::new(address, server, connector, &self.config, all));
        if let Some(check) = &self.config.health {
            tokio::spawn(health::watch(Arc::downgrade(&endpoint), check.clone()));
        }
        endpoint
    }
}

/// Tells how many requests are in progress, each second: a gauge that every request moves is fought over by all threads.
pub(super) async fn report(group: Weak<Group>) {
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    loop {
        tick.tick().await;
        let Some(group) = group.upgrade() else { return };
        let endpoints = group.endpoints.load();
        for server in &group.servers {
            let of_server = endpoints.iter().filter(|endpoint| Arc::ptr_eq(&endpoint.server, server));
            let in_progress: usize = of_server.map(|endpoint| endpoint.in_progress()).sum();
            server.meters.in_progress.set(in_progress as f64);
        }
    }
}

/// Closes connections that nobody uses any more.
pub(super) async fn sweep(group: Weak<Group>, idle_timeout: Duration) {
    let pause = (idle_timeout / 2).clamp(Duration::from_millis(100), Duration::from_secs(15));
    loop {
        tokio::time::sleep(pause).await;
        let Some(group) = group.upgrade() else { return };
        for endpoint in group.endpoints.load().iter() {
            endpoint.pool.sweep();
            endpoint.shared.sweep(idle_timeout);
        }
    }
}
