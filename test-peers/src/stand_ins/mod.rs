//! Stand-ins for identity providers that nobody can run: they speak as their documentation says, sign in whom the test
//! says, keep what they are asked, and fail where they are told to.

mod apple;
mod github;
mod grants;
mod kakao;
mod keys;
mod message;
mod naver;
mod server;
mod signer;

pub use apple::{Apple, AppleApp, AppleBooleans};
pub use github::GitHub;
pub use grants::{Consent, RegisteredClient};
pub use kakao::{Kakao, Webhook};
pub use message::HttpRequest;
pub(crate) use message::with_query;
pub use naver::Naver;
pub use server::{HttpTrouble, StandIn};
pub use signer::TokenSigner;
