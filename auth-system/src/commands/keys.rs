//! `auth-system keys`: the keys that sign access tokens.

use std::process::ExitCode;

use auth_service::{db::Db, keys};
use service_kit::clock::Clock;

use super::block_on;
use crate::{cli::Keys, settings::Settings};

/// Runs one of the subcommands.
///
/// # Errors
/// One message that says what to do.
pub fn run(command: Keys) -> anyhow::Result<ExitCode> {
    if let Keys::Generate { algorithm, bits, private, public } = command {
        let (default_algorithm, default_private, default_public) = Settings::key_files();
        let (private, public) = (private.unwrap_or(default_private), public.unwrap_or(default_public));
        let key = keys::generate_files(algorithm.unwrap_or(default_algorithm), bits, &private, &public)?;
        println!("wrote {} and {} (kid {})", private.display(), public.display(), key.kid());
        return Ok(ExitCode::SUCCESS);
    }
    let mut service = Settings::load()?.service;
    service.make_development_secrets()?;
    let now = Clock::System.now().into();
    let secrets = service.keys.secrets_key.as_deref();
    block_on(async {
        let db = Db::open(&service.db, service.extra_roots.as_deref())?;
        match command {
            Keys::Rotate { algorithm } => {
                let algorithm = algorithm.unwrap_or(service.keys.algorithm);
                let kid = keys::rotate(&db, secrets, algorithm, keys::JWKS_LIFE, now).await?;
                println!(
                    "published {kid}: it signs in {} seconds, and the old key verifies until its last token is gone",
                    keys::JWKS_LIFE.as_secs()
                );
            }
            Keys::Withdraw { kid } => {
                keys::withdraw(&db, secrets, &kid, service.sessions.access_token_life, now).await?;
                println!("withdrew {kid}: its tokens are refused within a second; people refresh to new ones");
            }
            Keys::List | Keys::Generate { .. } => {
                for key in keys::list(&db, service.sessions.access_token_life, now).await? {
                    println!("{}  {:6} {:10} from {}", key.kid, key.algorithm, key.state.as_str(), key.signs_from);
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    })?
}
