//! The writer: a table of steps, each rendered segment by segment.

use super::address::Address;
use super::attachment::{Attachment, Content};
use super::base64::{self, Group};
use super::body::{self, Encoding};
use super::error::WriteError;
use super::octets::trim;
use super::text::{self, Kind, Mode, Source, Spot};
use super::{Builder, Message};
use crate::wire::window::Window;

/// Writes a [`Message`] piece by piece into output slices of any size. It holds
/// a [`Position`] and nothing of the message.
#[derive(Debug)]
pub struct Writer<'m, 'a> {
    message: &'m Message<'a>,
    position: Position,
}

/// What the writer did, or needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "the bytes written must be sent, and an attachment that is needed must be given"]
pub enum Progress {
    /// So many bytes at the start of the output slice are the next of the message.
    Written(usize),
    /// The content of the attachment with this number (from 0) comes next. Give
    /// it with [`Writer::attachment`], then say [`Writer::attachment_end`].
    /// Inline attachments come first if there is an HTML body.
    NeedAttachment(usize),
    /// The message is complete.
    Done,
}

/// Where a writer is in its message. It borrows nothing, so it can be kept
/// where the message can not, for instance in an object of another language.
#[derive(Clone, Copy, Debug, Default)]
pub struct Position {
    /// Index into [`STEPS`].
    step: u8,
    phase: Phase,
    /// How the current header text is written.
    mode: Option<Mode>,
    /// The writer failed.
    failed: bool,
    /// Octets that wait for the rest of their group.
    group: Group,
    /// The number of the address, extra header or attachment.
    index: usize,
    /// The offset in the current text or content, and the column; for a file
    /// name in pieces the column is the number of the piece.
    spot: Spot,
    /// How much of the current segment was emitted.
    skip: usize,
}

impl<'m, 'a> Writer<'m, 'a> {
    /// A writer at the start of the message.
    pub fn new(message: &'m Message<'a>) -> Self {
        Self::resume(message, Position::default())
    }

    /// A writer that goes on where another one was, in the same message. With
    /// another message the output is meaningless, but nothing worse happens.
    pub fn resume(message: &'m Message<'a>, position: Position) -> Self {
        Self { message, position }
    }

    /// Where this writer is.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Fills `out` with the next bytes of the message. Writes as much as fits;
    /// `Written(0)` comes only for an empty `out`. Asked again after
    /// [`Progress::NeedAttachment`] or [`Progress::Done`] it answers the same.
    ///
    /// # Errors
    /// A size mismatch was found earlier: what was written is no whole message.
    pub fn next(&mut self, out: &mut [u8]) -> Result<Progress, WriteError> {
        self.fill(out, false)
    }

    /// Takes octets of the attachment that was asked for and writes them into
    /// `out`. Returns how many were read and how many bytes were written; it
    /// stops when either slice is used up.
    ///
    /// # Errors
    /// No attachment was asked for, or it has more octets than declared.
    pub fn attachment(
        &mut self,
        input: &[u8],
        out: &mut [u8],
    ) -> Result<(usize, usize), WriteError> {
        let size = self.streamed()?;
        let (read, written) = self.position.encode(input, out);
        self.position.spot.at = self.position.spot.at.saturating_add(read);
        if size.is_some_and(|size| self.position.spot.at > size) {
            return self.mismatch();
        }
        Ok((read, written))
    }

    /// Ends the content of the attachment that was asked for. Then go on with
    /// [`next`](Self::next), which writes what is still held back.
    ///
    /// # Errors
    /// No attachment was asked for, or it has fewer octets than declared.
    pub fn attachment_end(&mut self) -> Result<(), WriteError> {
        let size = self.streamed()?;
        if size.is_some_and(|size| self.position.spot.at != size) {
            return self.mismatch();
        }
        self.position.phase = Phase::Flush;
        Ok(())
    }

