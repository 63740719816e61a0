//! Imports: accounts brought from another system, with the password hashes it kept of them.
//!
//! A reader takes the file apart on a thread of its own, record by record in constant memory, and hands over batches.
//! Each batch is one transaction, which also notes how far the import has come: one that is killed can go on with the
//! record after the last that landed. Nothing is ever overwritten: what cannot be taken is refused, with its reason.

mod auth0;
mod batch;
mod csv;
mod document;
mod firebase;
mod keycloak;
mod native;
mod ndjson;
mod progress;
mod report;
mod row;
mod run;
mod source;
mod store;
mod supabase;

pub use batch::Refused;
pub use firebase::SignerKey;
pub use run::{ImportError, Options, Outcome, Seen, run};
pub use source::Format;

/// What an import does with what it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Adds accounts, from the first record on.
    Add,
    /// Adds accounts, from where an import of the same file has stopped.
    Resume,
    /// Changes nothing: only tells what would be.
    DryRun,
}
