//! <https://jetmore.org/john/code/swaks/>

use std::process::Command;

use super::{EHLO_NAME, Report, Sent, Target, temporary_file};
use crate::mail::Mail;
use crate::{Error, Security, process, tools};

pub(super) fn send(target: &Target, mail: &Mail) -> Result<Report, Error> {
    let file = temporary_file(&on_the_wire(&mail.message))?;
    let mut swaks = Command::new(tools::find("swaks")?);
    swaks
        .args(["--server", &target.host, "--port", &target.port.to_string()])
        .args(["--ehlo", EHLO_NAME, "--timeout", "60", "--suppress-data"])
        .args([
            "--from",
            &mail.reverse_path,
            "--to",
            &mail.recipients.join(","),
        ])
        .args(["--no-data-fixup", "--data"])
        .arg(format!("@{}", file.path().display()));
    match target.security {
        Security::DangerPlaintext => {}
        Security::StartTls => _ = swaks.arg("--tls"),
        Security::ImplicitTls => _ = swaks.arg("--tls-on-connect"),
    }
    if let Some(ca) = &target.ca {
        swaks.arg("--tls-verify").arg("--tls-ca-path").arg(ca);
    }
    if let Some(login) = &target.login {
        swaks.args(["--auth", login.mechanism.name()]).args([
            "--auth-user",
            &login.user,
            "--auth-password",
            &login.password,
        ]);
    }
    let finished = process::run(&mut swaks, b"")?;
    Ok(Report::of(finished, Sent::Message(mail.message.clone())))
}

/// The message as DATA carries it, up to the final dot. Left to itself, swaks replaces `%NAMES%` and drops
/// a last line that is a dot.
fn on_the_wire(message: &[u8]) -> Vec<u8> {
    let mut data = Vec::with_capacity(message.len() + 1);
    for line in message.split_inclusive(|&byte| byte == b'\n') {
        if line.starts_with(b".") {
            data.push(b'.');
        }
        data.extend(line);
    }
    data.push(b'.');
    data
}
