//! The parameters of MAIL that say how a message is to be handled on its way:
//! REQUIRETLS (RFC 8689), BY (RFC 2852), HOLDFOR and HOLDUNTIL (RFC 4865) and
//! MT-PRIORITY (RFC 6710).

use super::datetime::DateTime;
use super::param::{ParameterError, decimal};
use super::window::Window;
use crate::capability::{Capabilities, Extension};

/// How a message is to be handled. The default asks for nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Handling {
    /// Every hop from here on must use TLS with a certificate that was checked,
    /// and offer REQUIRETLS, or give the message back (RFC 8689).
    pub require_tls: bool,
    /// By when it must be delivered, and what happens if it is not.
    pub deliver_by: Option<DeliverBy>,
    /// Until when the server keeps it back before it delivers.
    pub hold: Option<Hold>,
    /// How urgent it is.
    pub priority: Option<Priority>,
}

/// By when a message must be delivered: BY (RFC 2852, section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeliverBy {
    seconds: i32,
    late: Late,
    trace: bool,
}

/// What happens to a message that is late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Late {
    /// It is returned, and not delivered any more.
    Return,
    /// Its sender is told, and it is delivered all the same.
    Notify,
}

impl DeliverBy {
    /// The most seconds in either direction.
    pub const LIMIT: i32 = 999_999_999;

    /// Within so many seconds from the end of the message. `None` if they do not fit
    /// nine digits, or if a message that would be late already is to be returned.
    pub const fn new(seconds: i32, late: Late) -> Option<Self> {
        let least = match late {
            Late::Return => 1,
            Late::Notify => -Self::LIMIT,
        };
        if seconds < least || seconds > Self::LIMIT {
            return None;
        }
        Some(Self {
            seconds,
            late,
            trace: false,
        })
    }

    /// The same, and every relay reports that it has passed the message on.
    #[must_use]
    pub const fn with_trace(mut self) -> Self {
        self.trace = true;
        self
    }

    /// The seconds that are left. 0 or less with [`Late::Notify`] says that the
    /// message is late already.
    pub const fn seconds(self) -> i32 {
        self.seconds
    }

    /// What happens if it is late.
    pub const fn late(self) -> Late {
        self.late
    }

    /// Whether every relay reports.
    pub const fn trace(self) -> bool {
        self.trace
    }

    /// `by-value = by-time ";" by-mode [by-trace]`, where
    /// `by-time = ["-" / "+"] 1*9DIGIT`, `by-mode = "N" / "R"`, `by-trace = "T"`
    pub fn parse(value: &str) -> Option<Self> {
        let (time, mode) = crate::octets::split_first(value, b';')?;
        let (negative, digits) = match time.as_bytes() {
            [b'-', digits @ ..] => (true, digits),
            [b'+', digits @ ..] => (false, digits),
            digits => (false, digits),
        };
        let seconds = i32::try_from(nine_digits(digits)?).ok()?;
        let seconds = if negative {
            seconds.wrapping_neg()
        } else {
            seconds
        };
        let (late, trace) = match mode.as_bytes() {
            [b'R' | b'r', trace @ ..] => (Late::Return, trace),
            [b'N' | b'n', trace @ ..] => (Late::Notify, trace),
            _ => return None,
        };
        let by = Self::new(seconds, late)?;
        match trace {
            [] => Some(by),
            [b'T' | b't'] => Some(by.with_trace()),
            _ => None,
        }
    }

    fn render(self, out: &mut Window<'_>) {
        if self.seconds < 0 {
            out.put(b"-");
        }
        out.put_decimal(u64::from(self.seconds.unsigned_abs()));
        out.put(match self.late {
            Late::Return => b";R",
            Late::Notify => b";N",
        });
        if self.trace {
            out.put(b"T");
        }
    }
}

/// Until when a message is kept back (RFC 4865, section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hold {
    /// HOLDFOR: this many seconds, at most [`Hold::LIMIT`].
    For(u32),
    /// HOLDUNTIL: to this point in time.
    Until(DateTime),
}

impl Hold {
    /// The most seconds that HOLDFOR can say.
    pub const LIMIT: u32 = 999_999_999;
}

/// How urgent a message is, from -9 to 9; 0 is usual (RFC 6710, section 4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Priority(i8);

impl Priority {
    /// This priority; `None` unless it is from -9 to 9.
    pub const fn new(value: i8) -> Option<Self> {
        if value >= -9 && value <= 9 {
            Some(Self(value))
        } else {
            None
        }
    }

    /// The priority as a number.
    pub const fn get(self) -> i8 {
        self.0
    }

