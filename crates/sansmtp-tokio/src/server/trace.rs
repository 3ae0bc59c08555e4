//! Trace fields (RFC 5321, section 4.4): where a message came from.

use super::envelope::MailEnvelope;
use super::info::SessionInfo;
use crate::clock;
use sansmtp::config::EhloName;
use sansmtp::wire::param::Orcpt;
use std::fmt::Write;
use std::net::IpAddr;

/// The trace fields of a message that is delivered: Return-Path, one
/// Delivered-To for each recipient, and Received. Where the sender named the
/// original recipient (ORCPT), Original-Recipient stands behind Delivered-To (RFC
/// 8098, section 2.3). Lines end with CR LF.
///
/// Received names a recipient only if it is the only one, since a Bcc must not
/// be told to others on the way; Delivered-To is for the owner of the mailbox.
pub(super) fn fields(
    session: &SessionInfo,
    envelope: &MailEnvelope,
    hostname: &str,
    id: &str,
) -> String {
    let mut text = String::with_capacity(512);
    // Writing to a String can not fail.
    let _ = write!(text, "Return-Path: <{}>\r\n", envelope.reverse_path);
    for recipient in &envelope.recipients {
        let _ = write!(text, "Delivered-To: {}\r\n", recipient.address);
        let original = recipient.orcpt.as_deref();
        if let Some(original) = original.and_then(|it| original_recipient(it, envelope.smtputf8)) {
            let _ = write!(text, "Original-Recipient: {original}\r\n");
        }
    }
    let _ = write!(
        text,
        "Received: from {}\r\n\tby {hostname} with {} id {id}",
        client(session),
        session.protocol(envelope.smtputf8)
    );
    if let [only] = envelope.recipients.as_slice() {
        let _ = write!(text, "\r\n\tfor <{}>", only.address);
    }
    if let Some(date) = clock::date() {
        let _ = write!(text, ";\r\n\t{date}");
    }
    text.push_str("\r\n");
    text
}

/// `Extended-Domain = Domain / ( Domain FWS "(" TCP-info ")" ) /
/// ( address-literal FWS "(" TCP-info ")" )`
///
/// A name that breaks the grammar is shown in the comment, without what could
/// end it.
fn client(session: &SessionInfo) -> String {
    let literal = match session.peer.ip().to_canonical() {
        IpAddr::V4(address) => format!("[{address}]"),
        IpAddr::V6(address) => format!("[IPv6:{address}]"),
    };
    let address = match &session.client_name {
        Some(name) => {
            let name: String = name.chars().take(255).map(harmless).collect();
            format!("{name} {literal}")
        }
        None => literal.clone(),
    };
    match EhloName::parse(&session.hello) {
        Ok(name) => format!("{} ({address})", name.as_str()),
        Err(_) => {
            let said: String = session.hello.chars().take(255).map(harmless).collect();
            format!("{literal} ({address} said {said})")
        }
    }
}

/// `addr-type ";" address` with the xtext taken off. An address in UTF-8 stands as it is, in a message that may hold it (RFC 6533,
/// section 3).
fn original_recipient(orcpt: &str, smtputf8: bool) -> Option<String> {
    let orcpt = Orcpt::parse(orcpt)?;
    if orcpt.needs_smtputf8() {
        let address = orcpt.address().as_str();
        return smtputf8.then(|| format!("{};{address}", orcpt.addr_type()));
    }
    let address: String = orcpt.address().decoded().map(char::from).collect();
    Some(format!("{};{address}", orcpt.addr_type()))
}

fn harmless(c: char) -> char {
    if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']') {
        c
    } else {
        '?'
    }
}
