//! The message writer.

use crate::failure::argument;
use alloc::string::String;
use alloc::vec::Vec;
use sansmtp::message::{Date, Mail, OwnedAddress, OwnedAttachment, OwnedContent};
use wasm_bindgen::prelude::*;

/// The parts of a message, gathered one by one.
#[wasm_bindgen]
#[derive(Debug, Default)]
pub struct Composer {
    mail: Mail,
}

#[wasm_bindgen]
impl Composer {
    /// A message without parts.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Composer {
        Self::default()
    }

    /// One more address of a field: `from`, `sender`, `replyTo`, `to` or `cc`. Gives the mailbox alone,
    /// for the envelope.
    pub fn address(
        &mut self,
        field: &str,
        name: Option<String>,
        address: String,
    ) -> Result<String, JsError> {
        let address = match name {
            Some(name) => OwnedAddress::named(name, address),
            None => OwnedAddress::from(address),
        };
        let bare = String::from(address.parse().map_err(argument)?.mailbox());
        let mail = &mut self.mail;
        match field {
            "from" => mail.from.push(address),
            "sender" => mail.sender = Some(address),
            "replyTo" => mail.reply_to.push(address),
            "to" => mail.to.push(address),
            "cc" => mail.cc.push(address),
            "bcc" => mail.bcc.push(address),
            _ => return Err(JsError::new("no such address field")),
        }
        Ok(bare)
    }

    /// A text field: `subject`, `domain`, `inReplyTo`, `references`, `text` or `html`.
    pub fn field(&mut self, field: &str, value: String) -> Result<(), JsError> {
        let mail = &mut self.mail;
        match field {
            "subject" => mail.subject = Some(value),
            "domain" => mail.message_id_domain = value,
            "inReplyTo" => mail.in_reply_to = Some(value),
            "references" => mail.references = Some(value),
            "text" => mail.text = Some(value),
            "html" => mail.html = Some(value),
            _ => return Err(JsError::new("no such field")),
        }
        Ok(())
    }

    /// One more header.
    pub fn header(&mut self, name: String, value: String) {
        self.mail.headers.push((name, value));
    }

    /// One more attachment; with an identifier it is shown in the HTML document.
    pub fn attach(
        &mut self,
        name: String,
        content_type: String,
        content: Vec<u8>,
        content_id: Option<String>,
    ) {
        self.mail.attachments.push(OwnedAttachment {
            file_name: name,
            content_type,
            content: OwnedContent::Bytes(content),
            content_id,
        });
    }

    /// The bytes of the message. `date` is in seconds since 1970, `offset` in minutes east of UTC, and
    /// `entropy` 16 random octets.
    pub fn build(&self, date: f64, offset: i16, entropy: &[u8]) -> Result<Vec<u8>, JsError> {
        let date = Date::from_unix(date as i64, offset).map_err(argument)?;
        let entropy = <[u8; 16]>::try_from(entropy)
            .map_err(|_| JsError::new("entropy must have 16 octets"))?;
        let checked = self.mail.check().map_err(argument)?;
        let message = checked.message(date, entropy).map_err(argument)?;
        message.to_vec().map_err(argument)
    }
}
