//! `auth-system restore`: the database as it was at a backup.

use std::process::ExitCode;

use auth_service::backup::{self, Identity, Over, Restoring, Sessions};
use service_kit::clock::Clock;

use super::block_on;
use crate::{cli::Restore, settings::Settings};

/// Restores, and says what that means for people who were logged in.
///
/// # Errors
/// When nothing was restored, and everything is as it was.
pub fn run(options: Restore) -> anyhow::Result<ExitCode> {
    let service = Settings::load()?.service;
    let sessions = if options.keep_sessions { Sessions::Keep } else { Sessions::End };
    block_on(async {
        let mut restoring = Restoring {
            config: &service,
            from: &options.from,
            identity: options.identity.as_deref().map(Identity::read).transpose()?,
            over: if options.replace { Over::Accounts } else { Over::Nothing },
            expect: options.expect,
            sessions,
            clock: &Clock::System,
        };
        let restored = backup::restore(&mut restoring).await?;
        println!("restored {} of {}", restored.from, restored.manifest.made_at);
        println!("audit    the log was sealed up to {}", restored.manifest.audit_head);
        if let Some(old) = restored.old {
            println!("kept     the database that was there, as {}: remove it once all is well", old.display());
        }
        println!("lost     everything since: accounts, changed passwords and roles, erasures, revoked API keys");
        println!("{}", what_became_of(sessions));
        println!("next     auth-system migrate, then start; the signing key and SECRETS_KEY must be those of then");
        Ok(ExitCode::SUCCESS)
    })?
}

const fn what_became_of(sessions: Sessions) -> &'static str {
    match sessions {
        Sessions::End => "sessions all ended: everybody logs in again",
        Sessions::Keep => {
            "WARNING  sessions and tokens that were revoked since the backup are valid again, access tokens until they expire; a refresh token that was renewed since ends its session when it is used"
        }
    }
}
