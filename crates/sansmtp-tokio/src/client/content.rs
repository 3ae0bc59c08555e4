//! Where the content of a message comes from.

use sansmtp::envelope::Envelope;
use sansmtp::message::{Message, Position, Progress, Writer};
use sansmtp::wire::chunk;
use sansmtp::wire::param::Body;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, ReadBuf};

/// The content of a message: octets in memory, a reader, or a composed
/// [`Message`].
///
/// Line ends may be LF or CR LF, and lines may begin with a dot: what SMTP wants
/// is done on the way. `&[u8]`, `&str`, `&Vec<u8>`, `&String` and `&Message` are
/// taken as they are by [`Mailer::send`](super::Mailer::send).
pub struct Content<'a> {
    source: Source<'a>,
    /// How many octets there are, where that is known.
    length: Option<u64>,
}

type Reader<'a> = Box<dyn AsyncRead + Send + Unpin + 'a>;

enum Source<'a> {
    Bytes {
        whole: &'a [u8],
        left: &'a [u8],
    },
    Reader {
        reader: Reader<'a>,
        read: u64,
        held: Held,
        /// The server takes ASCII alone, and nothing else was announced.
        ascii_only: bool,
    },
    Message(Box<Composed<'a>>),
}

/// A message that is written while it is sent.
struct Composed<'a> {
    message: &'a Message<'a>,
    position: Position,
    /// Something was written.
    begun: bool,
    attachments: BTreeMap<usize, Reader<'a>>,
    /// What was read from an attachment and is not encoded yet.
    raw: Held,
    held: Held,
}

/// Octets that were read and not consumed.
struct Held {
    octets: Box<[u8]>,
    start: usize,
    end: usize,
}

const PIECE: usize = 16 * 1024;

impl<'a> Content<'a> {
    /// Octets in memory.
    pub fn bytes(octets: &'a [u8]) -> Self {
        Self {
            source: Source::Bytes {
                whole: octets,
                left: octets,
            },
            length: Some(octets.len() as u64),
        }
    }

    /// What a reader gives, up to its end. It is read when the server is ready
    /// for the content, never before.
    ///
    /// Whether that is ASCII can not be seen beforehand. Where the envelope says
    /// nothing of it, it is declared as 8BITMIME if the server offers that, and else
    /// looked at while it is sent: the first octet outside ASCII ends the connection
    /// before the message is complete, with [`Error::Content`](super::Error::Content)
    /// (RFC 6152, section 3).
    pub fn reader(reader: impl AsyncRead + Send + Unpin + 'a) -> Self {
        Self {
            source: Source::Reader {
                reader: Box::new(reader),
                read: 0,
                held: Held::new(),
                ascii_only: false,
            },
            length: None,
        }
    }

    /// A message that is composed while it is sent. The content of its streamed
    /// attachments comes from [`Content::attachment`].
    pub fn message(message: &'a Message<'a>) -> Self {
        Self {
            source: Source::Message(Box::new(Composed {
                message,
                position: Position::default(),
                begun: false,
                attachments: BTreeMap::new(),
                raw: Held::new(),
                held: Held::new(),
            })),
            length: message.exact_len(),
        }
    }

    /// The same with a known length in octets. It is declared to the server,
    /// which can refuse a large message before it is sent, and it is checked: a
    /// reader that gives fewer or more octets is an error, so that no message is
    /// cut off.
    #[must_use]
    pub fn with_length(mut self, octets: u64) -> Self {
        self.length = Some(octets);
        self
    }

    /// The same with a source for the streamed attachment number `index` (from 0)
    /// of a composed message. Other kinds of content have no attachments, and the
    /// source is dropped.
    #[must_use]
    pub fn attachment(mut self, index: usize, reader: impl AsyncRead + Send + Unpin + 'a) -> Self {
        if let Source::Message(composed) = &mut self.source {
            composed.attachments.insert(index, Box::new(reader));
        }
        self
    }

    /// Fills in what the envelope does not say about the content: its size, and
    /// that it is not ASCII where that can be seen.
    pub(super) fn declare(&self, envelope: &mut Envelope<'_>) {
        if let Source::Bytes { whole: octets, .. } = self.source
            && (envelope.size.is_none() || envelope.body.is_none())
        {
            let (size, is_ascii) = survey(octets);
            envelope.size = envelope.size.or(Some(size));
            let body = (!is_ascii).then_some(Body::EightBitMime);
            envelope.body = envelope.body.or(body);
        }
        envelope.size = envelope.size.or(self.length);
    }

    /// Decides how a reader goes to a server that offers 8BITMIME, or does not.
    pub(super) fn declare_unseen(&mut self, envelope: &mut Envelope<'_>, offered: bool) {
        if let Source::Reader { ascii_only, .. } = &mut self.source {
            *ascii_only = !offered && envelope.body.is_none();
            if offered {
                envelope.body = envelope.body.or(Some(Body::EightBitMime));
            }
        }
    }

