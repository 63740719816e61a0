//! Login by way of others: what their tokens and events say, and the one door by which we call them.

pub mod apple;
pub mod events;
pub mod id_token;
pub mod issuer;
pub mod outbound;
