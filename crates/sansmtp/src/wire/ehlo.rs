//! The lines of an EHLO reply (RFC 5321, section 4.1.1.1).

#[cfg(feature = "mta")]
use super::datetime::DateTime;
use super::keyword::Keyword;
use super::reply::{Code, begin_line};
use super::window::Window;
#[cfg(feature = "mta")]
use crate::capability::Bounds;
use crate::capability::{Capabilities, Extension, Mechanisms};
use crate::octets;

/// Reads one keyword line of an EHLO reply, without code and separator, into
/// `capabilities`: `ehlo-keyword *( SP ehlo-param )`.
///
/// What is not known is passed over, as the standard asks. The old form
/// `AUTH=PLAIN` is taken, and a SIZE that does not fit 64 bits counts as no
/// limit.
pub fn parse_line(line: &[u8], capabilities: &mut Capabilities) {
    let words = without_separators(line);
    let Some(&(name, Keyword::Extension(extension))) = Keyword::find(words) else {
        return;
    };
    capabilities.add(extension);
    let rest = words.get(name.len()..).unwrap_or_default();
    match extension {
        Extension::Size if Extension::Size.is_used() => {
            let rest = without_separators(rest);
            let digits = rest.split_at_checked(word_end(rest)).unwrap_or_default().0;
            capabilities.max_size = super::param::decimal(digits).unwrap_or(0);
        }
        Extension::Auth if Extension::Auth.is_used() => {
            parse_mechanisms(rest, &mut capabilities.mechanisms);
        }
        #[cfg(feature = "mta")]
        Extension::DeliverBy | Extension::FutureRelease | Extension::Limits => {
            parse_bounds(extension, line, &mut capabilities.bounds);
        }
        _ => {}
    }
}

/// `*( SP sasl-mech )`
// Kept out of the registers of the caller.
#[cfg_attr(feature = "memchr", inline(never))]
fn parse_mechanisms(words: &[u8], mechanisms: &mut Mechanisms) {
    let mut rest = without_separators(words);
    while !rest.is_empty() {
        let end = match Keyword::find(rest) {
            Some((name, Keyword::Mechanism(mechanism))) => {
                *mechanisms = mechanisms.with(*mechanism);
                name.len()
            }
            _ => word_end(rest),
        };
        rest = without_separators(rest.get(end..).unwrap_or_default());
    }
}

/// Spaces and `=` part words.
fn without_separators(mut words: &[u8]) -> &[u8] {
    while let [b' ' | b'=', rest @ ..] = words {
        words = rest;
    }
    words
}

/// Where the first word ends.
fn word_end(words: &[u8]) -> usize {
    octets::first::<b' ', b'='>(words).unwrap_or(words.len())
}

/// Renders the whole EHLO reply of a server named `domain`.
pub fn render(domain: &str, capabilities: &Capabilities, out: &mut Window<'_>) {
    let mut left = capabilities.iter().count();
    begin_line(Code::OK, left == 0, out);
    out.put(domain.as_bytes());
    out.put(b"\r\n");
    for extension in capabilities.iter() {
        left = left.wrapping_sub(1);
        begin_line(Code::OK, left == 0, out);
        out.put(extension.keyword().as_bytes());
        match extension {
            Extension::Size if capabilities.max_size > 0 => {
                out.put(b" ");
                out.put_decimal(capabilities.max_size);
            }
            Extension::Auth => {
                for mechanism in capabilities.mechanisms.iter() {
                    out.put(b" ");
                    out.put(mechanism.name().as_bytes());
                }
            }
            #[cfg(feature = "mta")]
            _ => render_bounds(extension, &capabilities.bounds, out),
            #[cfg(not(feature = "mta"))]
            _ => {}
        }
        out.put(b"\r\n");
    }
}

/// Reads what stands behind the keyword of a rarer extension. What can not be
/// read counts as not stated.
#[cfg(feature = "mta")]
fn parse_bounds(extension: Extension, line: &[u8], bounds: &mut Bounds) {
    let number = |digits| {
        let number = super::param::decimal(digits).and_then(|number| u32::try_from(number).ok());
        number.unwrap_or(0)
    };
    let mut words = line.split(|&b| b == b' ').filter(|word| !word.is_empty());
    let mut next = || words.next().unwrap_or_default();
    next();
    match extension {
        // `[ "," ... ]` may follow (RFC 2852, section 2).
        Extension::DeliverBy => {
            let digits = next().split(|&b| b == b',').next();
            bounds.min_by_time = number(digits.unwrap_or_default());
        }
        Extension::FutureRelease => {
            bounds.hold_seconds = number(next());
            let date = core::str::from_utf8(next()).ok().and_then(DateTime::parse);
            bounds.hold_until = date.unwrap_or_default();
        }
        // `limit-name-value = limit-name ["=" limit-value]`; names that are not known
        // are passed over (RFC 9422, section 3).
        Extension::Limits => {
            for word in words {
                let mut parts = word.splitn(2, |&b| b == b'=');
                let (name, value) = (parts.next(), parts.next());
                let name = name.unwrap_or_default();
                for (known, place) in [
                    ("RCPTMAX", &mut bounds.recipients),
                    ("MAILMAX", &mut bounds.messages),
                    ("RCPTDOMAINMAX", &mut bounds.domains),
                ] {
                    if known.as_bytes().eq_ignore_ascii_case(name) {
                        *place = number(value.unwrap_or_default());
                    }
                }
            }
        }
        _ => {}
    }
}

