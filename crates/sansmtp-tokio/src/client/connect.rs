//! Finding the server: name look-up, then a race of its addresses (RFC 8305).

use super::error::{ConnectError, Error, LookupError};
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

/// An address that could not be connected to, and why.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Attempt {
    /// The address.
    pub address: SocketAddr,
    /// What went wrong. [`io::ErrorKind::TimedOut`] if there was no answer in
    /// time.
    pub error: Arc<io::Error>,
}

/// A connection, and what was tried before it.
#[derive(Debug)]
pub(super) struct Connected {
    pub(super) socket: TcpStream,
    pub(super) address: SocketAddr,
    pub(super) failed: Vec<Attempt>,
}

/// How long an address may be silent before the next one is tried beside it
/// (RFC 8305, section 5).
const STAGGER: Duration = Duration::from_millis(250);

/// Looks the host up. The addresses come in the order they are to be tried in.
pub(super) async fn look_up(
    host: &str,
    port: u16,
    deadline: Instant,
) -> Result<Vec<SocketAddr>, Error> {
    let failed = |source| {
        Error::Lookup(Box::new(LookupError {
            host: host.to_owned(),
            source,
        }))
    };
    let found = timeout_at(deadline, tokio::net::lookup_host((host, port)))
        .await
        .map_err(|_| failed(io::ErrorKind::TimedOut.into()))?
        .map_err(failed)?;
    let addresses = interleave(found);
    if addresses.is_empty() {
        return Err(failed(io::Error::new(
            io::ErrorKind::NotFound,
            "the name has no address",
        )));
    }
    Ok(addresses)
}

/// Connects to the first address that answers. The race begins with the first
/// one; the next starts when one fails or stays silent for 250 ms.
pub(super) async fn connect(
    host: &str,
    port: u16,
    addresses: &[SocketAddr],
    deadline: Instant,
) -> Result<Connected, Error> {
    let mut waiting: VecDeque<SocketAddr> = addresses.iter().copied().collect();
    let mut racing = JoinSet::new();
    let mut silent: Vec<SocketAddr> = Vec::new();
    let mut failed: Vec<Attempt> = Vec::new();
    let mut next_start = Instant::now();
    loop {
        let start = !waiting.is_empty() && (racing.is_empty() || Instant::now() >= next_start);
        if start && let Some(address) = waiting.pop_front() {
            silent.push(address);
            racing.spawn(async move { (address, TcpStream::connect(address).await) });
            next_start = Instant::now() + STAGGER;
        }
        let wake = match waiting.is_empty() {
            true => deadline,
            false => deadline.min(next_start),
        };
        match timeout_at(wake, racing.join_next()).await {
            Ok(Some(Ok((address, Ok(socket))))) => {
                // Commands are small and each flight is one write already.
                let _ = socket.set_nodelay(true);
                return Ok(Connected {
                    socket,
                    address,
                    failed,
                });
            }
            Ok(Some(Ok((address, Err(error))))) => {
                silent.retain(|other| *other != address);
                failed.push(Attempt {
                    address,
                    error: Arc::new(error),
                });
                next_start = Instant::now();
            }
            // A task that panicked or was cancelled leaves its address silent.
            Ok(Some(Err(_))) => next_start = Instant::now(),
            Ok(None) if !waiting.is_empty() => {}
            Err(_) if Instant::now() < deadline => {}
            Ok(None) | Err(_) => break,
        }
    }
    failed.extend(silent.into_iter().map(|address| Attempt {
        address,
        error: Arc::new(io::ErrorKind::TimedOut.into()),
    }));
    Err(Error::Connect(Box::new(ConnectError {
        host: host.to_owned(),
        port,
        attempts: failed,
    })))
}

/// Alternates between the families, beginning with the one that the resolver
/// prefers (RFC 8305, section 4), and drops repetitions.
fn interleave(found: impl Iterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for address in found {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv6() == first_is_v6);
    let mut second = second.into_iter();
    let mut mixed: Vec<SocketAddr> = Vec::new();
    for address in first {
        mixed.push(address);
        mixed.extend(second.next());
    }
    mixed.extend(second);
    mixed
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn families_alternate() {
        let found = addresses(&[
            "[2001:db8::1]:25",
            "[2001:db8::2]:25",
            "[2001:db8::1]:25",
            "192.0.2.1:25",
            "192.0.2.2:25",
            "192.0.2.3:25",
        ]);
        let expected = addresses(&[
            "[2001:db8::1]:25",
            "192.0.2.1:25",
            "[2001:db8::2]:25",
            "192.0.2.2:25",
            "192.0.2.3:25",
        ]);
        assert_eq!(interleave(found.into_iter()), expected);
    }

    /// An address of loopback that nobody listens on.
    async fn closed_port() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    }

    #[tokio::test]
    async fn the_second_address_is_tried_when_the_first_refuses() {
        let closed = closed_port().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let open = listener.local_addr().unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        let connected = connect("test", 1, &[closed, open], deadline).await.unwrap();
        assert_eq!(connected.address, open);
        assert_eq!(connected.failed.len(), 1);
        assert_eq!(connected.failed[0].address, closed);
        assert!(connected.socket.nodelay().unwrap());
    }

    #[tokio::test]
    async fn every_address_is_named_when_all_refuse() {
        let all = [closed_port().await, closed_port().await];
        let deadline = Instant::now() + Duration::from_secs(60);
        let Err(Error::Connect(error)) = connect("test", 1, &all, deadline).await else {
            panic!("nobody listens");
        };
        assert_eq!(error.attempts.len(), 2);
        let text = error.to_string();
        for address in all {
            assert!(text.contains(&address.to_string()), "{text}");
        }
    }
    /// A listener that answers nobody: its queue is full.
    async fn silent() -> (TcpListener, Vec<TcpStream>) {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut queue = Vec::new();
        while let Ok(Ok(stream)) =
            tokio::time::timeout(Duration::from_millis(100), TcpStream::connect(address)).await
        {
            queue.push(stream);
        }
        (listener, queue)
    }

    #[tokio::test]
    async fn an_address_that_is_silent_does_not_delay_the_next() {
        let (first, _queue) = silent().await;
        let second = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let all = [first.local_addr().unwrap(), second.local_addr().unwrap()];
        let start = Instant::now();
        let deadline = start + Duration::from_secs(3600);
        let connected = connect("test", 1, &all, deadline).await.unwrap();
        assert_eq!(connected.address, all[1]);
        assert!(start.elapsed() >= STAGGER);
    }

    #[tokio::test]
    async fn an_address_that_stays_silent_has_timed_out() {
        let (first, _queue) = silent().await;
        let address = first.local_addr().unwrap();
        tokio::time::pause();
        let deadline = Instant::now() + Duration::from_secs(30);
        let Err(Error::Connect(error)) = connect("test", 1, &[address], deadline).await else {
            panic!("nobody answers");
        };
        assert_eq!(error.attempts[0].error.kind(), io::ErrorKind::TimedOut);
        assert!(error.to_string().ends_with("no answer in time"), "{error}");
    }
}
