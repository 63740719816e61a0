//! What deployments are made by: the files in `deploy`, the commands for operators, and the guides, word for word.

mod backup;
mod guide;
