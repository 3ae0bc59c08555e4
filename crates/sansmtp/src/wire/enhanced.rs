//! Enhanced mail system status codes (RFC 3463, RFC 2034).

#[cfg(feature = "server")]
use super::reply::Class;
use super::window::{Few, digit, show_decimal};
use crate::octets;
use core::num::NonZeroU32;

/// Ten bits.
const MASK: u32 = 0x3ff;
/// Keeps the number from being 0.
const MARK: u32 = 1 << 31;

/// An enhanced status code such as `5.7.8`, in four octets.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EnhancedCode(NonZeroU32);

impl EnhancedCode {
    /// The code `class.subject.detail`. The class is 2 for success, 4 for a
    /// persistent transient failure, 5 for a permanent failure; subject and detail
    /// are 0 to 999 (RFC 3463, section 2). `None` for others.
    pub const fn new(class: u8, subject: u16, detail: u16) -> Option<Self> {
        if !matches!(class, 2 | 4 | 5) || subject > 999 || detail > 999 {
            return None;
        }
        Some(Self::of(
            (class as u32) << 20 | (subject as u32) << 10 | detail as u32,
        ))
    }

    /// `2.0.0`, `4.0.0` or `5.0.0`; replies that ask for more have none.
    #[cfg(feature = "server")]
    pub(crate) const fn general(class: Class) -> Option<Self> {
        match class {
            Class::Positive => Self::new(2, 0, 0),
            Class::Intermediate => None,
            Class::Transient => Self::new(4, 0, 0),
            Class::Permanent => Self::new(5, 0, 0),
        }
    }

    const fn of(number: u32) -> Self {
        Self(match NonZeroU32::new(number | MARK) {
            Some(number) => number,
            None => NonZeroU32::MAX,
        })
    }

    /// 2 success, 4 persistent transient failure, 5 permanent failure.
    pub const fn class(self) -> u8 {
        (self.number() >> 20) as u8
    }

    /// The subject, 0 to 999, such as 7 for security or policy.
    pub const fn subject(self) -> u16 {
        (self.number() >> 10 & MASK) as u16
    }

    /// The detail within the subject, 0 to 999.
    pub const fn detail(self) -> u16 {
        (self.number() & MASK) as u16
    }

    const fn number(self) -> u32 {
        self.0.get() & !MARK
    }

    /// Parses a code at the beginning of reply text and returns it with the
    /// text behind it (RFC 2034, section 4):
    /// `status-code = class "." subject "." detail`, each of the latter two
    /// with 1 to 3 digits.
    pub fn parse_prefix(text: &[u8]) -> Option<(Self, &[u8])> {
        // Nearly all: one digit each.
        if cfg!(feature = "memchr")
            && let [
                class @ (b'2' | b'4' | b'5'),
                b'.',
                subject @ b'0'..=b'9',
                b'.',
                detail @ b'0'..=b'9',
                b' ',
                rest @ ..,
            ] = text
        {
            let digit = |octet: &u8| octet.wrapping_sub(b'0');
            let (subject, detail) = (u16::from(digit(subject)), u16::from(digit(detail)));
            return Some((Self::new(digit(class), subject, detail)?, rest));
        }
        if cfg!(feature = "memchr") && !matches!(text, [b'2' | b'4' | b'5', b'.', ..]) {
            return None;
        }
        let (number, used) = octets::dotted(text);
        let code = Self::of(number);
        // What lacks a detail has none of these in the class's place.
        if !matches!(code.class(), 2 | 4 | 5) {
            return None;
        }
        match text.get(used..)? {
            [] => Some((code, &[])),
            [b' ', rest @ ..] => Some((code, rest)),
            _ => None,
        }
    }

    pub(crate) fn push_to(self, few: &mut Few) {
        // Nearly all: one digit each.
        if cfg!(feature = "memchr") && self.subject() < 10 && self.detail() < 10 {
            let [class, subject, detail] =
                [u16::from(self.class()), self.subject(), self.detail()].map(digit);
            return few.push_all([class, b'.', subject, b'.', detail]);
        }
        few.push_number(u16::from(self.class()));
        few.push(b'.');
        few.push_number(self.subject());
        few.push(b'.');
        few.push_number(self.detail());
    }
}

impl core::fmt::Debug for EnhancedCode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(self, f)
    }
}

impl core::fmt::Display for EnhancedCode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        show_decimal(self.class().into(), f)?;
        f.write_str(".")?;
        show_decimal(self.subject().into(), f)?;
        f.write_str(".")?;
        show_decimal(self.detail().into(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_the_text_behind_them() {
        let (code, rest) = EnhancedCode::parse_prefix(b"5.7.139 Authentication").unwrap();
        assert_eq!(Some(code), EnhancedCode::new(5, 7, 139));
        assert_eq!(rest, b"Authentication");
        assert_eq!(
            EnhancedCode::parse_prefix(b"2.0.0"),
            EnhancedCode::new(2, 0, 0).map(|code| (code, &b""[..]))
        );
        for bad in [
            "3.0.0 x",
            "5.7 x",
            "5.7.x",
            "5.1234.1 x",
            "5..1",
            "mx",
            "",
            "5.7.1x",
        ] {
            assert_eq!(EnhancedCode::parse_prefix(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn numbers_have_three_digits() {
        for (class, subject, detail, good) in [
            (2, 0, 0, true),
            (4, 999, 999, true),
            (5, 0, 1, true),
            (5, 1000, 0, false),
            (5, 0, 1000, false),
            (5, 1024, 0, false),
            (5, u16::MAX, u16::MAX, false),
            (0, 0, 0, false),
            (1, 0, 0, false),
            (3, 0, 0, false),
            (6, 0, 0, false),
        ] {
            let code = EnhancedCode::new(class, subject, detail);
            assert_eq!(code.is_some(), good, "{class}.{subject}.{detail}");
            if let Some(code) = code {
                let parts = (code.class(), code.subject(), code.detail());
                assert_eq!(parts, (class, subject, detail));
            }
        }
    }
}
