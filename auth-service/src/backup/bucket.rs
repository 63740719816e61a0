//! A store that speaks S3: objects go up in parts, and appear when the last one is there.

use std::{
    fs::File,
    io::{self, Write},
    time::Duration,
};

use bytes::Bytes;
use data_encoding::BASE64;
use md5::{Digest, Md5};
use reqwest::{Certificate, Client, Response, redirect::Policy};
use rusty_s3::{
    Bucket as Signer, Credentials, Method, S3Action, UrlStyle,
    actions::{
        AbortMultipartUpload, CompleteMultipartUpload, CompleteMultipartUploadResponse, CreateMultipartUpload,
        DeleteObject, GetObject, ListObjectsV2, UploadPart,
    },
};
use service_kit::{clock::Clock, redis::system_roots_pem};
use tokio::{sync::mpsc, task::JoinHandle};

use super::{BackupError, S3Config, place::Writing};

/// Of one part; ten thousand of them, the most there may be, are 160 GiB.
const PART: usize = 16 * 1024 * 1024;
const MOST_PARTS: u16 = 10_000;
/// A part that is lost on the way is sent again.
const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(250);
/// How long a signature holds: longer than a part takes.
const SIGNED_FOR: Duration = Duration::from_secs(900);
const CONNECTING: Duration = Duration::from_secs(10);

/// One bucket, and whose requests those to it are.
pub struct Bucket {
    signer: Signer,
    credentials: Credentials,
    client: Client,
}

impl Bucket {
    /// Sets up requests to a bucket; none is sent.
    ///
    /// # Errors
    /// When credentials or the region are missing.
    pub fn open(name: &str, config: &S3Config, extra_roots: Option<&[u8]>) -> Result<Self, BackupError> {
        let missing = |what: &str| BackupError::refused(format!("s3://{name}: set {what}"));
        let region = config.region.clone().ok_or_else(|| missing("AWS_REGION"))?;
        let key = config.key_id.clone().ok_or_else(|| missing("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"))?;
        let secret = config.secret.as_ref().ok_or_else(|| missing("AWS_SECRET_ACCESS_KEY"))?.expose();
        let credentials = match &config.token {
            Some(token) => Credentials::new_with_token(key, secret, token.expose()),
            None => Credentials::new(key, secret),
        };
        let amazon = format!("https://s3.{region}.amazonaws.com");
        // The certificates of Amazon end where a name has a dot, and others seldom have names per bucket.
        let style =
            if config.endpoint.is_none() && !name.contains('.') { UrlStyle::VirtualHost } else { UrlStyle::Path };
        let endpoint = config.endpoint.clone().map_or_else(|| amazon.parse(), Ok);
        let endpoint = endpoint.map_err(|_| missing("AWS_REGION to the name of a region"))?;
        let signer = Signer::new(endpoint, style, name.to_owned(), region)
            .map_err(|cause| BackupError::refused(format!("s3://{name}: {cause}")))?;
        Ok(Self { signer, credentials, client: client(extra_roots)? })
    }

