//! The rows of the table, each measured by a function of its own.

mod contestant;
mod gateway;
mod jwks;
mod login;
mod me;
mod memory;
mod overload;
mod refresh;
mod revocation;
mod start;
mod tokens;
mod users;

use anyhow::Result;
use clap::ValueEnum;

use crate::figure::Figure;
use crate::site::Site;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Row {
    Start,
    Memory,
    Me,
    NewTokens,
    Jwks,
    Login,
    MeDuringLogins,
    Overload,
    RefreshRs256,
    RefreshOther,
    Revocation,
    Users,
    Gateway,
    GatewayNewTokens,
    GatewayRevocation,
    GatewayStart,
    GatewayMemory,
    /// Long, and therefore only on request.
    Soak,
}

impl Row {
    /// All that are measured unless one asks for others.
    pub fn usual() -> Vec<Self> {
        Self::value_variants().iter().copied().filter(|row| *row != Self::Soak).collect()
    }

    /// Measures the figures of this row.
    pub fn measure(self, site: &Site) -> Result<Vec<Figure>> {
        match self {
            Self::Start => start::measure(site),
            Self::Memory => memory::measure(site),
            Self::Me => me::measure_warm(site),
            Self::NewTokens => me::measure_new_tokens(site),
            Self::Jwks => jwks::measure(site),
            Self::Login => login::measure(site),
            Self::MeDuringLogins => me::measure_during_logins(site),
            Self::Overload => overload::measure(site),
            Self::RefreshRs256 => refresh::measure_rs256(site),
            Self::RefreshOther => refresh::measure_other(site),
            Self::Revocation => revocation::measure(site),
            Self::Users => users::measure(site),
            Self::Gateway => gateway::measure_warm(site),
            Self::GatewayNewTokens => gateway::measure_new_tokens(site),
            Self::GatewayRevocation => revocation::measure_through_gateway(site),
            Self::GatewayStart => gateway::measure_start(site),
            Self::GatewayMemory => gateway::measure_memory(site),
            Self::Soak => gateway::measure_soak(site),
        }
    }
}
