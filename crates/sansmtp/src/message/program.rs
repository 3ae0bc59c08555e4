//! What a message consists of, and how each part is written.

use super::attachment::{Attachment, Content};
use super::body::{self, Encoding};
use super::octets::trim;
use super::pen::Pen;
use super::text::{Kind, Mode, Source, hex};
use super::{Address, Builder, Message};
use crate::wire::base64;

macro_rules! header {
    () => {
        concat!(
            "dDate: %d\n|",
            "0From:%a\n|",
            "1Sender:%a\n|",
            "2Reply-To:%a\n|",
            "3To:%a\n|",
            "4Cc:%a\n|",
            "5Subject:%t\n|",
            "-Message-ID:%m\n|",
            "6In-Reply-To:%t\n|",
            "7References:%t\n|",
            "x%x:%t\n|",
            "-MIME-Version: 1.0\n|",
        )
    };
}

macro_rules! text {
    () => {
        "8%, text/plain; charset=utf-8%e\n\n%b%f|"
    };
}

macro_rules! attachment {
    () => {
        "%,%t;\n name=\"%n\"%e%iDisposition: %j%p\n\n%o%f|"
    };
}

macro_rules! last_line {
    () => {
        "-%l|"
    };
}

/// Whether there can be more than one part: HTML and attachments.
const MULTIPART: bool = cfg!(feature = "message");

/// The parts of a message, in their order. A part begins with the letter of what
/// it is about, which says how often it is written (see [`Builder::count`]), and
/// ends with `|`. A percent sign and a letter stand for what [`Rendering::put`]
/// or [`Rendering::put_next`] writes, a line feed for a line end.
const PROGRAM: &[u8] = match MULTIPART {
    true => concat!(
        header!(),
        "M%, multipart/mixed%(\n|",
        "A%, multipart/alternative%(\n|",
        text!(),
        "R%, multipart/related%(\n|",
        "9%, text/html; charset=utf-8%e\n\n%b%f|",
        concat!("I", attachment!()),
        "R%)|",
        "A%)|",
        concat!("K", attachment!()),
        "M%)|",
        last_line!(),
    ),
    false => concat!(header!(), text!(), last_line!()),
}
.as_bytes();

/// Where a writer is in its message. It borrows nothing, so it can be kept
/// where the message can not, for instance in an object of another language.
#[derive(Clone, Copy, Debug, Default)]
pub struct Position {
    /// Where the current part begins in [`PROGRAM`].
    part: u32,
    /// What comes next in [`PROGRAM`].
    step: u32,
    /// The boundary letters of the multiparts that are open, the innermost last.
    open: u32,
    /// The number of the address, extra header or attachment.
    pub(super) index: usize,
    /// The offset in the current text or content.
    pub(super) at: usize,
    pub(super) column: usize,
    /// How much of what comes next was emitted.
    pub(super) skip: usize,
    /// Octets that wait for the rest of their group.
    base64: base64::Encoder,
    /// How the current header text is written.
    mode: Option<Mode>,
    /// The writer failed.
    pub(super) failed: bool,
}

/// What comes after a step.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Another step.
    More,
    /// The content of an attachment.
    Need,
    /// Nothing.
    Done,
    /// The rest of this step: the output is full.
    Cut,
    /// An error.
    Failed,
}

impl Position {
    /// What begins with the next step.
    #[inline(never)]
    fn rest(&self) -> &'static [u8] {
        PROGRAM.get(self.step as usize..).unwrap_or_default()
    }

    /// Whether the content of an attachment comes next.
    pub(super) fn is_at_content(&self) -> bool {
        MULTIPART && matches!(self.rest(), [b'%', b'o', ..])
    }

    /// Goes on behind the octets, texts or addresses that were written.
    pub(super) fn advance(&mut self) {
        self.step = self.step.wrapping_add(2);
        self.at = 0;
        self.mode = None;
    }
}

impl<'a> Builder<'a> {
    /// How often a part is written at most.
    #[inline(never)]
    fn count(&self, part: u8) -> usize {
        let given = match part {
            b'x' => return self.headers.len(),
            b'I' | b'K' if MULTIPART => return self.attachments.len(),
            b'd' => self.date.is_some(),
            b'A' if MULTIPART => self.text_of(b'8').is_some() && self.text_of(b'9').is_some(),
            b'M' | b'R' if MULTIPART => {
                let mut all = self.attachments.iter();
                all.any(|attachment| self.is_related(attachment) == (part == b'R'))
            }
            b'-' => true,
            _ => !self.addresses(part).is_empty() || self.text_of(part).is_some(),
        };
        usize::from(given)
    }

