//! Attachments: what the caller says about a file that goes along.

use super::pen::Pen;
use super::text::{Coding, Source};

/// A file that goes along with a message, always written in base64.
///
/// ```
/// use sansmtp::message::{Attachment, Content};
/// let log = Attachment::new("log.csv", "text/csv; charset=utf-8", Content::Bytes(b"a,b\r\n"));
/// let logo = Attachment::new("logo.png", "image/png", Content::Streamed { size: Some(1200) })
///     .inline("logo@example.org");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attachment<'a> {
    pub(super) file_name: &'a str,
    pub(super) content_type: &'a str,
    pub(super) content: Content<'a>,
    pub(super) content_id: Option<&'a str>,
}

/// Where the octets of an attachment come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// They are in memory.
    Bytes(&'a [u8]),
    /// The caller hands them to [`Writer::attachment`](super::Writer::attachment)
    /// piece by piece.
    Streamed {
        /// How many octets there will be, if that is known. The writer holds
        /// the caller to it, since SIZE= was computed from it.
        size: Option<usize>,
    },
}

impl<'a> Attachment<'a> {
    /// A file to download. The file name may hold any printable characters; the
    /// content type is `type/subtype` with optional parameters (RFC 2045,
    /// section 5.1). Both are checked when the message is built.
    pub const fn new(file_name: &'a str, content_type: &'a str, content: Content<'a>) -> Self {
        Self {
            file_name,
            content_type,
            content,
            content_id: None,
        }
    }

    /// A part that is shown in the message: the HTML body refers to it with
    /// `<img src="cid:...">` (RFC 2392). RFC 2045 wants the form `left@right`
    /// for the identifier, given here without angle brackets.
    #[must_use]
    pub const fn inline(mut self, content_id: &'a str) -> Self {
        self.content_id = Some(content_id);
        self
    }

    /// The number of octets, if it is known.
    pub const fn size(&self) -> Option<usize> {
        match self.content {
            Content::Bytes(bytes) => Some(bytes.len()),
            Content::Streamed { size } => size,
        }
    }

    /// The parameter with the file name: in quotes if it is short and plain, or else
    /// by RFC 2231, sections 3 and 4, in pieces if it has to be.
    pub(super) fn put_file_name(&self, pen: &mut Pen<'_>) {
        let name = Source::new(self.file_name, false);
        let plain = self.file_name.len() <= PLAIN_NAME && self.file_name.bytes().all(is_plain);
        let whole = name.is_end(name.put_coded(Coding::Percent, 0, WHOLE, None).0);
        let (mut at, mut number) = (0, 0_u8);
        while !name.is_end(at) {
            pen.put(b";\r\n filename");
            if plain {
                pen.put(b"=\"");
                pen.put(self.file_name.as_bytes());
                return pen.put(b"\"");
            }
            pen.put(b"*");
            if !whole {
                if number > 9 {
                    pen.put(&[b'0' + number / 10]);
                }
                pen.put(&[b'0' + number % 10, b'*']);
            }
            pen.put(if number == 0 { b"=utf-8''" } else { b"=" });
            let room = if whole { WHOLE } else { PIECE };
            (at, _) = name.put_coded(Coding::Percent, at, room, Some(pen));
            number += 1;
        }
    }

    /// The end of the file name, where the extension is, in characters that any
    /// reader takes; the same as the file name if that is plain.
    pub(super) fn fallback_name(&self) -> impl Iterator<Item = u8> + 'a {
        let bytes = self.file_name.as_bytes();
        let tail = bytes.get(bytes.len().saturating_sub(PLAIN_NAME)..);
        let characters = tail.unwrap_or_default().iter();
        characters
            .filter(|b| !matches!(b, 0x80..=0xBF))
            .map(|&b| if is_plain(b) { b } else { b'_' })
    }
}

/// Longer file names are not written in quotes.
const PLAIN_NAME: usize = 60;
/// Characters that fit into a line with ` filename*=utf-8''` and with
/// ` filename*99*=utf-8''`, and a semicolon at the end.
const WHOLE: usize = 59;
const PIECE: usize = 55;

/// Without what a quoted string escapes, and without the `?` of what would look
/// like an encoded word.
fn is_plain(b: u8) -> bool {
    matches!(b, b' '..=b'~') && !matches!(b, b'"' | b'\\' | b'?')
}
