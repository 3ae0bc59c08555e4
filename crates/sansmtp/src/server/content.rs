//! The content: behind DATA, and in chunks (RFC 3030).

use super::dialogue::Dialogue;
use super::event::{Event, Query};
use super::replies::{BARE_IN_CONTENT, LINE_TOO_LONG, NO_ENVELOPE, ONLY_QUIT, TOO_LARGE};
use super::session::{Session, Words};
use crate::machine::Instant;
use crate::state::{State, Step};

impl Dialogue<'_> {
    /// Takes a stretch of the content. `None` says that the message is refused and
    /// void.
    pub(super) fn take_content<'a>(
        &mut self,
        now: Instant,
        input: &'a [u8],
    ) -> (usize, Option<&'a [u8]>) {
        let limit = self.config.capabilities.max_size;
        let text_limit = self.config.limits.text_line;
        let session = &mut self.session;
        let (mut used, stretch) = session.dot.decode(input);
        let behind = input.get(used..).unwrap_or_default();
        used = used.wrapping_add(session.dot.take_end(behind));
        session.size = session.size.saturating_add(stretch.len() as u64);
        session.came = session.size;
        if text_limit > 0 {
            session.measure_lines(stretch, text_limit);
        }
        let too_large = limit > 0 && session.size > limit;
        let void = too_large || session.dot.bare() || session.line_too_long;
        if !session.dot.ended() {
            self.arm(now);
            return (used, Some(if void { &[] } else { stretch }));
        }
        if !void {
            session.complete();
            return (used, Some(stretch));
        }
        session.step(Step::Complete);
        session.say_verdict(if too_large {
            TOO_LARGE
        } else if session.line_too_long {
            LINE_TOO_LONG
        } else {
            BARE_IN_CONTENT
        });
        session.end_transaction(Step::Judge);
        (used, None)
    }

    /// Takes a BDAT command: the chunk follows, whatever is answered.
    pub(super) fn take_bdat<'a>(
        &'a mut self,
        now: Instant,
        size: u64,
        last: bool,
        buffer: &'a mut [u8],
    ) -> Option<Event<'a>> {
        let limit = self.config.capabilities.max_size;
        let session = &mut self.session;
        let first = match session.state {
            State::Recipients => true,
            State::Chunking => false,
            state => {
                let refusal = match state {
                    State::Closing => ONLY_QUIT,
                    _ => NO_ENVELOPE,
                };
                self.refuse_chunk(now, size, refusal);
                return None;
            }
        };
        let before = if first { 0 } else { session.size };
        // A sum that can not be counted is too large even where nothing is.
        let sum = before.checked_add(size);
        if sum.is_none_or(|sum| limit > 0 && sum > limit) {
            self.void_chunks(last);
            self.refuse_chunk(now, size, TOO_LARGE);
            return Some(Event::Reset);
        }
        if size == 0 && last && !first && session.ends.bare_at_end() {
            self.void_chunks(last);
            self.session.say(BARE_IN_CONTENT);
            return Some(Event::Reset);
        }
        session.chunked = true;
        session.chunk_left = size;
        session.chunk_last = last;
        session.began = now;
        session.came = 0;
        if first {
            return Some(self.ask(Query::Data, buffer));
        }
        session.step(Step::GoAhead);
        self.arm(now);
        None
    }

    /// Refuses a chunk of this size. Its octets are taken and dropped first, so
    /// that they are not taken for commands (RFC 3030, section 2); if they are too
    /// many, the session ends.
    pub(super) fn refuse_chunk(&mut self, now: Instant, size: u64, reply: Words) {
        if size > self.config.limits.refused_chunk {
            self.part(reply);
            return;
        }
        let session = &mut self.session;
        session.say(reply);
        session.eating = true;
        session.chunk_left = size;
        session.began = now;
        session.came = 0;
        self.arm(now);
    }

    /// Ends a chunk that is complete, and takes the time of one that the driver
    /// has just decided about.
    #[inline]
    pub(super) fn settle_chunk(&mut self, now: Instant) {
        if self.session.chunked || self.session.eating {
            self.settle(now);
        }
    }

    fn settle(&mut self, now: Instant) {
        let session = &mut self.session;
        if session.holds_back() && session.chunk_left > self.config.limits.refused_chunk {
            // The driver refused it.
            self.part_behind();
            return;
        }
        if !session.is_in_chunk() || session.error.is_some() {
            return;
        }
        if session.chunk_left > 0 {
            if session.deadline.is_none() {
                session.began = now;
                self.arm(now);
            }
            return;
        }
        if !session.chunk_last {
            session.step(Step::Chunk);
            session.say("250 2.0.0 Chunk taken\r\n");
            self.arm(now);
            return;
        }
        session.complete();
        session.deadline = None;
    }

    /// Takes a stretch of a chunk, which is not at its end.
    pub(super) fn take_chunk<'a>(
        &mut self,
        now: Instant,
        input: &'a [u8],
    ) -> (usize, Option<Event<'a>>) {
        let text_limit = self.config.limits.text_line;
        let session = &mut self.session;
        let room = usize::try_from(session.chunk_left).unwrap_or(usize::MAX);
        let stretch = input.get(..room).unwrap_or(input);
        let used = stretch.len();
        session.chunk_left = session.chunk_left.saturating_sub(used as u64);
        session.came = session.came.saturating_add(used as u64);
        if session.eating {
            self.arm(now);
            return (used, None);
        }
        session.size = session.size.saturating_add(used as u64);
        if !session.binary {
            session.ends.look(stretch);
            if text_limit > 0 {
                session.measure_lines(stretch, text_limit);
            }
        }
        let ended = session.chunk_left == 0;
        let bare = session.ends.bare() || ended && session.chunk_last && session.ends.bare_at_end();
        let void = bare || session.line_too_long;
        if void && ended {
            let reply = if bare { BARE_IN_CONTENT } else { LINE_TOO_LONG };
            self.void_chunks(self.session.chunk_last);
            self.session.say(reply);
        }
        self.arm(now);
        match (void, ended) {
            (true, true) => (used, Some(Event::Reset)),
            (true, false) => (used, None),
            (false, _) => {
                self.settle_chunk(now);
                (used, Some(Event::Content(stretch)))
            }
        }
    }

    /// Ends a transaction whose chunks can not be taken.
    pub(super) fn void_chunks(&mut self, last: bool) {
        let session = &mut self.session;
        if last {
            session.repeat_for_recipients();
        }
        if session.state != State::Content {
            session.step(Step::GoAhead);
        }
        session.step(Step::Complete);
        session.end_transaction(Step::Judge);
    }
}

impl Session {
    /// Looks for lines of the content over the limit.
    fn measure_lines(&mut self, stretch: &[u8], limit: u32) {
        for &byte in stretch {
            self.text_line = match byte {
                b'\n' => 0,
                b'\r' => self.text_line,
                _ => self.text_line.saturating_add(1),
            };
            self.line_too_long |= self.text_line > limit;
        }
    }
}
