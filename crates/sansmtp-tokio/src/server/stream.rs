//! The transport of one session: a stream that TLS can be put around.

use super::info::TlsInfo;
use crate::channel_binding;
use sansmtp::auth::ChannelBinding;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::server::Acceptor;
use tokio_rustls::server::TlsStream;

/// A stream with or without TLS.
#[derive(Debug)]
pub(super) enum Stream<T> {
    Plain(T),
    Tls(Box<TlsStream<T>>),
    /// A handshake failed.
    Gone,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Stream<T> {
    /// Does the TLS handshake. If it fails or is given up, the stream is gone.
    pub(super) async fn upgrade(
        &mut self,
        config: &Arc<ServerConfig>,
    ) -> io::Result<(TlsInfo, Vec<ChannelBinding>)> {
        let Self::Plain(plain) = std::mem::replace(self, Self::Gone) else {
            return Err(io::Error::other("TLS is up already"));
        };
        let handshake = LazyConfigAcceptor::new(Acceptor::default(), plain).await?;
        // The certificate that the client will be shown.
        let certificate = config.cert_resolver.resolve(handshake.client_hello());
        let end_point = certificate.and_then(|key| {
            let own = key.cert.first()?;
            channel_binding::end_point(own)
        });
        let tls = handshake.into_stream(Arc::clone(config)).await?;
        let (_, connection) = tls.get_ref();
        let exporter = channel_binding::exporter(connection);
        let bindings = exporter.into_iter().chain(end_point).collect();
        let info = TlsInfo {
            protocol: connection
                .protocol_version()
                .map(|version| format!("{version:?}"))
                .unwrap_or_default(),
            cipher: connection
                .negotiated_cipher_suite()
                .map(|suite| format!("{:?}", suite.suite()))
                .unwrap_or_default(),
            server_name: connection.server_name().map(str::to_owned),
        };
        *self = Self::Tls(Box::new(tls));
        Ok((info, bindings))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for Stream<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Gone => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Stream<T> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Gone => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
            Self::Gone => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    /// With TLS, says close_notify first.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Gone => Poll::Ready(Ok(())),
        }
    }
}
