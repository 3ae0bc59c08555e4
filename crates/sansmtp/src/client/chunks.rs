//! The content in chunks: which are on their way, and how they are written.

use crate::wire::chunk;
use crate::wire::window::Window;

/// The largest message in octets that leaves together with its envelope, before
/// the server has said whether it takes any recipient.
const SMALL: u64 = 64 * 1024;

/// The most octets of a piece that go into one chunk.
const PIECE: usize = 16 * 1024 * 1024;

/// The chunks of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunks {
    /// The content goes by BDAT.
    used: bool,
    /// That the content may be pushed is still to be told.
    pub(super) tell_content: bool,
    encoder: chunk::Encoder,
    /// The last chunk was sent.
    pub(super) last_sent: bool,
    /// Octets of the command that were written.
    header: u8,
    /// The size of the chunk that is under way, in octets; 0 for none.
    size: u32,
    /// How much of it is still to be pushed.
    left: u32,
    /// How many were sent whole.
    pub(super) count: u32,
}

impl Chunks {
    /// The content goes by DATA.
    pub(super) const NONE: Self = Self {
        used: false,
        tell_content: false,
        encoder: chunk::Encoder::LineStart,
        last_sent: false,
        header: 0,
        size: 0,
        left: 0,
        count: 0,
    };

    /// None yet, for a new transaction.
    pub(super) fn of_transaction(binary: bool, size: Option<u64>) -> Self {
        Self {
            used: true,
            tell_content: size.is_some_and(|size| size <= SMALL),
            encoder: match binary {
                true => chunk::Encoder::Opaque,
                false => chunk::Encoder::LineStart,
            },
            ..Self::NONE
        }
    }

    pub(super) const fn are_used(&self) -> bool {
        self.used
    }

    pub(super) const fn last_was_sent(&self) -> bool {
        self.last_sent
    }

    /// Whether a chunk was begun and must be ended.
    pub(super) const fn is_open(&self) -> bool {
        self.size > 0
    }

    /// Renders the chunk that ends the content.
    pub(super) fn render_last(&self, out: &mut Window<'_>) {
        let completion = self.encoder.completion();
        put_command(completion.len() as u32, b" LAST\r\n", out);
        out.put(completion);
    }

    /// Writes the next part of a chunk: its command, then octets of `piece`. What
    /// is not `wanted` any more is read and dropped.
    pub(super) fn write(&mut self, piece: &[u8], out: &mut [u8], wanted: bool) -> Part {
        let mut part = Part::default();
        if self.size == 0 {
            if !wanted {
                part.read = piece.len();
                return part;
            }
            let count = self.encoder.count(piece.get(..PIECE).unwrap_or(piece));
            self.size = u32::try_from(count).unwrap_or(u32::MAX);
            self.left = self.size;
            self.header = 0;
            if count == 0 {
                return part;
            }
        }
        let mut window = Window::new(usize::from(self.header), out);
        put_command(self.size, b"\r\n", &mut window);
        part.written = window.written();
        let whole = window.finished();
        let header = u8::try_from(part.written).unwrap_or(u8::MAX);
        self.header = self.header.saturating_add(header);
        if whole {
            let room = out.get_mut(part.written..).unwrap_or_default();
            let end = room.len().min(self.left as usize);
            let room = room.get_mut(..end).unwrap_or_default();
            let (read, filled) = self.encoder.encode(piece, room);
            part.ended = self.fill(filled);
            part.read = read;
            part.written = part.written.wrapping_add(filled);
        }
        part
    }

    /// How much of `piece` belongs to the open chunk and goes out as it is. If that is
    /// at least `least`, it counts as written, else it is 0.
    pub(super) fn pass(&mut self, piece: &[u8], least: usize) -> Part {
        let mut command = Window::new(usize::from(self.header), &mut []);
        put_command(self.size, b"\r\n", &mut command);
        let mut part = Part::default();
        if self.size > 0 && command.finished() {
            let piece = piece.get(..self.left as usize).unwrap_or(piece);
            let (passed, encoder) = self.encoder.pass(piece);
            if passed >= least.max(1) {
                self.encoder = encoder;
                part.read = passed;
                part.ended = self.fill(passed);
            }
        }
        part
    }

    /// Takes octets into the open chunk, and tells whether it is full.
    fn fill(&mut self, octets: usize) -> bool {
        let octets = u32::try_from(octets).unwrap_or(u32::MAX);
        self.left = self.left.saturating_sub(octets);
        if self.left > 0 {
            return false;
        }
        self.size = 0;
        self.count = self.count.wrapping_add(1);
        true
    }
}

/// What was done with a piece.
#[derive(Default)]
pub(super) struct Part {
    /// Octets of the piece.
    pub(super) read: usize,
    /// Octets of the output.
    pub(super) written: usize,
    /// The chunk ends here.
    pub(super) ended: bool,
}

/// `BDAT SP chunk-size [ SP "LAST" ] CRLF`
fn put_command(size: u32, end: &[u8], out: &mut Window<'_>) {
    out.put(b"BDAT ");
    out.put_number(size);
    out.put(end);
}
