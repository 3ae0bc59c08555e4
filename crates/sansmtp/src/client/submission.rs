//! The policy of the client: which command comes next, and what a reply means.

#[cfg(feature = "query")]
use super::Query;
#[cfg(feature = "chunking")]
use super::chunks::Chunks;
use super::event::Told;
use super::session::{Content, Dialogue, Place, Session};
use crate::capability::{Capabilities, Extension};
use crate::config::Security;
use crate::envelope::{Envelope, Recipient};
use crate::error::{Error, Fault, Misuse, Requirement, Stage};
use crate::state::{State, Step};
#[cfg(feature = "query")]
use crate::wire::command::Command;
use crate::wire::dot;
use crate::wire::ehlo;
use crate::wire::keyword::Keyword;
#[cfg(feature = "extensions")]
use crate::wire::param::{Body, MailParameters};
use crate::wire::reply::ReplyLine;
use crate::wire::window::Window;

/// The place of the first recipient in the row of a transaction, behind RSET and
/// MAIL.
pub(super) const FIRST_RECIPIENT: u32 = 2;

impl Dialogue<'_> {
    /// What stands at place `number` of the current row.
    pub(super) fn place(&self, number: u32) -> Place {
        let session = &self.session;
        if session.row != Place::Mail {
            return session.row;
        }
        let Some(recipient) = number.checked_sub(FIRST_RECIPIENT) else {
            #[cfg(feature = "overlap")]
            if number == 0 && session.overlaps {
                return Place::Earlier;
            }
            return if number == 0 {
                Place::Rset
            } else {
                Place::Mail
            };
        };
        let Some(behind) = recipient.checked_sub(self.recipients()) else {
            return Place::Rcpt;
        };
        #[cfg(feature = "chunking")]
        if session.chunks.are_used() {
            let complete = session.content == Content::Complete;
            return match session.chunks.count.checked_sub(behind) {
                None => Place::Idle,
                Some(0) if complete => Place::LastChunk,
                Some(_) => Place::Chunk,
            };
        }
        if behind == 0 {
            Place::Data
        } else {
            Place::Content
        }
    }

    fn recipients(&self) -> u32 {
        self.envelope.map_or(0, |e| e.recipients.len()) as u32
    }

    /// Gets ready for a transaction, if the server offers what it needs.
    pub(super) fn begin_transaction(&mut self, envelope: &Envelope<'_>) -> Result<(), Error> {
        #[cfg(feature = "overlap")]
        let early = self.may_overlap();
        let lmtp = self.is_lmtp();
        let session = &mut self.session;
        #[cfg(feature = "extensions")]
        let binary = envelope.body == Some(Body::BinaryMime);
        #[cfg(not(feature = "extensions"))]
        let binary = false;
        // In LMTP it is not clear how many replies a refused chunk gets.
        let chunking = (self.config.chunking || binary)
            && !lmtp
            && session.offers(Extension::Chunking)
            && session.offers(Extension::Pipelining);
        if let Some(requirement) = session.lacks(envelope, chunking) {
            return Err(Error::Unmet(requirement));
        }
        #[cfg(feature = "mta")]
        {
            if let Some(requirement) = session.over_limit(envelope.recipients, lmtp) {
                return Err(Error::Unmet(requirement));
            }
            let bounds = session.capabilities.bounds;
            session.tally.begin(envelope.recipients, &bounds);
        }
        #[cfg(feature = "extensions")]
        {
            session.smtputf8 = envelope.needs_smtputf8();
        }
        session.failed_at = None;
        session.dot = dot::Encoder::LineStart;
        session.content = Content::None;
        #[cfg(feature = "chunking")]
        if chunking {
            session.chunks = Chunks::of_transaction(binary, envelope.size);
            #[cfg(feature = "overlap")]
            {
                // One outcome at a time is in doubt: no content leaves with an early
                // envelope.
                session.chunks.tell_content &= !early;
            }
            if session.chunks.tell_content {
                session.content = Content::Open;
            }
        } else {
            session.chunks = Chunks::NONE;
        }
        session.begin(Place::Mail);
        if !session.dirty {
            session.sent = 1;
            session.answered = 1;
        }
        #[cfg(feature = "overlap")]
        {
            session.overlaps = early;
            if early {
                session.dirty = false;
                session.sent = 1;
                session.answered = 0;
            }
        }
        Ok(())
    }

    /// Whether the driver may push content now.
    pub(super) fn takes_content(&self) -> bool {
        let session = &self.session;
        let open = session.content == Content::Open && !session.has_failed();
        #[cfg(feature = "chunking")]
        if session.chunks.are_used() {
            return open
                && self.place(session.sent) == Place::Chunk
                // A chunk that was begun must be ended, even for nobody.
                && (session.failed_at.is_none() || session.chunks.is_open());
        }
        open
    }

    /// Whether all of a message but its verdict is done, so that the server may get
    /// the next one's commands already.
    #[cfg(feature = "overlap")]
    pub(super) fn may_overlap(&self) -> bool {
        let session = &self.session;
        session.offers(Extension::Pipelining)
            && !self.is_lmtp()
            && !session.has_failed()
            && session.failed_at.is_none()
            && session.is_awaiting()
            && session.offset == 0
            // What is awaited there was sent.
            && self.place(session.answered) == Place::Content
    }

    /// Ends the content; nothing more is pushed.
    pub(super) fn finish_content(&mut self) {
        if self.session.chunks.is_open() {
            // The server would wait for the rest of the chunk.
            self.session.result = Err(Error::Misuse(Misuse::ContentCutShort));
            return;
        }
        #[cfg(feature = "chunking")]
        {
            self.session.chunks.tell_content = false;
        }
        self.session.content = Content::Complete;
        self.session.settle();
    }

    /// Whether the next command, which stands at `place`, may go out now.
    pub(super) fn may_send(&self, place: Place) -> bool {
        let session = &self.session;
        if session.has_failed() {
            return false;
        }
        if session.offset > 0 {
            return true;
        }
        let wanted = session.failed_at.is_none();
        match place {
            Place::Idle | Place::Closed | Place::Greeting | Place::Handshake => false,
            // The driver writes it.
            #[cfg(feature = "chunking")]
            Place::Chunk => false,
            #[cfg(feature = "chunking")]
            Place::LastChunk => wanted,
            Place::Content => session.content == Content::Complete && !session.is_awaiting(),
            _ if !session.is_awaiting() => true,
            // DATA is the last of a group (RFC 2920, section 3.1), and nothing is
            // added to a transaction that has failed.
            Place::Mail | Place::Rcpt | Place::Data => {
                session.offers(Extension::Pipelining) && wanted
            }
            _ => false,
        }
    }

    /// Renders what stands at `place`, which is to be sent next.
    // Alone it has enough registers.
    #[inline(never)]
    pub(super) fn render(&self, place: Place, out: &mut Window<'_>) {
        let argument = match place {
            Place::Ehlo | Place::Helo => self.config.ehlo_name.as_str(),
            Place::Mail => self.envelope.map_or("", |e| e.reverse_path.as_str()),
            Place::Rcpt => self.recipient().map_or("", |r| r.forward_path.as_str()),
            #[cfg(feature = "auth")]
            Place::Auth => {
                if let (Some(exchange), Some(credentials)) =
                    (&self.session.exchange, &self.config.credentials)
                {
                    exchange.render(credentials, out);
                }
                return;
            }
            Place::Content => return out.put(self.session.dot.terminator()),
            #[cfg(feature = "chunking")]
            Place::LastChunk => return self.session.chunks.render_last(out),
            #[cfg(feature = "query")]
            Place::Query => return self.query.map_or(Command::Noop, Query::command).render(out),
            _ => "",
        };
        let lmtp = self.is_lmtp() && place == Place::Ehlo;
        out.put(if lmtp { b"LHLO " } else { beginning(place) });
        out.put(argument.as_bytes());
        if matches!(place, Place::Mail | Place::Rcpt) {
            out.put(b">");
            #[cfg(feature = "extensions")]
            self.render_parameters(place, out);
        }
        out.put(b"\r\n");
    }

    /// The recipient whose turn it is.
    fn recipient(&self) -> Option<&Recipient<'_>> {
        let number = self.session.sent.wrapping_sub(FIRST_RECIPIENT);
        self.envelope?.recipients.get(number as usize)
    }

    /// The parameters of MAIL or RCPT.
    #[cfg(feature = "extensions")]
    fn render_parameters(&self, place: Place, out: &mut Window<'_>) {
        if place == Place::Rcpt {
            if let Some(recipient) = self.recipient() {
                recipient.parameters().render(out);
            }
        } else if let Some(envelope) = self.envelope {
            let offers_8bit = self.session.offers(Extension::EightBitMime)
                || envelope.body == Some(Body::BinaryMime);
            MailParameters {
                size: envelope
                    .size
                    .filter(|_| self.session.offers(Extension::Size)),
                // What is left out stands for 7BIT.
                body: envelope.body.filter(|_| offers_8bit),
                smtputf8: self.session.smtputf8,
                ret: envelope.ret,
                envid: envelope.envid,
                auth: None,
                #[cfg(feature = "mta")]
                handling: envelope.handling,
            }
            .render(out);
        }
    }

    /// Takes one line of a reply to what stands at `place`.
    // Alone it has enough registers.
    #[inline(never)]
    pub(super) fn take_reply(&mut self, place: Place, reply: &ReplyLine<'_>) -> Told {
        let stage = place.stage();
        let code = reply.code.get();
        let negative = code >= 400;
        let awaited = self.session.is_awaiting();
        let in_content = stage == Stage::Content;
        // A reply may come while none is due: 421 at any time, and a refusal while
        // the content is on its way.
        let on_its_way = in_content && self.session.content != Content::None;
        if !awaited && code != 421 && !(negative && on_its_way) {
            return self.misbehaved(Fault::Unsolicited);
        }
        if Keyword::ARE_KNOWN && place == Place::Ehlo && code < 300 {
            self.session.take_ehlo_line(reply);
        }
        if !reply.last {
            return Told::Reply;
        }
        if place == Place::Quit {
            self.session.close();
            return Told::Closed;
        }
        if code == 421 && !in_content {
            // The server closes, whatever was asked (RFC 5321, section 3.8).
            return self.refuse(stage, reply);
        }
        let fits = self.is_good(place, in_content, code);
        if !fits && (!negative || place == Place::Rset) {
            return self.misbehaved(Fault::UnexpectedCode);
        }
        #[cfg(feature = "mta")]
        if place == Place::Content && awaited && self.is_lmtp() {
            return self.take_recipient_verdict(reply);
        }
        #[cfg(feature = "mta")]
        if place == Place::Rcpt && fits && awaited {
            let index = self.session.answered.wrapping_sub(FIRST_RECIPIENT);
            self.session.tally.accept(index as usize);
        }
        self.session.answered = self.session.answered.wrapping_add(u32::from(awaited));
        let lmtp = self.is_lmtp();
        let session = &mut self.session;
        let wanted = session.failed_at.is_none();
        let told = match place {
            Place::Greeting if fits => {
                session.step(Step::Greet);
                session.begin(Place::Ehlo);
                return Told::Reply;
            }
            Place::Ehlo | Place::Helo if fits => {
                session.step(Step::Hello);
                return self.choose_next();
            }
            // No ESMTP: RFC 5321, section 3.2 wants HELO. Without extensions
            // there is no STARTTLS either.
            Place::Ehlo if code >= 500 && !lmtp => {
                if self.wants_starttls() {
                    return self.unmet(Requirement::StartTls);
                }
                self.session.begin(Place::Helo);
                return Told::Reply;
            }
            #[cfg(feature = "starttls")]
            Place::StartTls if fits => {
                session.step(Step::AgreeTls);
                session.begin(Place::Handshake);
                return Told::StartTls;
            }
            #[cfg(feature = "auth")]
            Place::Auth if fits => return self.take_challenge(reply),
            Place::Greeting | Place::Ehlo | Place::Helo => return self.refuse(stage, reply),
            #[cfg(feature = "starttls")]
            Place::StartTls => return self.refuse(stage, reply),
            #[cfg(feature = "auth")]
            Place::Auth => return self.refuse(stage, reply),
            Place::Rset => {
                session.step(Step::Reset);
                return Told::Reply;
            }
            Place::Mail => {
                if fits {
                    session.step(Step::Mail);
                } else {
                    session.failed_at = Some(stage);
                }
                Told::Sender
            }
            Place::Rcpt => {
                if fits && wanted {
                    session.step(Step::Recipient);
                }
                if wanted && self.place(self.session.answered) != place {
                    self.session.end_recipients();
                }
                Told::Recipient
            }
            Place::Data if fits => {
                session.step(Step::GoAhead);
                if wanted {
                    session.content = Content::Open;
                    return Told::Content;
                }
                // Nobody is to get it: an empty message (RFC 2920, section 3.1).
                session.content = Content::Complete;
                return Told::Reply;
            }
            Place::Data if wanted => {
                session.failed_at = Some(stage);
                session.end_transaction();
                return Told::Rejected;
            }
            Place::Data => Told::Reply,
            // The reply to a chunk is no verdict yet, but one that comes before its
            // end is.
            #[cfg(feature = "chunking")]
            Place::Chunk if awaited && code != 421 => {
                if negative && wanted {
                    session.failed_at = Some(stage);
                    Told::ChunkRefused
                } else {
                    if wanted {
                        session.step(Step::GoAhead);
                        session.step(Step::Chunk);
                    }
                    Told::Reply
                }
            }
            #[cfg(feature = "query")]
            Place::Query => {
                if self.query == Some(Query::RSET) && code < 300 {
                    session.step(Step::Reset);
                    session.dirty = false;
                }
                session.begin(Place::Idle);
                if code == 220 && self.query.is_some_and(Query::begins_anew) {
                    session.begin_anew();
                }
                return Told::Answer;
            }
            _ => return self.take_verdict(place, awaited, reply),
        };
        self.session.settle();
        told
    }

    /// Whether the code says that the server goes along with what stands at `place`.
    fn is_good(&self, place: Place, in_content: bool, code: u16) -> bool {
        let awaited = match place {
            Place::Greeting => 220,
            #[cfg(feature = "starttls")]
            Place::StartTls => 220,
            Place::Ehlo | Place::Helo => 250,
            #[cfg(feature = "auth")]
            Place::Auth if code == 235 => 235,
            #[cfg(feature = "auth")]
            Place::Auth => 334,
            Place::Data => 354,
            #[cfg(feature = "query")]
            Place::Query => code,
            // A greeting or a goodbye is no verdict.
            _ if in_content && matches!(code, 220 | 221) => 0,
            _ if code < 300 => code,
            _ => 0,
        };
        // LMTP must refuse a message for nobody (RFC 2033, section 4.2).
        let senseless = place == Place::Data
            && match self.session.failed_at {
                None => false,
                Some(stage) => stage == Stage::Mail || self.is_lmtp(),
            };
        code == awaited && !senseless
    }

    /// Whether STARTTLS is still to be done before anything else is said.
    fn wants_starttls(&self) -> bool {
        self.config.security == Security::StartTls && !self.session.tls
    }

    /// After EHLO or HELO: TLS, then AUTH, then work.
    fn choose_next(&mut self) -> Told {
        let requirement = if self.wants_starttls() {
            if self.session.offers(Extension::StartTls) {
                #[cfg(feature = "starttls")]
                self.session.begin(Place::StartTls);
                return Told::Reply;
            }
            Requirement::StartTls
        } else if self.config.credentials.is_some() {
            match self.begin_authentication() {
                Ok(()) => return Told::Reply,
                Err(requirement) => requirement,
            }
        } else {
            self.session.begin(Place::Idle);
            return Told::Ready;
        };
        self.unmet(requirement)
    }

    /// Fails since the server lacks something; QUIT is still polite.
    #[cold]
    #[inline(never)]
    fn unmet(&mut self, requirement: Requirement) -> Told {
        self.session.begin(Place::Idle);
        self.session.result = Err(Error::Unmet(requirement));
        Told::Failed
    }

    /// Takes the verdict on the content. If it was not awaited, the server
    /// refuses in the middle of the content, and what is still on its way would
    /// be taken for commands.
    fn take_verdict(&mut self, place: Place, awaited: bool, reply: &ReplyLine<'_>) -> Told {
        let session = &mut self.session;
        // The verdict on the message before ends no transaction: the next is open.
        let earlier = place.is_earlier();
        let chunked = session.chunks.are_used() && !earlier;
        if chunked && awaited && reply.is_positive() && session.failed_at == Some(Stage::Content) {
            // A chunk was refused, so the server must not take the last one (RFC 3030,
            // section 2); what it has taken nobody knows.
            session.failed_at = None;
            session.answered = session.answered.wrapping_sub(1);
            return self.misbehaved(Fault::UnexpectedCode);
        }
        let wanted = session.failed_at.is_none();
        if wanted && chunked {
            session.step(Step::GoAhead);
        }
        if wanted || !chunked {
            session.step(Step::Complete);
            session.step(Step::Judge);
        }
        if !earlier {
            session.end_transaction();
        }
        if !awaited || reply.code.get() == 421 {
            self.refuse(Stage::Content, reply);
            self.session.close();
        }
        if reply.is_positive() && wanted {
            Told::Delivered
        } else if wanted {
            Told::Rejected
        } else {
            Told::NotDelivered
        }
    }

    /// Whether it speaks LMTP.
    const fn is_lmtp(&self) -> bool {
        #[cfg(feature = "mta")]
        return self.config.lmtp;
        #[cfg(not(feature = "mta"))]
        false
    }

    /// Takes the verdict for one recipient, in LMTP (RFC 2033, section 4.2).
    #[cfg(feature = "mta")]
    fn take_recipient_verdict(&mut self, reply: &ReplyLine<'_>) -> Told {
        if reply.code.get() == 421 {
            return self.refuse(Stage::Content, reply);
        }
        let session = &mut self.session;
        let (index, more) = session.tally.judge();
        if !more {
            session.answered = session.answered.wrapping_add(1);
            session.step(Step::Complete);
            session.step(Step::Judge);
            session.end_transaction();
        }
        Told::Verdict { index, last: !more }
    }

    /// The server wants no more of this session.
    fn refuse(&mut self, stage: Stage, reply: &ReplyLine<'_>) -> Told {
        let session = &mut self.session;
        session.result = Err(Error::Refused {
            stage,
            code: reply.code,
            enhanced: reply.enhanced,
        });
        // After 421 the server closes; else QUIT is still polite.
        if reply.code.get() == 421 {
            session.close();
        } else {
            match stage {
                Stage::Greeting => session.step(Step::TurnAway),
                Stage::Auth => session.step(Step::DenyAuthentication),
                _ => {}
            }
            session.begin(Place::Idle);
        }
        Told::Refused
    }
}

