//! Takes the Return-Path fields out of a header (RFC 5321, section 4.4): who delivers
//! writes one, and one that came along is not to be believed.

/// What passes of a message's content. Work is bounded by the octets that come in, and
/// nothing is held but the beginning of a line that may be the field's name.
#[derive(Debug)]
pub(super) struct Filter {
    at: At,
    /// The beginning of the line, as long as it may be the field's name.
    held: Vec<u8>,
}

/// Where in the content it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// At the beginning of a line of the header; the field before was taken out, or not.
    LineStart { dropped: bool },
    /// In what may be the field's name, or behind it.
    Name,
    /// In a line that passes.
    Kept,
    /// In a line that does not.
    Dropped,
    /// Behind the header: all passes.
    Body,
}

const NAME: &[u8] = b"return-path";
/// The longest line start that is looked at: the name and some white space before the
/// colon (RFC 5322, section 4.5.8).
const HELD: usize = 64;

impl Filter {
    pub(super) fn new() -> Self {
        Self {
            at: At::LineStart { dropped: false },
            held: Vec::new(),
        }
    }

    /// Hands on, in pieces, what passes of these octets; [`Filter::rest`] has the end.
    pub(super) fn pass<'c>(&mut self, chunk: &'c [u8]) -> Passed<'c> {
        if self.at == At::Body {
            return Passed::Whole(chunk);
        }
        let mut passed = Vec::with_capacity(chunk.len() + self.held.len());
        let mut rest = chunk;
        while let Some((&octet, behind)) = rest.split_first() {
            match self.at {
                At::LineStart { dropped } => {
                    self.at = match octet {
                        b' ' | b'\t' if dropped => At::Dropped,
                        b' ' | b'\t' => At::Kept,
                        b'\r' => At::Body,
                        _ => At::Name,
                    };
                    continue;
                }
                At::Name => {
                    rest = behind;
                    self.name(octet, &mut passed);
                }
                At::Kept | At::Dropped => {
                    let kept = self.at == At::Kept;
                    let end = rest.iter().position(|&b| b == b'\n');
                    let line = rest.split_at(end.map_or(rest.len(), |end| end + 1));
                    if kept {
                        passed.extend_from_slice(line.0);
                    }
                    if end.is_some() {
                        self.at = At::LineStart { dropped: !kept };
                    }
                    rest = line.1;
                }
                At::Body => {
                    passed.extend_from_slice(rest);
                    break;
                }
            }
        }
        Passed::Part(passed)
    }

    /// What is held at the end of the content. By BDAT that may be the beginning of a line.
    pub(super) fn rest(self) -> Vec<u8> {
        self.held
    }

    /// Takes an octet of what may be the field's name.
    fn name(&mut self, octet: u8, passed: &mut Vec<u8>) {
        let length = self.held.len();
        let fits = match NAME.get(length) {
            Some(expected) => octet.eq_ignore_ascii_case(expected),
            None if octet == b':' => {
                self.held.clear();
                self.at = At::Dropped;
                return;
            }
            None => matches!(octet, b' ' | b'\t') && length < HELD,
        };
        self.held.push(octet);
        if !fits {
            passed.append(&mut self.held);
            self.at = match octet {
                b'\n' => At::LineStart { dropped: false },
                _ => At::Kept,
            };
        }
    }
}

/// What passes of a piece.
pub(super) enum Passed<'c> {
    /// All of it.
    Whole(&'c [u8]),
    /// This, with what was held before.
    Part(Vec<u8>),
}

impl AsRef<[u8]> for Passed<'_> {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Whole(octets) => octets,
            Self::Part(octets) => octets,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filtered(content: &str, size: usize) -> String {
        let mut filter = Filter::new();
        let chunks = content.as_bytes().chunks(size);
        let mut passed: Vec<u8> = chunks
            .flat_map(|chunk| filter.pass(chunk).as_ref().to_vec())
            .collect();
        passed.extend(filter.rest());
        String::from_utf8(passed).unwrap()
    }

    #[test]
    fn only_the_field_is_taken_out() {
        for (content, passes) in [
            ("", ""),
            ("Return-Path: <a@b>\r\n\r\nx\r\n", "\r\nx\r\n"),
            ("Return-Path: <a@b>\r\n", ""),
            (
                "Subject: x\r\nRETURN-path \t:\r\n <a@b>\r\n\t(c)\r\nTo: y\r\n z\r\n\r\nx\r\n",
                "Subject: x\r\nTo: y\r\n z\r\n\r\nx\r\n",
            ),
            ("Return-Path:a\r\nReturn-Path:b\r\nA: b\r\n", "A: b\r\n"),
            (
                "Return-Pathes: a\r\nReturn: b\r\n",
                "Return-Pathes: a\r\nReturn: b\r\n",
            ),
            ("Return-Path\r\n a\r\n", "Return-Path\r\n a\r\n"),
            ("X: y\r\n Return-Path: a\r\n", "X: y\r\n Return-Path: a\r\n"),
            ("\r\nReturn-Path: a\r\n", "\r\nReturn-Path: a\r\n"),
            (
                "A: b\r\n\r\nReturn-Path: a\r\n",
                "A: b\r\n\r\nReturn-Path: a\r\n",
            ),
            ("R\nReturn-Path: a\r\n", "R\n"),
            ("r", "r"),
            ("A: b\r\nReturn-Path ", "A: b\r\nReturn-Path "),
            ("A: b\r\nReturn-Path:", "A: b\r\n"),
        ] {
            for size in 1..=content.len().max(1) {
                assert_eq!(filtered(content, size), passes, "{content:?} by {size}");
            }
        }
        let long = format!("Return-Path{}: a\r\n", " ".repeat(100));
        assert_eq!(filtered(&long, 7), long);
    }
}
