//! Connections that are kept for the next message.

use super::check::Steps;
use super::connection::{Connection, Setup};
use super::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;
use tracing::debug;

/// How many connections there are and how long they live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolConfig {
    /// The most connections at the same time; at least 1. Who comes when all are
    /// in use waits, first come, first served. Default 4.
    pub max_connections: usize,
    /// The most messages over one connection; at least 1. Default 100, since many
    /// servers count.
    pub max_messages_per_connection: u32,
    /// How long a connection is kept without a message. Zero closes it at once.
    /// Default 60 seconds.
    pub idle_timeout: Duration,
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self {
            max_connections: 4,
            max_messages_per_connection: 100,
            idle_timeout: Duration::from_secs(60),
        }
    }
}

/// The connections of a mailer.
pub(super) struct Pool {
    pub(super) setup: Setup,
    config: PoolConfig,
    /// One permit for each message under way. Since a new connection is made only
    /// when none is idle, there are never more connections than permits.
    permits: Semaphore,
    kept: Mutex<Kept>,
    next_number: AtomicU64,
}

#[derive(Default)]
struct Kept {
    /// The longest unused one first.
    idle: Vec<Idle>,
    /// Closes connections that were idle for too long.
    reaper: Option<JoinHandle<()>>,
    farewells: JoinSet<()>,
}

struct Idle {
    connection: Connection,
    until: Instant,
}

/// A connection in use.
pub(super) struct Lease<'p> {
    pub(super) connection: Connection,
    /// It was used before it was lent.
    reused: bool,
    permit: SemaphorePermit<'p>,
}

impl Lease<'_> {
    /// Whether it was used, before or since it was lent: the server may have closed it, or had all the messages that
    /// it takes over one connection.
    pub(super) fn was_used(&self) -> bool {
        self.reused || self.connection.messages > 0
    }
}

impl Pool {
    pub(super) fn new(setup: Setup, config: PoolConfig) -> Self {
        let most = config.max_connections.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            setup,
            config,
            permits: Semaphore::new(most),
            kept: Mutex::default(),
            next_number: AtomicU64::new(1),
        }
    }

    /// An idle connection, or a new one.
    pub(super) async fn lease(self: &Arc<Self>) -> Result<Lease<'_>, Error> {
        let permit = self
            .permits
            .acquire()
            .await
            .map_err(|_| Error::MailerClosed)?;
        if let Some(connection) = self.take_idle() {
            debug!(number = connection.number(), "connection used again");
            return Ok(Lease {
                connection,
                reused: true,
                permit,
            });
        }
        self.fresh(permit).await
    }

    /// A new connection in the place of one that was lost.
    pub(super) async fn replace<'p>(
        self: &'p Arc<Self>,
        lost: Lease<'p>,
    ) -> Result<Lease<'p>, Error> {
        debug!(
            number = lost.connection.number(),
            "idle connection was lost"
        );
        drop(lost.connection);
        self.fresh(lost.permit).await
    }

    /// A new connection in the place of one that can not take these recipients any
    /// more.
    pub(super) async fn renew<'p>(
        self: &'p Arc<Self>,
        spent: Lease<'p>,
    ) -> Result<Lease<'p>, Error> {
        self.say_farewell(&mut self.kept(), spent.connection);
        self.fresh(spent.permit).await
    }

    /// Takes a connection back: keeps it, or says goodbye without keeping anybody
    /// waiting.
    pub(super) fn give_back(self: &Arc<Self>, lease: Lease<'_>) {
        let connection = lease.connection;
        let usable = connection.is_ready()
            && self.may_go_on(&connection)
            && !self.config.idle_timeout.is_zero()
            && !self.permits.is_closed();
        let mut kept = self.kept();
        if !usable {
            self.say_farewell(&mut kept, connection);
            return;
        }
        let until = Instant::now() + self.config.idle_timeout;
        kept.idle.push(Idle { connection, until });
        let reaping = kept.reaper.as_ref().is_some_and(|task| !task.is_finished());
        if !reaping {
            kept.reaper = Some(tokio::spawn(reap(Arc::downgrade(self), until)));
        }
    }

    /// Whether the connection has not had its share of messages.
    pub(super) fn may_go_on(&self, connection: &Connection) -> bool {
        connection.messages < self.config.max_messages_per_connection
    }

    /// Closes all that is idle and waits for the farewells.
    pub(super) async fn close(self: &Arc<Self>) {
        self.permits.close();
        let mut farewells = {
            let mut kept = self.kept();
            for idle in std::mem::take(&mut kept.idle) {
                self.say_farewell(&mut kept, idle.connection);
            }
            if let Some(reaper) = kept.reaper.take() {
                reaper.abort();
            }
            std::mem::take(&mut kept.farewells)
        };
        while farewells.join_next().await.is_some() {}
    }

    /// A number for the next connection.
    pub(super) fn next_number(&self) -> u64 {
        self.next_number.fetch_add(1, Ordering::Relaxed)
    }

    async fn fresh<'p>(
        self: &'p Arc<Self>,
        permit: SemaphorePermit<'p>,
    ) -> Result<Lease<'p>, Error> {
        let mut steps = Steps::ignored();
        let number = self.next_number();
        let mut connection = Connection::connect(&self.setup, number, &mut steps).await?;
        let opened = connection
            .open(&self.setup, self.setup.tls.as_ref(), &mut steps)
            .await;
        match opened {
            Ok(()) => Ok(Lease {
                connection,
                reused: false,
                permit,
            }),
            Err(error) => {
                self.say_farewell(&mut self.kept(), connection);
                Err(error)
            }
        }
    }

    /// The connection that was used last, if the server still holds it.
    fn take_idle(self: &Arc<Self>) -> Option<Connection> {
        let mut kept = self.kept();
        let now = Instant::now();
        while let Some(mut idle) = kept.idle.pop() {
            if idle.connection.has_stirred() {
                let number = idle.connection.number();
                debug!(number, "the server ended an idle connection");
            } else if idle.until <= now {
                self.say_farewell(&mut kept, idle.connection);
            } else {
                return Some(idle.connection);
            }
        }
        None
    }

    fn say_farewell(self: &Arc<Self>, kept: &mut Kept, connection: Connection) {
        while kept.farewells.try_join_next().is_some() {}
        let pool = Arc::clone(self);
        kept.farewells
            .spawn(async move { connection.farewell(&pool.setup).await });
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Nothing in there breaks when a holder panics.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes what was idle for too long, until nothing is idle. It looks at `next` for
/// the first time: earlier nothing can be too old, and with a mailer that is busy
/// it would find nothing and have to be started for every message.
async fn reap(pool: Weak<Pool>, mut next: Instant) {
    loop {
        tokio::time::sleep_until(next).await;
        next = {
            let Some(pool) = pool.upgrade() else { return };
            let mut kept = pool.kept();
            let now = Instant::now();
            let stale = kept
                .idle
                .iter()
                .take_while(|idle| idle.until <= now)
                .count();
            for idle in kept.idle.drain(..stale).collect::<Vec<_>>() {
                debug!(number = idle.connection.number(), "idle for too long");
                pool.say_farewell(&mut kept, idle.connection);
            }
            match kept.idle.first() {
                Some(idle) => idle.until,
                None => {
                    kept.reaper = None;
                    return;
                }
            }
        };
    }
}
