//! The envelope with data of its own.

use crate::failure::argument;
use alloc::string::String;
use alloc::vec::Vec;
use sansmtp::envelope::Recipient;
use sansmtp::wire::param::{Body, Notify, Orcpt, Ret, Xtext};
use sansmtp::wire::path::ReversePath;
use wasm_bindgen::JsError;

/// What the core's `Envelope` borrows. The parts were checked.
#[derive(Clone, Debug, Default)]
pub(crate) struct OwnedEnvelope {
    reverse_path: String,
    recipients: Vec<String>,
    pub(crate) size: Option<u64>,
    pub(crate) eight_bit: bool,
    pub(crate) smtputf8: bool,
    ret: Option<Ret>,
    notify: Option<Notify>,
    envid: Option<String>,
    orcpt: Option<String>,
}

impl OwnedEnvelope {
    /// Checks the addresses; an empty sender stands for the null reverse-path.
    pub(crate) fn new(sender: String, recipients: Vec<String>) -> Result<Self, JsError> {
        reverse_path(&sender)?;
        for recipient in &recipients {
            Recipient::parse(recipient).map_err(argument)?;
        }
        Ok(Self {
            reverse_path: sender,
            recipients,
            ..Self::default()
        })
    }

    /// What reports are asked for (RFC 3461): `ret` is `full` or `hdrs`, `notify` `never` or a list of
    /// `success`, `failure` and `delay`; `envid` and `orcpt` are in their encoded form.
    pub(crate) fn ask_for_reports(
        &mut self,
        ret: Option<&str>,
        notify: Option<&str>,
        envid: Option<String>,
        orcpt: Option<String>,
    ) -> Result<(), JsError> {
        self.ret = match ret {
            None => None,
            Some("full") => Some(Ret::Full),
            Some("hdrs") => Some(Ret::Headers),
            Some(_) => return Err(JsError::new("a report returns full or hdrs")),
        };
        self.notify = notify.map(notify_from).transpose()?;
        if envid
            .as_deref()
            .is_some_and(|text| Xtext::parse(text).is_none())
        {
            return Err(JsError::new("the envelope identifier is not xtext"));
        }
        if orcpt
            .as_deref()
            .is_some_and(|text| Orcpt::parse(text).is_none())
        {
            return Err(JsError::new(
                "the original recipient is not written as rfc822;name@example.org",
            ));
        }
        self.envid = envid;
        self.orcpt = orcpt;
        Ok(())
    }

    /// The recipients in the borrowed form.
    pub(crate) fn recipients(&self) -> Vec<Recipient<'_>> {
        let orcpt = self.orcpt.as_deref().and_then(Orcpt::parse);
        self.recipients
            .iter()
            .filter_map(|recipient| {
                let mut recipient = Recipient::parse(recipient).ok()?;
                recipient.notify = self.notify;
                recipient.orcpt = orcpt;
                Some(recipient)
            })
            .collect()
    }

    /// The borrowed form.
    pub(crate) fn as_envelope<'a>(
        &'a self,
        recipients: &'a [Recipient<'a>],
    ) -> sansmtp::envelope::Envelope<'a> {
        let sender = reverse_path(&self.reverse_path).unwrap_or(ReversePath::Null);
        let mut envelope = sansmtp::envelope::Envelope::new(sender, recipients);
        envelope.size = self.size;
        envelope.body = self.eight_bit.then_some(Body::EightBitMime);
        envelope.smtputf8 = self.smtputf8;
        envelope.ret = self.ret;
        envelope.envid = self.envid.as_deref().and_then(Xtext::parse);
        envelope
    }
}

fn reverse_path(sender: &str) -> Result<ReversePath<'_>, JsError> {
    if sender.is_empty() {
        return Ok(ReversePath::Null);
    }
    ReversePath::parse(sender).map_err(argument)
}

fn notify_from(list: &str) -> Result<Notify, JsError> {
    let mut notify = Notify::default();
    for word in list.split(',') {
        match word {
            "never" => return Ok(Notify::default()),
            "success" => notify.success = true,
            "failure" => notify.failure = true,
            "delay" => notify.delay = true,
            _ => {
                return Err(JsError::new(
                    "reports come on success, failure, delay, or never",
                ));
            }
        }
    }
    Ok(notify)
}
