//! What went wrong, for a person: one line for the fault, one for the next step.

use crate::exit::Exit;
use crate::output::{ERROR, NEXT, errln};
use sansmtp::wire::reply::Escaped;
use std::fmt::Display;

/// An error as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// How the command ends.
    pub(crate) exit: Exit,
    /// What was wrong, in one line.
    pub(crate) what: String,
    /// What to do, in one line.
    pub(crate) next: String,
    /// What it means at this provider.
    pub(crate) meaning: Option<String>,
    /// A page that shows more.
    pub(crate) url: Option<String>,
}

/// What most of the command returns.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// A fault and the next step. Both are escaped: they may quote strangers.
    pub(crate) fn new(exit: Exit, what: impl Display, next: impl Display) -> Self {
        Self {
            exit,
            what: escape(what),
            next: escape(next),
            meaning: None,
            url: None,
        }
    }

    /// From a text of the form `what is wrong; what to do`, as the core's errors
    /// have it.
    pub(crate) fn advised(exit: Exit, text: impl Display) -> Self {
        let text = text.to_string();
        let (what, next) = text
            .split_once("; ")
            .unwrap_or((&text, "correct it and try again"));
        Self::new(exit, what, next)
    }

    /// A file that can not be read.
    pub(crate) fn unreadable(path: &std::path::Path, error: &std::io::Error) -> Self {
        let next = match error.kind() {
            std::io::ErrorKind::NotFound => "check the path",
            std::io::ErrorKind::PermissionDenied => "check who may read it",
            std::io::ErrorKind::InvalidData => "store it as UTF-8, or attach it instead",
            _ => "check that it is an ordinary file",
        };
        Self::new(
            Exit::NoInput,
            format_args!("can not read {}: {}", path.display(), describe(error)),
            next,
        )
    }

    /// The same with the meaning that a provider gives to it.
    pub(crate) fn explained(mut self, meaning: impl Display, url: Option<&str>) -> Self {
        self.meaning = Some(escape(meaning));
        self.url = url.map(str::to_owned);
        self
    }

    /// Shows it on standard error.
    pub(crate) fn print(&self) {
        errln!("{ERROR}error:{ERROR:#} {}", self.what);
        if let Some(meaning) = &self.meaning {
            errln!("meaning: {meaning}");
        }
        errln!("{NEXT}next:{NEXT:#} {}", self.next);
        if let Some(url) = &self.url {
            errln!("see: {url}");
        }
    }
}

/// Control characters and format characters as escapes, so that no quoted text
/// can steer the terminal or look like a line of its own.
pub(crate) fn escape(text: impl Display) -> String {
    Escaped(text.to_string().as_bytes()).to_string()
}

/// An I/O error in the system's words, without its number.
pub(crate) fn describe(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_lowercase(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_is_split() {
        let failure = Failure::advised(Exit::Data, "--to: no @; write user@domain");
        assert_eq!(failure.what, "--to: no @");
        assert_eq!(failure.next, "write user@domain");
    }

    #[test]
    fn quoted_text_can_not_steer() {
        let failure = Failure::new(Exit::Data, "a\r\nerror: b\u{1b}[2J", "x");
        assert_eq!(failure.what, "a\\u{d}\\u{a}error: b\\u{1b}[2J");
    }
}
