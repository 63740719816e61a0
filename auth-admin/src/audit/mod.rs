//! The audit log: reading it in words, following it, taking copies of it and checking its chain.

mod events;
pub mod export;
mod filter;
pub mod line;
pub mod list;
pub mod tail;
pub mod verify;

pub use line::Line;