/// What the command at a place begins with.
fn beginning(place: Place) -> &'static [u8] {
    let number = place as usize;
    let bounds = (BOUNDS.get(number), BOUNDS.get(number.wrapping_add(1)));
    let (Some(start), Some(end)) = bounds else {
        return b"";
    };
    let range = usize::from(*start)..usize::from(*end);
    TEXT.get(range).unwrap_or_default()
}

/// The beginnings of the commands, in the order of their places.
const BEGINNINGS: &[&str] = &[
    "EHLO ",
    "HELO ",
    #[cfg(feature = "starttls")]
    "STARTTLS",
    "QUIT",
    "RSET",
    "MAIL FROM:<",
    "RCPT TO:<",
    "DATA",
];

/// All of them in a row: with two pointers each they would take more flash.
static TEXT: [u8; LENGTH] = {
    let mut text = [0; LENGTH];
    let (mut number, mut to) = (0, 0);
    while number < BEGINNINGS.len() {
        let from = BEGINNINGS[number].as_bytes();
        let mut at = 0;
        while at < from.len() {
            text[to] = from[at];
            (at, to) = (at + 1, to + 1);
        }
        number += 1;
    }
    text
};

/// Where each begins in [`TEXT`], and where the last one ends.
static BOUNDS: [u8; BEGINNINGS.len() + 1] = {
    let mut bounds = [0; BEGINNINGS.len() + 1];
    let mut number = 0;
    while number < BEGINNINGS.len() {
        bounds[number + 1] = bounds[number] + BEGINNINGS[number].len() as u8;
        number += 1;
    }
    bounds
};

