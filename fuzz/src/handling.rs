//! DELIVERBY, FUTURERELEASE, MT-PRIORITY and their dates: naive parsers agree, and what is read goes through
//! MAIL unchanged.

use crate::input::rendered;
use sansmtp::capability::{Capabilities, Extension};
use sansmtp::wire::command::Command;
use sansmtp::wire::datetime::DateTime;
use sansmtp::wire::handling::{DeliverBy, Handling, Hold, Late, Priority};
use sansmtp::wire::param::MailParameters;
use sansmtp::wire::path::ReversePath;

/// Checks one text as a value of each parameter.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let by = DeliverBy::parse(text);
    let found = by.map(|it| (it.seconds(), it.late(), it.trace()));
    assert_eq!(found, naive_by(text), "{text:?}");
    let priority = Priority::parse(text);
    let canonical = text.parse().ok().filter(|it: &i8| it.to_string() == text);
    let expected = canonical.filter(|it| (-9..=9).contains(it));
    assert_eq!(priority.map(Priority::get), expected, "{text:?}");
    let date = DateTime::parse(text);
    assert_eq!(date.map(DateTime::unix), naive_date(text), "{text:?}");
    for handling in [
        by.map(|by| Handling {
            deliver_by: Some(by),
            require_tls: true,
            ..Handling::default()
        }),
        priority.map(|priority| Handling {
            priority: Some(priority),
            ..Handling::default()
        }),
        date.map(|date| Handling {
            hold: Some(Hold::Until(date)),
            ..Handling::default()
        }),
    ] {
        handling.map(back).unwrap_or_default();
    }
}

fn back(handling: Handling) {
    let offered = Extension::ALL
        .into_iter()
        .fold(Capabilities::NONE, |all, one| all.with(one));
    let command = Command::Mail {
        reverse_path: ReversePath::Null,
        parameters: MailParameters {
            handling,
            ..MailParameters::default()
        },
    };
    let line = rendered(|out| command.render(out));
    let line = line.strip_suffix(b"\r\n").expect("an end of the line");
    assert_eq!(Command::parse(line, &offered), Ok(command));
}

/// RFC 2852, section 4
fn naive_by(text: &str) -> Option<(i32, Late, bool)> {
    let (time, mode) = text.split_once(';')?;
    let digits = time.strip_prefix(['-', '+']).unwrap_or(time);
    let plain = (1..=9).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    let seconds: i32 = plain.then(|| time.parse().ok())??;
    let (late, trace) = match mode.to_ascii_uppercase().as_str() {
        "R" if seconds > 0 => (Late::Return, false),
        "RT" if seconds > 0 => (Late::Return, true),
        "N" => (Late::Notify, false),
        "NT" => (Late::Notify, true),
        _ => return None,
    };
    Some((seconds, late, trace))
}

/// `date-time` of RFC 3339, section 5.6, day by day.
fn naive_date(text: &str) -> Option<u64> {
    let octets = text.as_bytes();
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = octets.get(from..to)?;
        let plain = digits.iter().all(u8::is_ascii_digit);
        plain.then(|| std::str::from_utf8(digits).ok()?.parse().ok())?
    };
    for (at, mark) in [(4, "-"), (7, "-"), (10, "Tt"), (13, ":"), (16, ":")] {
        mark.bytes().find(|b| octets.get(at) == Some(b))?;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_of = |year: i64, month: i64| match month {
        2 => 28 + i64::from(leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let good = (1..=12).contains(&month)
        && (1..=days_of(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    if !good {
        return None;
    }
    let mut rest = &text[19..];
    if let Some(fraction) = rest.strip_prefix('.') {
        let end = fraction
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(fraction.len());
        if end == 0 {
            return None;
        }
        rest = &fraction[end..];
    }
    let offset = match rest {
        "Z" | "z" => 0,
        _ => {
            let sign = match rest.get(..1)? {
                "+" => 1,
                "-" => -1,
                _ => return None,
            };
            let at = text.len() - rest.len();
            let (hours, minutes) = (number(at + 1, at + 3)?, number(at + 4, at + 6)?);
            let form = rest.len() == 6 && octets[at + 3] == b':' && hours < 24 && minutes < 60;
            form.then_some(sign * (hours * 60 + minutes))?
        }
    };
    let mut days = day - 1;
    for past in 1970..year {
        days += 365 + i64::from(leap(past));
    }
    for past in 1..month {
        days += days_of(year, past);
    }
    if year < 1970 {
        return None;
    }
    let seconds = ((days * 24 + hour) * 60 + minute - offset) * 60 + second;
    // A leap second at the very beginning, shifted before it, is no point in time.
    let before = (days * 24 + hour) * 60 + minute - offset < 0;
    u64::try_from(seconds)
        .ok()
        .filter(|seconds| !before && *seconds <= 253_402_300_799)
}
