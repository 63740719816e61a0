//! The one `App` that every handler is given: the parts of a running instance, and what a change must set off.

use std::{ops::Deref, sync::Arc, time::Duration};

use rate_limit::{GuessLimiter, RateLimiter, TimeSource};
use service_kit::{clock::Clock, redis::Redis, shutdown::Shutdown};
use tokio::sync::Mutex;

use crate::{
    api_keys::KeyCache,
    audit,
    config::Config,
    console::CredentialCache,
    db::{Conn, Db, DbError, Ts},
    error::{Error, Result},
    ids::{Entropy, UserId},
    instances::{self, Instance, Lately},
    jobs,
    keys::KeyRing,
    limits::Limits,
    login::Guesses,
    mail,
    meta::Readiness,
    meters,
    passwords::{Hasher, NewPassword, OwnWords, Rejected},
    places::Places,
    revocation::{Feeds, Pending, Recorder, RevocationLog, announce::Announcer, tail::Tail},
    social::{self, Providers, outbound::Reach},
    statistics::{Answers, Strangers},
    sweep,
    users::{ProfileCache, admin::looks::Looks},
};

/// How long a start waits for Redis.
const REDIS_PATIENCE: Duration = Duration::from_millis(500);

/// A running instance, cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What an instance is made of.
pub struct Parts {
    /// Which one it is.
    pub instance: Instance,
    /// What it runs by.
    pub config: Config,
    /// What time it is.
    pub clock: Clock,
    /// Where randomness comes from.
    pub entropy: Entropy,
    /// The database.
    pub db: Db,
    /// Redis, if there is one.
    pub redis: Option<Redis>,
    /// Signing keys.
    pub keys: Arc<KeyRing>,
    /// Live revocations.
    pub revocations: Arc<RevocationLog>,
    /// Gateways that hear of them here.
    pub feeds: Arc<Feeds>,
    /// Tells the other instances.
    pub announcer: Arc<Announcer>,
    /// Remembered accounts.
    pub profiles: Arc<ProfileCache>,
    /// Remembered API keys.
    pub api_keys: KeyCache,
    /// Remembered credentials of the console.
    pub console: CredentialCache,
    /// Password hashing.
    pub hasher: Hasher,
    /// Counts of guesses.
    pub guesses: Guesses,
    /// Rate limits.
    pub limits: Limits,
    /// What sends mail.
    pub mail: mail::Outbox,
    /// Providers that people log in through.
    pub providers: Providers,
    /// Where addresses are.
    pub places: Places,
    /// How long logins took.
    pub login_times: Lately,
    /// Refusals that belong to nobody.
    pub strangers: Strangers,
    /// Remembered answers to what is asked in numbers.
    pub statistics: Answers,
    /// Looks at people that are noted already.
    pub looks: Looks,
    /// Whether it can serve.
    pub readiness: Readiness,
    /// Held while this instance is examined: once at a time, for it knocks at others' doors.
    pub examination: Mutex<()>,
}

