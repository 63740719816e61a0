//! Where the configured signing key is, and reading it from there.

use std::{
    fmt, fs,
    io::{self, ErrorKind},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use auth_token::{Algorithm, SigningKey, VerificationKey};
use service_kit::config::{Env, Environment, Secret};

/// What stands in documents in place of a secret, and so protects nothing. The guide's own `$(openssl …)` is no value in
/// an env file, which runs no commands.
const SAMPLES: [&str; 6] = ["secret", "changeme", "change-me", "change_me", "your_", "$("];
/// The guide's task definition for ECS brings no key: what to add to it, with the names that the guide gives the secrets.
const FOR_ECS: &str = r#"In a task definition of ECS two lines of "secrets" are missing: {"name": "JWT_PRIVATE_KEY", "valueFrom": "ARN of auth-service/jwt-private-key"} and {"name": "JWT_PUBLIC_KEY", "valueFrom": "ARN of auth-service/jwt-public-key"}"#;
/// Permission bits of whoever is not the owner.
const WRITABLE_BY_OTHERS: u32 = 0o022;
const READABLE_BY_OTHERS: u32 = 0o044;

/// Where a signing key is.
pub enum KeySource {
    /// In PEM files, the public one beside the private one.
    Files {
        /// The private key.
        private: PathBuf,
        /// The public key.
        public: PathBuf,
    },
    /// In PEM variables, as secret managers inject them.
    Inline {
        /// The private key.
        private: Secret,
        /// The public key, to be checked against the private one.
        public: Option<String>,
    },
    /// The shared secret of HS256.
    Secret(Secret),
    /// Nowhere: the configuration was refused.
    Missing,
}

impl KeySource {
    /// Reads the key.
    ///
    /// # Errors
    /// What is wrong with it and what to do, in one line.
    pub fn load(&self, algorithm: Algorithm) -> Result<SigningKey, String> {
        match self {
            Self::Files { private, public } => {
                let pem = fs::read_to_string(private).map_err(|cause| explain_missing(private, &cause))?;
                let key =
                    SigningKey::from_pem(algorithm, &pem).map_err(|cause| format!("{}: {cause}", private.display()))?;
                match fs::read_to_string(public) {
                    Ok(pem) => matching(key, &pem, &public.display().to_string()),
                    // The public half follows from the private one.
                    Err(_) => Ok(key),
                }
            }
            Self::Inline { private, public } => {
                let key = SigningKey::from_pem(algorithm, &unescape(private.expose()))
                    .map_err(|cause| format!("JWT_PRIVATE_KEY: {cause}"))?;
                match public {
                    Some(pem) => matching(key, &unescape(pem), "JWT_PUBLIC_KEY"),
                    None => Ok(key),
                }
            }
            Self::Secret(secret) => {
                SigningKey::from_secret(secret.expose().as_bytes()).map_err(|cause| format!("JWT_SECRET_KEY: {cause}"))
            }
            Self::Missing => Err("no jwt signing key is configured".to_owned()),
        }
    }

    /// Refuses, in production, a key that cannot be read or that others could have put there.
    pub(super) fn check(&self, algorithm: Algorithm, env: &mut Env) {
        if env.environment() != Environment::Production || matches!(self, Self::Missing) {
            return;
        }
        if let Err(reason) = self.load(algorithm) {
            env.refuse(reason);
        }
        if let Self::Secret(secret) = self
            && SAMPLES.iter().any(|sample| secret.expose().to_lowercase().contains(sample))
        {
            env.refuse("JWT_SECRET_KEY holds a sample value: make one with `openssl rand -base64 64`");
        }
        if let Self::Files { private, .. } = self {
            check_permissions(private, env);
        }
    }
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Files { private, public } => write!(f, "{}, {}", private.display(), public.display()),
            Self::Inline { .. } => f.write_str("JWT_PRIVATE_KEY"),
            Self::Secret(_) => f.write_str("JWT_SECRET_KEY"),
            Self::Missing => f.write_str("none"),
        }
    }
}

/// Refuses, in production, a file of secrets that others could have put there, and warns of one that they can read.
pub(super) fn check_permissions(secrets: &Path, env: &mut Env) {
    let Ok(metadata) = fs::metadata(secrets) else { return };
    if env.environment() != Environment::Production {
        return;
    }
    let (mode, file) = (metadata.permissions().mode(), secrets.display());
    if mode & WRITABLE_BY_OTHERS != 0 {
        env.refuse(format!("{file} can be changed by others: run `chmod 600 {file}`"));
    } else if mode & READABLE_BY_OTHERS != 0 {
        env.warn(format!("{file} can be read by others: run `chmod 600 {file}`"));
    }
}

fn explain_missing(private: &Path, cause: &io::Error) -> String {
    let remedy = if cause.kind() == ErrorKind::PermissionDenied {
        give_to_this_user(private)
    } else {
        format!("make one with `auth-system keys generate`, or set JWT_PRIVATE_KEY_PATH or JWT_PRIVATE_KEY. {FOR_ECS}")
    };
    format!("the jwt private key {} cannot be read ({cause}): {remedy}", private.display())
}

/// A file of secrets belongs to whoever reads it. In a container that is somebody whom the host may know by no name, so
/// the number is said, and the command that gives the file to it.
pub(super) fn give_to_this_user(file: &Path) -> String {
    let uid = rustix::process::geteuid().as_raw();
    // A folder that hides the file is what has to change hands.
    let (owned, command) = match (file.parent(), fs::metadata(file)) {
        (Some(folder), Err(_)) if !folder.as_os_str().is_empty() => (folder, format!("chown -R {uid}")),
        _ => (file, format!("chown {uid}")),
    };
    let owned = owned.display();
    format!(
        "this program runs as uid {uid}, so run `sudo {command} {owned}`, where it is mounted from a host on the host"
    )
}

/// Some secret managers hand a PEM over on one line, its line ends as backslash and n.
fn unescape(pem: &str) -> String {
    if pem.contains('\n') { pem.to_owned() } else { pem.replace("\\n", "\n") }
}

fn matching(key: SigningKey, public_pem: &str, whence: &str) -> Result<SigningKey, String> {
    let public =
        VerificationKey::from_pem(key.algorithm(), public_pem).map_err(|cause| format!("{whence}: {cause}"))?;
    if public.kid() == key.kid() {
        Ok(key)
    } else {
        Err(format!("{whence} is not the public half of the jwt private key: give both of one pair"))
    }
}