    /// The length of what is still to be written, by a dry run in which the
    /// content of attachments is calculated and not read.
    pub(super) fn measure(mut self) -> Option<u64> {
        let mut out = [0; 64];
        let mut length = 0_u64;
        loop {
            match self.fill(&mut out, true).ok()? {
                Progress::Written(n) => length = length.checked_add(n as u64)?,
                Progress::NeedAttachment(index) => {
                    let size = self.message.parts.attachments.get(index)?.size()?;
                    length = length.checked_add(base64::encoded_len(size))?;
                    self.position.phase = Phase::Flush;
                }
                Progress::Done => return Some(length),
            }
        }
    }

    /// The declared size of the attachment that was asked for.
    fn streamed(&self) -> Result<Option<usize>, WriteError> {
        if self.position.failed {
            return self.failure();
        }
        let index = self.position.index;
        match self.message.parts.attachments.get(index).map(|a| a.content) {
            Some(Content::Streamed { size })
                if self.position.phase == Phase::Content
                    && matches!(self.position.step(), Step::Inline | Step::Attached) =>
            {
                Ok(size)
            }
            _ => Err(WriteError::NotAsked),
        }
    }

    fn mismatch<T>(&mut self) -> Result<T, WriteError> {
        self.position.failed = true;
        self.failure()
    }

    fn failure<T>(&self) -> Result<T, WriteError> {
        Err(WriteError::SizeMismatch {
            attachment: self.position.index,
        })
    }

    /// `dry` asks for the content of every attachment.
    fn fill(&mut self, out: &mut [u8], dry: bool) -> Result<Progress, WriteError> {
        if self.position.failed {
            return self.failure();
        }
        let mut written = 0;
        loop {
            let room = out.get_mut(written..).unwrap_or_default();
            let (more, state) = self.segment(room, dry);
            written += more;
            return Ok(match state {
                State::Finished => continue,
                State::Cut => Progress::Written(written),
                _ if written > 0 => Progress::Written(written),
                State::Need => Progress::NeedAttachment(self.position.index),
                State::Done => Progress::Done,
            });
        }
    }

    /// Writes one segment, or what is left of it, as far as it fits.
    fn segment(&mut self, out: &mut [u8], dry: bool) -> (usize, State) {
        let message = self.message;
        let position = &mut self.position;
        let step = position.step();
        match (step, position.phase) {
            (Step::Done, _) => (0, State::Done),
            (Step::Text, Phase::Content) if message.text_encoding == Encoding::Base64 => {
                position.encode_text(message.parts.text, out)
            }
            (Step::Html, Phase::Content) if message.html_encoding == Encoding::Base64 => {
                position.encode_text(message.parts.html, out)
            }
            (Step::Inline | Step::Attached, Phase::Content) => {
                match message.parts.attachments.get(position.index) {
                    Some(Attachment {
                        content: Content::Bytes(bytes),
                        ..
                    }) if !dry => {
                        let rest = bytes.get(position.spot.at..).unwrap_or_default();
                        let (read, written) = position.encode(rest, out);
                        position.spot.at += read;
                        if read < rest.len() {
                            return (written, State::Cut);
                        }
                        position.phase = Phase::Flush;
                        (written, State::Finished)
                    }
                    _ => (0, State::Need),
                }
            }
            (_, Phase::Flush) => {
                if !position.group.is_empty() {
                    let (written, finished) = position.put_group(out);
                    if !finished {
                        return (written, State::Cut);
                    }
                    position.end_flush(step);
                    return (written, State::Finished);
                }
                position.end_flush(step);
                (0, State::Finished)
            }
            _ => {
                let mut next = *position;
                let mut w = Window::new(position.skip, out);
                next.render(step, message, &mut w);
                let written = w.written();
                if w.finished() {
                    next.skip = 0;
                    *position = next;
                    (written, State::Finished)
                } else {
                    position.skip += written;
                    (written, State::Cut)
                }
            }
        }
    }
}

