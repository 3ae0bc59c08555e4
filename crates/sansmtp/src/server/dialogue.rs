//! A session together with its configuration: how time runs, how it ends, and
//! how questions are put to the driver.

use super::config::Config;
use super::event::{Event, Query, Request};
use super::replies::SHUTTING_DOWN;
use super::session::{Asked, Outbox, Session, Words};
use crate::config::Security;
use crate::error::{Error, Stage};
use crate::machine::Instant;
use crate::state::{State, Step};
use crate::wire::ehlo;
use crate::wire::reply::{Code, Reply, begin_line};
use crate::wire::window::Window;

/// A session together with its configuration: all of the server but its
/// buffers.
#[derive(Debug)]
pub(super) struct Dialogue<'c> {
    pub(super) config: &'c Config<'c>,
    pub(super) session: Session,
}

pub(super) type Taken<'a> = Result<(usize, Option<Event<'a>>), Error>;

impl Dialogue<'_> {
    /// Sets the deadline for what the client has to do next.
    pub(super) fn arm(&mut self, now: Instant) {
        let timeouts = &self.config.timeouts;
        let limit = match self.session.state {
            _ if self.session.error.is_some() => return,
            State::Closed => {
                self.session.deadline = None;
                return;
            }
            _ if self.session.holds_back() || self.session.state == State::Content => {
                self.session.deadline = Some(self.content_deadline(now));
                return;
            }
            _ if self.wants_tls() => timeouts.handshake,
            _ => timeouts.command,
        };
        self.session.deadline = Some(now.after(limit));
    }

    /// When the content is given up: if nothing comes for a while, or if it comes
    /// too slowly.
    fn content_deadline(&self, now: Instant) -> Instant {
        let timeouts = &self.config.timeouts;
        let next = now.after(timeouts.content);
        if timeouts.content_per_kib == u32::MAX {
            return next;
        }
        // Up to 4 TiB, so that no product is too large.
        let kib = (self.session.came >> 10).min(u64::from(u32::MAX));
        let allowed = kib
            .wrapping_mul(u64::from(timeouts.content_per_kib))
            .saturating_add(u64::from(timeouts.content));
        let all = self.session.began.millis().saturating_add(allowed);
        next.min(Instant::from_millis(all))
    }

    /// Whether the TLS handshake is next.
    pub(super) fn wants_tls(&self) -> bool {
        let session = &self.session;
        match session.state {
            State::Opening => self.config.security == Security::ImplicitTls && !session.tls,
            State::Handshake => session.outbox == Outbox::Empty && session.error.is_none(),
            _ => false,
        }
    }

    /// Fails for good.
    pub(super) fn fail(&mut self, error: Error) -> Error {
        self.session.error = Some(error);
        self.session.deadline = None;
        error
    }

    /// The reply in the outbox was sent.
    pub(super) fn sent(&mut self, now: Instant) {
        let session = &mut self.session;
        session.offset = 0;
        session.eating = false;
        if session.repeats > 0 {
            session.repeats = session.repeats.wrapping_sub(1);
            return self.arm(now);
        }
        session.outbox = Outbox::Empty;
        let limit = self.config.limits.errors;
        // 421 and 221 were the last word.
        if session.state == State::Closing && session.shutdown {
            session.close();
        } else if limit > 0 && session.errors >= limit {
            self.part("421 4.7.0 Too many errors, closing\r\n");
        }
        self.shut_down_if_idle();
        if self.session.state == State::Content {
            self.session.began = now;
            self.session.came = 0;
        }
        self.arm(now);
    }

    /// Says a last word and closes.
    pub(super) fn part(&mut self, last_word: Words) {
        self.session.outbox = Outbox::Fixed(last_word);
        self.part_behind();
    }

    /// Closes behind the reply in the outbox.
    pub(super) fn part_behind(&mut self) {
        let session = &mut self.session;
        session.asked = None;
        session.offset = 0;
        session.repeats = 0;
        session.eating = false;
        session.shutdown = true;
        if session.state != State::Closing {
            session.step(Step::Part);
        }
    }

    pub(super) fn shut_down_if_idle(&mut self) {
        let session = &self.session;
        // In Closing the client was turned away and has only QUIT left.
        let idle = matches!(
            session.state,
            State::Greeted | State::Ready | State::Closing
        ) && session.asked.is_none()
            && session.outbox == Outbox::Empty;
        if session.shutdown && idle {
            self.part(SHUTTING_DOWN);
        }
    }

    pub(super) fn shut_down_now(&mut self) {
        let silent = self.wants_tls();
        let session = &mut self.session;
        session.shutdown = true;
        session.asked = None;
        session.deadline = None;
        let cut = silent || session.offset > 0;
        match session.state {
            State::Closed => {}
            State::Closing | State::Handshake => session.close(),
            _ if cut => session.close(),
            _ => self.part(SHUTTING_DOWN),
        }
    }

    /// The client took too long.
    pub(super) fn time_out(&mut self, now: Instant) -> Result<(), Error> {
        let state = self.session.state;
        let silent = self.wants_tls() || state == State::Closing || state == State::Handshake;
        if silent || self.session.has_reply() {
            // Nothing can be said, or it would not be read.
            self.session.close();
            return Err(self.fail(Error::Timeout {
                stage: Stage::Idle,
                outcome_unknown: false,
            }));
        }
        self.part("421 4.4.2 Timeout, closing\r\n");
        self.arm(now);
        Ok(())
    }

    /// Renders the reply in the outbox.
    pub(super) fn render(&self, reply: &[u8], out: &mut Window<'_>) {
        let hostname = self.config.hostname.as_str();
        let named = |code: u16, before: &str, after: &str, out: &mut Window<'_>| {
            begin_line(Code::new(code).unwrap_or(Code::OK), true, out);
            for part in [before, hostname, after, "\r\n"] {
                out.put(part.as_bytes());
            }
        };
        match self.session.outbox {
            Outbox::Empty => {}
            Outbox::Greeting if self.session.is_lmtp() => named(220, "", " LMTP ready", out),
            Outbox::Greeting => named(220, "", " ESMTP ready", out),
            Outbox::Hello => named(250, "", "", out),
            Outbox::Goodbye => named(221, "2.0.0 ", " closing, goodbye", out),
            Outbox::Ehlo => ehlo::render(hostname, &self.offered(), out),
            Outbox::Fixed(words) => out.put(words.as_bytes()),
            Outbox::Custom {
                code,
                enhanced,
                length,
            } => {
                let text = reply.get(..usize::from(length)).unwrap_or_default();
                let text = core::str::from_utf8(text).unwrap_or_default();
                Reply::custom(code, enhanced, text).render(out);
            }
        }
    }

    /// Puts the open question to the driver, once. `Connect` and `Message` come
    /// up by themselves, all others with their command.
    pub(super) fn tell<'a>(&'a mut self, buffer: &'a mut [u8]) -> Option<Event<'a>> {
        let session = &self.session;
        if session.told {
            return None;
        }
        let query = match session.asked {
            Some(Asked::Message) => Query::Message { size: session.size },
            #[cfg(feature = "mta")]
            Some(Asked::Delivery) => Query::Delivery {
                recipient: session.verdicts,
                size: session.size,
            },
            _ => Query::Connect,
        };
        Some(self.ask(query, buffer))
    }

    pub(super) fn ask<'a>(&'a mut self, query: Query<'a>, buffer: &'a mut [u8]) -> Event<'a> {
        let session = &mut self.session;
        session.asked = Some(query.asked());
        session.told = true;
        session.deadline = None;
        Event::Request(Request {
            query,
            session,
            buffer,
        })
    }
}
