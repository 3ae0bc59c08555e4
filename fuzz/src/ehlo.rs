//! EHLO lines: a naive parser agrees on what is offered, and what is announced reads back.

use crate::{input::rendered, naive};
use sansmtp::capability::{Capabilities, Extension, Mechanism};
use sansmtp::wire::ehlo;
use sansmtp::wire::reply::ReplyLine;

/// Checks octets as keyword lines, one after the other.
pub fn check(data: &[u8]) {
    let mut offered = Capabilities::NONE;
    let mut keywords = Vec::new();
    let mut mechanisms = Vec::new();
    let mut size = 0;
    for line in data.split(|&b| b == b'\n') {
        ehlo::parse_line(line, &mut offered);
        let words: Vec<String> = line
            .split(|&b| b == b' ' || b == b'=')
            .filter(|word| !word.is_empty())
            .map(|word| {
                word.iter()
                    .map(|&b| b.to_ascii_uppercase() as char)
                    .collect()
            })
            .collect();
        let Some((keyword, values)) = words.split_first() else {
            continue;
        };
        keywords.push(keyword.clone());
        match keyword.as_str() {
            "SIZE" => {
                let first = values.first().and_then(|it| naive::decimal(it.as_bytes()));
                size = first.unwrap_or(0);
            }
            "AUTH" => mechanisms.extend(values.to_vec()),
            _ => {}
        }
    }
    for extension in Extension::ALL {
        let expected = keywords.iter().any(|it| it == extension.keyword());
        assert_eq!(
            offered.has(extension),
            expected,
            "{extension:?} in {data:?}"
        );
    }
    for mechanism in Mechanism::ALL {
        let expected = mechanisms.iter().any(|it| it == mechanism.name());
        assert_eq!(
            offered.mechanisms.has(mechanism),
            expected,
            "{mechanism:?} in {data:?}"
        );
    }
    assert_eq!(offered.max_size, size, "{data:?}");
    back(&offered);
}

fn back(offered: &Capabilities) {
    let said = rendered(|out| ehlo::render("mx.example.org", offered, out));
    let said = String::from_utf8(said).expect("text");
    let mut again = Capabilities::NONE;
    let lines: Vec<&str> = said.split_terminator("\r\n").collect();
    for (number, line) in lines.iter().enumerate() {
        let reply = ReplyLine::parse(line.as_bytes()).expect("a reply");
        assert_eq!(
            (reply.code.get(), reply.last),
            (250, number + 1 == lines.len())
        );
        assert!(line.len() <= 510);
        if number > 0 {
            ehlo::parse_line(reply.text, &mut again);
        }
    }
    assert_eq!(again, *offered);
}
