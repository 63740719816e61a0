//! Begins sessions and mints their tokens: the one rule in which every way in ends.

use auth_sdk::TokenSet;
use auth_token::AccessClaims;

use super::{
    MAX_PER_USER, SessionKind,
    store::{self, NewSession},
};
use crate::{
    app::App,
    client::Client,
    db::{Conn, Ts},
    error::{Error, Result},
    ids::{OpaqueToken, SessionId, UserId},
    revocation::Pending,
    users::{DisplayName, Profile},
};

/// A login that has been proven.
pub struct Proof<'a> {
    /// Whose.
    pub user: UserId,
    /// How (RFC 8176).
    pub methods: &'a [&'a str],
    /// What the person calls the device.
    pub device_name: Option<&'a DisplayName>,
    /// What the session is for.
    pub kind: SessionKind,
}

/// A session that has begun, and what it is carried on by.
pub struct Begun {
    /// The session.
    pub session: Grant,
    /// Its first refresh token, or its credential where that is what it has.
    pub refresh_token: OpaqueToken,
}

/// What the tokens of a session say of it.
pub struct Grant {
    /// The session.
    pub id: SessionId,
    /// How its owner proved themselves.
    pub methods: Vec<String>,
    /// When they did.
    pub authenticated_at: Ts,
    /// When it ends unless refreshed.
    pub expires_at: Ts,
    /// When it ends in any case.
    pub absolute_expires_at: Ts,
}

/// Begins a session. One too many ends the longest unused, whose revocations are to be committed with it.
///
/// # Errors
/// When the database fails.
pub async fn begin(app: &App, tx: &mut Conn, proof: &Proof<'_>, client: &Client) -> Result<(Begun, Pending)> {
    let now = app.now();
    let session = Grant {
        id: SessionId(app.entropy.uuid(now)),
        methods: proof.methods.iter().map(|&method| method.to_owned()).collect(),
        authenticated_at: now,
        expires_at: now.plus(proof.kind.idle(&app.config.sessions)),
        absolute_expires_at: now.plus(proof.kind.absolute()),
    };
    let methods = methods_to_text(&session.methods);
    let refresh_token = app.entropy.token();
    let hash = refresh_token.hash();
    let row = NewSession {
        id: session.id,
        user_id: proof.user,
        kind: proof.kind,
        auth_methods: &methods,
        expires_at: session.expires_at,
        absolute_expires_at: session.absolute_expires_at,
        ip_address: Some(client.ip.to_string()),
        user_agent: client.user_agent.as_deref(),
        device_name: proof.device_name.map(DisplayName::as_str),
        credential: (proof.kind == SessionKind::Console).then_some(&hash),
    };
    store::insert(tx, &row, now).await?;
    if proof.kind == SessionKind::App {
        store::insert_refresh(tx, &hash, session.id, session.expires_at, now).await?;
    }
    let ended = store::end_longest_unused(tx, proof.user, MAX_PER_USER, now).await?;
    let pending = app.recorder(now).sessions(tx, &ended).await?;
    Ok((Begun { session, refresh_token }, pending))
}

/// Mints the tokens of a session.
///
/// # Errors
/// [`Error::Internal`] when the key cannot sign.
pub fn mint(app: &App, profile: &Profile, session: &Grant, refresh_token: &OpaqueToken, now: Ts) -> Result<TokenSet> {
    let (access_token, life) = mint_access(app, profile, session, now)?;
    Ok(TokenSet {
        access_token,
        token_type: "Bearer".to_owned(),
        expires_in: life,
        refresh_token: refresh_token.to_wire(),
        refresh_expires_in: session.expires_at.since(now).as_secs(),
        session_id: session.id.0,
    })
}

/// Mints an access token, and tells its life in seconds: it ends with the session and with the first of the rights it
/// carries.
///
/// # Errors
/// [`Error::Internal`] when the key cannot sign.
pub fn mint_access(app: &App, profile: &Profile, session: &Grant, now: Ts) -> Result<(String, u64)> {
    let ends = [
        Some(now.plus(app.config.sessions.access_token_life)),
        Some(session.absolute_expires_at),
        profile.rights_until,
    ];
    let expires_at = ends.into_iter().flatten().min().unwrap_or(now);
    let claims = AccessClaims {
        iss: app.keys.verifier.issuer().to_owned(),
        sub: profile.user.id,
        aud: app.keys.verifier.audience().to_owned(),
        exp: expires_at.as_seconds(),
        iat: now.as_seconds(),
        jti: app.entropy.uuid(now),
        sid: session.id.0,
        ver: profile.token_version,
        rv: profile.catalogue_version,
        roles: profile.user.roles.clone(),
        permissions: profile.user.permissions.clone(),
        auth_time: session.authenticated_at.as_seconds(),
        amr: session.methods.clone(),
    };
    let access_token = app.keys.signing_key().sign(&claims).map_err(|cause| Error::Internal(Box::new(cause)))?;
    Ok((access_token, u64::try_from(claims.exp - claims.iat).unwrap_or(0)))
}

/// The methods as they are stored: a JSON array.
pub(super) fn methods_to_text(methods: &[String]) -> String {
    serde_json::to_string(methods).unwrap_or_default()
}

/// Reads what [`methods_to_text`] wrote.
pub(super) fn methods_from_text(text: &str) -> Vec<String> {
    serde_json::from_str(text).unwrap_or_default()
}