    /// Whether nobody has looked at what is to be sent: that of a reader.
    pub(super) fn is_unseen(&self) -> bool {
        matches!(self.source, Source::Reader { .. })
    }

    /// The next octets; none at the end. Asked again without
    /// [`Content::consume`] it gives the same.
    pub(super) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        match &mut self.source {
            Source::Bytes { left, .. } => Poll::Ready(Ok(left)),
            Source::Reader {
                reader,
                read,
                held,
                ascii_only,
            } => {
                if held.filled().is_empty() {
                    let count = ready!(held.poll_read(reader, cx))? as u64;
                    *read += count;
                    if *ascii_only && !held.filled().is_ascii() {
                        return Poll::Ready(Err(not_ascii()));
                    }
                    if let Some(length) = self.length {
                        check_length(*read, length, count == 0)?;
                    }
                }
                Poll::Ready(Ok(held.filled()))
            }
            Source::Message(composed) => composed.poll_fill(cx),
        }
    }

    /// What [`Content::poll_fill`] gave and was not consumed.
    pub(super) fn held(&self) -> &[u8] {
        match &self.source {
            Source::Bytes { left, .. } => left,
            Source::Reader { held, .. } => held.filled(),
            Source::Message(composed) => composed.held.filled(),
        }
    }

    /// Whether it can be sent a second time, which a reader can not.
    pub(super) fn is_repeatable(&self) -> bool {
        match &self.source {
            Source::Bytes { .. } => true,
            Source::Reader { .. } => false,
            Source::Message(composed) => composed.attachments.is_empty(),
        }
    }

    /// Goes back to the beginning, and says whether that is possible: what a reader
    /// has given can not be read again.
    pub(super) fn rewind(&mut self) -> bool {
        match &mut self.source {
            Source::Bytes { whole, left } => *left = whole,
            Source::Reader { read, .. } => return *read == 0,
            Source::Message(composed) => return composed.rewind(),
        }
        true
    }

    /// Takes octets that [`Content::poll_fill`] gave.
    pub(super) fn consume(&mut self, count: usize) {
        match &mut self.source {
            Source::Bytes { left, .. } => *left = left.get(count..).unwrap_or_default(),
            Source::Reader { held, .. } => held.consume(count),
            Source::Message(composed) => composed.held.consume(count),
        }
    }
}

impl Composed<'_> {
    fn rewind(&mut self) -> bool {
        if self.begun && !self.attachments.is_empty() {
            return false;
        }
        self.begun = false;
        self.position = Position::default();
        self.held.refill(0);
        true
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        while self.held.filled().is_empty() {
            let mut writer = Writer::resume(self.message, self.position);
            match writer
                .next(&mut self.held.octets)
                .map_err(io::Error::other)?
            {
                Progress::Written(count) => self.held.refill(count),
                Progress::Done => break,
                Progress::NeedAttachment(index) => {
                    let Some(reader) = self.attachments.get_mut(&index) else {
                        return Poll::Ready(Err(io::Error::new(
                            io::ErrorKind::NotFound,
                            format!("attachment {} has no source", index + 1),
                        )));
                    };
                    let at_end = self.raw.filled().is_empty()
                        && ready!(self.raw.poll_read(reader, cx))? == 0;
                    if at_end {
                        writer.attachment_end().map_err(io::Error::other)?;
                    } else {
                        let (read, written) = writer
                            .attachment(self.raw.filled(), &mut self.held.octets)
                            .map_err(io::Error::other)?;
                        self.raw.consume(read);
                        self.held.refill(written);
                    }
                }
            }
            self.position = writer.position();
            self.begun = true;
        }
        Poll::Ready(Ok(self.held.filled()))
    }
}

impl Held {
    fn new() -> Self {
        Self {
            octets: vec![0; PIECE].into_boxed_slice(),
            start: 0,
            end: 0,
        }
    }

    fn filled(&self) -> &[u8] {
        self.octets.get(self.start..self.end).unwrap_or_default()
    }

    fn consume(&mut self, count: usize) {
        self.start = self.end.min(self.start + count);
    }

    fn refill(&mut self, count: usize) {
        (self.start, self.end) = (0, count);
    }

    /// Reads once; 0 says that the reader is at its end.
    fn poll_read(
        &mut self,
        reader: &mut Reader<'_>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(&mut self.octets);
        ready!(Pin::new(reader).poll_read(cx, &mut buffer))?;
        let count = buffer.filled().len();
        self.refill(count);
        Poll::Ready(Ok(count))
    }
}

