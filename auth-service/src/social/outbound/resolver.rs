//! Looks names up, and leaves out the addresses that may not be called: whatever checks a name before the call can be
//! told another address than the call itself (DNS rebinding).

use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::Reach;

/// The system's resolver, but for addresses that may not be called.
pub(super) struct Resolver {
    reach: Reach,
}

/// A name stands for no address that may be called.
#[derive(Debug, thiserror::Error)]
#[error("the name stands for no public address")]
pub(super) struct NoPublicAddress;

impl Resolver {
    pub(super) const fn new(reach: Reach) -> Self {
        Self { reach }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.reach;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let admitted: Vec<SocketAddr> = found.filter(|address| reach.admits(address.ip())).collect();
            if admitted.is_empty() {
                return Err(NoPublicAddress.into());
            }
            Ok(Box::new(admitted.into_iter()) as Addrs)
        })
    }
}
