//! Calls by which operators see signing keys, replace them, and take bad ones out of use.

use auth_sdk::{Problem, RotateSigningKey, SigningKey as WireKey, SigningKeySource, SigningKeyState, SigningKeys};
use auth_token::Algorithm;
use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::{JWKS_LIFE, KeyError, KeyHome, KeyState, KeyUse, list, reload, rotate};
use crate::{
    app::App,
    audit::{Entry, Event},
    caller::{Caller, SessionCaller},
    client::Client,
    error::{Error, Result},
    fields::Fault,
    idempotency::{Answer, Once},
    roles::Permission,
};

/// List the signing keys
///
/// In the order in which they sign. A key that was rotated in is published one `jwks_lifetime_seconds` before it signs, and
/// verifies until its last token is gone.
#[utoipa::path(
    get, path = "/api/v1/system/signing-keys", tag = "system", security(("bearer" = []), ("api_key" = [])),
    responses((status = 200, body = SigningKeys), (status = 401, body = Problem), (status = 403, body = Problem), (status = 503, body = Problem))
)]
pub async fn list_signing_keys(State(app): State<App>, caller: Caller) -> Result<Json<SigningKeys>> {
    caller.require(Permission::SystemRead)?;
    let keys = find_all(&app).await?.into_iter().map(to_wire).collect();
    Ok(Json(SigningKeys { keys, jwks_lifetime_seconds: JWKS_LIFE.as_secs() }))
}

/// Rotate the signing key
///
/// As `auth-system keys rotate` does: publishes a new key, which signs as soon as everybody can have learnt of it. Nobody is
/// logged out. Demands a fresh session; an API key cannot do it.
#[utoipa::path(
    post, path = "/api/v1/system/signing-keys", tag = "system", security(("bearer" = [])), request_body = RotateSigningKey,
    responses((status = 201, body = WireKey), (status = 401, body = Problem), (status = 403, body = Problem, description = "reauthentication_required or session_required, among others"), (status = 422, body = Problem), (status = 503, body = Problem, description = "secrets_key_missing, among others"))
)]
pub async fn rotate_signing_key(
    State(app): State<App>,
    caller: SessionCaller,
    client: Client,
    once: Once,
) -> Result<Response> {
    let any = caller.any();
    any.require(Permission::SystemWrite)?;
    caller.require_fresh(&app).await?;
    once.run((&app, &any), "POST /api/v1/system/signing-keys", Answer::Keep, async |fields| {
        let algorithm = fields.read(|f| f.optional("algorithm", parse_algorithm))?;
        let (algorithm, now) = (algorithm.unwrap_or(app.config.keys.algorithm), app.now());
        let secrets = app.config.keys.secrets_key.as_deref();
        let row = rotate::new_key(secrets, algorithm, now, now.plus(JWKS_LIFE)).await?;
        let mut tx = app.db.begin().await?;
        let entry = Entry::by(Event::SigningKeyRotated, &any, None, &client);
        rotate::publish(&mut tx, &row, entry, now).await?;
        tx.commit().await?;
        Ok((StatusCode::CREATED, Json(after_change(&app, &row.kid).await?)).into_response())
    })
    .await
}

/// Withdraw a signing key
///
/// As `auth-system keys withdraw` does: every token that it has signed is refused within a second, and people refresh to new
/// ones. When it was the one that signs, another takes its place at once. Demands a fresh session; an API key cannot do it.
#[utoipa::path(
    post, path = "/api/v1/system/signing-keys/{kid}/withdraw", tag = "system", security(("bearer" = [])),
    params(("kid" = String, Path, description = "The key")),
    responses((status = 200, body = WireKey), (status = 401, body = Problem), (status = 403, body = Problem, description = "reauthentication_required or session_required, among others"), (status = 404, body = Problem), (status = 503, body = Problem, description = "secrets_key_missing, among others"))
)]
pub async fn withdraw_signing_key(
    State(app): State<App>,
    caller: SessionCaller,
    client: Client,
    Path(kid): Path<String>,
) -> Result<Json<WireKey>> {
    let any = caller.any();
    any.require(Permission::SystemWrite)?;
    caller.require_fresh(&app).await?;
    let secrets = app.config.keys.secrets_key.as_deref();
    let mut tx = app.db.begin().await?;
    let entry = Entry::by(Event::SigningKeyWithdrawn, &any, None, &client);
    let revoked = rotate::take_out(&mut tx, secrets, &kid, app.recorder(app.now()), entry).await?;
    app.commit(tx, revoked).await?;
    Ok(Json(after_change(&app, &kid).await?))
}

/// A key as it is now, after this instance has taken in what was changed. The others do within half a second, and so does
/// this one if it fails here.
async fn after_change(app: &App, kid: &str) -> Result<WireKey> {
    if let Err(cause) = reload(app).await {
        tracing::warn!(%cause, "the jwt signing keys could not be read again yet");
    }
    find_all(app).await?.into_iter().find(|key| key.kid == kid).map(to_wire).ok_or(Error::NotFound)
}

async fn find_all(app: &App) -> Result<Vec<KeyState>> {
    Ok(list(&app.db, app.config.sessions.access_token_life, app.now()).await?)
}

fn parse_algorithm(text: &str) -> Result<Algorithm, Fault> {
    text.parse().map_err(|_| {
        Fault::new(
            "unknown_algorithm",
            "Write RS256, ES256, EdDSA or HS256.",
            "RS256, ES256, EdDSA, HS256 중 하나로 쓰세요.",
        )
    })
}

fn to_wire(key: KeyState) -> WireKey {
    WireKey {
        state: match key.state {
            KeyUse::Published => SigningKeyState::Next,
            KeyUse::Signs => SigningKeyState::Signing,
            KeyUse::Verifies => SigningKeyState::Verifying,
            KeyUse::Retired => SigningKeyState::Retired,
            KeyUse::Withdrawn => SigningKeyState::Withdrawn,
        },
        source: match key.home {
            KeyHome::Configuration => SigningKeySource::Configuration,
            KeyHome::Database => SigningKeySource::Database,
        },
        kid: key.kid,
        algorithm: key.algorithm,
        created_at: key.created_at.into(),
        signs_from: key.signs_from.into(),
        // Of one that does not sign yet, the column says from when it will have been used.
        last_used_at: (key.state != KeyUse::Published).then(|| key.last_used_at.into()),
        withdrawn_at: key.withdrawn_at.map(Into::into),
    }
}

impl From<KeyError> for Error {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Db(cause) => cause.into(),
            KeyError::NoSecretsKey => Self::SecretsKeyMissing,
            KeyError::Unknown(_) => Self::NotFound,
            KeyError::Crypto => Self::Internal(Box::new(error)),
        }
    }
}