    /// `priority-value = "-9" / ... / "-1" / "0" / "1" / ... / "9"`
    pub fn parse(value: &str) -> Option<Self> {
        match *value.as_bytes() {
            [digit @ b'0'..=b'9'] => Some(Self(digit.wrapping_sub(b'0') as i8)),
            [b'-', digit @ b'1'..=b'9'] => Some(Self(b'0'.wrapping_sub(digit) as i8)),
            _ => None,
        }
    }

    fn render(self, out: &mut Window<'_>) {
        if self.0 < 0 {
            out.put(b"-");
        }
        out.put_decimal(u64::from(self.0.unsigned_abs()));
    }
}

impl Handling {
    /// Nothing is asked for.
    pub const NONE: Self = Self {
        require_tls: false,
        deliver_by: None,
        hold: None,
        priority: None,
    };

    /// Takes one parameter of MAIL.
    pub(super) fn take(
        &mut self,
        keyword: &[u8],
        value: Option<&str>,
        offered: &Capabilities,
    ) -> Result<(), ParameterError> {
        const KEYWORDS: [(&str, Extension); 5] = [
            ("REQUIRETLS", Extension::RequireTls),
            ("BY", Extension::DeliverBy),
            ("HOLDFOR", Extension::FutureRelease),
            ("HOLDUNTIL", Extension::FutureRelease),
            ("MT-PRIORITY", Extension::MtPriority),
        ];
        let which = KEYWORDS
            .iter()
            .position(|(name, extension)| {
                name.as_bytes().eq_ignore_ascii_case(keyword) && offered.has(*extension)
            })
            .ok_or(ParameterError::Unknown)?;
        // Of HOLDFOR and HOLDUNTIL only one may stand there.
        let fresh = match (which, value) {
            (0, None) => !core::mem::replace(&mut self.require_tls, true),
            (1, Some(value)) => set(&mut self.deliver_by, DeliverBy::parse(value)),
            (2, Some(value)) => {
                let seconds = nine_digits(value.as_bytes());
                set(&mut self.hold, seconds.map(Hold::For))
            }
            (3, Some(value)) => set(&mut self.hold, DateTime::parse(value).map(Hold::Until)),
            (4, Some(value)) => set(&mut self.priority, Priority::parse(value)),
            _ => false,
        };
        if fresh {
            Ok(())
        } else {
            Err(ParameterError::Syntax)
        }
    }

    pub(super) fn render(&self, out: &mut Window<'_>) {
        if self.require_tls {
            out.put(b" REQUIRETLS");
        }
        if let Some(by) = self.deliver_by {
            out.put(b" BY=");
            by.render(out);
        }
        match self.hold {
            None => {}
            Some(Hold::For(seconds)) => {
                out.put(b" HOLDFOR=");
                out.put_decimal(u64::from(seconds));
            }
            Some(Hold::Until(date)) => {
                out.put(b" HOLDUNTIL=");
                date.render(out);
            }
        }
        if let Some(priority) = self.priority {
            out.put(b" MT-PRIORITY=");
            priority.render(out);
        }
    }
}

/// Sets what was not set before; `false` if there is nothing to set, or it stands
/// there already.
fn set<T>(place: &mut Option<T>, value: Option<T>) -> bool {
    value.is_some() && core::mem::replace(place, value).is_none()
}