    fn addresses(&self, part: u8) -> &'a [Address<'a>] {
        let number = usize::from(part.wrapping_sub(b'0'));
        self.addresses.get(number).copied().unwrap_or_default()
    }

    fn text_of(&self, part: u8) -> Option<&'a str> {
        let number = usize::from(part.wrapping_sub(b'5'));
        self.texts.get(number).copied().flatten()
    }

    fn is_related(&self, attachment: &Attachment<'_>) -> bool {
        self.text_of(b'9').is_some() && attachment.content_id.is_some()
    }
}

/// A part of a message on its way into a slice.
pub(super) struct Rendering<'r> {
    pub(super) message: &'r Message<'r>,
    /// What comes next of the content of a streamed attachment.
    pub(super) given: &'r [u8],
    /// Attachments in memory are not read either.
    pub(super) dry: bool,
    /// The length of the slice.
    pub(super) room: usize,
    pub(super) next: Position,
    pub(super) pen: Pen<'r>,
}

impl<'r> Rendering<'r> {
    /// Writes what comes next.
    pub(super) fn step(&mut self) -> State {
        let Some(&part) = PROGRAM.get(self.next.part as usize) else {
            return State::Done;
        };
        if self.next.step == self.next.part {
            self.begin(part);
            return State::More;
        }
        match *self.next.rest() {
            [b'%', what, ..] => match self.put_next(part, what) {
                State::Done => self.next.advance(),
                state => return state,
            },
            [b'|', ..] => {
                self.next.index = self.next.index.wrapping_add(1);
                self.next.step = self.next.part;
            }
            _ => self.literal(),
        }
        State::More
    }

    /// Begins a part, or the next one.
    fn begin(&mut self, part: u8) {
        let parts = &self.message.parts;
        let related = parts.is_related(self.attachment());
        let next = &mut self.next;
        if next.index >= parts.count(part) {
            for b in next.rest() {
                next.step = next.step.wrapping_add(1);
                if *b == b'|' {
                    break;
                }
            }
            next.part = next.step;
            next.index = 0;
        } else if MULTIPART && matches!(part, b'I' | b'K') && related != (part == b'I') {
            next.index += 1;
        } else {
            next.step += 1;
        }
    }

    /// What stands for itself.
    fn literal(&mut self) {
        for &b in self.next.rest() {
            match b {
                b'%' | b'|' => break,
                b'\n' => self.pen.end_line(),
                _ => self.pen.put(&[b]),
            }
            self.next.step = self.next.step.wrapping_add(1);
        }
    }

    /// Writes a piece of what has several, until it is done; the rest as a whole.
    fn put_next(&mut self, part: u8, what: u8) -> State {
        let more = match what {
            b'a' => self.address(part),
            b't' => self.text(part),
            b'b' => self.body(part),
            b'o' if MULTIPART => return self.content(),
            _ => {
                let last = self.put(part, what);
                self.pen.put(last);
                false
            }
        };
        match more {
            true => State::More,
            false => State::Done,
        }
    }

