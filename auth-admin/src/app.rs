//! The one `App` that every page is given.

use std::{ops::Deref, sync::Arc};

use auth_sdk::client::Client;
use service_kit::{clock::Clock, config::Secret, hosts::AllowedHosts, language::Language, proxies::TrustedProxies};
use url::Url;

use crate::{assets, config::Config, texts::Texts};

/// A running console, cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What a console is made of.
pub struct Parts {
    pub(crate) client: Client,
    pub(crate) clock: Clock,
    pub(crate) hosts: AllowedHosts,
    pub(crate) proxies: TrustedProxies,
    pub(crate) assets: String,
    english: Arc<Texts>,
    korean: Arc<Texts>,
}

/// What only the process that also runs the Auth API can tell the console.
#[derive(Default)]
pub struct Neighbour {
    /// Where the Auth API of this process listens.
    pub api: Option<Url>,
    /// What the two know each other by.
    pub secret: Option<Secret>,
}

impl App {
    /// Starts a console.
    ///
    /// # Errors
    /// One sentence that says what to do.
    pub fn start(mut config: Config, neighbour: Neighbour, clock: Clock) -> Result<Self, String> {
        if config.api.is_empty() {
            config.api.extend(neighbour.api);
        }
        config.client_secret = neighbour.secret.or(config.client_secret);
        let client = Client::new(&config.client())?;
        let read = |language| Texts::read(language).map(Arc::new);
        Ok(Self(Arc::new(Parts {
            client,
            clock,
            hosts: config.hosts,
            proxies: config.proxies,
            assets: format!("/admin/assets/{}", assets::version()),
            english: read(Language::English)?,
            korean: read(Language::Korean)?,
        })))
    }

    /// The texts of a language.
    pub(crate) fn texts(&self, language: Language) -> Arc<Texts> {
        match language {
            Language::English => Arc::clone(&self.english),
            Language::Korean => Arc::clone(&self.korean),
        }
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
