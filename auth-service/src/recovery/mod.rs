//! What links in mails do: prove an address, choose a password, change the address, disown a login.
//!
//! A link is spent by one atomic statement before anything else happens in its transaction. Every bad one is refused
//! alike. Calls that anybody may make about any address answer the same for known and unknown ones, after the same work.

mod change_email;
mod disown;
pub mod http;
pub mod pages;
mod request;
mod reset;
mod store;
mod verify;

pub use store::{Account, find_by_email};
