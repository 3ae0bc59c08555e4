//! How far the content is, as a bar on a terminal.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, Read};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, ReadBuf};

/// From this size on, in octets, a bar is worth its line.
const LARGE: u64 = 512 * 1024;

/// A reader of files and memory whose progress is shown and counted.
///
/// It reads while the task waits for nothing else, so that reading in place is
/// simpler and faster than another thread.
#[derive(Debug)]
pub(crate) struct Observed<R> {
    inner: R,
    bar: ProgressBar,
    count: Counter,
}

/// How many octets were read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counter(Arc<AtomicU64>);

impl Counter {
    /// The number so far.
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl<R> Observed<R> {
    /// With a size that is large enough there is a bar, if standard error is a
    /// terminal.
    pub(crate) fn new(inner: R, size: Option<u64>) -> Self {
        let bar = match size {
            Some(size) if size >= LARGE && std::io::stderr().is_terminal() => {
                let template = "{bar:32} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
                let style = ProgressStyle::with_template(template)
                    .unwrap_or_else(|_| ProgressStyle::default_bar());
                let bar = ProgressBar::new(size).with_style(style);
                bar.enable_steady_tick(Duration::from_millis(200));
                bar
            }
            _ => ProgressBar::hidden(),
        };
        Self {
            inner,
            bar,
            count: Counter::default(),
        }
    }

    /// The bar, to be taken away in the end.
    pub(crate) fn bar(&self) -> ProgressBar {
        self.bar.clone()
    }

    /// The count, which outlives the reader.
    pub(crate) fn counter(&self) -> Counter {
        self.count.clone()
    }
}

impl<R: Read + Unpin> AsyncRead for Observed<R> {
    fn poll_read(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let this = self.get_mut();
        let count = this.inner.read(out.initialize_unfilled())?;
        out.advance(count);
        this.bar.inc(count as u64);
        this.count.0.fetch_add(count as u64, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}
