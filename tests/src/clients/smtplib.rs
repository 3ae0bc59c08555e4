//! Python's standard library.

use std::process::Command;

use serde_json::json;

use super::{EHLO_NAME, Report, Sent, Target};
use crate::mail::Mail;
use crate::{Error, Security, process, tools};

pub(super) fn send(target: &Target, mail: &Mail) -> Result<Report, Error> {
    let login = target.login.as_ref();
    let options = json!({
        "host": target.host,
        "port": target.port,
        "security": match target.security {
            Security::DangerPlaintext => "plain",
            Security::StartTls => "starttls",
            Security::ImplicitTls => "implicit",
        },
        "ca": target.ca,
        "ehlo_name": EHLO_NAME,
        "mechanism": login.map(|login| login.mechanism.name()),
        "user": login.map(|login| &login.user),
        "password": login.map(|login| &login.password),
        "reverse_path": mail.reverse_path,
        "recipients": mail.recipients,
    });
    let mut python = Command::new(tools::python()?);
    python
        .args(["-c", include_str!("smtplib_client.py")])
        .arg(options.to_string());
    let finished = process::run(&mut python, &mail.message)?;
    Ok(Report::of(finished, Sent::Message(mail.message.clone())))
}
