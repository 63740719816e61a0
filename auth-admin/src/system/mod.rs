//! Operating the system: a page for each thing that runs it.

pub mod api_keys;
pub mod doctor;
pub mod gateways;
pub mod mails;
pub mod providers;
pub mod said;
pub mod settings;
pub mod signing_keys;