/// Why an instance cannot be started: one sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database's address or folder is unusable.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The signing key is unusable.
    #[error("{0}")]
    Key(String),
    /// Redis's address is unusable.
    #[error(transparent)]
    Redis(#[from] service_kit::redis::InvalidRedisUrl),
    /// The mail relay is unusable.
    #[error("{0}")]
    Mail(String),
    /// A provider is unusable.
    #[error("{0}")]
    Provider(String),
    /// The database of places is unusable.
    #[error("{0}")]
    Places(String),
    /// The system refused threads.
    #[error("the hash threads cannot be started: {0}")]
    Threads(#[from] std::io::Error),
}

impl App {
    /// Starts an instance. It is ready when this returns, or, where the database is away, as soon as that is back, until
    /// `shutdown` is requested.
    ///
    /// # Errors
    /// When the configuration cannot work, whatever the database does.
    pub async fn start(config: Config, clock: Clock, shutdown: Shutdown) -> Result<Self, StartError> {
        let db = Db::open(&config.db, config.extra_roots.as_deref())?;
        let key = config.keys.source.load(config.keys.algorithm).map_err(StartError::Key)?;
        let keys = KeyRing::new(&config.keys, key, config.sessions.access_token_life);
        let redis = match &config.redis_url {
            Some(url) => Some(Redis::open(url.expose(), config.extra_roots.as_deref())?),
            None => None,
        };
        if let Some(redis) = &redis {
            // Counts are exact across instances from the first request, unless Redis takes long: then without it.
            drop(tokio::time::timeout(REDIS_PATIENCE, redis.available()).await);
        }
        let outbox = mail::Outbox::open(&config.mail, config.extra_roots.as_deref()).map_err(StartError::Mail)?;
        let reach = Reach::of(config.environment);
        let providers = Providers::open(&config.social, reach, config.extra_roots.as_deref());
        let providers = providers.map_err(StartError::Provider)?;
        meters::show_zeros(&providers);
        let places = Places::open(config.geoip_db.as_deref()).map_err(StartError::Places)?;
        let (rates, guesses) = counters(redis.clone(), &clock);
        let (revocations, profiles) = (Arc::new(RevocationLog::default()), Arc::new(ProfileCache::default()));
        let announcer = Arc::new(Announcer::new(redis.clone(), Arc::clone(&revocations), Arc::clone(&profiles)));
        let started_at = clock.now().into();
        let app = Self(Arc::new(Parts {
            instance: Instance { id: Entropy.uuid(started_at), started_at },
            clock,
            entropy: Entropy,
            db,
            redis,
            keys: Arc::new(keys),
            revocations,
            feeds: Arc::default(),
            announcer,
            profiles,
            api_keys: KeyCache::default(),
            console: CredentialCache::default(),
            hasher: Hasher::start(config.hashing, config.passwords.clone())?,
            guesses,
            limits: Limits::new(config.limits, rates),
            mail: outbox,
            providers,
            places,
            login_times: Lately::default(),
            strangers: Strangers::default(),
            statistics: Answers::default(),
            looks: Looks::default(),
            readiness: Readiness::new(shutdown),
            examination: Mutex::default(),
            config,
        }));
        tokio::spawn(Arc::clone(&app.announcer).listen());
        let mut tail = Tail::new(app.clone());
        tail.round().await;
        tokio::spawn(tail.run());
        tokio::spawn(sweep::run(app.clone()));
        mail::start(&app);
        social::start(&app);
        tokio::spawn(audit::seal::run(app.clone()));
        tokio::spawn(jobs::run(app.clone()));
        tokio::spawn(instances::beat::run(app.clone()));
        Ok(app)
    }

    /// The time, as it is stored.
    #[must_use]
    pub fn now(&self) -> Ts {
        self.clock.now().into()
    }

    /// Writes revocations as of `now`.
    #[must_use]
    pub fn recorder(&self, now: Ts) -> Recorder {
        Recorder { now, token_life: self.config.sessions.access_token_life }
    }

    /// Commits a transaction and announces what it revoked.
    ///
    /// # Errors
    /// When the commit fails; then nothing is announced.
    pub async fn commit(&self, tx: Conn, revoked: Pending) -> Result<()> {
        tx.commit().await?;
        self.announcer.revoked(&revoked.into_committed());
        Ok(())
    }

    /// Makes every instance forget what it remembers of an account that has changed.
    pub fn user_changed(&self, id: UserId) {
        self.announcer.user_changed(id);
    }

    /// The hash to store of a password that its owner has chosen; `member` is where it stands in the request.
    ///
    /// # Errors
    /// [`Error::WeakPassword`], [`Error::Busy`].
    pub async fn hash_new_password(
        &self,
        member: &'static str,
        password: NewPassword,
        own_words: OwnWords,
    ) -> Result<String> {
        match self.hasher.hash_new(password, own_words).await {
            Ok(hash) => Ok(hash.as_str().to_owned()),
            Err(Rejected::Weak(weakness)) => Err(Error::WeakPassword(member, weakness)),
            Err(Rejected::Busy(busy)) => Err(busy.into()),
        }
    }
}

fn counters(redis: Option<Redis>, clock: &Clock) -> (RateLimiter, GuessLimiter) {
    let Some(link) = redis else { return (RateLimiter::memory(), GuessLimiter::memory()) };
    let time = TimeSource::of(clock);
    (RateLimiter::redis(link.clone(), time), GuessLimiter::redis(link, time))
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
