//! The simulated temperature of a pump, and its log in flash.

#[cfg(feature = "message")]
use sansmtp_smoltcp::{AttachmentSource, ContentError};

/// Tenths of a degree Celsius at which the alarm is raised.
pub(super) const LIMIT: u32 = 900;
/// Octets of one line of the log.
#[cfg(feature = "message")]
const ROW: usize = 16;
/// The first line of the log, as long as all others.
#[cfg(feature = "message")]
const HEAD: &[u8; ROW] = b"second,celsius\r\n";

#[cfg(feature = "message")]
/// What the pump was like: one reading each second since it was switched on.
#[derive(Clone, Copy)]
pub(super) struct Log {
    /// Readings so far.
    pub(super) readings: u32,
}

/// The temperature in tenths of a degree, `second` seconds after the pump was switched on: it runs warm,
/// and something is wrong with its bearing.
pub(super) fn temperature(second: u32) -> u32 {
    let wobble = second.wrapping_mul(0x9E37_79B1) >> 29;
    600 + second * 2 / 3 + wobble
}

/// How many readings there are when the temperature first is over the limit.
pub(super) fn readings_until_alarm() -> u32 {
    let mut readings = 0;
    while temperature(readings) <= LIMIT {
        readings += 1;
    }
    readings + 1
}

#[cfg(feature = "message")]
impl Log {
    /// The size of the log as a file, in octets.
    pub(super) fn size(&self) -> usize {
        (self.readings as usize + 1) * ROW
    }
}

#[cfg(feature = "message")]
/// Lines have one length, so that any octet is found without an index.
impl AttachmentSource for &Log {
    fn read_at(&mut self, _: usize, offset: usize, out: &mut [u8]) -> Result<usize, ContentError> {
        let length = out.len().min(self.size().saturating_sub(offset));
        for (at, octet) in (offset..).zip(out.iter_mut().take(length)) {
            let line = match (at / ROW).checked_sub(1) {
                None => *HEAD,
                Some(second) => row(second as u32),
            };
            *octet = line.get(at % ROW).copied().unwrap_or_default();
        }
        Ok(length)
    }
}

/// `00000042,062.8 CR LF`.
#[cfg(feature = "message")]
fn row(second: u32) -> [u8; ROW] {
    let mut line = *b"00000000,000.0\r\n";
    let mut temperature = temperature(second);
    let (seconds, rest) = line.split_at_mut(8);
    put(seconds, second);
    let [_, a, b, c, _, tenth, ..] = rest else {
        return line;
    };
    for digit in [tenth, c, b, a] {
        *digit = b'0' + (temperature % 10) as u8;
        temperature /= 10;
    }
    line
}

#[cfg(feature = "message")]
fn put(digits: &mut [u8], mut number: u32) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}
