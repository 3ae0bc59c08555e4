//! The envelope as it crossed the border.

use crate::codec::{Answer, Arguments};
use crate::failure::Refused;
use alloc::vec::Vec;
use sansmtp::envelope::{Envelope, Recipient};
use sansmtp::wire::param::{Body, Notify, Orcpt, Ret, Xtext};
use sansmtp::wire::path::ReversePath;

/// The envelope: sender (empty for the null reverse-path), size if known, kind of content (0 ASCII, 1 eight
/// bits, 2 binary), whether headers are in UTF-8, then what reports are asked for (RFC 3461): how much they return (1 all, 2 headers),
/// when they come (1 success, 2 failure, 4 delay, 8 never, 0 as usual), the envelope's name and the original
/// recipient in their encoded form, then the recipients.
pub(crate) fn envelope<'a>(
    mut given: Arguments<'a>,
    recipients: &'a mut Vec<Recipient<'a>>,
    answer: &mut Answer,
) -> Result<Envelope<'a>, Refused> {
    let sender = given.text_if_any();
    let reverse_path = match sender {
        None => ReversePath::Null,
        Some(sender) => answer.checked(ReversePath::parse(sender))?,
    };
    let size = given.some().map(|given| given.number() as u64);
    let (body, smtputf8, ret, notify) = (given.byte(), given.flag(), given.byte(), given.byte());
    let (envid, orcpt) = (given.text_if_any(), given.text_if_any());
    let orcpt = match orcpt.map(Orcpt::parse) {
        Some(None) => {
            return Err(
                answer.refuse("the original recipient is not written as rfc822;name@example.org")
            );
        }
        parsed => parsed.flatten(),
    };
    let notify = (notify > 0).then_some(Notify {
        success: notify & 1 > 0,
        failure: notify & 2 > 0,
        delay: notify & 4 > 0,
    });
    for _ in given.list() {
        let mut recipient = answer.checked(Recipient::parse(given.text()))?;
        recipient.notify = notify;
        recipient.orcpt = orcpt;
        recipients.push(recipient);
    }
    let mut envelope = Envelope::new(reverse_path, recipients);
    envelope.size = size;
    envelope.body = match body {
        0 => None,
        1 => Some(Body::EightBitMime),
        _ => Some(Body::BinaryMime),
    };
    envelope.smtputf8 = smtputf8;
    envelope.ret = match ret {
        0 => None,
        1 => Some(Ret::Full),
        _ => Some(Ret::Headers),
    };
    envelope.envid = match envid.map(Xtext::parse) {
        Some(None) => {
            return Err(answer.refuse("the envelope identifier is not xtext of printable ASCII"));
        }
        parsed => parsed.flatten(),
    };
    Ok(envelope)
}