    /// The bucket's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.signer.name()
    }

    /// Stores what `write` writes; it appears when it is whole, or not at all.
    ///
    /// # Errors
    /// When it cannot be written or stored; what was stored of it is given up.
    pub async fn put(&self, key: &str, write: Writing) -> Result<(), BackupError> {
        let create = CreateMultipartUpload::new(&self.signer, Some(&self.credentials), key);
        let answer = self.text(&create, Bytes::new()).await?;
        let created =
            CreateMultipartUpload::parse_response(&answer).map_err(|_| self.fault("an answer without a form"))?;
        let upload = created.upload_id();
        let stored = self.put_parts(key, upload, write).await;
        if stored.is_err() {
            // If this fails too, the bucket's lifecycle rule removes it.
            let abort = AbortMultipartUpload::new(&self.signer, Some(&self.credentials), key, upload);
            drop(self.call_again(&abort, Bytes::new()).await);
        }
        stored
    }

    async fn put_parts(&self, key: &str, upload: &str, write: Writing) -> Result<(), BackupError> {
        let (sender, mut parts) = mpsc::channel(1);
        let work: JoinHandle<Result<(), BackupError>> = tokio::task::spawn_blocking(move || {
            let mut out = Parts { sender, part: Vec::with_capacity(PART) };
            write(&mut out)?;
            out.send().map_err(|cause| BackupError::Store(cause.to_string()))
        });
        let mut etags = Vec::new();
        while let Some(part) = parts.recv().await {
            let number = u16::try_from(etags.len() + 1).ok().filter(|number| *number <= MOST_PARTS);
            let number = number.ok_or_else(|| self.fault("the backup is larger than 160 GiB"))?;
            etags.push(self.put_part(key, upload, number, part).await?);
        }
        // Only now it is known whether what was sent is all that there is.
        work.await.unwrap_or_else(|cause| Err(BackupError::Store(cause.to_string())))?;
        let tags = etags.iter().map(String::as_str);
        let complete = CompleteMultipartUpload::new(&self.signer, Some(&self.credentials), key, upload, tags);
        let body = complete.clone().body();
        let answer = self.text(&complete, body.into()).await?;
        // A failure is told after a status of 200 as well.
        CompleteMultipartUploadResponse::parse(&answer).map(drop).map_err(|_| self.refusal("200", &answer))
    }

    async fn put_part(&self, key: &str, upload: &str, number: u16, part: Bytes) -> Result<String, BackupError> {
        let sum = BASE64.encode(&Md5::digest(&part));
        let mut action = UploadPart::new(&self.signer, Some(&self.credentials), key, number, upload);
        action.headers_mut().insert("content-md5", sum.as_str());
        let answer = self.call_again(&action, part).await?;
        let etag = answer.headers().get("etag").and_then(|tag| tag.to_str().ok());
        etag.map(str::to_owned).ok_or_else(|| self.fault("a part without a tag"))
    }

    /// Copies an object into a file.
    ///
    /// # Errors
    /// When there is none, or it ends too early.
    pub async fn get(&self, key: &str, file: &mut File) -> Result<(), BackupError> {
        let mut answer = self.call(&GetObject::new(&self.signer, Some(&self.credentials), key), Bytes::new()).await?;
        while let Some(piece) = answer.chunk().await.map_err(|cause| self.lost(cause))? {
            file.write_all(&piece).map_err(|cause| BackupError::File(format!("no room for the backup: {cause}")))?;
        }
        Ok(())
    }

    /// The keys that begin with a prefix.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub async fn list(&self, prefix: &str) -> Result<Vec<String>, BackupError> {
        let (mut keys, mut token) = (Vec::new(), None);
        loop {
            let mut list = ListObjectsV2::new(&self.signer, Some(&self.credentials));
            list.with_prefix(prefix);
            if let Some(token) = token.take() {
                list.with_continuation_token(token);
            }
            let answer = self.text(&list, Bytes::new()).await?;
            let page = ListObjectsV2::parse_response(&answer).map_err(|_| self.fault("a list without a form"))?;
            keys.extend(page.contents.into_iter().map(|object| object.key));
            token = page.next_continuation_token;
            if token.is_none() {
                return Ok(keys);
            }
        }
    }

    /// Removes an object.
    ///
    /// # Errors
    /// When it cannot be.
    pub async fn delete(&self, key: &str) -> Result<(), BackupError> {
        self.call(&DeleteObject::new(&self.signer, Some(&self.credentials), key), Bytes::new()).await.map(drop)
    }

    async fn text<'a, A: S3Action<'a> + Clone>(&self, action: &A, body: Bytes) -> Result<String, BackupError> {
        self.call(action, body).await?.text().await.map_err(|cause| self.lost(cause))
    }

    /// Calls until it is done, a few times at most.
    async fn call_again<'a, A: S3Action<'a> + Clone>(&self, action: &A, body: Bytes) -> Result<Response, BackupError> {
        for attempt in 1..ATTEMPTS {
            if let Ok(answer) = self.call(action, body.clone()).await {
                return Ok(answer);
            }
            tokio::time::sleep(PAUSE * attempt).await;
        }
        self.call(action, body).await
    }

    async fn call<'a, A: S3Action<'a> + Clone>(&self, action: &A, body: Bytes) -> Result<Response, BackupError> {
        let url = action.sign_with_time(SIGNED_FOR, &Clock::System.now());
        let method = match A::METHOD {
            Method::Head => reqwest::Method::HEAD,
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut signed = action.clone();
        let mut request = self.client.request(method, url).body(body);
        for (name, value) in signed.headers_mut().iter() {
            request = request.header(name, value);
        }
        let answer = request.send().await.map_err(|cause| self.lost(cause))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status().as_u16().to_string();
        Err(self.refusal(&status, &answer.text().await.unwrap_or_default()))
    }

    /// Never with its URL, in which the signature is.
    fn lost(&self, cause: reqwest::Error) -> BackupError {
        let cause = cause.without_url();
        let mut text = cause.to_string();
        let mut source = std::error::Error::source(&cause);
        while let Some(deeper) = source {
            text = format!("{text}: {deeper}");
            source = deeper.source();
        }
        self.fault(&text)
    }

    fn refusal(&self, status: &str, answer: &str) -> BackupError {
        let code = answer.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>")).map(|(code, _)| code);
        // Of an answer of any length and by anybody.
        let code: String = code.unwrap_or("no reason").chars().filter(char::is_ascii_alphanumeric).take(60).collect();
        self.fault(&format!("answered {status} {code}"))
    }

    fn fault(&self, what: &str) -> BackupError {
        BackupError::Store(format!("the store of s3://{}: {what}", self.name()))
    }
}

/// What is written, in parts to be sent.
struct Parts {
    sender: mpsc::Sender<Bytes>,
    part: Vec<u8>,
}

impl Parts {
    fn send(&mut self) -> io::Result<()> {
        let part = std::mem::replace(&mut self.part, Vec::with_capacity(PART));
        self.sender.blocking_send(part.into()).map_err(|_| io::Error::other("the store takes no more"))
    }
}

impl Write for Parts {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = bytes.len().min(PART - self.part.len());
        self.part.extend_from_slice(&bytes[..length]);
        if self.part.len() == PART {
            self.send()?;
        }
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn client(extra_roots: Option<&[u8]>) -> Result<Client, BackupError> {
    let refused = |cause: reqwest::Error| BackupError::refused(format!("TLS to the store: {cause}"));
    let mut builder = Client::builder()
        .connect_timeout(CONNECTING)
        // The store says nothing while a part is on its way, which may be slow.
        .read_timeout(SIGNED_FOR)
        // A redirect would carry the signature elsewhere.
        .redirect(Policy::none());
    if let Some(extra) = extra_roots {
        let roots = Certificate::from_pem_bundle(extra).map_err(refused)?;
        let system = Certificate::from_pem_bundle(&system_roots_pem()).unwrap_or_default();
        builder = builder.tls_certs_merge(roots.into_iter().chain(system));
    }
    builder.build().map_err(refused)
}
