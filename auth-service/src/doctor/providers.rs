//! Tries the providers that people log in through, as far as one can without logging in.

use super::Finding;
use crate::{
    Config,
    social::{
        Endpoints, Provider, Providers, Source,
        outbound::{Authorization, Reach},
    },
};

const SUBJECT: &str = "login provider";

/// A line for each provider, and one for what they all lack.
pub async fn examine(config: &Config) -> Vec<Finding> {
    let reach = Reach::of(config.environment);
    let providers = match Providers::open(&config.social, reach, config.extra_roots.as_deref()) {
        Ok(providers) => providers,
        Err(wrong) => return vec![Finding { subject: SUBJECT, outcome: Err(wrong) }],
    };
    let mut findings = Vec::new();
    for provider in providers.iter() {
        let outcome = examine_one(config, &providers, provider).await;
        let outcome = match outcome {
            Ok(found) => Ok(format!("{}: {found}", provider.name)),
            Err(wrong) => Err(format!("{}: {wrong}", provider.name)),
        };
        findings.push(Finding { subject: SUBJECT, outcome });
    }
    if !findings.is_empty() && config.social.redirect_uris.is_empty() {
        let advice = "no app may use any: list the addresses of apps in OAUTH_REDIRECT_URIS";
        findings.push(Finding { subject: SUBJECT, outcome: Err(advice.to_owned()) });
    }
    findings
}

async fn examine_one(config: &Config, providers: &Providers, provider: &Provider) -> Result<String, String> {
    let away =
        |cause: String| format!("{cause}. Check its address in the configuration, and that this machine may call it");
    let place = match (&provider.signer, &provider.endpoints) {
        (Some(signer), _) => {
            let metadata = signer.discover().await.map_err(|cause| away(cause.to_string()))?;
            metadata.authorization_endpoint.to_string()
        }
        (None, Endpoints::Fixed { authorize, token }) => {
            // Whatever it answers, it answers: nothing is asked of it.
            let outbound = providers.outbound().map_err(|cause| cause.to_string())?;
            outbound.get(token, &Authorization::None).await.map_err(|cause| away(cause.to_string()))?;
            authorize.to_string()
        }
        (None, Endpoints::Published) => return Err("it publishes nothing".to_owned()),
    };
    let mut found = format!("people log in at {place}");
    if config.public_url.is_none() {
        found.push_str("; set PUBLIC_URL, or they come back to this machine only");
    }
    let callback = config.social.callback_uri(&provider.name);
    found.push_str(&format!("; it must know the redirect URI {callback}"));
    if matches!(provider.source, Source::Kakao { .. }) && config.social.kakao_admin_key.is_none() {
        found.push_str(
            "; set KAKAO_ADMIN_KEY to unlink erased people there, and to hear of those who unlink themselves",
        );
    }
    Ok(found)
}