impl Message<'_> {
    pub(super) fn put_message_id(&self, w: &mut Window<'_>) {
        w.put(b"<");
        self.put_entropy(w);
        w.put(b"@");
        w.put(self.parts.domain.as_bytes());
        w.put(b">");
    }

    fn put_entropy(&self, w: &mut Window<'_>) {
        for b in self.entropy {
            w.put(&[text::hex_digit(b >> 4), text::hex_digit(b & 15)]);
        }
    }

    /// `=_` can be in no base64 and no quoted-printable body, and
    /// [`Encoding::of`] keeps it from the start of a line of a 7bit body. The
    /// letter makes nested boundaries distinct.
    fn put_boundary(&self, level: u8, w: &mut Window<'_>) {
        w.put(b"=_");
        w.put(&[level]);
        self.put_entropy(w);
    }

    fn put_delimiter(&self, level: Option<u8>, w: &mut Window<'_>) {
        if let Some(level) = level {
            w.put(b"\r\n--");
            self.put_boundary(level, w);
            w.put(b"\r\n");
        }
    }
}

impl<'a> Builder<'a> {
    /// The text part; an empty one if there would be no part at all.
    fn text_part(&self) -> Option<&'a str> {
        match (self.text, self.html) {
            (None, None) if self.attachments.is_empty() => Some(""),
            (text, _) => text,
        }
    }

    fn is_related(&self, attachment: &Attachment<'_>) -> bool {
        self.html.is_some() && attachment.content_id.is_some()
    }
}

/// Which multiparts a message has: the letters of their boundaries.
#[derive(Clone, Copy, Debug)]
pub(super) struct Levels {
    mixed: Option<u8>,
    alternative: Option<u8>,
    related: Option<u8>,
}

impl Levels {
    pub(super) fn of(parts: &Builder<'_>) -> Self {
        let (mut mixed, mut related) = (None, None);
        for attachment in parts.attachments {
            match parts.is_related(attachment) {
                true => related = Some(b'R'),
                false => mixed = Some(b'M'),
            }
        }
        let alternative = parts.text.is_some() && parts.html.is_some();
        Self {
            mixed,
            alternative: alternative.then_some(b'A'),
            related,
        }
    }
}

/// What comes after what in a message.
const STEPS: [Step; 24] = [
    Step::Date,
    Step::From,
    Step::Sender,
    Step::ReplyTo,
    Step::To,
    Step::Cc,
    Step::Subject,
    Step::MessageId,
    Step::InReplyTo,
    Step::References,
    Step::Extra,
    Step::MimeVersion,
    Step::Mixed,
    Step::Alternative,
    Step::Text,
    Step::Related,
    Step::Html,
    Step::Inline,
    Step::RelatedEnd,
    Step::AlternativeEnd,
    Step::Attached,
    Step::MixedEnd,
    Step::LastLine,
    Step::Done,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Date,
    From,
    Sender,
    ReplyTo,
    To,
    Cc,
    Subject,
    MessageId,
    InReplyTo,
    References,
    Extra,
    MimeVersion,
    Mixed,
    Alternative,
    Text,
    Related,
    Html,
    Inline,
    RelatedEnd,
    AlternativeEnd,
    Attached,
    MixedEnd,
    LastLine,
    Done,
}

/// Where in a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Start,
    /// In the text of a header; in the Content-Type of an attachment.
    Value,
    /// Before the mailbox of an address; in the Content-ID of an attachment.
    Identifier,
    /// In the file name of an attachment.
    FileName,
    /// In the body of a part.
    Content,
    /// After the body: what is left in the base64 group.
    Flush,
}

enum State {
    Finished,
    Cut,
    Need,
    Done,
}

impl Position {
    fn step(&self) -> Step {
        STEPS
            .get(usize::from(self.step))
            .copied()
            .unwrap_or(Step::Done)
    }

    /// The next step.
    fn advance(&mut self) {
        *self = Self {
            step: self.step.saturating_add(1),
            spot: Spot {
                at: 0,
                column: self.spot.column,
            },
            ..Self::default()
        };
    }

    /// The next extra header or attachment of the same step.
    fn advance_index(&mut self) {
        self.index += 1;
        self.phase = Phase::Start;
        self.spot.at = 0;
    }

    fn end_flush(&mut self, step: Step) {
        match step {
            Step::Inline | Step::Attached => self.advance_index(),
            _ => self.advance(),
        }
    }