    /// Writes something, but for the end of it, which is returned.
    fn put(&mut self, part: u8, what: u8) -> &'r [u8] {
        let message = self.message;
        let parts = &message.parts;
        let attachment = self.attachment();
        let pen = &mut self.pen;
        match what {
            b'd' => {
                if let Some(date) = parts.date {
                    date.put(&mut pen.window);
                }
            }
            b'm' => {
                // A space, and the identifier's "<", "@" and ">".
                pen.fold(1 + 32 + 3 + parts.domain.len());
                pen.put(b" ");
                message.put_message_id(pen);
            }
            b'x' => return self.header().0.as_bytes(),
            b',' => {
                if MULTIPART && self.next.open != 0 {
                    self.boundary(b"\r\n--");
                    self.pen.end_line();
                }
                return b"Content-Type:";
            }
            b'(' if MULTIPART => {
                self.next.open = self.next.open << 8 | u32::from(part);
                self.boundary(b";\r\n boundary=\"");
                return b"\"";
            }
            b')' if MULTIPART => {
                self.boundary(b"\r\n--");
                self.next.open >>= 8;
                return b"--";
            }
            b'e' => {
                pen.put(b"\r\nContent-Transfer-Encoding: ");
                return message.encoding(part).name();
            }
            b'f' => core::mem::take(&mut self.next.base64).finish(&mut pen.window),
            // Readers that do not know RFC 2231 find a name here.
            b'n' if MULTIPART => attachment.fallback_name().for_each(|b| pen.put(&[b])),
            b'i' if MULTIPART => {
                pen.end_line();
                if let Some(id) = attachment.content_id {
                    pen.put(b"Content-ID:");
                    pen.fold(3 + id.len());
                    pen.put(b" <");
                    pen.put(id.as_bytes());
                    pen.put(b">");
                    pen.end_line();
                }
                return b"Content-";
            }
            b'j' if MULTIPART => match attachment.content_id {
                Some(_) => return b"inline",
                None => return b"attachment",
            },
            b'p' if MULTIPART => attachment.put_file_name(pen),
            b'l' if pen.column > 0 => return b"\r\n",
            _ => {}
        }
        b""
    }

    fn attachment(&self) -> &'r Attachment<'r> {
        const NONE: &Attachment<'_> = &Attachment::new("", "", Content::Bytes(&[]));
        let attachments = self.message.parts.attachments;
        attachments.get(self.next.index).unwrap_or(NONE)
    }

    /// An extra header, name and value.
    fn header(&self) -> (&'r str, &'r str) {
        let headers = self.message.parts.headers;
        headers.get(self.next.index).copied().unwrap_or_default()
    }

    /// What stands before a boundary, and that of the innermost open multipart.
    ///
    /// `=_` can be in no base64 and no quoted-printable body, and
    /// [`Encoding::of`] keeps it from the start of a line of a 7bit body. The
    /// letter makes nested boundaries distinct.
    fn boundary(&mut self, before: &[u8]) {
        self.pen.put(before);
        self.pen.put(&[b'=', b'_', self.next.open as u8]);
        self.message.put_entropy(&mut self.pen);
    }

    /// A token of the text, or nothing at its end.
    fn token(&mut self, source: Source<'_>, kind: Kind) -> bool {
        if source.is_end(self.next.at) {
            return false;
        }
        let mode = self.next.mode.unwrap_or_else(|| source.mode(kind));
        self.next.mode = Some(mode);
        self.next.at = source.put_token(mode, self.next.at, &mut self.pen);
        true
    }

    fn text(&mut self, part: u8) -> bool {
        let text = self.message.parts.text_of(part).unwrap_or_default();
        let (text, kind) = match part {
            b'x' => (self.header().1, Kind::Unknown),
            b'5' => (text, Kind::Unstructured),
            b'I' | b'K' if MULTIPART => (self.attachment().content_type, Kind::Structured),
            _ => (text, Kind::Structured),
        };
        self.token(Source::new(trim(text), false), kind)
    }

    /// A piece of a text.
    fn body(&mut self, part: u8) -> bool {
        let text = self.message.parts.text_of(part).unwrap_or_default();
        let text = text.as_bytes();
        let next = &mut self.next;
        let more = next.at < text.len();
        if more {
            let encoding = self.message.encoding(part);
            next.at = body::put_piece(text, next.at, encoding, &mut next.base64, &mut self.pen);
        }
        more
    }

    /// A token of the name of an address, then its mailbox.
    fn address(&mut self, part: u8) -> bool {
        let addresses = self.message.parts.addresses(part);
        let Some(address) = addresses.get(self.next.index) else {
            return false;
        };
        if self.token(address.source(), Kind::Phrase) {
            return true;
        }
        let (open, close): (&[u8], &[u8]) = match self.next.at {
            0 => (b" ", b""),
            _ => (b" <", b">"),
        };
        let mailbox = address.mailbox().as_bytes();
        self.next.index += 1;
        let comma = usize::from(self.next.index < addresses.len());
        self.pen
            .fold(open.len() + mailbox.len() + close.len() + comma);
        for piece in [open, mailbox, close, b",".get(..comma).unwrap_or_default()] {
            self.pen.put(piece);
        }
        self.next.mode = None;
        self.next.at = 0;
        true
    }

    /// As much of the content of an attachment as fits for sure, or else an octet.
    fn content(&mut self) -> State {
        let (rest, end) = match self.attachment().content {
            Content::Bytes(octets) if !self.dry => {
                let rest = octets.get(self.next.at..).unwrap_or_default();
                (rest, State::Done)
            }
            _ => (self.given, State::Need),
        };
        if rest.is_empty() {
            return end;
        }
        let room = self.room.wrapping_sub(self.pen.window.written());
        let length = (room / 2).saturating_sub(1).max(1);
        let (piece, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        body::put_base64(piece, &mut self.next.base64, &mut self.pen);
        self.next.at = self.next.at.saturating_add(piece.len());
        self.given = after;
        State::More
    }
}

impl Message<'_> {
    pub(super) fn put_message_id(&self, pen: &mut Pen<'_>) {
        pen.put(b"<");
        self.put_entropy(pen);
        pen.put(b"@");
        pen.put(self.parts.domain.as_bytes());
        pen.put(b">");
    }

    fn put_entropy(&self, pen: &mut Pen<'_>) {
        for &octet in self.parts.entropy.as_ref().unwrap_or(&[0; 16]) {
            pen.put(&hex(octet));
        }
    }

    /// That of a text, or of an attachment.
    fn encoding(&self, part: u8) -> Encoding {
        match part {
            b'8' => self.text_encoding,
            b'9' if MULTIPART => self.html_encoding,
            _ => Encoding::Base64,
        }
    }
}
