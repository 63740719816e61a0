//! How often an address, a person or an API key may ask: over all routes, and on one.

use rate_limit::{Decision, Limit, Quota, RateLimiter, address_subjects};
use service_kit::proxies::ClientAddr;

use crate::identity::Caller;
use crate::refusal::Refusal;
use crate::routes::Route;

/// The counters; what each allows is the routing's affair.
pub struct Limits {
    counters: RateLimiter,
    /// In development nobody is far away.
    spares_loopback: bool,
}

impl Limits {
    /// Counts by `counters`.
    pub fn new(counters: RateLimiter, spares_loopback: bool) -> Self {
        Self { counters, spares_loopback }
    }

    /// Counts a request of this address.
    ///
    /// # Errors
    /// [`Refusal::TooManyRequests`].
    pub async fn address(&self, quota: Quota, client: ClientAddr, now: i64) -> Result<Option<Decision>, Refusal> {
        self.of_address("gateway_address", quota, ("", client), now).await
    }

    /// Counts a request of this caller: by the key's own limit, if it is a key that has one, and over all routes.
    ///
    /// # Errors
    /// [`Refusal::TooManyRequests`].
    pub async fn caller(&self, quota: Option<Quota>, caller: &Caller, now: i64) -> Result<Option<Decision>, Refusal> {
        let of_key = caller.rate_limit().map(|quota| ("gateway_api_key", quota, subject(caller)));
        // Over all routes a key counts for its owner, or many keys would be many people.
        let of_owner = quota.map(|quota| ("gateway_user", quota, owner(caller)));
        let mut told = None;
        for (name, quota, subject) in of_key.into_iter().chain(of_owner) {
            let limit = Limit { name, quota };
            let decision = admit(self.counters.check_often(limit, &subject, now).await)?;
            told = told.or(Some(decision));
        }
        Ok(told)
    }

    /// Counts a request on a route that has a limit of its own: for its caller, else for its address.
    ///
    /// # Errors
    /// [`Refusal::TooManyRequests`].
    pub async fn route(
        &self,
        (route, quota): (&Route, Quota),
        caller: Option<&Caller>,
        client: ClientAddr,
        now: i64,
    ) -> Result<Option<Decision>, Refusal> {
        let Some(caller) = caller else {
            return self.of_address("gateway_route", quota, (&route.name, client), now).await;
        };
        let subject = format!("{}:{}", route.name, subject(caller));
        admit(self.counters.check_often(Limit { name: "gateway_route", quota }, &subject, now).await).map(Some)
    }

    /// Whether an address is not counted.
    pub fn spares(&self, client: ClientAddr) -> bool {
        self.spares_loopback && client.ip.is_loopback()
    }

    async fn of_address(
        &self,
        name: &'static str,
        quota: Quota,
        (route, client): (&str, ClientAddr),
        now: i64,
    ) -> Result<Option<Decision>, Refusal> {
        if self.spares(client) {
            return Ok(None);
        }
        let mut told = None;
        for (quota, subject) in address_subjects(quota, client) {
            let subject = format!("{route}:{subject}");
            told = Some(admit(self.counters.check_often(Limit { name, quota }, &subject, now).await)?);
        }
        Ok(told)
    }
}

fn subject(caller: &Caller) -> String {
    match caller {
        Caller::Session(token) => format!("user:{}", token.claims.sub),
        Caller::ApiKey(grant) => format!("key:{}", grant.key_id),
    }
}

fn owner(caller: &Caller) -> String {
    match caller {
        Caller::Session(token) => token.claims.sub.to_string(),
        Caller::ApiKey(grant) => grant.user_id.to_string(),
    }
}

fn admit(decision: Decision) -> Result<Decision, Refusal> {
    if decision.is_admitted() {
        return Ok(decision);
    }
    metrics::counter!("rate_limited_total", "rule" => decision.name).increment(1);
    Err(Refusal::TooManyRequests(decision))
}
