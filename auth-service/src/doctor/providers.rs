//! Tries the providers that people log in through, as far as one can without logging in.

use futures_util::future::join_all;

use super::{Finding, bounded, finding::Kind};
use crate::{
    Config,
    social::{
        Endpoints, Provider, Providers, Source,
        outbound::{Authorization, Reach},
    },
};

const SUBJECT: &str = "login provider";

/// What the configuration of a provider lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// People come back to this machine only.
    PublicUrl,
    /// No app may use it.
    RedirectUris,
    /// Erased people stay linked there, and who unlinks there is not heard of.
    KakaoAdminKey,
}

impl Lack {
    /// Its name for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::PublicUrl => "no_public_url",
            Self::RedirectUris => "no_redirect_uris",
            Self::KakaoAdminKey => "no_kakao_admin_key",
        }
    }

    /// What to do about it.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::PublicUrl => "set PUBLIC_URL, or people come back to this machine only",
            Self::RedirectUris => "no app may use it: list the addresses of apps in OAUTH_REDIRECT_URIS",
            Self::KakaoAdminKey => {
                "set KAKAO_ADMIN_KEY to unlink erased people there, and to hear of those who unlink themselves"
            }
        }
    }
}

/// What the configuration of a provider lacks, without asking the provider.
#[must_use]
pub fn lacks(config: &Config, provider: &Provider) -> Vec<Lack> {
    let has_no_admin_key = matches!(provider.source, Source::Kakao { .. }) && config.social.kakao_admin_key.is_none();
    let all = [
        (Lack::PublicUrl, config.public_url.is_none()),
        (Lack::RedirectUris, config.social.redirect_uris.is_empty()),
        (Lack::KakaoAdminKey, has_no_admin_key),
    ];
    all.into_iter().filter_map(|(lack, is_so)| is_so.then_some(lack)).collect()
}

/// A line for each provider, and one for what they all lack.
pub async fn examine(config: &Config) -> Vec<Finding> {
    let reach = Reach::of(config.environment);
    let providers = match Providers::open(&config.social, reach, config.extra_roots.as_deref()) {
        Ok(providers) => providers,
        Err(cause) => return vec![Finding::new(SUBJECT, Kind::ProvidersWrong).with("cause", cause)],
    };
    let tried = providers
        .iter()
        .map(|provider| bounded(SUBJECT, async { vec![examine_one(config, &providers, provider).await] }));
    let mut findings: Vec<Finding> = join_all(tried).await.into_iter().flatten().collect();
    if !findings.is_empty() && config.social.redirect_uris.is_empty() {
        findings.push(Finding::new(SUBJECT, Kind::ProvidersWithoutApps));
    }
    findings
}

async fn examine_one(config: &Config, providers: &Providers, provider: &Provider) -> Finding {
    let name = provider.name.as_str();
    let of = |kind| Finding::new(SUBJECT, kind).with("provider", name);
    let place = match find_place(providers, provider).await {
        Ok(place) => place,
        Err(cause) => return of(Kind::ProviderUnreachable).with("cause", cause),
    };
    // That no app may use it is said once for all.
    let lacks: Vec<_> = lacks(config, provider).into_iter().filter(|lack| *lack != Lack::RedirectUris).collect();
    let found = if lacks.is_empty() {
        of(Kind::ProviderAnswers)
    } else {
        let (codes, advice): (Vec<_>, Vec<_>) = lacks.into_iter().map(|lack| (lack.code(), lack.advice())).unzip();
        of(Kind::ProviderLacks).with("lacks", codes.join(" ")).with("advice", advice.join("; "))
    };
    found.with("place", place).with("callback", config.social.callback_uri(name))
}

/// Where people log in, of a provider that answers.
async fn find_place(providers: &Providers, provider: &Provider) -> Result<String, String> {
    match (&provider.signer, &provider.endpoints) {
        (Some(signer), _) => {
            let metadata = signer.discover().await.map_err(|cause| cause.to_string())?;
            Ok(metadata.authorization_endpoint.to_string())
        }
        (None, Endpoints::Fixed { authorize, token }) => {
            // Whatever it answers, it answers: nothing is asked of it.
            let outbound = providers.outbound().map_err(|cause| cause.to_string())?;
            outbound.get(token, &Authorization::None).await.map_err(|cause| cause.to_string())?;
            Ok(authorize.to_string())
        }
        (None, Endpoints::Published) => Err("it publishes nothing".to_owned()),
    }
}
