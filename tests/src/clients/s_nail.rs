//! <https://www.sdaoden.eu/code-nail.html>. It writes the headers itself, with the mail's marker as
//! subject; only the body is as given.

use std::process::Command;

use super::{EHLO_NAME, Report, Sent, Target, unix_lines};
use crate::mail::Mail;
use crate::{Error, Security, process, tools};

pub(super) fn send(target: &Target, mail: &Mail) -> Result<Report, Error> {
    let scheme = match target.security {
        Security::DangerPlaintext | Security::StartTls => "smtp",
        Security::ImplicitTls => "smtps",
    };
    let mut nail = Command::new(tools::find("s-nail")?);
    let mut set = |setting: String| _ = nail.args(["-S", &setting]);
    set("v15-compat".to_owned());
    set("sendwait".to_owned());
    set("ttycharset=utf-8".to_owned());
    set("mime-encoding=8bit".to_owned());
    set(format!("hostname={EHLO_NAME}"));
    set(format!("from={}", mail.reverse_path));
    set(format!("mta={scheme}://{}:{}", target.host, target.port));
    if target.security == Security::StartTls {
        set("smtp-use-starttls".to_owned());
    }
    if let Some(ca) = &target.ca {
        set("tls-verify=strict".to_owned());
        set("tls-ca-no-defaults".to_owned());
        set(format!("tls-ca-file={}", ca.display()));
    }
    match &target.login {
        None => set("smtp-auth=none".to_owned()),
        Some(login) => {
            set(format!(
                "smtp-auth={}",
                login.mechanism.name().to_lowercase()
            ));
            set(format!("user={}", login.user));
            set(format!("password={}", login.password));
        }
    }
    // No configuration file; -v prints the dialogue.
    nail.args(["-:/", "-v", "-s", &mail.marker, "-r", &mail.reverse_path])
        .args(&mail.recipients);
    let finished = process::run(&mut nail, &unix_lines(mail.body()))?;
    Ok(Report::of(finished, Sent::Body(mail.body().to_vec())))
}
