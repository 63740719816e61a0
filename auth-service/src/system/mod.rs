//! What operators are shown of a running system: what it runs by, and whether all is well with what it stands on.
//!
//! Nothing here tells a secret: of a variable that holds one, only whether it is set.

pub mod http;
