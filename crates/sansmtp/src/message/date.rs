//! The date of a message: RFC 5322, section 3.3, from seconds since 1970.

use crate::wire::window::Window;

/// A point in time and the writer's UTC offset, between the years 1900 and 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Date {
    /// Days since 1 March of the year 0, in the writer's zone.
    day: u32,
    /// Seconds since midnight, in the writer's zone.
    second: u32,
    /// Minutes east of UTC.
    offset: i16,
}

/// Why a date was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DateError {
    /// The year is before 1900 or after 9999.
    Year,
    /// The UTC offset is a day or more.
    Offset,
}

impl Date {
    /// From seconds since 1970-01-01 00:00:00 UTC and the offset of the
    /// writer's clock in minutes east of UTC (-300 is `-0500`).
    ///
    /// # Errors
    /// The local year is not in 1900 to 9999 (RFC 5322 has no way to write it),
    /// or the offset is not within plus or minus 23:59.
    pub fn from_unix(seconds: i64, offset_minutes: i16) -> Result<Self, DateError> {
        if !(-1439..=1439).contains(&offset_minutes) {
            return Err(DateError::Offset);
        }
        let local = seconds
            .checked_add(i64::from(offset_minutes) * 60)
            .ok_or(DateError::Year)?;
        if !(FIRST..=LAST).contains(&local) {
            return Err(DateError::Year);
        }
        // 86400 is 128 times 675: a shift brings the number into 32 bits, and
        // small processors need no 64-bit division.
        let since_1900 = local.wrapping_sub(FIRST) as u64;
        let blocks = (since_1900 >> 7) as u32;
        Ok(Self {
            day: blocks / 675 + DAY_1900,
            second: ((blocks % 675) << 7) | (since_1900 & 127) as u32,
            offset: offset_minutes,
        })
    }

    /// Writes `Tue, 01 Jul 2003 10:52:37 +0200`.
    pub(super) fn put(self, w: &mut Window<'_>) {
        let (year, month, day) = civil(self.day);
        let offset = u32::from(self.offset.unsigned_abs());
        let mut numbers = [
            day,
            year / 100,
            year % 100,
            self.second / 3600,
            self.second / 60 % 60,
            self.second % 60,
            offset / 60,
            offset % 60,
        ]
        .into_iter();
        // 1 March of the year 0 was a Wednesday.
        put_name(&DAYS, (self.day + 3) % 7, w);
        for &b in b", # M ## #:#:# +##" {
            match b {
                b'#' => put_two(numbers.next().unwrap_or_default(), w),
                b'M' => put_name(&MONTHS, month, w),
                b'+' if self.offset < 0 => w.put(b"-"),
                _ => w.put(&[b]),
            }
        }
    }
}

/// As a header field carries it: `Tue, 01 Jul 2003 10:52:37 +0200`.
impl core::fmt::Display for Date {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let mut text = [0; 31];
        let mut window = Window::new(0, &mut text);
        self.put(&mut window);
        f.write_str(core::str::from_utf8(&text).unwrap_or_default())
    }
}

impl core::fmt::Display for DateError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Year => "the year is not in 1900 to 9999; check the clock and its unit (seconds)",
            Self::Offset => "the UTC offset is a day or more; give it in minutes east of UTC",
        })
    }
}

impl core::error::Error for DateError {}

/// 1900-01-01 00:00:00 and 9999-12-31 23:59:59, in seconds since 1970.
const FIRST: i64 = -2_208_988_800;
const LAST: i64 = 253_402_300_799;
/// 1900-01-01 as days since 1 March of the year 0.
const DAY_1900: u32 = 693_901;

const DAYS: [[u8; 3]; 7] = [
    *b"Sun", *b"Mon", *b"Tue", *b"Wed", *b"Thu", *b"Fri", *b"Sat",
];
const MONTHS: [[u8; 3]; 12] = [
    *b"Jan", *b"Feb", *b"Mar", *b"Apr", *b"May", *b"Jun", *b"Jul", *b"Aug", *b"Sep", *b"Oct",
    *b"Nov", *b"Dec",
];