    /// Renders the current segment and moves on to the next.
    fn render(&mut self, step: Step, message: &Message<'_>, w: &mut Window<'_>) {
        let parts = &message.parts;
        let Levels {
            mixed,
            alternative,
            related,
        } = message.levels;
        let in_alternative = alternative.or(mixed);
        let in_related = related.or(in_alternative);
        match step {
            Step::Date => {
                if let Some(date) = parts.date {
                    w.put(b"Date: ");
                    date.put(w);
                    w.put(b"\r\n");
                }
                self.advance();
            }
            Step::From => self.addresses("From", parts.from, w),
            Step::Sender => self.addresses("Sender", parts.sender.as_slice(), w),
            Step::ReplyTo => self.addresses("Reply-To", parts.reply_to, w),
            Step::To => self.addresses("To", parts.to, w),
            Step::Cc => self.addresses("Cc", parts.cc, w),
            Step::Subject => self.text("Subject", parts.subject, Kind::Unstructured, w),
            Step::MessageId => {
                // "Message-ID:", a space, and the identifier's "<", "@" and ">".
                let mut column = 11;
                w.put(b"Message-ID:");
                text::fold(1 + 32 + 3 + parts.domain.len(), &mut column, w);
                w.put(b" ");
                message.put_message_id(w);
                w.put(b"\r\n");
                self.advance();
            }
            Step::InReplyTo => self.text("In-Reply-To", parts.in_reply_to, Kind::Structured, w),
            Step::References => self.text("References", parts.references, Kind::Structured, w),
            Step::Extra => match parts.headers.get(self.index) {
                Some((name, value)) => self.text(name, Some(value), Kind::Unknown, w),
                None => self.advance(),
            },
            Step::MimeVersion => {
                w.put(b"MIME-Version: 1.0\r\n");
                self.advance();
            }
            Step::Mixed => self.multipart(message, b"mixed", mixed, None, w),
            Step::Alternative => self.multipart(message, b"alternative", alternative, mixed, w),
            Step::Related => self.multipart(message, b"related", related, in_alternative, w),
            Step::Text => {
                let (text, encoding) = (parts.text_part(), message.text_encoding);
                self.body(message, b"plain", text, encoding, in_alternative, w);
            }
            Step::Html => {
                let (html, encoding) = (parts.html, message.html_encoding);
                self.body(message, b"html", html, encoding, in_related, w);
            }
            Step::Inline | Step::Attached => match parts.attachments.get(self.index) {
                None => self.advance(),
                Some(attachment) => {
                    let inline = step == Step::Inline;
                    if parts.is_related(attachment) == inline {
                        let level = if inline { related } else { mixed };
                        self.attachment(message, attachment, level, w);
                    } else {
                        self.advance_index();
                    }
                }
            },
            Step::RelatedEnd => self.multipart_end(message, related, w),
            Step::AlternativeEnd => self.multipart_end(message, alternative, w),
            Step::MixedEnd => self.multipart_end(message, mixed, w),
            Step::LastLine => {
                if self.spot.column > 0 {
                    w.put(b"\r\n");
                }
                self.advance();
            }
            Step::Done => {}
        }
    }

    fn header_start(&mut self, name: &str, w: &mut Window<'_>) {
        w.put(name.as_bytes());
        w.put(b":");
        self.spot = Spot {
            at: 0,
            column: name.len() + 1,
        };
        self.phase = Phase::Value;
        self.mode = None;
    }

    /// A token of the text, or nothing at its end.
    fn token(&mut self, source: Source<'_>, kind: Kind, w: &mut Window<'_>) -> bool {
        if source.is_end(self.spot.at) {
            return false;
        }
        let mode = self.mode.unwrap_or_else(|| source.mode(kind));
        self.mode = Some(mode);
        source.put_token(mode, &mut self.spot, w);
        true
    }

    fn text(&mut self, name: &str, text: Option<&str>, kind: Kind, w: &mut Window<'_>) {
        let Some(text) = text else {
            return self.advance();
        };
        let source = Source::new(trim(text), false);
        if self.phase == Phase::Start {
            self.header_start(name, w);
        } else if !self.token(source, kind, w) {
            w.put(b"\r\n");
            match self.step() {
                Step::Extra => self.advance_index(),
                _ => self.advance(),
            }
        }
    }

