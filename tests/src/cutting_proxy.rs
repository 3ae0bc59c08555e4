//! A proxy that cuts its first connection at a chosen point and lets all later ones through.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

/// Where the first connection is cut, in both directions at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// After so many lines of the server reached the client.
    ServerLines(usize),
    /// After so many octets of the client reached the server.
    ClientOctets(usize),
    /// Never.
    Never,
}

/// The running proxy; it ends when it is dropped.
#[derive(Debug)]
pub struct CuttingProxy {
    port: u16,
    stop: Arc<AtomicBool>,
    traffic: Arc<Traffic>,
    listener: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Traffic {
    connections: AtomicUsize,
    /// On the first connection.
    server_lines: AtomicUsize,
    client_octets: AtomicUsize,
}

impl CuttingProxy {
    /// Starts a proxy for the server at `port` on 127.0.0.1.
    ///
    /// # Errors
    /// If it can not listen.
    pub fn start(port: u16, cut: Cut) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let own_port = listener.local_addr()?.port();
        let stop = Arc::new(AtomicBool::new(false));
        let traffic = Arc::new(Traffic::default());
        let (stops, counts) = (Arc::clone(&stop), Arc::clone(&traffic));
        let listener = thread::spawn(move || {
            for client in listener.incoming() {
                if stops.load(Ordering::SeqCst) {
                    return;
                }
                let server = TcpStream::connect((Ipv4Addr::LOCALHOST, port));
                let (Ok(client), Ok(server)) = (client, server) else {
                    continue;
                };
                let first = counts.connections.fetch_add(1, Ordering::SeqCst) == 0;
                let cut = if first { cut } else { Cut::Never };
                // A connection that can not be set up is one that was cut at once.
                let _ = join(client, server, cut, first.then(|| Arc::clone(&counts)));
            }
        });
        Ok(Self {
            port: own_port,
            stop,
            traffic,
            listener: Some(listener),
        })
    }

    /// The port of the proxy on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How many connections were made.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.traffic.connections.load(Ordering::SeqCst)
    }

    /// Lines of the server and octets of the client that were seen on the first connection.
    #[must_use]
    pub fn seen(&self) -> (usize, usize) {
        let lines = self.traffic.server_lines.load(Ordering::SeqCst);
        (lines, self.traffic.client_octets.load(Ordering::SeqCst))
    }
}

impl Drop for CuttingProxy {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the listener.
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}

/// Copies in both directions until either side ends or the cut is reached. The threads end with the
/// connection.
fn join(
    client: TcpStream,
    server: TcpStream,
    cut: Cut,
    counts: Option<Arc<Traffic>>,
) -> io::Result<()> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (up, down) = match cut {
        Cut::Never => (None, None),
        Cut::ClientOctets(octets) => (Some(octets), None),
        Cut::ServerLines(lines) => (None, Some(lines)),
    };
    let (client_2, server_2) = (client.try_clone()?, server.try_clone()?);
    let counts_2 = counts.clone();
    thread::spawn(move || {
        let counter = counts.as_ref().map(|counts| &counts.client_octets);
        copy(client, server, up, counter, |_| true);
    });
    thread::spawn(move || {
        let counter = counts_2.as_ref().map(|counts| &counts.server_lines);
        copy(server_2, client_2, down, counter, |octet| octet == b'\n');
    });
    Ok(())
}

/// Copies until `limit` octets that count went over, then closes both.
fn copy(
    mut from: TcpStream,
    mut to: TcpStream,
    limit: Option<usize>,
    counter: Option<&AtomicUsize>,
    counts: fn(u8) -> bool,
) {
    let (mut buffer, mut counted) = ([0; 4096], 0);
    let mut cut = limit == Some(0);
    while !cut {
        let Ok(length @ 1..) = from.read(&mut buffer) else {
            break;
        };
        let mut end = length;
        for (at, octet) in buffer.iter().take(length).enumerate() {
            counted += usize::from(counts(*octet));
            if limit == Some(counted) && counts(*octet) {
                (end, cut) = (at + 1, true);
                break;
            }
        }
        if let Some(counter) = counter {
            counter.store(counted, Ordering::SeqCst);
        }
        if to.write_all(buffer.get(..end).unwrap_or_default()).is_err() {
            break;
        }
    }
    if cut {
        // The other direction ends too.
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    } else {
        let _ = to.shutdown(Shutdown::Write);
    }
}
