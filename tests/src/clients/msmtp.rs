//! <https://marlam.de/msmtp/>

use std::process::Command;

use super::{EHLO_NAME, Report, Sent, Target, unix_lines};
use crate::mail::Mail;
use crate::{Error, Security, process, tools};

pub(super) fn send(target: &Target, mail: &Mail) -> Result<Report, Error> {
    let mut msmtp = Command::new(tools::find("msmtp")?);
    msmtp
        .arg("--debug")
        .arg(format!("--host={}", target.host))
        .arg(format!("--port={}", target.port))
        .arg(format!("--domain={EHLO_NAME}"))
        .arg(format!("--from={}", mail.reverse_path))
        .args([
            "--timeout=60",
            "--set-from-header=off",
            "--set-date-header=off",
        ]);
    match target.security {
        Security::DangerPlaintext => _ = msmtp.arg("--tls=off"),
        Security::StartTls => _ = msmtp.args(["--tls=on", "--tls-starttls=on"]),
        Security::ImplicitTls => _ = msmtp.args(["--tls=on", "--tls-starttls=off"]),
    }
    if let Some(ca) = &target.ca
        && target.security != Security::DangerPlaintext
    {
        msmtp.arg(format!("--tls-trust-file={}", ca.display()));
    }
    if let Some(login) = &target.login {
        msmtp
            .arg(format!("--auth={}", login.mechanism.name().to_lowercase()))
            .arg(format!("--user={}", login.user))
            .env("SANSMTP_TEST_PASSWORD", &login.password)
            .arg("--passwordeval=printenv SANSMTP_TEST_PASSWORD");
    }
    msmtp.arg("--").args(&mail.recipients);
    let finished = process::run(&mut msmtp, &unix_lines(&mail.message))?;
    Ok(Report::of(finished, Sent::Message(mail.message.clone())))
}