const LENGTH: usize = {
    let (mut length, mut number) = (0, 0);
    while number < BEGINNINGS.len() {
        length += BEGINNINGS[number].len();
        number += 1;
    }
    length
};

impl Session {
    /// The server has greeted anew: all that was said before is void.
    #[cfg(feature = "query")]
    fn begin_anew(&mut self) {
        self.step(Step::Introduce);
        self.step(Step::Greet);
        self.dirty = false;
        self.capabilities = Capabilities::NONE;
        #[cfg(feature = "scram")]
        {
            // A nonce must not come up twice.
            self.material.entropy = None;
        }
        self.begin(Place::Ehlo);
    }

    /// What the envelope needs and the server lacks.
    fn lacks(&self, envelope: &Envelope<'_>, chunking: bool) -> Option<Requirement> {
        if envelope.recipients.is_empty() || envelope.recipients.len() > 65_000 {
            return Some(Requirement::Recipient);
        }
        if envelope.needs_smtputf8() && !self.offers(Extension::SmtpUtf8) {
            return Some(Requirement::SmtpUtf8);
        }
        #[cfg(feature = "extensions")]
        return self.lacks_extension(envelope, chunking);
        #[cfg(not(feature = "extensions"))]
        {
            let _ = chunking;
            None
        }
    }

