//! Watching the dialogue.

use std::net::SocketAddr;

/// Which way octets went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From us to the server.
    Sent,
    /// From the server to us.
    Received,
}

/// Sees every octet of the dialogue as it is inside TLS, for transcripts and
/// counts.
///
/// **The octets hold passwords and mail as they are.** Mask them before they are
/// stored or shown.
///
/// A closure `Fn(u64, Direction, &[u8])` is a tap. The methods are called from
/// the task that sends, so they must be quick and must not block.
pub trait Tap: Send + Sync {
    /// Octets went over connection number `connection`. One call is one write to
    /// the socket (or into TLS), or one read. Nothing says where a line ends.
    fn octets(&self, connection: u64, direction: Direction, octets: &[u8]);

    /// Connection number `connection` was made.
    fn connected(&self, connection: u64, server: SocketAddr) {
        let _ = (connection, server);
    }

    /// All that follows on this connection is inside TLS.
    fn tls_established(&self, connection: u64) {
        let _ = connection;
    }

    /// This connection is over.
    fn closed(&self, connection: u64) {
        let _ = connection;
    }
}

impl<F: Fn(u64, Direction, &[u8]) + Send + Sync> Tap for F {
    fn octets(&self, connection: u64, direction: Direction, octets: &[u8]) {
        self(connection, direction, octets);
    }
}