/// Year, month (0 is January) and day (from 1). The count starts in March, so
/// that the leap day is the last day of a counted year.
fn civil(day: u32) -> (u32, u32, u32) {
    // A period of 400 years has 146097 days, one of 4 years 1461.
    let century = (4 * day + 3) / 146_097;
    let in_century = day - century * 146_097 / 4;
    let year = (4 * in_century + 3) / 1461;
    let in_year = in_century - year * 1461 / 4;
    // Five months from March (or August, or January) have 153 days.
    let month = (5 * in_year + 2) / 153;
    let day = in_year - (153 * month + 2) / 5 + 1;
    let january = u32::from(month >= 10);
    (
        century * 100 + year + january,
        (month + 2) - 12 * january,
        day,
    )
}

fn put_name(names: &[[u8; 3]], index: u32, w: &mut Window<'_>) {
    w.put(names.get(index as usize).unwrap_or(b"???"));
}

fn put_two(number: u32, w: &mut Window<'_>) {
    let digit = |n: u32| b'0' + (n % 10) as u8;
    w.put(&[digit(number / 10), digit(number)]);
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::String;

    fn text(seconds: i64, offset: i16) -> String {
        let mut out = [0; 40];
        let mut w = Window::new(0, &mut out);
        Date::from_unix(seconds, offset).unwrap().put(&mut w);
        let n = w.written();
        String::from_utf8(out[..n].to_vec()).unwrap()
    }

    #[test]
    fn known_dates() {
        for (seconds, offset, expected) in [
            (0, 0, "Thu, 01 Jan 1970 00:00:00 +0000"),
            (0, -1, "Wed, 31 Dec 1969 23:59:00 -0001"),
            (1_057_049_557, 120, "Tue, 01 Jul 2003 10:52:37 +0200"),
            (880_127_706, -360, "Fri, 21 Nov 1997 09:55:06 -0600"),
            (951_782_400, 0, "Tue, 29 Feb 2000 00:00:00 +0000"),
            (951_868_800, 0, "Wed, 01 Mar 2000 00:00:00 +0000"),
            (1_709_164_800, 0, "Thu, 29 Feb 2024 00:00:00 +0000"),
            (4_107_542_399, 0, "Sun, 28 Feb 2100 23:59:59 +0000"),
            (4_107_542_400, 0, "Mon, 01 Mar 2100 00:00:00 +0000"),
            (2_147_483_648, 330, "Tue, 19 Jan 2038 08:44:08 +0530"),
            (1_735_689_599, 1439, "Wed, 01 Jan 2025 23:58:59 +2359"),
            (FIRST, 0, "Mon, 01 Jan 1900 00:00:00 +0000"),
            (LAST, 0, "Fri, 31 Dec 9999 23:59:59 +0000"),
        ] {
            assert_eq!(text(seconds, offset), expected);
            let date = Date::from_unix(seconds, offset).unwrap();
            assert_eq!(std::format!("{date}"), expected);
        }
    }

    /// A slow calendar that counts day by day, as the reference.
    #[test]
    fn every_day_of_the_range() {
        let (mut year, mut month, mut day) = (1900, 0, 1);
        for count in DAY_1900..=(DAY_1900 + ((LAST - FIRST) / 86_400) as u32) {
            assert_eq!(civil(count), (year, month, day));
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let length = [
                31,
                28 + u32::from(leap),
                31,
                30,
                31,
                30,
                31,
                31,
                30,
                31,
                30,
                31,
            ];
            day += 1;
            if day > length[month as usize] {
                (day, month) = (1, month + 1);
            }
            if month == 12 {
                (month, year) = (0, year + 1);
            }
        }
        assert_eq!((year, month, day), (10_000, 0, 1));
    }

    #[test]
    fn out_of_range() {
        for (seconds, offset, error) in [
            (FIRST - 1, 0, DateError::Year),
            (FIRST, -1, DateError::Year),
            (LAST + 1, 0, DateError::Year),
            (LAST, 1, DateError::Year),
            (i64::MAX, 1, DateError::Year),
            (i64::MIN, -1, DateError::Year),
            (0, 1440, DateError::Offset),
            (0, i16::MIN, DateError::Offset),
        ] {
            assert_eq!(Date::from_unix(seconds, offset), Err(error));
        }
    }
}