    /// Which extension the envelope needs and the server lacks.
    #[cfg(feature = "extensions")]
    fn lacks_extension(&self, envelope: &Envelope<'_>, chunking: bool) -> Option<Requirement> {
        let max_size = self.capabilities.max_size;
        let too_large = envelope.size.is_some_and(|size| size > max_size);
        if self.offers(Extension::Size) && max_size > 0 && too_large {
            return Some(Requirement::Size);
        }
        if envelope.needs_dsn() && !self.offers(Extension::Dsn) {
            return Some(Requirement::Dsn);
        }
        match envelope.body {
            Some(Body::EightBitMime) if !self.offers(Extension::EightBitMime) => {
                return Some(Requirement::EightBitMime);
            }
            Some(Body::BinaryMime) if !(chunking && self.offers(Extension::BinaryMime)) => {
                return Some(Requirement::BinaryMime);
            }
            _ => {}
        }
        #[cfg(feature = "mta")]
        return self.unmet_handling(&envelope.handling);
        #[cfg(not(feature = "mta"))]
        None
    }

    /// Every recipient was answered, and the transaction has not failed so far.
    fn end_recipients(&mut self) {
        if self.state == State::Mail {
            // Nobody was accepted.
            self.failed_at = Some(Stage::Rcpt);
        } else if self.chunks.are_used() && self.content == Content::None {
            self.content = Content::Open;
            #[cfg(feature = "chunking")]
            {
                self.chunks.tell_content = true;
            }
        }
    }

