//! Where the octets of a message come from.

use core::fmt;
#[cfg(feature = "message-text")]
use sansmtp::message::{Message, Position, Progress, WriteError, Writer};

/// The octets of a message, header and body, with CR LF line ends and without dot-stuffing.
///
/// [`InMemory`] is a message that is there as a whole.
pub trait Content {
    /// Goes back to the first octet, for another attempt.
    fn rewind(&mut self);

    /// Writes the next octets into `out`, which is never empty, and returns how many; 0 at the end.
    ///
    /// # Errors
    /// The content can not be had; the connection is then cut, so that no half of it is delivered.
    fn read(&mut self, out: &mut [u8]) -> Result<usize, ContentError>;
}

/// Why a message can not be produced to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContentError {
    /// The place where the content is stored can not be read.
    Unreadable,
    /// The message does not fit its declaration.
    #[cfg(feature = "message-text")]
    Write(WriteError),
}

impl fmt::Display for ContentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable => f.write_str("the content of the message can not be read"),
            #[cfg(feature = "message-text")]
            Self::Write(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl core::error::Error for ContentError {}

/// A message that is in memory as a whole.
#[derive(Clone, Copy, Debug)]
pub struct InMemory<'a> {
    message: &'a [u8],
    read: usize,
}

impl<'a> InMemory<'a> {
    /// Header and body, with CR LF line ends.
    pub const fn new(message: &'a [u8]) -> Self {
        Self { message, read: 0 }
    }
}

impl Content for InMemory<'_> {
    fn rewind(&mut self) {
        self.read = 0;
    }

    fn read(&mut self, out: &mut [u8]) -> Result<usize, ContentError> {
        let rest = self.message.get(self.read..).unwrap_or_default();
        let length = copy(rest, out);
        self.read += length;
        Ok(length)
    }
}

/// The octets of attachments that are not in memory, such as a log in external flash.
#[cfg(feature = "message-text")]
pub trait AttachmentSource {
    /// Reads octets of the attachment with the number `attachment` (from 0), from `offset` on, into
    /// `out`. Returns how many; 0 at its end. The same octets may be asked for again.
    ///
    /// # Errors
    /// [`ContentError::Unreadable`].
    fn read_at(
        &mut self,
        attachment: usize,
        offset: usize,
        out: &mut [u8],
    ) -> Result<usize, ContentError>;
}

/// For messages whose attachments are all in memory.
#[cfg(feature = "message-text")]
#[derive(Clone, Copy, Debug, Default)]
pub struct NoAttachments;

#[cfg(feature = "message-text")]
impl AttachmentSource for NoAttachments {
    fn read_at(&mut self, _: usize, _: usize, _: &mut [u8]) -> Result<usize, ContentError> {
        Ok(0)
    }
}

/// A message of the core, written as it is sent, with attachments from `S`.
#[cfg(feature = "message-text")]
#[derive(Debug)]
pub struct Composed<'m, S> {
    message: &'m Message<'m>,
    attachments: S,
    position: Position,
    /// Octets of the current attachment that were taken.
    offset: usize,
}

#[cfg(feature = "message-text")]
impl<'m, S: AttachmentSource> Composed<'m, S> {
    /// `message` with the attachments of `attachments`.
    pub fn new(message: &'m Message<'m>, attachments: S) -> Self {
        Self {
            message,
            attachments,
            position: Position::default(),
            offset: 0,
        }
    }
}

#[cfg(feature = "message-text")]
impl<S: AttachmentSource> Content for Composed<'_, S> {
    fn rewind(&mut self) {
        self.position = Position::default();
        self.offset = 0;
    }

    fn read(&mut self, out: &mut [u8]) -> Result<usize, ContentError> {
        let mut writer = Writer::resume(self.message, self.position);
        let written = loop {
            match writer.next(out).map_err(ContentError::Write)? {
                Progress::Written(written) => break written,
                Progress::Done => break 0,
                Progress::NeedAttachment(attachment) => {
                    let mut piece = [0; 48];
                    let length = self
                        .attachments
                        .read_at(attachment, self.offset, &mut piece)?;
                    let Some(octets) = piece.get(..length).filter(|octets| !octets.is_empty())
                    else {
                        writer.attachment_end().map_err(ContentError::Write)?;
                        self.offset = 0;
                        continue;
                    };
                    let (read, written) = writer
                        .attachment(octets, out)
                        .map_err(ContentError::Write)?;
                    self.offset += read;
                    if written > 0 || read == 0 {
                        break written;
                    }
                }
            }
        };
        self.position = writer.position();
        Ok(written)
    }
}

fn copy(from: &[u8], to: &mut [u8]) -> usize {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
    from.len().min(to.len())
}

#[cfg(all(test, feature = "message"))]
mod tests {
    extern crate std;
    use super::*;
    use sansmtp::message::{Address, Attachment, Builder, Content as Octets};
    use std::vec;
    use std::vec::Vec;

    struct Flash<'a>(&'a [u8]);

    impl AttachmentSource for Flash<'_> {
        fn read_at(
            &mut self,
            attachment: usize,
            offset: usize,
            out: &mut [u8],
        ) -> Result<usize, ContentError> {
            assert_eq!(attachment, 0);
            Ok(copy(self.0.get(offset..).unwrap_or_default(), out))
        }
    }

    fn read_all(content: &mut impl Content, step: usize) -> Vec<u8> {
        let (mut all, mut out) = (Vec::new(), vec![0; step]);
        loop {
            match content.read(&mut out).unwrap() {
                0 => return all,
                n => all.extend_from_slice(&out[..n]),
            }
        }
    }

    #[test]
    fn an_attachment_from_flash_is_the_same_as_one_in_memory() {
        let from = [Address::parse("a@example.org").unwrap()];
        let log: Vec<u8> = (0..1000_u32).flat_map(u32::to_be_bytes).collect();
        let build = |attachments| {
            Builder::new()
                .from(&from)
                .server_adds_date()
                .entropy([1; 16])
                .text("t\n")
                .attachments(attachments)
                .build()
                .unwrap()
        };
        let size = Some(log.len());
        let streamed = [Attachment::new("l", "text/csv", Octets::Streamed { size })];
        let in_memory = [Attachment::new("l", "text/csv", Octets::Bytes(&log))];
        let (streamed, in_memory) = (build(&streamed), build(&in_memory));
        let expected = read_all(&mut Composed::new(&in_memory, NoAttachments), 4096);
        for step in [1, 2, 3, 4, 5, 63, 64, 65, 4096] {
            let mut content = Composed::new(&streamed, Flash(&log));
            assert!(read_all(&mut content, step) == expected, "step {step}");
            content.rewind();
            assert!(read_all(&mut content, step) == expected, "again {step}");
        }
        let mut short = Composed::new(&streamed, Flash(log.get(1..).unwrap()));
        let mut out = [0; 64];
        let error = loop {
            match short.read(&mut out) {
                Ok(0) => panic!("the wrong size was not seen"),
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        let mismatch = WriteError::SizeMismatch { attachment: 0 };
        assert_eq!(error, ContentError::Write(mismatch));
    }
}
