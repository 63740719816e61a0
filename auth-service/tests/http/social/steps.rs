//! Single steps of a login through a provider, for whoever takes them in another order, twice, or in another browser.

use test_peers::{Reply, Visitor};
use url::Url;

use super::support::World;

/// A login at the point where the provider sends the browser back.
#[derive(Clone)]
pub struct Underway {
    /// Where the browser is sent, with the provider's code.
    pub callback: String,
    /// The cookie by which the browser is known.
    pub cookie: String,
}

impl Underway {
    /// A parameter of the callback.
    pub fn query(&self, name: &str) -> String {
        query(&self.callback, name).unwrap_or_else(|| panic!("no {name} in {}", self.callback))
    }

    /// The callback with a parameter changed, or taken away.
    pub fn with(&self, name: &str, value: Option<&str>) -> Self {
        let mut url = Url::parse(&self.callback).unwrap();
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().filter(|(found, _)| found != name).collect();
        url.query_pairs_mut().clear().extend_pairs(pairs).extend_pairs(value.map(|value| (name, value)));
        Self { callback: url.into(), cookie: self.cookie.clone() }
    }

    /// The same answer to another provider's callback.
    pub fn at(&self, from: &str, to: &str) -> Self {
        let (from, to) = (format!("/oauth/{from}/callback"), format!("/oauth/{to}/callback"));
        Self { callback: self.callback.replace(&from, &to), cookie: self.cookie.clone() }
    }
}

impl World {
    /// Begins a login in a browser of its own, and lets the person agree at the provider.
    pub async fn begin(&self, provider: &str) -> Underway {
        self.begin_at(&self.authorize_url(provider)).await
    }

    /// The same, from any address at which a login begins.
    pub async fn begin_at(&self, url: &str) -> Underway {
        let sent = browse("GET", url, &[], "").await;
        let cookie = sent.header("set-cookie").unwrap_or_else(|| panic!("{sent:?}"));
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let agreed = browse("GET", &sent.location().unwrap(), &[], "").await;
        let callback = agreed.location().unwrap_or_else(|| panic!("{agreed:?}"));
        assert!(callback.starts_with(&format!("{}/", self.base)), "{callback}");
        Underway { callback, cookie }
    }
}

/// The provider's answer arrives with the browser that began.
pub async fn arrive(underway: &Underway) -> Reply {
    arrive_with(underway, &[("Cookie", &underway.cookie)]).await
}

/// It arrives with these headers.
pub async fn arrive_with(underway: &Underway, headers: &[(&str, &str)]) -> Reply {
    browse("GET", &underway.callback, headers, "").await
}

/// It arrives so many times at once.
pub async fn arrive_at_once(underway: &Underway, times: usize) -> Vec<Reply> {
    let arrivals = (0..times).map(|_| {
        let underway = underway.clone();
        tokio::spawn(async move { arrive(&underway).await })
    });
    let mut replies = Vec::new();
    for arrival in arrivals.collect::<Vec<_>>() {
        replies.push(arrival.await.unwrap());
    }
    replies
}

/// One request of a browser without cookies of its own.
pub async fn browse(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let owned = |text: &str| text.to_owned();
    let headers: Vec<_> = headers.iter().map(|(name, value)| (owned(name), owned(value))).collect();
    let (method, url, body) = (owned(method), owned(url), owned(body));
    tokio::task::spawn_blocking(move || {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Visitor::default().send(&method, &url, &headers, &body).unwrap()
    })
    .await
    .unwrap()
}

/// A parameter of an address.
pub fn query(url: &str, name: &str) -> Option<String> {
    let url = Url::parse(url).unwrap();
    url.query_pairs().find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
}

/// The person is told that nobody waits for this answer, and no app is told anything.
#[track_caller]
pub fn assert_lost(reply: &Reply) {
    assert_eq!((reply.status, reply.location()), (400, None), "{reply:?}");
    assert!(reply.body.contains("The login could not be finished"), "{reply:?}");
}
