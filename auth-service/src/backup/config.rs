//! Where backups go, and for whom they are sealed.

use std::str::FromStr;

use service_kit::config::{Env, Environment, Secret, is_loopback};
use url::Url;

/// An age X25519 public key: whoever has it can seal, and nobody can open by it.
#[derive(Clone)]
pub struct Recipient(pub(super) age::x25519::Recipient);

/// What backups run by.
#[derive(Clone)]
pub struct BackupConfig {
    /// Where they go unless the command line says so.
    pub to: Option<String>,
    /// For whom they are sealed.
    pub recipient: Option<Recipient>,
    /// The store, for addresses that begin with `s3://`.
    pub s3: S3Config,
}

/// How an S3-compatible store is reached.
#[derive(Clone)]
pub struct S3Config {
    /// Its address, where it is not Amazon's own.
    pub endpoint: Option<Url>,
    /// Its region.
    pub region: Option<String>,
    /// Whose requests they are: id, secret and, for passing credentials, a session's token.
    pub key_id: Option<String>,
    /// The secret of `key_id`.
    pub secret: Option<Secret>,
    /// The token of passing credentials.
    pub token: Option<Secret>,
}

impl FromStr for Recipient {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("AGE-SECRET-KEY-") {
            return Err("this is the private key: give the public one, which begins with age1".into());
        }
        let key = text.parse().map_err(|_| "write an age public key, age1…, as `age-keygen` prints it".to_owned())?;
        Ok(Self(key))
    }
}

impl BackupConfig {
    /// Reads the configuration.
    pub fn read(env: &mut Env) -> Self {
        env.section("Backups");
        Self {
            to: env.optional("BACKUP_TO", "Folder, file or s3://bucket/prefix that `auth-system backup` writes to."),
            recipient: env.optional("BACKUP_RECIPIENT", "age public key (age1…) that backups are sealed for."),
            s3: S3Config::read(env),
        }
    }
}

impl S3Config {
    fn read(env: &mut Env) -> Self {
        let own: Option<Url> =
            env.optional("BACKUP_S3_ENDPOINT", "Address of an S3-compatible store that is not Amazon's.");
        let standard: Option<Url> = env.optional("AWS_ENDPOINT_URL_S3", "The same, as the tools of AWS know it.");
        let endpoint = own.or(standard);
        if let Some(url) = &endpoint {
            let is_safe = url.scheme() == "https" || url.host_str().is_some_and(is_loopback);
            if env.environment() == Environment::Production && !is_safe {
                env.refuse("BACKUP_S3_ENDPOINT: production needs https:// to anything but loopback");
            }
        }
        let region = env.optional("AWS_REGION", "Region of the bucket, such as ap-northeast-2.");
        let fallback = env.optional("AWS_DEFAULT_REGION", "The same, where AWS_REGION is not set.");
        Self {
            endpoint,
            region: region.or(fallback),
            key_id: env.optional("AWS_ACCESS_KEY_ID", "Whose requests those to the bucket are."),
            secret: env.secret("AWS_SECRET_ACCESS_KEY", "The secret of AWS_ACCESS_KEY_ID."),
            token: env.secret("AWS_SESSION_TOKEN", "The token of credentials that pass."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_key_in_place_of_the_public_one_is_refused_and_not_repeated() {
        let key = age::x25519::Identity::generate();
        let secret = age::secrecy::ExposeSecret::expose_secret(&key.to_string()).to_owned();
        let mut env = Env::from_pairs([("BACKUP_RECIPIENT", secret.clone())]);
        BackupConfig::read(&mut env);
        let refusals = env.finish().map(drop).unwrap_err().to_string();
        assert!(refusals.contains("this is the private key") && !refusals.contains(&secret), "{refusals}");
        assert!(key.to_public().to_string().parse::<Recipient>().is_ok());
        assert!("age1nonsense".parse::<Recipient>().is_err());
    }

    #[test]
    fn production_sends_backups_nowhere_without_tls() {
        let refusals = |endpoint: &str| {
            let mut env = Env::from_pairs([("ENV", "production"), ("BACKUP_S3_ENDPOINT", endpoint)]);
            BackupConfig::read(&mut env);
            env.finish().map(drop).err().map(|refusals| refusals.to_string()).unwrap_or_default()
        };
        assert!(refusals("http://store.example.com").contains("BACKUP_S3_ENDPOINT"));
        assert_eq!(refusals("https://store.example.com"), "");
        assert_eq!(refusals("http://127.0.0.1:9000"), "");
    }
}
