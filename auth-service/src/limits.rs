//! Rate limits of this service, and whom each one counts.

use std::{
    net::IpAddr,
    sync::{Arc, OnceLock},
};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use rate_limit::{Decision, Limit, RateLimiter, Rule, address_subjects};
use service_kit::config::{Env, Environment};

use crate::{
    app::App,
    caller::Caller,
    client::Client,
    db::Ts,
    error::{Error, RATE_LIMIT, RATE_LIMIT_POLICY, Result, as_header},
    ids::{SessionId, TokenHash, UserId},
};

/// Paths that are not counted: checks by load balancers, gateways inside, and what browsers cache.
const UNCOUNTED: [&str; 4] = ["/api/v1/health", "/.well-known/", "/internal/", "/docs"];

/// The rules.
#[derive(Clone, Copy)]
pub struct LimitConfig {
    login_per_address: Rule,
    login_accounts_per_address: Rule,
    register_per_address: Rule,
    refresh_per_session: Rule,
    api_per_user: Rule,
    api_per_address: Rule,
    forgot_per_address: Rule,
    forgot_per_account: Rule,
    spares_loopback: bool,
}

impl LimitConfig {
    /// Reads the rules, each `<n>/<window>` or `off`.
    pub fn read(env: &mut Env) -> Self {
        env.section("Limits");
        Self {
            login_per_address: env.parse(
                "RATE_LIMIT_LOGIN_PER_ADDRESS",
                "30/1m",
                "Logins from one address. Each limit is a number per time (s, m, h, d), or off.",
            ),
            login_accounts_per_address: env.parse(
                "RATE_LIMIT_LOGIN_ACCOUNTS_PER_ADDRESS",
                "20/10m",
                "Different accounts tried from one address.",
            ),
            register_per_address: env.parse(
                "RATE_LIMIT_REGISTER_PER_ADDRESS",
                "20/1h",
                "Registrations from one address.",
            ),
            refresh_per_session: env.parse("RATE_LIMIT_REFRESH_PER_SESSION", "60/1m", "Refreshes of one session."),
            api_per_user: env.parse(
                "RATE_LIMIT_API_PER_USER",
                "600/1m",
                "Calls of one person; an API key may have its own.",
            ),
            api_per_address: env.parse("RATE_LIMIT_API_PER_ADDRESS", "1200/1m", "Calls from one address."),
            forgot_per_address: env.parse(
                "RATE_LIMIT_FORGOT_PER_ADDRESS",
                "10/1h",
                "Mails asked for from one address: resets of passwords and proofs of addresses.",
            ),
            forgot_per_account: env.parse(
                "RATE_LIMIT_FORGOT_PER_ACCOUNT",
                "3/1h",
                "Mails that anybody can have sent to one person; further ones are not sent, and nobody is told so.",
            ),
            spares_loopback: env.environment() == Environment::Development,
        }
    }
}

/// The rules with their counters.
pub struct Limits {
    rules: LimitConfig,
    counters: RateLimiter,
}

impl Limits {
    /// Rules counted by `counters`.
    #[must_use]
    pub const fn new(rules: LimitConfig, counters: RateLimiter) -> Self {
        Self { rules, counters }
    }

    /// Counts a login at `account` from the client's address.
    ///
    /// # Errors
    /// [`Error::TooManyRequests`].
    pub async fn login(&self, client: &Client, account: &str, now: Ts) -> Result<()> {
        self.per_address("login", self.rules.login_per_address, client, now).await?;
        let Rule::Quota(quota) = self.rules.login_accounts_per_address else { return Ok(()) };
        if self.spares(client) {
            return Ok(());
        }
        // Hashed, for nobody's address should stand in Redis.
        let account = TokenHash::of(account.as_bytes()).to_hex();
        for (quota, subject) in address_subjects(quota, client.addr()) {
            let limit = Limit { name: "login_accounts", quota };
            admitted(self.counters.check_distinct(limit, &subject, &account, now.as_micros()).await)?;
        }
        Ok(())
    }

    /// Counts a password that is confirmed in a session like one more login: each costs a hash.
    ///
    /// # Errors
    /// [`Error::TooManyRequests`].
    pub async fn confirmation(&self, client: &Client, now: Ts) -> Result<()> {
        self.per_address("login", self.rules.login_per_address, client, now).await
    }

    /// Counts a registration from the client's address.
    ///
    /// # Errors
    /// [`Error::TooManyRequests`].
    pub async fn register(&self, client: &Client, now: Ts) -> Result<()> {
        self.per_address("register", self.rules.register_per_address, client, now).await
    }

    /// Counts a refresh of this session.
    ///
    /// # Errors
    /// [`Error::TooManyRequests`].
    pub async fn refresh(&self, session: SessionId, now: Ts) -> Result<()> {
        let Rule::Quota(quota) = self.rules.refresh_per_session else { return Ok(()) };
        let limit = Limit { name: "refresh", quota };
        admitted(self.counters.check(limit, &session.0.to_string(), now.as_micros()).await)
    }

