//! Messages from parts, by the core's message writer.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use sansmtp::message::{Date, Mail, MailError, OwnedAddress, OwnedAttachment, OwnedContent};

use crate::error::invalid;
use crate::octets::Octets;

/// File name, content type, content, and the Content-ID of an inline attachment.
type AttachmentParts = (String, String, Octets, Option<String>);

/// The message, its Message-ID, and the mailboxes of the envelope: the sender's and all recipients'.
type Composed<'py> = (Bound<'py, PyBytes>, String, String, Vec<String>);

/// Composes a message. Addresses are `user@example.org` or `Name <user@example.org>`; blind copies get no
/// header. `date` is seconds since 1970 and minutes east of UTC, `entropy` 16 random octets.
#[pyfunction]
#[pyo3(signature = (*, from_, to, cc, bcc, reply_to, sender, subject, text, html, attachments, headers, date,
    entropy, in_reply_to, references))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn compose<'py>(
    py: Python<'py>,
    from_: Vec<String>,
    to: Vec<String>,
    cc: Vec<String>,
    bcc: Vec<String>,
    reply_to: Vec<String>,
    sender: Option<String>,
    subject: Option<String>,
    text: Option<String>,
    html: Option<String>,
    attachments: Vec<AttachmentParts>,
    headers: Vec<(String, String)>,
    date: (i64, i16),
    entropy: [u8; 16],
    in_reply_to: Option<String>,
    references: Option<String>,
) -> PyResult<Composed<'py>> {
    let owned = |list: Vec<String>| list.into_iter().map(OwnedAddress::from).collect();
    let mail = Mail {
        from: owned(from_),
        sender: sender.map(OwnedAddress::from),
        reply_to: owned(reply_to),
        to: owned(to),
        cc: owned(cc),
        bcc: owned(bcc),
        subject,
        text,
        html,
        headers,
        in_reply_to,
        references,
        attachments: attachments.into_iter().map(attachment).collect(),
        ..Mail::default()
    };
    let error = |message: &dyn std::fmt::Display| invalid(py, "MessageError", message);
    let checked = mail.check().map_err(|e| match e {
        MailError::Address { .. } => invalid(py, "AddressError", e),
        _ => error(&e),
    })?;
    let date = Date::from_unix(date.0, date.1)
        .map_err(|_| error(&"the date is not between the years 1900 and 9999"))?;
    let message = checked.message(date, entropy).map_err(|e| error(&e))?;
    let octets = message.to_vec().map_err(|e| error(&e))?;
    let mut identifier = [0; 512];
    let identifier = message.message_id(&mut identifier).unwrap_or_default();
    let recipients = checked.recipients().iter();
    Ok((
        PyBytes::new(py, &octets),
        identifier.to_owned(),
        checked.reverse_path().as_str().to_owned(),
        recipients
            .map(|recipient| recipient.forward_path.as_str().to_owned())
            .collect(),
    ))
}

fn attachment((file_name, content_type, octets, content_id): AttachmentParts) -> OwnedAttachment {
    OwnedAttachment {
        file_name,
        content_type,
        content: OwnedContent::Bytes(octets.as_slice().to_vec()),
        content_id,
    }
}
