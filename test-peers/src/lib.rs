//! Peers for tests and benchmarks: private PostgreSQL and Redis servers on free ports, identity providers, a mail relay,
//! a certificate authority, a proxy that injects faults, and the proxies of others.
//!
//! Servers are started from the programs that `cargo xtask test` installs, and end with the process that started them,
//! however that ends: a watchdog shell holds the read end of a pipe from it, and the kernel closes pipes of the dead.

#![allow(clippy::disallowed_methods, reason = "steers processes: polls them, and reads PATH")]

mod account;
#[cfg(feature = "identity")]
mod browser;
mod error;
mod fault_proxy;
mod folder;
pub mod installation;
mod log;
#[cfg(feature = "identity")]
mod openid_provider;
#[cfg(feature = "tls")]
mod pebble;
mod port;
mod postgres;
mod process;
mod proxy;
mod redis;
mod signal;
#[cfg(feature = "tls")]
mod smtp;
#[cfg(feature = "identity")]
mod stand_ins;
#[cfg(feature = "tls")]
mod tls;
#[cfg(feature = "identity")]
mod visitor;

#[cfg(feature = "identity")]
pub use browser::{Browser, Motion, Outlook, Scheme, Scripts, Violation};
pub use error::PeerError;
pub use fault_proxy::{Fault, FaultProxy};
pub use log::Log;
#[cfg(feature = "identity")]
pub use openid_provider::{ClientProof, IdTokenAlgorithm, OpenIdProvider, OpenIdSetup};
#[cfg(feature = "tls")]
pub use pebble::Pebble;
pub use port::free_port;
pub use postgres::Postgres;
pub use proxy::{Proxy, ProxyProgram};
pub use redis::Redis;
#[cfg(feature = "tls")]
pub use smtp::{ReceivedMail, Security, Smtp, Stage, Trouble};
#[cfg(feature = "identity")]
pub use stand_ins::{
    Apple, AppleApp, AppleBooleans, Consent, GitHub, HttpRequest, HttpTrouble, Kakao, Naver, RegisteredClient, StandIn,
    TokenSigner, Webhook,
};
#[cfg(feature = "tls")]
pub use tls::Certified;
#[cfg(feature = "identity")]
pub use visitor::{Reply, Visitor};
