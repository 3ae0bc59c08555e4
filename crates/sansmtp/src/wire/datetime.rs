//! Dates of protocol lines: the `date-time` of RFC 3339, section 5.6.

use super::window::Window;

/// A point in time in whole seconds, from 1970 to 9999. Rendered in UTC, as
/// `2026-11-25T07:03:00Z`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTime(u64);

/// 9999-12-31 23:59:59.
const LAST: u64 = 253_402_300_799;
/// 1970-01-01 as days since 1 March of the year 0.
const DAY_1970: u32 = 719_468;
const MINUTES_PER_DAY: u32 = 1440;

impl DateTime {
    /// 1970-01-01 00:00:00 UTC.
    pub const EPOCH: Self = Self(0);

    /// The point this many seconds after 1970-01-01 00:00:00 UTC; `None` after the
    /// year 9999.
    pub const fn from_unix(seconds: u64) -> Option<Self> {
        if seconds <= LAST {
            Some(Self(seconds))
        } else {
            None
        }
    }

    /// Seconds since 1970-01-01 00:00:00 UTC.
    pub const fn unix(self) -> u64 {
        self.0
    }

    /// Reads `full-date "T" full-time`, such as `2026-11-25T08:03:00.5+01:00`. A
    /// fraction of a second is dropped; a leap second counts as the next one.
    pub fn parse(text: &str) -> Option<Self> {
        let (fixed, rest) = text.as_bytes().split_first_chunk::<19>()?;
        let [
            y1,
            y2,
            y3,
            y4,
            b'-',
            mo1,
            mo2,
            b'-',
            d1,
            d2,
            b'T' | b't',
            h1,
            h2,
            b':',
            mi1,
            mi2,
            b':',
            s1,
            s2,
        ] = *fixed
        else {
            return None;
        };
        let year = pair(y1, y2)?.wrapping_mul(100).wrapping_add(pair(y3, y4)?);
        let (month, day) = (pair(mo1, mo2)?, pair(d1, d2)?);
        let (hour, minute, second) = (pair(h1, h2)?, pair(mi1, mi2)?, pair(s1, s2)?);
        let good = (1..=12).contains(&month)
            && (1..=days_in(year, month)).contains(&day)
            && hour < 24
            && minute < 60
            && second <= 60;
        if !good {
            return None;
        }
        let (east, offset) = zone(fraction(rest)?)?;
        let minutes = u64::from(days_since_1970(year, month, day)?)
            .wrapping_mul(u64::from(MINUTES_PER_DAY))
            .wrapping_add(u64::from(hour.wrapping_mul(60).wrapping_add(minute)));
        let minutes = if east {
            minutes.checked_sub(u64::from(offset))?
        } else {
            minutes.wrapping_add(u64::from(offset))
        };
        Self::from_unix(minutes.wrapping_mul(60).wrapping_add(u64::from(second)))
    }

    pub(crate) fn render(self, out: &mut Window<'_>) {
        // 86400 is 128 times 675: a shift brings the number into 32 bits, and small
        // processors need no 64-bit division.
        let blocks = (self.0 >> 7) as u32;
        let second = ((blocks % 675) << 7) | (self.0 & 127) as u32;
        let (year, month, day) = civil(blocks / 675);
        put_two(year / 100, out);
        put_two(year % 100, out);
        for (before, value) in [
            (b"-", month),
            (b"-", day),
            (b"T", second / 3600),
            (b":", second / 60 % 60),
            (b":", second % 60),
        ] {
            out.put(before);
            put_two(value, out);
        }
        out.put(b"Z");
    }
}

impl core::fmt::Display for DateTime {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let mut text = [0; 20];
        let mut window = Window::new(0, &mut text);
        self.render(&mut window);
        f.write_str(core::str::from_utf8(&text).unwrap_or_default())
    }
}

/// `[ "." 1*DIGIT ]`, which is passed over.
fn fraction(text: &[u8]) -> Option<&[u8]> {
    let Some((b'.', mut rest)) = text.split_first() else {
        return Some(text);
    };
    rest.first().filter(|digit| digit.is_ascii_digit())?;
    while let Some((b'0'..=b'9', tail)) = rest.split_first() {
        rest = tail;
    }
    Some(rest)
}

/// `"Z" / ( "+" / "-" ) hour ":" minute`: whether it is east of UTC, and minutes.
fn zone(text: &[u8]) -> Option<(bool, u32)> {
    match *text {
        [b'Z' | b'z'] => Some((false, 0)),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hour, minute) = (pair(h1, h2)?, pair(m1, m2)?);
            let good = hour < 24 && minute < 60;
            good.then(|| (sign == b'+', hour.wrapping_mul(60).wrapping_add(minute)))
        }
        _ => None,
    }
}

