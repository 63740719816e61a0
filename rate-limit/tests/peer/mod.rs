//! A Redis server for the tests of one binary, and links to it.

use service_kit::redis::Redis;

/// A link of its own to the shared server, up when this returns.
pub(crate) async fn link() -> Redis {
    let server = test_peers::Redis::shared().unwrap();
    link_to(server).await
}

/// A link to `server`, up when this returns.
pub(crate) async fn link_to(server: &test_peers::Redis) -> Redis {
    let link = Redis::open(server.url(), None).unwrap();
    link.available().await;
    link
}