/// `1*9DIGIT`
fn nine_digits(digits: &[u8]) -> Option<u32> {
    if digits.len() > 9 {
        return None;
    }
    decimal(digits).and_then(|value| u32::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::param::MailParameters;
    use proptest::prelude::*;
    use std::string::{String, ToString};

    fn offered() -> Capabilities {
        Extension::ALL
            .into_iter()
            .fold(Capabilities::NONE, Capabilities::with)
    }

    fn parse(text: &str) -> Result<Handling, ParameterError> {
        MailParameters::parse(text.as_bytes(), &offered()).map(|parameters| parameters.handling)
    }

    fn rendered(handling: &Handling) -> String {
        let mut out = [0; 128];
        let mut window = Window::new(0, &mut out);
        handling.render(&mut window);
        let written = window.written();
        core::str::from_utf8(&out[..written]).unwrap().to_string()
    }

    #[test]
    fn there_and_back() {
        for text in [
            "",
            " REQUIRETLS",
            " BY=120;R",
            " BY=1;RT",
            " BY=999999999;N",
            " BY=0;N",
            " BY=-999999999;NT",
            " HOLDFOR=0",
            " HOLDFOR=999999999",
            " HOLDUNTIL=2026-11-25T07:03:00Z",
            " MT-PRIORITY=-9",
            " MT-PRIORITY=0",
            " MT-PRIORITY=9",
            " REQUIRETLS BY=120;R HOLDFOR=60 MT-PRIORITY=3",
        ] {
            assert_eq!(rendered(&parse(text).unwrap()), text);
        }
        for (text, same) in [
            (" requiretls", " REQUIRETLS"),
            (" by=+0120;rt", " BY=120;RT"),
            (" HoldFor=007", " HOLDFOR=7"),
            (
                " HOLDUNTIL=2026-11-25T08:03:00.25+01:00",
                " HOLDUNTIL=2026-11-25T07:03:00Z",
            ),
            (" BY=-0;N", " BY=0;N"),
        ] {
            assert_eq!(rendered(&parse(text).unwrap()), same, "{text}");
        }
    }

    #[test]
    fn what_is_refused() {
        for text in [
            " REQUIRETLS=1",
            " REQUIRETLS REQUIRETLS",
            " BY",
            " BY=",
            " BY=120",
            " BY=120;",
            " BY=120;X",
            " BY=120;RR",
            " BY=120;RTT",
            " BY=0;R",
            " BY=-1;R",
            " BY=--1;N",
            " BY=;N",
            " BY=1234567890;N",
            " BY=1;R BY=1;R",
            " HOLDFOR",
            " HOLDFOR=",
            " HOLDFOR=-1",
            " HOLDFOR=+1",
            " HOLDFOR=1234567890",
            " HOLDFOR=1 HOLDFOR=1",
            " HOLDFOR=1 HOLDUNTIL=2026-11-25T07:03:00Z",
            " HOLDUNTIL=2026-11-25T07:03:00Z HOLDFOR=1",
            " HOLDUNTIL=2026-11-25",
            " HOLDUNTIL=tomorrow",
            " MT-PRIORITY",
            " MT-PRIORITY=",
            " MT-PRIORITY=10",
            " MT-PRIORITY=-10",
            " MT-PRIORITY=-0",
            " MT-PRIORITY=+1",
            " MT-PRIORITY=1 MT-PRIORITY=2",
        ] {
            assert_eq!(parse(text), Err(ParameterError::Syntax), "{text}");
        }
        for (text, extension) in [
            (" REQUIRETLS", Extension::RequireTls),
            (" BY=1;N", Extension::DeliverBy),
            (" HOLDFOR=1", Extension::FutureRelease),
            (" HOLDUNTIL=2026-11-25T07:03:00Z", Extension::FutureRelease),
            (" MT-PRIORITY=1", Extension::MtPriority),
        ] {
            let offered = offered().without(extension);
            assert_eq!(
                MailParameters::parse(text.as_bytes(), &offered),
                Err(ParameterError::Unknown),
                "{text}"
            );
        }
        assert_eq!(DeliverBy::new(0, Late::Return), None);
        assert_eq!(DeliverBy::new(DeliverBy::LIMIT + 1, Late::Notify), None);
        assert_eq!(DeliverBy::new(-DeliverBy::LIMIT - 1, Late::Notify), None);
        assert_eq!(Priority::new(10), None);
        assert_eq!(Priority::new(-10), None);
    }

    prop_compose! {
        fn any_handling()(
            require_tls: bool,
            by in proptest::option::of((-DeliverBy::LIMIT..=DeliverBy::LIMIT, any::<bool>(), any::<bool>())),
            hold in proptest::option::of((0..=Hold::LIMIT, any::<bool>())),
            priority in proptest::option::of(-9_i8..=9),
        ) -> Handling {
            Handling {
                require_tls,
                deliver_by: by.and_then(|(seconds, late, trace)| {
                    let by = DeliverBy::new(seconds, if late { Late::Return } else { Late::Notify })?;
                    Some(if trace { by.with_trace() } else { by })
                }),
                hold: hold.map(|(seconds, until)| match until {
                    true => Hold::Until(DateTime::from_unix(seconds.into()).unwrap()),
                    false => Hold::For(seconds),
                }),
                priority: priority.and_then(Priority::new),
            }
        }
    }

    proptest! {
        #[test]
        fn any_handling_comes_back(handling in any_handling()) {
            prop_assert_eq!(parse(&rendered(&handling)), Ok(handling));
        }

        #[test]
        fn any_text(text in "( (REQUIRETLS|BY|HOLDFOR|HOLDUNTIL|MT-PRIORITY)(=[-+0-9;RNTZ:.]{0,12})?){0,3}") {
            if let Ok(handling) = parse(&text) {
                prop_assert_eq!(parse(&rendered(&handling)), Ok(handling));
            }
        }
    }
}
