//! Keeps records from the TLS library that it can not bear.

use embedded_io_async::{ErrorKind, ErrorType, Read, Write};

/// Octets of a record's header (RFC 8446, section 5.1).
const HEADER: usize = 5;
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
pub(crate) struct Guard<T> {
    transport: T,
    header: [u8; HEADER],
    /// Octets of the header that came in.
    filled: usize,
    /// Octets of the record that are still to come.
    rest: usize,
    /// The ServerHello came.
    hello: bool,
    /// A record was refused.
    pub(crate) refused: bool,
}

impl<T> Guard<T> {
    pub(crate) fn new(transport: T) -> Self {
        Self {
            transport,
            header: [0; HEADER],
            filled: 0,
            rest: 0,
            hello: false,
            refused: false,
        }
    }

    /// Whether the record with this header may come now.
    fn admits(&mut self) -> bool {
        let [content, _, _, high, low] = self.header;
        let length = usize::from(u16::from_be_bytes([high, low]));
        self.rest = length;
        match content {
            HANDSHAKE => !core::mem::replace(&mut self.hello, true) && length > 0,
            ALERT => length == 2,
            CHANGE_CIPHER_SPEC => self.hello && length == 1,
            APPLICATION_DATA => self.hello && (LEAST_PROTECTED..=LARGEST).contains(&length),
            _ => false,
        }
    }
}

impl<T> ErrorType for Guard<T> {
    type Error = ErrorKind;
}

impl<T: Read> Read for Guard<T> {
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
            for (to, from) in header.zip(out.iter().take(length)) {
                *to = *from;
                self.filled += 1;
            }
            if self.filled == HEADER && !self.admits() {
                self.refused = true;
                return Err(ErrorKind::InvalidData);
            }
        }
        if self.filled == HEADER && self.rest == 0 {
            self.filled = 0;
        }
        Ok(length)
    }
}

impl<T: Write> Write for Guard<T> {
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
