//! Mail that comes in on one connection.

use crate::exchange::Dialogue;
use sansmtp::server::{Config, Event, Query, Server};
use sansmtp::state::State;
use sansmtp::wire::reply::Reply;
use sansmtp::{Error, Instant, Machine};

/// Who decides what is taken.
pub trait Handler {
    /// Answers a question of the dialogue: `None` says yes in the usual words. The default for a new kind
    /// of question is the handler's own choice; when in doubt refuse.
    fn decide(&mut self, query: Query<'_>) -> Option<Reply<'_>>;

    /// Takes octets of the content of a message, without the dots that were added on the way. The
    /// question [`Query::Message`] follows at its end.
    fn content(&mut self, octets: &[u8]);

    /// The transaction is void: forget its sender, recipients and content.
    fn reset(&mut self);
}

/// Takes mail on one connection; moved by [`exchange`](crate::exchange()).
///
/// For the next connection listen again and make a new one.
#[derive(Debug)]
pub struct Reception<'c, H: Handler> {
    server: Server<'c>,
    handler: H,
    failure: Option<Error>,
    /// A transaction was begun, so that there is something to forget if it becomes void.
    open: bool,
}

impl<'c, H: Handler> Reception<'c, H> {
    /// A server on a fresh connection. `line` bounds the length of a command (512 octets, with AUTH up to
    /// 12,288), `reply` holds the text of the handler's replies (128 octets do).
    pub fn new(
        config: &'c Config<'c>,
        line: &'c mut [u8],
        reply: &'c mut [u8],
        handler: H,
        now: Instant,
    ) -> Self {
        Self {
            server: Server::new(config, line, reply, now),
            handler,
            failure: None,
            open: false,
        }
    }

    /// Why the connection ended, if not by a goodbye.
    pub fn failure(&self) -> Option<Error> {
        self.failure
    }

    /// Who decides.
    pub fn handler(&self) -> &H {
        &self.handler
    }

    /// Ends the session with 421 as soon as no transaction is open.
    pub fn shutdown(&mut self) {
        self.server.shutdown();
    }

    fn fail(&mut self, error: Error) {
        self.failure.get_or_insert(error);
        self.forget();
    }

    /// The connection ends: what came of an unfinished transaction is void.
    fn forget(&mut self) {
        if core::mem::take(&mut self.open) {
            self.handler.reset();
        }
    }
}

impl<H: Handler> Drop for Reception<'_, H> {
    fn drop(&mut self) {
        self.forget();
    }
}

impl<H: Handler> Dialogue for Reception<'_, H> {
    fn receive(&mut self, now: Instant, input: &[u8]) -> usize {
        let mut taken = 0;
        loop {
            let rest = input.get(taken..).unwrap_or_default();
            match self.server.receive(now, rest) {
                Ok((0, None)) => return taken,
                Ok((used, event)) => {
                    taken += used;
                    match event {
                        None | Some(Event::Hello { .. } | Event::StartTls) => {}
                        Some(Event::Content(octets)) => self.handler.content(octets),
                        Some(Event::Reset) => {
                            self.open = false;
                            self.handler.reset();
                        }
                        Some(Event::Request(request)) => {
                            let query = request.query();
                            match query {
                                Query::Mail { .. } => self.open = true,
                                Query::Message { .. } => self.open = false,
                                _ => {}
                            }
                            match self.handler.decide(query) {
                                Some(reply) => request.answer(&reply),
                                None => request.accept(),
                            }
                        }
                        // A new kind of event carries nothing that could be lost.
                        Some(_) => {}
                    }
                }
                Err(error) => {
                    self.fail(error);
                    return taken;
                }
            }
        }
    }

    fn receive_eof(&mut self, _now: Instant) {
        match self.server.receive_eof() {
            Ok(()) => self.forget(),
            Err(error) => self.fail(error),
        }
    }

    fn transmit(&mut self, now: Instant, out: &mut [u8]) -> usize {
        if self.failure.is_some() {
            return 0;
        }
        // What is still to be asked can give something to say.
        if self.receive(now, &[]) == 0 && self.failure.is_some() {
            return 0;
        }
        self.server.transmit(now, out)
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.server.poll_timeout()
    }

    fn handle_timeout(&mut self, now: Instant) {
        match self.server.handle_timeout(now) {
            // It may have said 421.
            Ok(()) if self.server.state() == State::Closing => self.forget(),
            Ok(()) => {}
            Err(error) => self.fail(error),
        }
    }

    fn is_over(&self) -> bool {
        self.failure.is_some() || self.server.is_closed()
    }
}
