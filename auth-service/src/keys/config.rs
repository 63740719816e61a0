//! What signs, and what tokens say of their issuer.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
};

use auth_token::{Algorithm, RsaBits};
use service_kit::config::{Env, TokenNames};

use super::{
    GenerateError, KeySource, SecretsKey, generate, generate_files,
    source::{check_permissions, give_to_this_user},
};

/// Where keys are when nothing else is said, as in the deployment guide.
pub const DEFAULT_PRIVATE: &str = "keys/private.pem";
/// The public key beside it.
pub const DEFAULT_PUBLIC: &str = "keys/public.pem";

/// The configured signing key and what tokens say of their issuer.
pub struct KeyConfig {
    /// What signs.
    pub algorithm: Algorithm,
    /// Where the key is.
    pub source: KeySource,
    /// The `iss` of tokens.
    pub issuer: String,
    /// The `aud` of tokens.
    pub audience: String,
    /// What seals rotated keys in the database.
    pub secrets_key: Option<Arc<SecretsKey>>,
}

impl KeyConfig {
    /// Reads the configuration.
    pub fn read(env: &mut Env) -> Self {
        let algorithm =
            env.parse("JWT_ALGORITHM", "RS256", "Signature of access tokens: RS256, ES256, EdDSA or HS256.");
        let private_path: PathBuf = env.parse(
            "JWT_PRIVATE_KEY_PATH",
            DEFAULT_PRIVATE,
            "PEM file of the private key. In development it is made when it is missing.",
        );
        let public_path: PathBuf = env.parse("JWT_PUBLIC_KEY_PATH", DEFAULT_PUBLIC, "PEM file of the public key.");
        let private = env.secret(
            "JWT_PRIVATE_KEY",
            "The private key itself in PEM, as secret managers inject it; comes before JWT_PRIVATE_KEY_PATH.",
        );
        let public = env.optional("JWT_PUBLIC_KEY", "The public key itself in PEM, beside JWT_PRIVATE_KEY.");
        let secret =
            env.secret("JWT_SECRET_KEY", "Shared secret of HS256, at least 32 bytes: `openssl rand -base64 64`.");
        let TokenNames { issuer, audience } = TokenNames::read(env);
        let secrets_key = read_secrets_key(env);
        let source = match (algorithm, private, secret) {
            (Algorithm::Hs256, _, Some(secret)) => KeySource::Secret(secret),
            (Algorithm::Hs256, _, None) => {
                env.refuse("JWT_ALGORITHM=HS256 needs JWT_SECRET_KEY, at least 32 bytes: `openssl rand -base64 64`");
                KeySource::Missing
            }
            (_, Some(private), _) => KeySource::Inline { private, public },
            (_, None, _) => KeySource::Files { private: private_path, public: public_path },
        };
        source.check(algorithm, env);
        Self { algorithm, source, issuer, audience, secrets_key }
    }

    /// Makes what is missing, as development does: the key pair, and the secret that seals later ones.
    ///
    /// # Errors
    /// When a file can be neither read nor written.
    pub fn make_missing(&mut self, data_dir: &Path) -> Result<(), GenerateError> {
        if let KeySource::Files { private, public } = &self.source
            && !private.exists()
        {
            generate_files(self.algorithm, RsaBits::default(), private, public)?;
        }
        if self.secrets_key.is_none() {
            let text = generate::secret_in(&data_dir.join("secrets.key"))?;
            self.secrets_key = SecretsKey::parse(&text).map(Arc::new).ok();
        }
        Ok(())
    }
}

fn read_secrets_key(env: &mut Env) -> Option<Arc<SecretsKey>> {
    let inline = env.secret("SECRETS_KEY", "32 bytes in base64 that seal what the database holds secret: `openssl rand -base64 32`. Made in DATA_DIR in development.");
    let path: Option<PathBuf> = env.optional("SECRETS_KEY_PATH", "File with SECRETS_KEY.");
    let text = match (inline, path) {
        (Some(inline), _) => inline.expose().to_owned(),
        (None, Some(path)) => match std::fs::read_to_string(&path) {
            Ok(text) => {
                check_permissions(&path, env);
                text
            }
            Err(cause) => {
                let remedy = (cause.kind() == ErrorKind::PermissionDenied).then(|| give_to_this_user(&path));
                let remedy = remedy.map(|remedy| format!(": {remedy}")).unwrap_or_default();
                env.refuse(format!("SECRETS_KEY_PATH {} cannot be read ({cause}){remedy}", path.display()));
                return None;
            }
        },
        (None, None) => return None,
    };
    SecretsKey::parse(&text).map(Arc::new).map_err(|wrong| env.refuse(format!("SECRETS_KEY {wrong}"))).ok()
}
