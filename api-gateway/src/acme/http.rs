//! How the authority is asked: a connection for each question, for an order asks a dozen and then none for weeks.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderValue, Request, Response, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::upstream::system_roots;

/// For one question and its answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Chains of certificates are the longest answers, a few KiB each.
const LONGEST_ANSWER: usize = 1024 * 1024;

/// A client over TLS that trusts the system's roots and those that were added to them.
#[derive(Clone)]
pub struct Client(TlsConnector);

impl Client {
    /// # Errors
    /// One sentence, when no root can be had.
    pub fn new(extra_roots: Option<&[u8]>) -> Result<Self, String> {
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
        let builder = builder.with_safe_default_protocol_versions().map_err(|cause| cause.to_string())?;
        let config = builder.with_root_certificates(system_roots(extra_roots)?).with_no_client_auth();
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    async fn exchange(self, request: Request<BodyWrapper<Bytes>>) -> Result<BytesResponse, String> {
        let uri = request.uri().clone();
        let told = |cause: &dyn std::error::Error| format!("{uri}: {}", with_causes(cause));
        let (Some("https"), Some(host)) = (uri.scheme_str(), uri.host()) else {
            return Err(format!("{uri}: the authority names an address that is not https"));
        };
        let host = host.trim_matches(['[', ']']);
        let name = ServerName::try_from(host.to_owned()).map_err(|cause| told(&cause))?;
        let tcp = TcpStream::connect((host, uri.port_u16().unwrap_or(443))).await.map_err(|cause| told(&cause))?;
        let tls = self.0.connect(name, tcp).await.map_err(|cause| told(&cause))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(tls)).await.map_err(|cause| told(&cause))?;
        let request = in_origin_form(request).ok_or_else(|| format!("{uri}: is no address"))?;
        // The sender goes with the answer, and with it the connection ends.
        let answer = async move { sender.send_request(request).await };
        let answer = async {
            let (head, body) = answer.await.map_err(|cause| told(&cause))?.into_parts();
            let body = Limited::new(body, LONGEST_ANSWER).collect().await.map_err(|cause| told(&*cause))?;
            Ok(BytesResponse::from(Response::from_parts(head, Full::new(body.to_bytes()))))
        };
        // What a connection ends by after the answer is whole matters to nobody; before, the answer says it.
        let (answer, _) = tokio::join!(answer, connection);
        answer
    }
}

impl HttpClient for Client {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let (client, uri) = (self.clone(), request.uri().clone());
        Box::pin(async move {
            let answer = tokio::time::timeout(PATIENCE, client.exchange(request)).await;
            let answer = answer.unwrap_or_else(|_| Err(format!("{uri}: no answer within {} s", PATIENCE.as_secs())));
            answer.map_err(|reason| Error::Other(reason.into()))
        })
    }
}

/// As HTTP/1.1 has it on a connection to the server itself.
fn in_origin_form<B>(mut request: Request<B>) -> Option<Request<B>> {
    let host = HeaderValue::from_str(request.uri().authority()?.as_str()).ok()?;
    let path = request.uri().path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    *request.uri_mut() = Uri::from(path);
    request.headers_mut().insert(header::HOST, host);
    request.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    Some(request)
}

/// An error with what it hides.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
