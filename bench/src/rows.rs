//! The rows of the table, each measured by a function of its own.

mod import;
mod jwks;
mod login;
mod me;
mod memory;
mod overload;
mod refresh;
mod revocation;
mod start;

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
    Import,
}

impl Row {
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
            Self::Import => import::measure(site),
        }
    }
}
