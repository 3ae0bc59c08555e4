//! How a mail is to be handled on its way, as `sansmtp send` is told.

use crate::args::Handling as Args;
use sansmtp::envelope::{Envelope, Recipient};
use sansmtp::wire::datetime::DateTime;
use sansmtp::wire::handling::{DeliverBy, Handling, Hold, Late, Priority};
use sansmtp::wire::param::Notify;

/// Writes the wishes into the envelope.
pub(crate) fn apply(args: &Args, envelope: &mut Envelope<'_>) {
    envelope.handling = Handling {
        require_tls: args.require_tls,
        deliver_by: args.deliver_by.or(args.notify_after),
        hold: args.hold_for.or(args.hold_until),
        priority: args.priority,
    };
}

/// The same for the recipients.
pub(crate) fn apply_to_recipients(args: &Args, recipients: &mut [Recipient<'_>]) {
    for recipient in recipients {
        recipient.notify = args.report;
    }
}

/// The wishes in words, for a trial.
pub(crate) fn describe(args: &Args) -> Vec<String> {
    let by = |what: &str, by: Option<DeliverBy>| {
        by.map(|by| format!("{what} it is not delivered in {} s", by.seconds()))
    };
    let report = args.report.map(|notify| {
        let words: Vec<&str> = [
            (notify.success, "success"),
            (notify.failure, "failure"),
            (notify.delay, "delay"),
        ]
        .into_iter()
        .filter_map(|(wanted, word)| wanted.then_some(word))
        .collect();
        match words.is_empty() {
            true => "no report".to_owned(),
            false => format!("report on {}", words.join(", ")),
        }
    });
    let hold = args.hold_for.or(args.hold_until).map(|hold| match hold {
        Hold::For(seconds) => format!("hold for {seconds} s"),
        Hold::Until(date) => format!("hold until {date}"),
    });
    let wishes = [
        report,
        args.require_tls.then(|| "TLS on the whole way".to_owned()),
        hold,
        by("give back if", args.deliver_by),
        by("tell the sender if", args.notify_after),
        args.priority.map(|rank| format!("priority {}", rank.get())),
    ];
    wishes.into_iter().flatten().collect()
}

/// `--deliver-by`
pub(crate) fn deliver_by(text: &str) -> Result<DeliverBy, String> {
    by(text, Late::Return)
}

/// `--notify-after`
pub(crate) fn notify_after(text: &str) -> Result<DeliverBy, String> {
    by(text, Late::Notify)
}

fn by(text: &str, late: Late) -> Result<DeliverBy, String> {
    let seconds = i32::try_from(seconds(text)?).map_err(|_| TOO_LONG)?;
    DeliverBy::new(seconds, late).ok_or_else(|| TOO_LONG.into())
}

/// `--hold-for`
pub(crate) fn hold_for(text: &str) -> Result<Hold, String> {
    let seconds = seconds(text)?;
    match seconds <= Hold::LIMIT {
        true => Ok(Hold::For(seconds)),
        false => Err(TOO_LONG.into()),
    }
}

/// `--hold-until`
pub(crate) fn hold_until(text: &str) -> Result<Hold, String> {
    let date = DateTime::parse(text).map(Hold::Until);
    date.ok_or_else(|| "write date, time and zone, as 2026-12-24T18:00:00+01:00".into())
}

/// `--priority`
pub(crate) fn priority(text: &str) -> Result<Priority, String> {
    Priority::parse(text).ok_or_else(|| "write a number from -9 to 9; 0 is usual".into())
}

/// `--report`
pub(crate) fn report(text: &str) -> Result<Notify, String> {
    let mut notify = Notify::default();
    if text.eq_ignore_ascii_case("never") {
        return Ok(notify);
    }
    for word in text.split(',') {
        match word.trim().to_ascii_lowercase().as_str() {
            "success" => notify.success = true,
            "failure" => notify.failure = true,
            "delay" => notify.delay = true,
            _ => return Err("write success, failure and delay with commas, or never".into()),
        }
    }
    Ok(notify)
}

const TOO_LONG: &str = "give from 1 to 999999999 seconds, which is 31 years";

/// A number with s, m, h or d behind it, or of seconds.
fn seconds(text: &str) -> Result<u32, String> {
    let (digits, unit) = match text.as_bytes().last() {
        Some(b's') => (&text[..text.len() - 1], 1),
        Some(b'm') => (&text[..text.len() - 1], 60),
        Some(b'h') => (&text[..text.len() - 1], 3600),
        Some(b'd') => (&text[..text.len() - 1], 86_400),
        _ => (text, 1),
    };
    digits
        .parse::<u32>()
        .ok()
        .filter(|&count| count > 0)
        .and_then(|count| count.checked_mul(unit))
        .ok_or_else(|| "write a time as 90s, 15m, 2h or 3d".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (text, expected) in [
            ("90", 90),
            ("90s", 90),
            ("15m", 900),
            ("2h", 7200),
            ("1d", 86_400),
        ] {
            assert_eq!(hold_for(text), Ok(Hold::For(expected)));
            assert_eq!(deliver_by(text).unwrap().seconds(), expected as i32);
        }
        for wrong in [
            "",
            "0",
            "-1",
            "h",
            "1w",
            "1.5h",
            "99999999d",
            "4294967295",
            "2 h",
        ] {
            assert!(hold_for(wrong).is_err(), "{wrong}");
            assert!(deliver_by(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn reports() {
        let all = Notify {
            success: true,
            failure: true,
            delay: true,
        };
        assert_eq!(report("success, failure,DELAY"), Ok(all));
        assert_eq!(report("never"), Ok(Notify::default()));
        for wrong in ["", "always", "never,delay"] {
            assert!(report(wrong).is_err(), "{wrong}");
        }
        assert!(hold_until("tomorrow").is_err());
        assert!(priority("10").is_err());
    }
}
