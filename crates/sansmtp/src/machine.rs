//! The one driving interface of both roles.

use crate::error::Error;

/// A point in time: milliseconds on a clock of the caller's choice that never
/// goes back.
///
/// The core reads no clock. Any origin will do: the start of the program, of
/// the device, the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// The point `millis` milliseconds behind the origin of the clock.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds behind the origin of the clock.
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// The point `millis` milliseconds later.
    #[must_use]
    pub const fn after(self, millis: u32) -> Self {
        Self(self.0.saturating_add(millis as u64))
    }

    /// How many milliseconds `self` lies behind `earlier`; 0 if it does not.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// How a driver moves a machine: bytes in, events out, bytes out, time.
///
/// ```text
/// loop {
///     transmit until it returns 0          -> write these bytes, in one go if possible
///     read (until poll_timeout at most)    -> receive, until it takes nothing and says nothing
/// }
/// ```
///
/// No method does I/O, and each does a bounded amount of work. After an error
/// the machine stays failed and gives the same error again.
pub trait Machine {
    /// What the machine has to say to the driver.
    type Event<'a>
    where
        Self: 'a;

    /// Takes input: at most one line, or one stretch of mail data.
    ///
    /// Returns how many bytes were taken and perhaps an event. Call it again
    /// with the rest of the input until it returns `(0, None)`; an empty input is
    /// allowed and gives what is still to be said. `(0, None)` with input left
    /// means that the machine needs something else first: an answer, a call of
    /// `transmit`, or TLS.
    ///
    /// # Errors
    /// The dialogue can not go on; [`Error`] says who must act.
    fn receive<'a>(
        &'a mut self,
        now: Instant,
        input: &'a [u8],
    ) -> Result<(usize, Option<Self::Event<'a>>), Error>;

    /// Tells the machine that the peer will send nothing more.
    ///
    /// # Errors
    /// If the dialogue was not over.
    fn receive_eof(&mut self) -> Result<(), Error>;

    /// Writes what is to be sent into `out` and returns how many bytes that is.
    /// 0 says that there is nothing to send now (or that `out` is empty).
    /// Events, answers and commands can change that. A needless call is
    /// harmless.
    fn transmit(&mut self, now: Instant, out: &mut [u8]) -> usize;

    /// When [`Machine::handle_timeout`] is to be called at the latest. Any other
    /// call can change it.
    fn poll_timeout(&self) -> Option<Instant>;

    /// Tells the machine the time. A call before the deadline is harmless.
    ///
    /// # Errors
    /// The peer took too long.
    fn handle_timeout(&mut self, now: Instant) -> Result<(), Error>;

    /// Whether the machine waits for TLS: at the beginning with implicit TLS, or
    /// after STARTTLS once nothing is left to transmit. The driver then does the
    /// handshake, checks the certificate against the host name, drops what it
    /// had read before, and calls [`Machine::tls_established`].
    fn wants_tls(&self) -> bool;

    /// Tells the machine that everything goes through TLS from now on.
    ///
    /// # Errors
    /// [`Error::Misuse`] if the machine does not want TLS.
    fn tls_established(&mut self, now: Instant) -> Result<(), Error>;

    /// Whether the dialogue is over, so that the connection can be closed.
    fn is_closed(&self) -> bool;
}
