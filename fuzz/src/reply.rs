//! Replies: a naive parser agrees on each line, and every reply that can be made reads back.

use crate::input::{Input, rendered};
use sansmtp::wire::enhanced::EnhancedCode;
use sansmtp::wire::reply::{Escaped, Reply, ReplyLine};

/// Checks octets as a received line, and as the parts of a reply to be given.
pub fn check(data: &[u8]) {
    check_line(data);
    let mut input = Input::new(data);
    let code = input.short() % 700;
    let (subject, detail) = (input.short() % 1000, input.short() % 1000);
    let enhanced = match input.octet() {
        octet @ 0..8 => EnhancedCode::new(octet, subject, detail),
        _ => None,
    };
    let text = String::from_utf8_lossy(input.rest());
    check_reply(code, enhanced, &text);
}

fn check_line(line: &[u8]) {
    let parsed = ReplyLine::parse(line);
    let expected = naive(line);
    let found = parsed.map(|it| {
        let enhanced = it
            .enhanced
            .map(|it| (it.class(), it.subject(), it.detail()));
        (it.code.get(), enhanced, it.text, it.last)
    });
    assert_eq!(found, expected, "{line:?}");
    if let Some(parsed) = parsed {
        let shown = format!("{parsed} {parsed:?} {}", Escaped(line));
        assert!(!shown.chars().any(char::is_control), "{shown:?}");
    }
}

type Parts<'a> = (u16, Option<(u8, u16, u16)>, &'a [u8], bool);

fn naive(line: &[u8]) -> Option<Parts<'_>> {
    let digits = line.get(..3)?;
    let code: u16 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let all_digits = digits.iter().all(u8::is_ascii_digit);
    if !all_digits || !(200..600).contains(&code) {
        return None;
    }
    let last = match line.get(3) {
        None => return Some((code, None, &[], true)),
        Some(b' ') => true,
        Some(b'-') => false,
        Some(_) => return None,
    };
    let text = &line[4..];
    let end = text.iter().position(|&b| b == b' ').unwrap_or(text.len());
    let numbers: Vec<&[u8]> = text[..end].split(|&b| b == b'.').collect();
    let number = |digits: &[u8]| -> Option<u16> {
        let plain = (1..=3).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
        plain.then(|| std::str::from_utf8(digits).ok()?.parse().ok())?
    };
    if let [class, subject, detail] = numbers[..]
        && class == &line[..1]
        && [b"2", b"4", b"5"].contains(&&class.try_into().ok()?)
        && let (Some(subject), Some(detail)) = (number(subject), number(detail))
    {
        let rest = text.get(end + 1..).unwrap_or_default();
        return Some((code, Some((class[0] - b'0', subject, detail)), rest, last));
    }
    Some((code, None, text, last))
}

fn check_reply(code: u16, enhanced: Option<EnhancedCode>, text: &str) {
    let good = (200..600).contains(&code)
        && enhanced.is_none_or(|it| u16::from(it.class()) == code / 100)
        && !text.bytes().any(|b| b.is_ascii_control() && b != b'\n')
        && text.split('\n').all(|line| line.len() <= 480);
    let made = Reply::new(code, enhanced, text);
    assert_eq!(made.is_ok(), good, "{code} {enhanced:?} {text:?}");
    let Ok(reply) = made else { return };
    if text.len() > 3_000 || text.split('\n').count() > 300 {
        return;
    }
    let said = rendered(|out| reply.render(out));
    let said = said.strip_suffix(b"\r\n").expect("an end of the line");
    let said = std::str::from_utf8(said).expect("text");
    let lines: Vec<&str> = said.split("\r\n").collect();
    let count = lines.len();
    assert_eq!(count, text.split('\n').count());
    for ((number, line), text) in lines.into_iter().enumerate().zip(text.split('\n')) {
        assert!(line.len() <= 510 && !line.contains(['\r', '\n', '\0']));
        let parsed = ReplyLine::parse(line.as_bytes()).expect("a reply");
        assert_eq!(parsed.code.get(), code);
        assert_eq!(parsed.last, number + 1 == count);
        // 3yz has no enhanced codes (RFC 2034, section 3).
        if enhanced.is_some() && code / 100 != 3 {
            assert_eq!(parsed.enhanced, enhanced);
            assert_eq!(parsed.text, text.as_bytes());
        }
    }
}
