//! How lines look. Colours appear on a terminal only, and never with `NO_COLOR`:
//! `anstream` takes them out elsewhere.

use crate::exit::Exit;
use crate::failure::{Failure, Result, describe};
use anstyle::{AnsiColor, Style};
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::OnceLock;
use std::time::Duration;

/// Prints a line on standard output. [`complete`] tells whether that worked.
macro_rules! outln {
    ($($arguments:tt)*) => {{
        use std::io::Write as _;
        $crate::output::written(writeln!(anstream::stdout(), $($arguments)*));
    }};
}

/// Prints a line on standard error.
macro_rules! errln {
    ($($arguments:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(anstream::stderr(), $($arguments)*);
    }};
}

pub(crate) use {errln, outln};

/// The first error of standard output.
static LOST: OnceLock<io::Error> = OnceLock::new();

/// Remembers what could not be written. A reader that has gone away, as `head` does, is no error.
pub(crate) fn written(result: io::Result<()>) {
    if let Err(error) = result
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        // What follows the first error tells nothing more.
        let _ = LOST.set(error);
    }
}

/// Whether all that was printed has gone out.
pub(crate) fn complete() -> Result<()> {
    written(io::stdout().flush());
    LOST.get().map_or(Ok(()), |error| {
        Err(Failure::new(
            Exit::Io,
            format_args!("the output can not be written: {}", describe(error)),
            "check where it goes",
        ))
    })
}

/// The word `error:`.
pub(crate) const ERROR: Style = AnsiColor::Red.on_default().bold();
/// The word `next:`.
pub(crate) const NEXT: Style = AnsiColor::Cyan.on_default().bold();
/// What went well.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
/// What needs attention.
pub(crate) const WARN: Style = AnsiColor::Yellow.on_default().bold();
/// Titles and names.
pub(crate) const BOLD: Style = Style::new().bold();
/// What is less important.
pub(crate) const DIM: Style = Style::new().dimmed();

/// A warning on standard error.
pub(crate) fn warn(text: impl std::fmt::Display) {
    errln!("{WARN}warning:{WARN:#} {text}");
}

/// A note on standard error.
pub(crate) fn note(text: impl std::fmt::Display) {
    errln!("{DIM}note:{DIM:#} {text}");
}

/// Bytes for people: `512 bytes`, `1.5 MiB`.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if count == 1 {
        return "1 byte".into();
    }
    if count < 1024 {
        return format!("{count} bytes");
    }
    let mut value = count as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// A duration for people: `0.4 ms`, `132 ms`, `2.1 s`.
pub(crate) fn duration(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1000.0;
    match millis {
        ..10.0 => format!("{millis:.1} ms"),
        ..1000.0 => format!("{millis:.0} ms"),
        _ => format!("{:.1} s", millis / 1000.0),
    }
}

/// `AB:CD:...`, as certificate fingerprints are written.
pub(crate) fn fingerprint(digest: &[u8]) -> String {
    let mut text = String::new();
    for byte in digest {
        if !text.is_empty() {
            text.push(':');
        }
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02X}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units() {
        assert_eq!(bytes(1), "1 byte");
        assert_eq!(bytes(1023), "1023 bytes");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(25 << 20), "25.0 MiB");
        assert_eq!(duration(Duration::from_micros(400)), "0.4 ms");
        assert_eq!(duration(Duration::from_millis(132)), "132 ms");
        assert_eq!(duration(Duration::from_millis(2100)), "2.1 s");
        assert_eq!(fingerprint(&[0xAB, 1]), "AB:01");
    }
}