/// The size with CR LF as the end of every line (RFC 1870, section 5), and whether all is
/// ASCII.
fn survey(octets: &[u8]) -> (u64, bool) {
    // So much stays in the nearest cache for the second look.
    const BLOCK: usize = 32 * 1024;
    let mut is_ascii = true;
    let mut clean = 0;
    let mut encoder = chunk::Encoder::LineStart;
    for (number, block) in octets.chunks(BLOCK).enumerate() {
        is_ascii &= block.is_ascii();
        if clean == number * BLOCK {
            let (passed, behind) = encoder.pass(block);
            (clean, encoder) = (clean + passed, behind);
        }
    }
    let size = octets.len() as u64;
    if clean == octets.len() {
        return (size + encoder.completion().len() as u64, is_ascii);
    }
    // The last line may lack its end.
    let end = match octets.last() {
        Some(b'\n') => 0,
        Some(b'\r') => 1,
        _ => 2,
    };
    let begin = u64::from(octets.first() == Some(&b'\n'));
    (begin + size + lone_ends(octets) + end, is_ascii)
}

/// How many CR stand before something else than an LF, and LF behind something else than
/// a CR: each becomes CR LF.
fn lone_ends(octets: &[u8]) -> u64 {
    // Over stretches of a fixed size, which the compiler turns into wide steps, and whose
    // count fits into an octet.
    type Stretch = [u8; 240];
    let is_lone = |(here, next): (&u8, &u8)| u8::from((*here == b'\r') != (*next == b'\n'));
    let next = octets.get(1..).unwrap_or_default();
    let here = octets.get(..next.len()).unwrap_or_default();
    let (here, here_rest): (&[Stretch], _) = here.as_chunks();
    let (next, next_rest): (&[Stretch], _) = next.as_chunks();
    let stretches = here.iter().zip(next);
    let counts = stretches.map(|(here, next)| here.iter().zip(next).map(is_lone).sum::<u8>());
    let rest = here_rest.iter().zip(next_rest).map(is_lone);
    counts.chain(rest).map(u64::from).sum()
}

fn not_ascii() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "the content is not ASCII, and the server does not offer 8BITMIME",
    )
}

fn check_length(read: u64, length: u64, at_end: bool) -> io::Result<()> {
    if read > length {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("the content is longer than the {length} octets that were announced"),
        ));
    }
    if at_end && read < length {
        return Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            format!("the content ended behind {read} of {length} octets"),
        ));
    }
    Ok(())
}

impl fmt::Debug for Content<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content")
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

impl<'a> From<&'a [u8]> for Content<'a> {
    fn from(octets: &'a [u8]) -> Self {
        Self::bytes(octets)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Content<'a> {
    fn from(octets: &'a [u8; N]) -> Self {
        Self::bytes(octets)
    }
}

impl<'a> From<&'a Vec<u8>> for Content<'a> {
    fn from(octets: &'a Vec<u8>) -> Self {
        Self::bytes(octets)
    }
}

impl<'a> From<&'a str> for Content<'a> {
    fn from(text: &'a str) -> Self {
        Self::bytes(text.as_bytes())
    }
}

impl<'a> From<&'a String> for Content<'a> {
    fn from(text: &'a String) -> Self {
        Self::bytes(text.as_bytes())
    }
}

impl<'a> From<&'a Message<'a>> for Content<'a> {
    fn from(message: &'a Message<'a>) -> Self {
        Self::message(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (octets, expected) in [
            ("", 0),
            ("a\r\n", 3),
            ("a\n", 3),
            ("a\r", 3),
            ("a", 3),
            ("\n\n", 4),
            ("\r\r\n", 4),
            ("\r\n\n\r", 6),
            ("a\r\nb\nc\rd", 12),
        ] {
            assert_eq!(survey(octets.as_bytes()).0, expected, "{octets:?}");
        }
        // At any place of a stretch.
        for before in 0..600 {
            let octets = [vec![b'x'; before], b"\n\r\r\n".to_vec(), vec![b'x'; 300]].concat();
            assert_eq!(survey(&octets).0, octets.len() as u64 + 4);
        }
        // At the border of two blocks.
        for before in 32_766..32_770 {
            for end in ["\r\n", "\n", "\r"] {
                let octets = [&vec![b'x'; before][..], end.as_bytes(), b"y"].concat();
                assert_eq!(survey(&octets).0, before as u64 + 5);
            }
        }
    }

    #[test]
    fn what_can_be_seen_is_declared() {
        let mut envelope = Envelope::new(sansmtp::wire::path::ReversePath::Null, &[]);
        Content::bytes("gr\u{fc}n\n".as_bytes()).declare(&mut envelope);
        assert_eq!(envelope.size, Some(7));
        assert_eq!(envelope.body, Some(Body::EightBitMime));
        // What the caller said stands.
        Content::bytes(b"longer than that").declare(&mut envelope);
        assert_eq!(envelope.size, Some(7));
    }
}
