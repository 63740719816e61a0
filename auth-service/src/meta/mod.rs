//! What an instance says of itself: whether it lives, whether it is ready, and where its documentation is.

pub mod http;
mod readiness;

pub use readiness::Readiness;