    /// Counts a call from the client's address, whatever it is.
    ///
    /// # Errors
    /// [`Error::TooManyRequests`].
    pub async fn call_from(&self, client: &Client, now: Ts) -> Result<Option<Decision>> {
        let Rule::Quota(quota) = self.rules.api_per_address else { return Ok(None) };
        if self.spares(client) {
            return Ok(None);
        }
        let mut last = None;
        for (quota, subject) in address_subjects(quota, client.addr()) {
            let limit = Limit { name: "api_address", quota };
            last = Some(admit(self.counters.check_often(limit, &subject, now.as_micros()).await)?);
        }
        Ok(last)
    }

    /// Counts a call by a person or a key: by the key's own limit, if it has one, and always by its owner's.
    ///
    /// # Errors
    /// [`Error::TooManyRequests`].
    pub async fn call_by(&self, caller: &Caller, now: Ts) -> Result<Option<Decision>> {
        let of_key = caller
            .api_key()
            .and_then(|grant| Some((Limit { name: "api_key", quota: grant.rate_limit? }, grant.key_id)));
        let of_user = match self.rules.api_per_user {
            Rule::Quota(quota) => Some((Limit { name: "api_user", quota }, caller.user_id().0)),
            Rule::Off => None,
        };
        let mut told = None;
        for (limit, subject) in of_key.into_iter().chain(of_user) {
            let decision = admit(self.counters.check_often(limit, &subject.to_string(), now.as_micros()).await)?;
            told = told.or(Some(decision));
        }
        Ok(told)
    }

    /// Counts a mail asked for from the client's address.
    ///
    /// # Errors
    /// [`Error::TooManyRequests`].
    pub async fn forgot(&self, client: &Client, now: Ts) -> Result<()> {
        self.per_address("forgot", self.rules.forgot_per_address, client, now).await
    }

    /// Counts a mail that anybody can have sent to an account, or to an address that has none, which costs the same;
    /// false when there were enough. By `kind`, so that nobody keeps a person from one mail by asking for another.
    pub async fn mails_to(&self, kind: &str, account: Option<UserId>, email: &str, now: Ts) -> bool {
        let Rule::Quota(quota) = self.rules.forgot_per_account else { return true };
        let limit = Limit { name: "mails_to", quota };
        // Hashed, for nobody's address should stand in Redis.
        let subject = account.map_or_else(|| TokenHash::of(email.as_bytes()).to_hex(), |id| id.0.to_string());
        let subject = format!("{kind}:{subject}");
        admitted(self.counters.check(limit, &subject, now.as_micros()).await).is_ok()
    }

    /// Counts another address that is asked for an account.
    ///
    /// # Errors
    /// [`Error::TooManyRequests`].
    pub async fn change_email(&self, user: UserId, now: Ts) -> Result<()> {
        let Rule::Quota(quota) = self.rules.forgot_per_account else { return Ok(()) };
        let limit = Limit { name: "change_email", quota };
        admitted(self.counters.check(limit, &user.0.to_string(), now.as_micros()).await)
    }

    async fn per_address(&self, name: &'static str, rule: Rule, client: &Client, now: Ts) -> Result<()> {
        let Rule::Quota(quota) = rule else { return Ok(()) };
        if self.spares(client) {
            return Ok(());
        }
        for (quota, subject) in address_subjects(quota, client.addr()) {
            admitted(self.counters.check(Limit { name, quota }, &subject, now.as_micros()).await)?;
        }
        Ok(())
    }

    fn spares(&self, client: &Client) -> bool {
        let is_loopback = |ip: IpAddr| ip.is_loopback();
        self.rules.spares_loopback && is_loopback(client.ip)
    }
}

/// Where the caller's extractor leaves what it counted, for [`count`] to tell the client.
#[derive(Clone, Default)]
pub struct Counted(Arc<OnceLock<Decision>>);

impl Counted {
    /// Leaves a decision; the first of a request is the one that is told.
    pub fn leave(&self, decision: Decision) {
        drop(self.0.set(decision));
    }
}

/// Counts every call by its address, and tells clients what is left to them: of their own limit, or of their address's.
///
/// # Errors
/// [`Error::TooManyRequests`].
pub async fn count(State(app): State<App>, client: Client, mut request: Request, next: Next) -> Result<Response> {
    if UNCOUNTED.iter().any(|prefix| request.uri().path().starts_with(prefix)) {
        return Ok(next.run(request).await);
    }
    let of_address = app.limits.call_from(&client, app.now()).await?;
    let counted = Counted::default();
    request.extensions_mut().insert(counted.clone());
    let mut response = next.run(request).await;
    if let Some(decision) = counted.0.get().or(of_address.as_ref()) {
        let headers = response.headers_mut();
        if !headers.contains_key(RATE_LIMIT) {
            headers.insert(RATE_LIMIT, as_header(&decision.rate_limit_header()));
            headers.insert(RATE_LIMIT_POLICY, as_header(&decision.policy_header()));
        }
    }
    Ok(response)
}

fn admitted(decision: Decision) -> Result<()> {
    admit(decision).map(drop)
}

fn admit(decision: Decision) -> Result<Decision> {
    if decision.is_admitted() {
        return Ok(decision);
    }
    metrics::counter!("rate_limited_total", "rule" => decision.name).increment(1);
    Err(Error::TooManyRequests(decision))
}
