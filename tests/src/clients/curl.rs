//! <https://curl.se/>

use std::process::Command;

use super::{EHLO_NAME, Report, Sent, Target, temporary_file};
use crate::mail::Mail;
use crate::{Error, Security, process, tools};

pub(super) fn send(target: &Target, mail: &Mail) -> Result<Report, Error> {
    let file = temporary_file(&mail.message)?;
    let scheme = match target.security {
        Security::DangerPlaintext | Security::StartTls => "smtp",
        Security::ImplicitTls => "smtps",
    };
    let mut curl = Command::new(tools::find("curl")?);
    // --disable (no configuration file) must come first.
    curl.args([
        "--disable",
        "--verbose",
        "--silent",
        "--show-error",
        "--max-time",
        "60",
    ])
    .arg("--url")
    .arg(format!(
        "{scheme}://{}:{}/{EHLO_NAME}",
        target.host, target.port
    ))
    .args(["--mail-from", &mail.reverse_path])
    .arg("--upload-file")
    .arg(file.path());
    for recipient in &mail.recipients {
        curl.args(["--mail-rcpt", recipient]);
    }
    if target.security == Security::StartTls {
        curl.arg("--ssl-reqd");
    }
    if let Some(ca) = &target.ca {
        curl.arg("--cacert").arg(ca);
    }
    if let Some(login) = &target.login {
        curl.arg("--user")
            .arg(format!("{}:{}", login.user, login.password))
            .arg("--login-options")
            .arg(format!("AUTH={}", login.mechanism.name()));
    }
    let finished = process::run(&mut curl, b"")?;
    Ok(Report::of(finished, Sent::Message(mail.message.clone())))
}
