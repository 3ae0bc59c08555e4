//! The writer: the steps of a message, one after the other, into slices.

use super::Message;
use super::attachment::{Attachment, Content};
use super::body::base64_len;
use super::error::WriteError;
use super::pen::Pen;
use super::program::{Position, Rendering, State};
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
        let (written, state) = self.run(&[], out, false);
        match state {
            State::Failed => Err(self.refusal()),
            State::Need if written == 0 => Ok(Progress::NeedAttachment(self.position.index)),
            State::Done if written == 0 => Ok(Progress::Done),
            _ => Ok(Progress::Written(written)),
        }
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
        self.streamed()?;
        let start = self.position.at;
        let (written, _) = self.run(input, out, false);
        let read = self.position.at.wrapping_sub(start);
        let fits = self.size().is_none_or(|size| self.position.at <= size);
        self.hold(fits)?;
        Ok((read, written))
    }

    /// Ends the content of the attachment that was asked for. Then go on with
    /// [`next`](Self::next), which writes what is still held back.
    ///
    /// # Errors
    /// No attachment was asked for, or it has fewer octets than declared.
    pub fn attachment_end(&mut self) -> Result<(), WriteError> {
        self.streamed()?;
        // What is to be skipped belongs to an octet that was not read.
        let whole =
            self.position.skip == 0 && self.size().is_none_or(|size| self.position.at == size);
        self.hold(whole)?;
        self.position.advance();
        Ok(())
    }

    /// The length of what is still to be written, by a dry run in which the
    /// content of attachments is calculated and not read.
    pub(super) fn measure(mut self) -> Option<u64> {
        let mut out = [0; 64];
        let mut length = 0_u64;
        loop {
            let (written, state) = self.run(&[], &mut out, true);
            length = length.checked_add(written as u64)?;
            match state {
                State::Need => {
                    length = length.checked_add(base64_len(self.size()?))?;
                    self.position.advance();
                }
                State::Done => return Some(length),
                State::Failed => return None,
                _ => {}
            }
        }
    }

    /// The attachment that is written.
    fn current(&self) -> Option<&Attachment<'a>> {
        self.message.parts.attachments.get(self.position.index)
    }

    /// Its size, if that is known.
    fn size(&self) -> Option<usize> {
        self.current().and_then(Attachment::size)
    }

    /// Fails unless the content of an attachment was asked for.
    fn streamed(&self) -> Result<(), WriteError> {
        let asked = !self.position.failed
            && self.position.is_at_content()
            && matches!(
                self.current(),
                Some(Attachment {
                    content: Content::Streamed { .. },
                    ..
                })
            );
        asked.then_some(()).ok_or(self.refusal())
    }

    /// Fails for good unless an attachment has the size that was declared.
    fn hold(&mut self, size_is_right: bool) -> Result<(), WriteError> {
        self.position.failed = !size_is_right;
        size_is_right.then_some(()).ok_or(self.refusal())
    }

    /// Why nothing is written or taken.
    fn refusal(&self) -> WriteError {
        match self.position.failed {
            true => WriteError::SizeMismatch {
                attachment: self.position.index,
            },
            false => WriteError::NotAsked,
        }
    }

    /// Writes until the output is full or nothing can be written; `given` is the
    /// content of the attachment that was asked for.
    fn run(&mut self, given: &[u8], out: &mut [u8], dry: bool) -> (usize, State) {
        if self.position.failed {
            return (0, State::Failed);
        }
        let mut rendering = Rendering {
            message: self.message,
            given,
            dry,
            room: out.len(),
            next: self.position,
            pen: Pen {
                window: Window::new(self.position.skip, out),
                column: self.position.column,
            },
        };
        rendering.next.skip = 0;
        loop {
            let before = rendering.pen.window.written();
            let state = rendering.step();
            let written = rendering.pen.window.written();
            if !rendering.pen.window.finished() {
                self.position.skip += written.wrapping_sub(before);
                return (written, State::Cut);
            }
            if state != State::More {
                return (written, state);
            }
            rendering.next.column = rendering.pen.column;
            self.position = rendering.next;
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::super::{Address, Builder};
    use super::*;
    use std::string::String;
    use std::vec::Vec;

    /// With the feature `message-text` alone too.
    #[test]
    fn a_plain_text() {
        let from = [Address::parse("Zo\u{eb} <zoe@example.org>").unwrap()];
        let message = Builder::new()
            .from(&from)
            .server_adds_date()
            .entropy([0xA5; 16])
            .text("The pump has 93 \u{b0}C\nHot")
            .build()
            .unwrap();
        let expected = "From: =?utf-8?Q?Zo=C3=AB?= <zoe@example.org>\r\n\
            Message-ID: <A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5@example.org>\r\n\
            MIME-Version: 1.0\r\n\
            Content-Type: text/plain; charset=utf-8\r\n\
            Content-Transfer-Encoding: quoted-printable\r\n\
            \r\n\
            The pump has 93 =C2=B0C\r\n\
            Hot\r\n";
        assert_eq!(message.exact_len(), Some(expected.len() as u64));
        for size in 1..50 {
            let mut writer = Writer::new(&message);
            let (mut out, mut whole) = ([0; 50], Vec::new());
            while let Progress::Written(count) = writer.next(&mut out[..size]).unwrap() {
                whole.extend_from_slice(&out[..count]);
            }
            assert_eq!(writer.attachment_end(), Err(WriteError::NotAsked));
            assert_eq!(String::from_utf8(whole).unwrap(), expected);
        }
    }
}
