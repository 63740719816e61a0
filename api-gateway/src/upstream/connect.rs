//! New connections: TCP, and TLS where the server's URL says so.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustls::pki_types::ServerName;
use service_kit::proxies::{OwnConnection, OwnConnections};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::upstream::tls::{self, ClientTls};

/// What is spoken on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// One request after the other.
    Http1,
    /// Many at once.
    Http2,
}

/// Opens connections.
pub(super) struct Connector {
    pub timeout: Duration,
    /// Over TLS the server may choose otherwise.
    pub preferred: Protocol,
    /// If any server speaks TLS.
    pub tls: Option<ClientTls>,
    /// Where connections to a server of this process are announced, so that it believes them.
    pub own: Option<OwnConnections>,
}

impl Connector {
    /// A connection to an address; `name` is given where TLS is spoken.
    ///
    /// # Errors
    /// What went wrong, for logs.
    pub async fn open(
        &self,
        address: SocketAddr,
        name: Option<&ServerName<'static>>,
        wanted: Protocol,
    ) -> Result<(Stream, Protocol), String> {
        match tokio::time::timeout(self.timeout, self.open_unbounded(address, name, wanted)).await {
            Ok(opened) => opened,
            Err(_) => Err("it took too long".to_owned()),
        }
    }

    async fn open_unbounded(
        &self,
        address: SocketAddr,
        name: Option<&ServerName<'static>>,
        wanted: Protocol,
    ) -> Result<(Stream, Protocol), String> {
        let tcp = TcpStream::connect(address).await.map_err(|e| e.to_string())?;
        tcp.set_nodelay(true).map_err(|e| e.to_string())?;
        let own = match &self.own {
            Some(own) => Some(own.enter(tcp.local_addr().map_err(|e| e.to_string())?)),
            None => None,
        };
        let Some(name) = name else { return Ok((Stream::new(Io::Plain(tcp), own), wanted)) };
        let settings = self.tls.as_ref().ok_or("TLS is not set up")?;
        let config = match wanted {
            Protocol::Http1 => &settings.http1,
            Protocol::Http2 => &settings.http2,
        };
        let stream = TlsConnector::from(Arc::clone(config))
            .connect(name.clone(), tcp)
            .await
            .map_err(|error| tls::explain(&error))?;
        let chosen = if stream.get_ref().1.alpn_protocol() == Some(b"h2") { Protocol::Http2 } else { Protocol::Http1 };
        Ok((Stream::new(Io::Tls(Box::new(stream)), own), chosen))
    }
}

/// A connection's bytes, which remembers whether any came in.
pub(super) struct Stream {
    /// Ends before the connection does: the address may be another's afterwards.
    _own: Option<OwnConnection>,
    io: Io,
    heard: Arc<AtomicBool>,
}

enum Io {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    fn new(io: Io, own: Option<OwnConnection>) -> Self {
        Self { _own: own, io, heard: Arc::default() }
    }

    /// Set with each byte that comes in; whoever looks clears it.
    pub fn heard(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.heard)
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let read = match &mut this.io {
            Io::Plain(io) => Pin::new(io).poll_read(cx, buf),
            Io::Tls(io) => Pin::new(io).poll_read(cx, buf),
        };
        ready!(read)?;
        if buf.filled().len() > before {
            this.heard.store(true, Ordering::Relaxed);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().io {
            Io::Plain(io) => Pin::new(io).poll_write(cx, bytes),
            Io::Tls(io) => Pin::new(io).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // A plain write costs the kernel less, and most requests are a head alone.
        if let [only] = bytes {
            return self.poll_write(cx, only);
        }
        match &mut self.get_mut().io {
            Io::Plain(io) => Pin::new(io).poll_write_vectored(cx, bytes),
            Io::Tls(io) => Pin::new(io).poll_write_vectored(cx, bytes),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.io {
            Io::Plain(io) => io.is_write_vectored(),
            Io::Tls(io) => io.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().io {
            Io::Plain(io) => Pin::new(io).poll_flush(cx),
            Io::Tls(io) => Pin::new(io).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().io {
            Io::Plain(io) => Pin::new(io).poll_shutdown(cx),
            Io::Tls(io) => Pin::new(io).poll_shutdown(cx),
        }
    }
}