    /// Reads one line of a positive EHLO reply.
    // Kept out of the registers of the caller.
    #[cfg_attr(any(feature = "memchr", feature = "extensions"), inline(never))]
    fn take_ehlo_line(&mut self, reply: &ReplyLine<'_>) {
        if self.lines == 1 {
            // The first line holds the server's name.
            self.capabilities = Capabilities::NONE;
        } else {
            ehlo::parse_line(reply.text, &mut self.capabilities);
        }
    }

    /// Ends a failed transaction once nothing of it is under way.
    pub(super) fn settle(&mut self) {
        let quiet = !self.is_awaiting() && self.offset == 0 && !self.chunks.is_open();
        if self.failed_at.is_some() && quiet {
            self.tell_failure = true;
            self.end_transaction();
        }
    }

    fn end_transaction(&mut self) {
        // A transaction that the server has open must be reset before the next.
        self.dirty = matches!(
            self.state,
            State::Mail | State::Recipients | State::Chunking
        );
        self.content = Content::None;
        #[cfg(feature = "chunking")]
        {
            self.chunks.tell_content = false;
        }
        self.begin(Place::Idle);
    }

    /// Moves the session along the transition table.
    pub(super) fn step(&mut self, step: Step) {
        #[cfg(test)]
        crate::state::taken::note(self.state, step);
        debug_assert!(
            self.state.next(step).is_some(),
            "{step:?} in {:?}",
            self.state
        );
        self.state = step.target();
    }
}
