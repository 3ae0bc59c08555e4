//! A proxy that cuts or holds its first connection at a chosen point and lets all later ones through.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How long anybody waits for a connection to be held. Only failures wait so long.
const HOLD_LIMIT: Duration = Duration::from_secs(60);

/// Where the first connection is cut, in both directions at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// After so many lines of the server reached the client.
    ServerLines(usize),
    /// After so many octets of the client reached the server.
    ClientOctets(usize),
    /// Not cut, but silent in both directions after so many lines of the server reached the client.
    HoldServerLines(usize),
    /// Not cut, but silent in both directions once so many octets of the client reached the server.
    HoldClientOctets(usize),
    /// Never.
    Never,
}

impl Cut {
    const fn holds(self) -> bool {
        matches!(self, Self::HoldServerLines(_) | Self::HoldClientOctets(_))
    }
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
    hold: Hold,
}

/// Whether the first connection is held.
#[derive(Debug, Default)]
struct Hold {
    state: Mutex<HoldState>,
    changed: Condvar,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum HoldState {
    #[default]
    Open,
    Held,
    /// The proxy ends.
    Over,
}

impl Hold {
    fn set(&self, state: HoldState) {
        let mut held = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if *held != HoldState::Over {
            *held = state;
        }
        self.changed.notify_all();
    }

    /// Waits while this is the state.
    fn wait_while(&self, state: HoldState) {
        let held = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.changed.wait_while(held, |held| *held == state));
    }
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

    /// Waits until the first connection is held: all that was to come before has been passed on. False if that
    /// takes too long.
    #[must_use]
    pub fn wait_until_held(&self) -> bool {
        let hold = &self.traffic.hold;
        let state = hold.state.lock().unwrap_or_else(PoisonError::into_inner);
        let open = |state: &mut HoldState| *state == HoldState::Open;
        hold.changed
            .wait_timeout_while(state, HOLD_LIMIT, open)
            .is_ok_and(|(state, _)| *state == HoldState::Held)
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
        self.traffic.hold.set(HoldState::Over);
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
        Cut::ClientOctets(octets) | Cut::HoldClientOctets(octets) => (Some(octets), None),
        Cut::ServerLines(lines) | Cut::HoldServerLines(lines) => (None, Some(lines)),
    };
    let (client_2, server_2) = (client.try_clone()?, server.try_clone()?);
    let counts_2 = counts.clone();
    let upwards = Direction {
        counts,
        limit: up,
        holds: cut.holds(),
        counter: |traffic| &traffic.client_octets,
        is_counted: |_| true,
    };
    let downwards = Direction {
        counts: counts_2,
        limit: down,
        holds: cut.holds(),
        counter: |traffic| &traffic.server_lines,
        is_counted: |octet| octet == b'\n',
    };
    thread::spawn(move || upwards.copy(client, server));
    thread::spawn(move || downwards.copy(server_2, client_2));
    Ok(())
}

/// What is counted in one direction, and where it ends.
struct Direction {
    /// `None` on all connections but the first.
    counts: Option<Arc<Traffic>>,
    limit: Option<usize>,
    /// Silence at the end, instead of a cut.
    holds: bool,
    counter: fn(&Traffic) -> &AtomicUsize,
    is_counted: fn(u8) -> bool,
}

impl Direction {
    /// Copies until the limit, then closes both or is silent.
    fn copy(self, mut from: TcpStream, mut to: TcpStream) {
        let (mut buffer, mut counted) = ([0; 4096], 0);
        let mut cut = self.limit == Some(0);
        while !cut {
            let Ok(length @ 1..) = from.read(&mut buffer) else {
                break;
            };
            if let Some(counts) = self.counts.as_ref().filter(|_| self.holds) {
                counts.hold.wait_while(HoldState::Held);
            }
            let mut end = length;
            for (at, octet) in buffer.iter().take(length).enumerate() {
                let counts = (self.is_counted)(*octet);
                counted += usize::from(counts);
                if counts && self.limit == Some(counted) {
                    (end, cut) = (at + 1, true);
                    break;
                }
            }
            if let Some(traffic) = &self.counts {
                (self.counter)(traffic).store(counted, Ordering::SeqCst);
                if cut && self.holds {
                    // Before the other side can answer.
                    traffic.hold.set(HoldState::Held);
                }
            }
            if to.write_all(buffer.get(..end).unwrap_or_default()).is_err() {
                break;
            }
        }
        if let Some(traffic) = self.counts.as_ref().filter(|_| cut && self.holds) {
            traffic.hold.set(HoldState::Held);
            traffic.hold.wait_while(HoldState::Held);
        }
        if cut {
            // The other direction ends too.
            let _ = from.shutdown(Shutdown::Both);
            let _ = to.shutdown(Shutdown::Both);
        } else {
            let _ = to.shutdown(Shutdown::Write);
        }
    }
}