    fn addresses(&mut self, name: &str, addresses: &[Address<'_>], w: &mut Window<'_>) {
        let Some(address) = addresses.get(self.index) else {
            return self.advance();
        };
        if self.phase == Phase::Start {
            self.header_start(name, w);
        } else if !self.token(address.source(), Kind::Phrase, w) {
            let named = self.spot.at > 0;
            let last = self.index + 1 == addresses.len();
            let mailbox = address.mailbox().as_bytes();
            let length = 1 + mailbox.len() + if named { 2 } else { 0 } + usize::from(!last);
            text::fold(length, &mut self.spot.column, w);
            w.put(if named { b" <" } else { b" " });
            w.put(mailbox);
            w.put(if named { b">" } else { b"" });
            w.put(if last { b"\r\n" } else { b"," });
            self.index += 1;
            self.mode = None;
            self.spot.at = 0;
        }
    }

    /// The headers of a multipart, if this message has it.
    fn multipart(
        &mut self,
        message: &Message<'_>,
        subtype: &[u8],
        level: Option<u8>,
        parent: Option<u8>,
        w: &mut Window<'_>,
    ) {
        if let Some(level) = level {
            message.put_delimiter(parent, w);
            w.put(b"Content-Type: multipart/");
            w.put(subtype);
            w.put(b";\r\n boundary=\"");
            message.put_boundary(level, w);
            w.put(b"\"\r\n");
        }
        self.advance();
    }

    fn multipart_end(&mut self, message: &Message<'_>, level: Option<u8>, w: &mut Window<'_>) {
        if let Some(level) = level {
            w.put(b"\r\n--");
            message.put_boundary(level, w);
            w.put(b"--");
            self.spot.column = 1;
        }
        self.advance();
    }

    /// A text part in 7bit or quoted-printable; for base64 its headers only.
    fn body(
        &mut self,
        message: &Message<'_>,
        subtype: &[u8],
        text: Option<&str>,
        encoding: Encoding,
        parent: Option<u8>,
        w: &mut Window<'_>,
    ) {
        let Some(text) = text else {
            return self.advance();
        };
        if self.phase == Phase::Start {
            message.put_delimiter(parent, w);
            w.put(b"Content-Type: text/");
            w.put(subtype);
            w.put(b"; charset=utf-8\r\nContent-Transfer-Encoding: ");
            w.put(encoding.name());
            w.put(b"\r\n\r\n");
            self.phase = Phase::Content;
            self.spot = Spot::default();
        } else if self.spot.at < text.len() {
            let (at, line_ended) = match encoding {
                Encoding::SevenBit => body::put_plain(text.as_bytes(), self.spot.at, w),
                _ => body::put_quoted(text.as_bytes(), self.spot.at, w),
            };
            self.spot = Spot {
                at,
                column: usize::from(!line_ended),
            };
        } else {
            self.advance();
        }
    }

    /// The headers of an attachment.
    fn attachment(
        &mut self,
        message: &Message<'_>,
        attachment: &Attachment<'_>,
        parent: Option<u8>,
        w: &mut Window<'_>,
    ) {
        let file_name = Source::new(attachment.file_name, false);
        match self.phase {
            Phase::Start => {
                message.put_delimiter(parent, w);
                self.header_start("Content-Type", w);
            }
            Phase::Value => {
                let source = Source::new(attachment.content_type, false);
                if self.token(source, Kind::Structured, w) {
                    return;
                }
                // Readers that do not know RFC 2231 find a name here.
                w.put(b";\r\n name=\"");
                attachment.fallback_name().for_each(|b| w.put(&[b]));
                w.put(b"\"\r\nContent-Transfer-Encoding: base64\r\n");
                self.phase = Phase::Identifier;
            }
            Phase::Identifier => {
                if let Some(id) = attachment.content_id {
                    let mut column = 11;
                    w.put(b"Content-ID:");
                    text::fold(3 + id.len(), &mut column, w);
                    w.put(b" <");
                    w.put(id.as_bytes());
                    w.put(b">\r\nContent-Disposition: inline");
                } else {
                    w.put(b"Content-Disposition: attachment");
                }
                self.spot = Spot::default();
                self.phase = Phase::FileName;
            }
            _ if file_name.is_end(self.spot.at) => {
                w.put(b"\r\n\r\n");
                self.spot = Spot::default();
                self.phase = Phase::Content;
            }
            _ if attachment.is_plain_name() => {
                w.put(b";\r\n filename=\"");
                w.put(attachment.file_name.as_bytes());
                w.put(b"\"");
                self.spot.at = attachment.file_name.len();
            }
            _ => self.file_name_piece(file_name, w),
        }
    }

    /// A piece of a file name that is not plain: RFC 2231, sections 3 and 4.
    fn file_name_piece(&mut self, file_name: Source<'_>, w: &mut Window<'_>) {
        /// Characters that fit into a line with ` filename*=utf-8''` and with
        /// ` filename*99*=utf-8''`, and a semicolon at the end.
        const WHOLE: usize = 59;
        const PIECE: usize = 55;
        let mut unseen = Window::new(0, &mut []);
        let whole = file_name.put_percent(0, WHOLE, &mut unseen);
        w.put(b";\r\n filename*");
        if file_name.is_end(whole) {
            w.put(b"=utf-8''");
            self.spot.at = file_name.put_percent(0, WHOLE, w);
            return;
        }
        let number = self.spot.column;
        if number > 9 {
            w.put(&[b'0' + (number / 10 % 10) as u8]);
        }
        w.put(&[b'0' + (number % 10) as u8]);
        w.put(if number == 0 { b"*=utf-8''" } else { b"*=" });
        self.spot.at = file_name.put_percent(self.spot.at, PIECE, w);
        self.spot.column += 1;
    }

    /// A text part in base64, with its line ends normalised.
    fn encode_text(&mut self, text: Option<&str>, out: &mut [u8]) -> (usize, State) {
        const LINE_END: &[u8] = b"\r\n";
        let text = text.unwrap_or_default().as_bytes();
        let mut written = 0;
        loop {
            let room = out.get_mut(written..).unwrap_or_default();
            let (run, line_end) = body::split_run(text, self.spot.at);
            if !run.is_empty() {
                let (read, more) = self.encode(run, room);
                written += more;
                self.spot.at += read;
                if read < run.len() {
                    return (written, State::Cut);
                }
            } else if line_end > 0 {
                let rest = LINE_END.get(self.index..).unwrap_or_default();
                let (read, more) = self.encode(rest, room);
                written += more;
                self.index += read;
                if read < rest.len() {
                    return (written, State::Cut);
                }
                self.index = 0;
                self.spot.at += line_end;
            } else {
                self.phase = Phase::Flush;
                return (written, State::Finished);
            }
        }
    }

    /// Encodes octets in base64 until the input or the output is used up;
    /// returns how many were read and written.
    fn encode(&mut self, input: &[u8], out: &mut [u8]) -> (usize, usize) {
        let (mut read, mut written) = (0, 0);
        loop {
            while !self.group.is_full() {
                let Some(&octet) = input.get(read) else {
                    return (read, written);
                };
                self.group.push(octet);
                read += 1;
            }
            let room = out.get_mut(written..).unwrap_or_default();
            let (more, finished) = self.put_group(room);
            written += more;
            if !finished {
                return (read, written);
            }
        }
    }

    /// Writes a group of base64, on a new line if the last one is full.
    fn put_group(&mut self, out: &mut [u8]) -> (usize, bool) {
        let mut w = Window::new(self.skip, out);
        let full = self.spot.column == 76;
        if full {
            w.put(b"\r\n");
        }
        w.put(&self.group.characters());
        let written = w.written();
        if !w.finished() {
            self.skip += written;
            return (written, false);
        }
        self.skip = 0;
        self.spot.column = if full { 4 } else { self.spot.column + 4 };
        self.group = Group::default();
        (written, true)
    }
}
