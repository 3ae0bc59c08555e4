//! The lines of an EHLO reply (RFC 5321, section 4.1.1.1).

use super::reply::{Code, begin_line};
use super::window::Window;
use crate::capability::{Capabilities, Extension, Mechanism};

/// Reads one keyword line of an EHLO reply, without code and separator, into
/// `capabilities`: `ehlo-keyword *( SP ehlo-param )`.
///
/// What is not known is passed over, as the standard asks. The old form
/// `AUTH=PLAIN` is taken, and a SIZE that does not fit 64 bits counts as no
/// limit.
pub fn parse_line(line: &[u8], capabilities: &mut Capabilities) {
    let mut words = line
        .split(|&b| b == b' ' || b == b'=')
        .filter(|word| !word.is_empty());
    let Some(keyword) = words.next() else { return };
    let Some(extension) = Extension::ALL
        .into_iter()
        .find(|extension| extension.keyword().as_bytes().eq_ignore_ascii_case(keyword))
    else {
        return;
    };
    *capabilities = capabilities.with(extension);
    match extension {
        Extension::Size => {
            capabilities.max_size = words.next().and_then(super::param::decimal).unwrap_or(0);
        }
        Extension::Auth => {
            for mechanism in words.filter_map(Mechanism::from_name) {
                capabilities.mechanisms = capabilities.mechanisms.with(mechanism);
            }
        }
        _ => {}
    }
}

/// Renders the whole EHLO reply of a server named `domain`.
pub(crate) fn render(domain: &str, capabilities: &Capabilities, out: &mut Window<'_>) {
    let mut offered = capabilities.iter().peekable();
    begin_line(Code::OK, offered.peek().is_none(), out);
    out.put(domain.as_bytes());
    out.put(b"\r\n");
    while let Some(extension) = offered.next() {
        begin_line(Code::OK, offered.peek().is_none(), out);
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
            _ => {}
        }
        out.put(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::Mechanisms;

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

    #[test]
    fn what_is_rendered_is_read_back() {
        let mut offered = Capabilities::NONE;
        for extension in Extension::ALL {
            offered = offered.with(extension);
        }
        offered.max_size = 1_048_576;
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
