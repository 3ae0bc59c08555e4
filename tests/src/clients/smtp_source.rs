//! Postfix's load generator: no TLS, no AUTH, one recipient.

use std::process::Command;

use super::{EHLO_NAME, Report, Sent, Target, temporary_file, unix_lines};
use crate::mail::Mail;
use crate::{Error, process, tools};

pub(super) fn send(target: &Target, mail: &Mail) -> Result<Report, Error> {
    let file = temporary_file(&unix_lines(&mail.message))?;
    let mut source = Command::new(tools::find("smtp-source")?);
    source
        .args(["-4", "-v", "-m", "1", "-M", EHLO_NAME])
        .args(["-f", &mail.reverse_path, "-F"])
        .arg(file.path());
    for recipient in &mail.recipients {
        source.args(["-t", recipient]);
    }
    source.arg(format!("{}:{}", target.host, target.port));
    let finished = process::run(&mut source, b"")?;
    // It always ends with an empty line of its own.
    let sent = [&mail.message[..], b"\r\n"].concat();
    Ok(Report::of(finished, Sent::Message(sent)))
}
