//! Logging in through providers (OAuth 2.0, OpenID Connect).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::TokenSet;

/// A provider that people can log in through.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Provider {
    /// Its name in paths.
    #[schema(example = "kakao")]
    pub name: String,
    /// What a button says of it, in the reader's language.
    #[schema(example = "Kakao")]
    pub title: String,
    /// Where a login begins; add `redirect_uri`, `code_challenge` and `code_challenge_method=S256`.
    #[schema(example = "https://auth.example.com/api/v1/oauth/kakao/authorize")]
    pub authorize_url: String,
    /// Whether it takes ID tokens of the provider's own SDKs.
    pub takes_id_tokens: bool,
}

/// Answer of `GET /api/v1/oauth/providers`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Providers {
    /// Those that are configured.
    pub providers: Vec<Provider>,
}

/// Query of `GET /api/v1/oauth/{provider}/authorize`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AuthorizeParams {
    /// Where the browser comes back to: exactly one of `OAUTH_REDIRECT_URIS`.
    #[param(required = false)]
    pub redirect_uri: Option<String>,
    /// `BASE64URL(SHA256(code_verifier))` of the app's own verifier (RFC 7636).
    #[param(required = false)]
    pub code_challenge: Option<String>,
    /// `S256`.
    #[param(required = false, example = "S256")]
    pub code_challenge_method: Option<String>,
    /// Comes back as it is, at most 500 characters.
    #[param(required = false)]
    pub state: Option<String>,
    /// In place of all others: what `POST /api/v1/users/me/identities/{provider}` gave.
    #[param(required = false)]
    pub ticket: Option<String>,
}

/// Body of `POST /api/v1/oauth/exchange`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
pub struct ExchangeRequest {
    /// What came back to `redirect_uri`; good once, for 60 seconds.
    pub code: String,
    /// The app's verifier (RFC 7636), 43 to 128 characters.
    pub code_verifier: String,
    /// What to call this device in the list of sessions, at most 100 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_name: Option<String>,
}

/// Body of `POST /api/v1/oauth/{provider}/id-token`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
pub struct IdTokenRequest {
    /// What the provider's SDK gave; good once.
    pub id_token: String,
    /// What the app gave the SDK as nonce.
    pub nonce: String,
    /// What to call this device in the list of sessions, at most 100 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_name: Option<String>,
}

/// Answer of a login through a provider.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(untagged)]
pub enum ExchangeAnswer {
    /// A session has begun.
    LoggedIn(TokenSet),
    /// An account has the address: its owner is to prove to be the same person.
    LinkRequired(LinkRequired),
    /// The identity was linked to the account that asked for it.
    Linked(Linked),
}

/// An account has the address that the provider vouches for.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct LinkRequired {
    /// Always `link_required`.
    #[schema(example = "link_required")]
    pub status: String,
    /// For `POST /api/v1/oauth/link` or `/api/v1/oauth/link/email`.
    pub link_token: String,
    /// By what the owner can prove it: `password`, `email`.
    #[schema(example = json!(["password", "email"]))]
    pub methods: Vec<String>,
    /// The address.
    pub email: String,
    /// Life of the token in seconds.
    #[schema(example = 600)]
    pub expires_in: u64,
}

/// An identity that was linked.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Linked {
    /// Always `linked`.
    #[schema(example = "linked")]
    pub status: String,
    /// What was linked.
    pub identity: Identity,
}

/// Body of `POST /api/v1/oauth/link`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
pub struct LinkByPassword {
    /// Of the answer `link_required`.
    pub link_token: String,
    /// The account's password.
    pub password: String,
    /// What to call this device in the list of sessions, at most 100 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_name: Option<String>,
}

/// Body of `POST /api/v1/oauth/link/email`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
pub struct LinkByEmail {
    /// Of the answer `link_required`.
    pub link_token: String,
}

/// Body of `POST /api/v1/users/me/identities/{provider}`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
pub struct LinkIdentity {
    /// Where the browser comes back to: exactly one of `OAUTH_REDIRECT_URIS`.
    pub redirect_uri: String,
    /// `BASE64URL(SHA256(code_verifier))` of the app's own verifier (RFC 7636).
    pub code_challenge: String,
    /// Comes back as it is, at most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
}

/// Where the browser is to go.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct LinkStarted {
    /// Good once, for five minutes.
    pub authorization_url: String,
}

/// Who a person is at a provider.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Identity {
    /// UUIDv7.
    pub id: Uuid,
    /// The provider's name.
    #[schema(example = "kakao")]
    pub provider: String,
    /// The person's id there.
    pub subject: String,
    /// The address that the provider told.
    pub email: Option<String>,
    /// Whether the provider vouches for the address.
    pub email_verified: bool,
    /// The name that the provider told.
    pub display_name: Option<String>,
    /// When it was linked.
    #[schema(value_type = String, format = DateTime)]
    pub linked_at: Timestamp,
    /// When the person last logged in by it.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_login_at: Option<Timestamp>,
    /// When the provider ended it; the next login there revives it.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub unlinked_at: Option<Timestamp>,
}

/// Answer of `GET /api/v1/users/me/identities`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Identities {
    /// Oldest first; one of each provider at most.
    pub items: Vec<Identity>,
}

/// Answer of `POST /api/v1/users/me/identities/{provider}/token`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ProviderToken {
    /// For calls of the provider's API.
    pub access_token: String,
    /// When it ends; unknown where the provider does not say.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// What it is good for, in the provider's words.
    pub scope: Option<String>,
}

/// What Kakao's unlink webhook says.
#[derive(Clone, Debug, Deserialize, Serialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub struct KakaoUnlinked {
    /// The number of the app at Kakao.
    pub app_id: String,
    /// The person's number at Kakao.
    pub user_id: String,
    /// Why: `UNLINK_FROM_APPS`, `ACCOUNT_DELETE`, `FORCED_ACCOUNT_DELETE` or another word.
    pub referrer_type: String,
}

/// Why a security event was refused (RFC 8935 section 2.3).
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct EventRefused {
    /// `invalid_request`, `invalid_key`, `invalid_issuer` or `invalid_audience`.
    #[schema(example = "invalid_key")]
    pub err: String,
    /// The same for people.
    pub description: String,
}
