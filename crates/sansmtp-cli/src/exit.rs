//! Exit codes of `sysexits.h`, so that scripts and mail programs understand them.

use std::process::ExitCode;

/// How the command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Exit {
    /// The command line can not be understood (`EX_USAGE`).
    Usage = 64,
    /// An address, a header or the message is not usable (`EX_DATAERR`).
    Data = 65,
    /// A file can not be read (`EX_NOINPUT`).
    NoInput = 66,
    /// The server refused a recipient for good (`EX_NOUSER`).
    NoUser = 67,
    /// The server's name can not be resolved (`EX_NOHOST`).
    NoHost = 68,
    /// The server can not be reached (`EX_UNAVAILABLE`).
    Unavailable = 69,
    /// Something failed that must not happen (`EX_SOFTWARE`).
    Software = 70,
    /// A file can not be written, or it is unknown whether the mail arrived
    /// (`EX_IOERR`). Deliberately not [`Exit::TempFail`]: nothing may retry it
    /// unseen.
    Io = 74,
    /// Not now; the same may work later (`EX_TEMPFAIL`).
    TempFail = 75,
    /// The server breaks the protocol (`EX_PROTOCOL`).
    Protocol = 76,
    /// Sign-in refused or certificate not trusted (`EX_NOPERM`).
    NoPermission = 77,
    /// The settings can not work (`EX_CONFIG`).
    Config = 78,
}

impl Exit {
    /// The number that the shell sees.
    pub(crate) const fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