#[cfg(feature = "mta")]
fn render_bounds(extension: Extension, bounds: &Bounds, out: &mut Window<'_>) {
    let mut put = |before: &str, value: u32| {
        if value > 0 {
            out.put(before.as_bytes());
            out.put_decimal(u64::from(value));
        }
    };
    match extension {
        Extension::DeliverBy => put(" ", bounds.min_by_time),
        Extension::FutureRelease => {
            put(" ", bounds.hold_seconds);
            out.put(b" ");
            bounds.hold_until.render(out);
        }
        Extension::Limits => {
            put(" RCPTMAX=", bounds.recipients);
            put(" MAILMAX=", bounds.messages);
            put(" RCPTDOMAINMAX=", bounds.domains);
        }
        Extension::XClient => out.put(XCLIENT_ATTRIBUTES),
        _ => {}
    }
}

/// The attributes that a server takes, as Postfix lists its own.
#[cfg(feature = "mta")]
const XCLIENT_ATTRIBUTES: &[u8] = b" NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::Mechanism;

    fn parse(lines: &[&str]) -> Capabilities {
        let mut capabilities = Capabilities::NONE;
        for line in lines {
            parse_line(line.as_bytes(), &mut capabilities);
        }
        capabilities
    }

    #[test]
    fn the_offers_of_real_servers() {
        let gmail = parse(&[
            "SIZE 35882577",
            "8BITMIME",
            "AUTH LOGIN PLAIN XOAUTH2 PLAIN-CLIENTTOKEN OAUTHBEARER XOAUTH",
            "ENHANCEDSTATUSCODES",
            "PIPELINING",
            "CHUNKING",
            "SMTPUTF8",
        ]);
        assert_eq!(gmail.max_size, 35_882_577);
        assert!(gmail.has(Extension::Chunking) && !gmail.has(Extension::StartTls));
        assert_eq!(gmail.mechanisms.iter().count(), 4);
    }

    #[test]
    fn odd_lines() {
        let odd = parse(&[
            "",
            " ",
            "XFOO bar",
            "size",
            "AUTH=LOGIN",
            "pipelining",
            "STARTTLSX",
        ]);
        assert_eq!(odd.max_size, 0);
        assert!(odd.has(Extension::Size) && odd.has(Extension::Pipelining));
        assert_eq!(odd.mechanisms, Mechanisms::NONE.with(Mechanism::Login));
        assert!(!odd.has(Extension::StartTls));
        assert_eq!(parse(&["SIZE 99999999999999999999999999"]).max_size, 0);
        assert_eq!(parse(&["SIZE -1"]).max_size, 0);
    }

    #[cfg(feature = "mta")]
    #[test]
    fn what_stands_behind_rarer_keywords() {
        for (line, bounds) in [
            ("DELIVERBY", Bounds::NONE),
            (
                "deliverby 240,X",
                Bounds {
                    min_by_time: 240,
                    ..Bounds::NONE
                },
            ),
            ("DELIVERBY -1", Bounds::NONE),
            ("FUTURERELEASE", Bounds::NONE),
            (
                "FUTURERELEASE 86400 1970-01-02T00:00:00Z",
                Bounds {
                    hold_seconds: 86_400,
                    hold_until: DateTime::from_unix(86_400).unwrap(),
                    ..Bounds::NONE
                },
            ),
            (
                "FUTURERELEASE 86400 soon",
                Bounds {
                    hold_seconds: 86_400,
                    ..Bounds::NONE
                },
            ),
            (
                "LIMITS rcptmax=10 MAILMAX=20 RCPTDOMAINMAX=1 OTHER=3 FLAG",
                Bounds {
                    recipients: 10,
                    messages: 20,
                    domains: 1,
                    ..Bounds::NONE
                },
            ),
            ("LIMITS", Bounds::NONE),
            (
                "LIMITS RCPTMAX=99999999999999 MAILMAX= RCPTDOMAINMAX RCPTMAX=-1 =5",
                Bounds::NONE,
            ),
            ("LIMITS RCPTMAX=1=2 RCPTMAXX=3", Bounds::NONE),
            ("MT-PRIORITY MIXER", Bounds::NONE),
        ] {
            assert_eq!(parse(&[line]).bounds, bounds, "{line}");
        }
        // What a second line leaves out stays.
        let again = parse(&["LIMITS RCPTMAX=10 MAILMAX=5", "LIMITS RCPTMAX=3"]);
        assert_eq!((again.bounds.recipients, again.bounds.messages), (3, 5));
    }

    #[test]
    fn what_is_rendered_is_read_back() {
        let mut offered = Capabilities::NONE;
        for extension in Extension::ALL {
            offered = offered.with(extension);
        }
        offered.max_size = 1_048_576;
        #[cfg(feature = "mta")]
        {
            offered.bounds = Bounds {
                min_by_time: 240,
                hold_seconds: 86_400,
                hold_until: DateTime::parse("2026-11-25T07:03:00Z").unwrap(),
                recipients: 100,
                messages: 20,
                domains: 1,
            };
        }
        offered.mechanisms = Mechanism::ALL.into_iter().collect();
        let mut out = [0; 1024];
        let mut window = Window::new(0, &mut out);
        render("mx.example.org", &offered, &mut window);
        assert!(window.finished());
        let written = window.written();
        let text = core::str::from_utf8(&out[..written]).unwrap();
        let lines: std::vec::Vec<_> = text.split_terminator("\r\n").collect();
        assert_eq!(lines[0], "250-mx.example.org");
        assert!(
            lines[1..lines.len() - 1]
                .iter()
                .all(|l| l.starts_with("250-"))
        );
        assert!(lines[lines.len() - 1].starts_with("250 "));
        let bodies: std::vec::Vec<_> = lines[1..].iter().map(|l| &l[4..]).collect();
        assert_eq!(parse(&bodies), offered);
    }
}
