//! Keeps records from the TLS library that it can not bear.

use super::cipher::{VERSION, VERSION_OPEN};
use core::cell::Cell;
use embedded_io_async::{ErrorKind, ErrorType, Read, Write};

/// Octets of a record's header (RFC 8446, section 5.1).
const HEADER: usize = 5;
/// Where the second octet of the version stands in it.
const MINOR: usize = 2;
/// A record's content types.
const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;
/// The least protected record: the content type and the tag of AES-GCM. On a shorter one the library
/// panics.
const LEAST_PROTECTED: usize = 17;
/// The largest one (RFC 8446, section 5.2).
const LARGEST: usize = 16_384 + 256;

/// A transport on which only sensible records arrive.
///
/// Behind the ServerHello everything is protected. A record in the clear then is an attempt to confuse:
/// the library takes handshake messages from it, and panics on some after the handshake. Anybody on the
/// way could send them, so they end here.
#[derive(Debug)]
pub(crate) struct Guard<'g, T> {
    transport: T,
    progress: &'g Cell<Progress>,
    header: [u8; HEADER],
    /// Octets of the header that came in.
    filled: usize,
    /// Octets of the record that are still to come.
    rest: usize,
}

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Nothing came from the server.
    Start,
    /// The ServerHello came.
    Hello,
    /// A protected record came.
    Protected,
    /// The handshake is over.
    Open,
    /// A record was refused.
    Refused,
}

impl<'g, T> Guard<'g, T> {
    /// `progress` is told what comes, and must be told when the handshake is over.
    pub(crate) fn new(transport: T, progress: &'g Cell<Progress>) -> Self {
        Self {
            transport,
            progress,
            header: [0; HEADER],
            filled: 0,
            rest: 0,
        }
    }

    /// Whether the record with this header may come now.
    fn admits(&mut self) -> bool {
        let [content, major, minor, high, low] = self.header;
        let length = usize::from(u16::from_be_bytes([high, low]));
        self.rest = length;
        let progress = self.progress.get();
        let hello = matches!(
            progress,
            Progress::Hello | Progress::Protected | Progress::Open
        );
        match content {
            HANDSHAKE if progress == Progress::Start && length > 0 => {
                self.progress.set(Progress::Hello);
                true
            }
            ALERT => length == 2,
            CHANGE_CIPHER_SPEC => hello && length == 1,
            APPLICATION_DATA if hello => {
                if progress == Progress::Hello {
                    self.progress.set(Progress::Protected);
                }
                [major, minor] == [3, VERSION] && (LEAST_PROTECTED..=LARGEST).contains(&length)
            }
            _ => false,
        }
    }
}

impl<T> ErrorType for Guard<'_, T> {
    type Error = ErrorKind;
}

impl<T: Read> Read for Guard<'_, T> {
    async fn read(&mut self, out: &mut [u8]) -> Result<usize, ErrorKind> {
        // The rest of the header, or of the record, but never over its end.
        let wanted = match self.filled {
            HEADER => self.rest,
            filled => HEADER - filled,
        };
        let room = wanted.min(out.len());
        let out = out.get_mut(..room).unwrap_or_default();
        let length = self.transport.read(out).await.map_err(|e| kind(&e))?;
        if self.filled == HEADER {
            self.rest = self.rest.saturating_sub(length);
        } else {
            let header = self.header.iter_mut().skip(self.filled);
            for (to, from) in header.zip(out.iter_mut().take(length)) {
                *to = *from;
                // What the cipher wants to know.
                if self.filled == MINOR && self.progress.get() == Progress::Open {
                    *from = VERSION_OPEN;
                }
                self.filled += 1;
            }
            if self.filled == HEADER && !self.admits() {
                self.progress.set(Progress::Refused);
                return Err(ErrorKind::InvalidData);
            }
        }
        if self.filled == HEADER && self.rest == 0 {
            self.filled = 0;
        }
        Ok(length)
    }
}

impl<T: Write> Write for Guard<'_, T> {
    async fn write(&mut self, octets: &[u8]) -> Result<usize, ErrorKind> {
        self.transport.write(octets).await.map_err(|e| kind(&e))
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        self.transport.flush().await.map_err(|e| kind(&e))
    }
}

fn kind(error: &impl embedded_io_async::Error) -> ErrorKind {
    error.kind()
}
