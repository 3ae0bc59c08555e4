//! The stream of a session together with the buffers that are lent to it.

use super::desk::{Desk, Lender};
use super::stream::Stream;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;

/// How long the peer may take to close after us, and how much it may still send.
pub(super) const LINGER: Duration = Duration::from_secs(1);
const LINGER_OCTETS: usize = 256 * 1024;

/// A stream, and a desk while octets lie on it.
pub(super) struct Io<'l, T> {
    pub(super) stream: Stream<T>,
    desk: Option<Desk>,
    /// The stream may hold back what was written.
    unflushed: bool,
    lender: &'l Lender,
}

impl<'l, T: AsyncRead + AsyncWrite + Unpin> Io<'l, T> {
    pub(super) fn new(stream: T, lender: &'l Lender) -> Self {
        Self {
            stream: Stream::Plain(stream),
            desk: None,
            unflushed: false,
            lender,
        }
    }

    /// The desk, which is borrowed if there is none.
    pub(super) fn desk(&mut self) -> &mut Desk {
        let lender = self.lender;
        self.desk.get_or_insert_with(|| lender.desk())
    }

    /// Gives the desk back, unless something lies on it.
    pub(super) fn rest(&mut self) {
        if let Some(desk) = self.desk.take_if(|desk| desk.is_clear()) {
            self.lender.return_desk(desk);
        }
    }

    /// Reads what has come; 0 says that nothing more will. While nothing has come,
    /// no desk is held.
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let lender = self.lender;
        let desk = self.desk.get_or_insert_with(|| lender.desk());
        let mut buffer = ReadBuf::new(desk.input_room());
        let polled = Pin::new(&mut self.stream).poll_read(cx, &mut buffer);
        let count = buffer.filled().len();
        if polled.is_pending() {
            self.rest();
        }
        ready!(polled)?;
        self.desk().extend_input(count);
        Poll::Ready(Ok(count))
    }

    /// Sends the replies in one write, if the peer takes them. `None` says that it
    /// did not in time.
    pub(super) async fn flush(&mut self, limit: Duration) -> Option<io::Result<()>> {
        // Mostly they are taken at once, and no timer is needed.
        match poll_fn(|cx| Poll::Ready(self.poll_flush(cx))).await {
            Poll::Ready(sent) => Some(sent),
            Poll::Pending => {
                let rest = poll_fn(|cx| self.poll_flush(cx));
                timeout(limit, rest).await.ok()
            }
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut stream = Pin::new(&mut self.stream);
        while let Some(desk) = &mut self.desk
            && !desk.output().is_empty()
        {
            let count = ready!(stream.as_mut().poll_write(cx, desk.output()))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            desk.sent(count);
            self.unflushed = true;
        }
        if self.unflushed {
            ready!(stream.poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Closes: our direction first, then what the peer still sends is read, since
    /// a reset could take the last reply away from it.
    pub(super) async fn close(&mut self) {
        let bye = async {
            self.stream.shutdown().await?;
            let mut rest = LINGER_OCTETS;
            let lender = self.lender;
            let desk = self.desk.get_or_insert_with(|| lender.desk());
            loop {
                desk.clear_input();
                let count = self.stream.read(desk.input_room()).await?;
                // So that it is wiped.
                desk.extend_input(count);
                rest = rest.saturating_sub(count);
                if count == 0 || rest == 0 {
                    return Ok::<(), io::Error>(());
                }
            }
        };
        // Whether the peer takes part or not, it is over.
        let _ = timeout(LINGER, bye).await;
    }
}