/// `2DIGIT`
fn pair(tens: u8, ones: u8) -> Option<u32> {
    if !tens.is_ascii_digit() || !ones.is_ascii_digit() {
        return None;
    }
    let value = |digit: u8| u32::from(digit.wrapping_sub(b'0'));
    Some(value(tens).wrapping_mul(10).wrapping_add(value(ones)))
}

fn days_in(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The count begins in March, so that the leap day is the last of its year.
fn days_since_1970(year: u32, month: u32, day: u32) -> Option<u32> {
    let (year, month) = if month > 2 {
        (year, month.wrapping_sub(3))
    } else {
        (year.checked_sub(1)?, month.wrapping_add(9))
    };
    let leap_days = (year / 4).wrapping_sub(year / 100).wrapping_add(year / 400);
    let in_year = month.wrapping_mul(153).wrapping_add(2) / 5;
    year.wrapping_mul(365)
        .wrapping_add(leap_days)
        .wrapping_add(in_year)
        .wrapping_add(day)
        .wrapping_sub(1)
        .checked_sub(DAY_1970)
}

/// Year, month and day of a count of days since 1970.
fn civil(days: u32) -> (u32, u32, u32) {
    let day = days.wrapping_add(DAY_1970);
    // A period of 400 years has 146097 days, one of 4 years 1461; five months
    // from March (or August, or January) have 153.
    let century = day.wrapping_mul(4).wrapping_add(3) / 146_097;
    let in_century = day.wrapping_sub(century.wrapping_mul(146_097) / 4);
    let year = in_century.wrapping_mul(4).wrapping_add(3) / 1461;
    let in_year = in_century.wrapping_sub(year.wrapping_mul(1461) / 4);
    let month = in_year.wrapping_mul(5).wrapping_add(2) / 153;
    let day = in_year.wrapping_sub(month.wrapping_mul(153).wrapping_add(2) / 5);
    let next = u32::from(month >= 10);
    (
        century
            .wrapping_mul(100)
            .wrapping_add(year)
            .wrapping_add(next),
        month.wrapping_add(3).wrapping_sub(next.wrapping_mul(12)),
        day.wrapping_add(1),
    )
}

fn put_two(value: u32, out: &mut Window<'_>) {
    let digit = |value: u32| b'0'.wrapping_add((value % 10) as u8);
    out.put(&[digit(value / 10), digit(value)]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::string::ToString;

    #[test]
    fn dates() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:00:00Z", 951_825_600),
            ("2026-11-25T07:03:00Z", 1_795_590_180),
            ("9999-12-31T23:59:59Z", LAST),
        ] {
            let date = DateTime::parse(text).unwrap();
            assert_eq!((date.unix(), date.to_string().as_str()), (seconds, text));
        }
        for (text, same) in [
            ("2026-11-25t08:03:00+01:00", "2026-11-25T07:03:00Z"),
            ("2026-11-24T23:03:00.999-08:00", "2026-11-25T07:03:00Z"),
            ("2016-12-31T23:59:60z", "2017-01-01T00:00:00Z"),
            ("1970-01-01T01:00:00+01:00", "1970-01-01T00:00:00Z"),
        ] {
            assert_eq!(DateTime::parse(text).unwrap().to_string(), same, "{text}");
        }
    }

    #[test]
    fn what_is_no_date() {
        for text in [
            "",
            "2026-11-25",
            "2026-11-25T07:03:00",
            "2026-11-25 07:03:00Z",
            "2026-11-25T07:03Z",
            "2026-11-25T07:03:00.Z",
            "2026-11-25T07:03:00ZZ",
            "2026-11-25T07:03:00+1:00",
            "2026-11-25T07:03:00+24:00",
            "2026-11-25T07:03:00+0100",
            "2026-02-29T07:03:00Z",
            "1900-02-29T07:03:00Z",
            "2026-00-25T07:03:00Z",
            "2026-13-25T07:03:00Z",
            "2026-11-00T07:03:00Z",
            "2026-11-31T07:03:00Z",
            "2026-11-25T24:03:00Z",
            "2026-11-25T07:60:00Z",
            "2026-11-25T07:03:61Z",
            "+026-11-25T07:03:00Z",
            "0000-01-01T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "1970-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            "2026-11-25T07:03:00\u{661}",
        ] {
            assert_eq!(DateTime::parse(text), None, "{text}");
        }
        assert_eq!(DateTime::from_unix(LAST + 1), None);
    }

    proptest! {
        #[test]
        fn there_and_back(seconds in 0..=LAST) {
            let date = DateTime::from_unix(seconds).unwrap();
            prop_assert_eq!(DateTime::parse(&date.to_string()), Some(date));
        }

        #[test]
        fn any_text(text in "[0-9T:.Z+-]{15,30}") {
            if let Some(date) = DateTime::parse(&text) {
                prop_assert_eq!(DateTime::parse(&date.to_string()), Some(date));
            }
        }
    }
}
