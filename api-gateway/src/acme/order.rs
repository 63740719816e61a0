//! One order from its placing to the certificate, with proof by TLS-ALPN-01 (RFC 8737): the authority connects to the
//! listener that the certificate is for, and is shown one that nobody else could have made.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use instant_acme::{
    Account, AuthorizationStatus, ChallengeType, Error, Identifier, KeyAuthorization, NewOrder, Order, OrderStatus,
    RetryPolicy,
};
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use service_kit::serve::tls::Certificates;

use super::failure::Failure;

/// How the state of an order is asked for; the authority may say otherwise by `Retry-After`.
const POLLING: RetryPolicy =
    RetryPolicy::new().initial_delay(Duration::from_millis(500)).backoff(1.5).timeout(Duration::from_secs(120));

/// Orders a certificate for all of these names; the key and the chain, in PEM.
///
/// # Errors
/// [`Failure`].
pub async fn order(account: &Account, domains: &[String], certificates: &Certificates) -> Result<String, Failure> {
    let names: Vec<Identifier> = domains.iter().cloned().map(Identifier::Dns).collect();
    let mut order = account.new_order(&NewOrder::new(&names)).await?;
    let proofs = proofs(&mut order).await?;
    certificates.set_challenges(proofs);
    let proven = prove(&mut order).await;
    certificates.set_challenges(HashMap::new());
    proven?;
    let key = order.finalize().await?;
    let chain = order.poll_certificate(&POLLING).await?;
    Ok(format!("{key}{chain}"))
}

/// What the authority is to be shown for each name that it does not know to be ours.
async fn proofs(order: &mut Order) -> Result<HashMap<String, Arc<CertifiedKey>>, Failure> {
    let mut proofs = HashMap::new();
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        let name = authorization.identifier().to_string();
        let challenge = authorization.challenge(ChallengeType::TlsAlpn01);
        let challenge = challenge.ok_or(Error::Unsupported("tls-alpn-01"))?;
        let proof = proof(&name, &challenge.key_authorization()).map_err(|cause| Failure::internal(&cause))?;
        proofs.insert(name, Arc::new(proof));
    }
    Ok(proofs)
}

/// Has the authority look, and waits for what it says.
async fn prove(order: &mut Order) -> Result<(), Failure> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        let challenge = authorization.challenge(ChallengeType::TlsAlpn01);
        challenge.ok_or(Error::Unsupported("tls-alpn-01"))?.set_ready().await?;
    }
    match order.poll_ready(&POLLING).await {
        Ok(OrderStatus::Ready) => Ok(()),
        // Authorities say of the order only that it failed; of each name they say why.
        Ok(_) => Err(unproven(order).await?),
        Err(Error::Api(problem)) => Err(unproven(order).await.unwrap_or_else(|_| Error::Api(problem).into())),
        Err(other) => Err(other.into()),
    }
}

/// Why names were not proven.
async fn unproven(order: &mut Order) -> Result<Failure, Error> {
    let mut reasons = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        let state = authorization.refresh().await?;
        let problems = state.challenges.iter().filter_map(|challenge| challenge.error.as_ref());
        let name = state.identifier().to_string();
        reasons.extend(problems.map(|problem| format!("{name}: {}", problem.detail.as_deref().unwrap_or("refused"))));
    }
    Ok(Failure::unproven(&reasons.join("; ")))
}

/// The certificate that is shown for a name.
fn proof(name: &str, authorization: &KeyAuthorization) -> Result<CertifiedKey, Box<dyn std::error::Error>> {
    let mut params = CertificateParams::new([name.to_owned()])?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(authorization.digest().as_ref())];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?.der().clone();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let key = default_provider().key_provider.load_private_key(key)?;
    // Not checked against each other: no library of ours reads a certificate with this critical extension.
    Ok(CertifiedKey::new(vec![certificate], key))
}
