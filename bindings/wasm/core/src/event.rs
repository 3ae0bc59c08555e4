//! Events of both machines as plain objects: a discriminated union by `type`.

use crate::names;
use crate::record::Record;
use alloc::string::{String, ToString};
use sansmtp::client::Event;
use sansmtp::server::Query;
use sansmtp::wire::param::{Body, MailParameters, Notify, RcptParameters, Ret, Xtext};
use sansmtp::wire::reply::{Escaped, ReplyLine};
use wasm_bindgen::JsValue;

/// A line of a reply. The text is escaped, so that it can be shown anywhere.
pub(crate) fn reply(line: ReplyLine<'_>) -> Record {
    Record::new()
        .set("code", line.code.get())
        .set_some("enhanced", line.enhanced.map(|code| code.to_string()))
        .set("text", Escaped(line.text).to_string())
        .set("last", line.last)
}

/// What the client has to say; the TypeScript layer calls it `ClientEvent`.
pub(crate) fn client(event: Event<'_>) -> JsValue {
    let with_reply = |kind: &str, line| Record::of(kind).set("reply", reply(line).done());
    match event {
        Event::Reply { stage, reply } => {
            with_reply("reply", reply).set("stage", names::stage(stage))
        }
        Event::StartTls => Record::of("starttls"),
        Event::Ready => Record::of("ready"),
        Event::Refused { stage, reply } => {
            with_reply("refused", reply).set("stage", names::stage(stage))
        }
        Event::Sender { reply } => with_reply("sender", reply),
        Event::Recipient { index, reply } => {
            with_reply("recipient", reply).set("index", index as f64)
        }
        Event::Content => Record::of("content"),
        Event::Delivered { reply } => with_reply("delivered", reply),
        Event::NotDelivered { stage, reply: line } => Record::of("not-delivered")
            .set("stage", names::stage(stage))
            .set_some("reply", line.map(|line| reply(line).done())),
        Event::Answer { reply } => with_reply("answer", reply),
        Event::Closed => Record::of("closed"),
        _ => Record::of("other"),
    }
    .done()
}

/// What the server has to decide; the TypeScript layer calls it `Request`.
pub(crate) fn request(query: Query<'_>) -> JsValue {
    match query {
        Query::Connect => Record::of("connect"),
        Query::Authenticate(login) => Record::of("authenticate")
            .set("mechanism", login.mechanism.name())
            .set("authorization", login.authorization)
            .set("user", login.user)
            .set("password", login.password.reveal()),
        Query::Mail {
            reverse_path,
            parameters,
        } => mail_parameters(
            Record::of("mail").set("from", reverse_path.as_str()),
            parameters,
        ),
        Query::Recipient {
            forward_path,
            parameters,
        } => rcpt_parameters(
            Record::of("recipient").set("to", forward_path.as_str()),
            parameters,
        ),
        Query::Data => Record::of("data"),
        Query::Message { size } => Record::of("message").set("size", size as f64),
        Query::Verify(name) => Record::of("verify").set("argument", name),
        Query::Expand(name) => Record::of("expand").set("argument", name),
        Query::Help(subject) => Record::of("help").set("argument", subject),
        _ => Record::of("other"),
    }
    .done()
}

pub(crate) fn mail_parameters(record: Record, parameters: MailParameters<'_>) -> Record {
    let body = parameters.body.map(|body| match body {
        Body::SevenBit => "7bit",
        Body::EightBitMime => "8bitmime",
        Body::BinaryMime => "binarymime",
    });
    let ret = parameters.ret.map(|ret| match ret {
        Ret::Full => "full",
        Ret::Headers => "hdrs",
    });
    record
        .set_some("size", parameters.size.map(|size| size as f64))
        .set_some("body", body)
        .set("smtputf8", parameters.smtputf8)
        .set_some("ret", ret)
        .set_some("envid", parameters.envid.map(decoded))
        .set_some("auth", parameters.auth.map(decoded))
}

pub(crate) fn rcpt_parameters(record: Record, parameters: RcptParameters<'_>) -> Record {
    let orcpt = parameters.orcpt.map(|orcpt| {
        let mut text = String::from(orcpt.addr_type());
        text.push(';');
        text.push_str(&decoded(orcpt.address()));
        text
    });
    record
        .set_some("notify", parameters.notify.map(notify))
        .set_some("orcpt", orcpt)
}

fn notify(notify: Notify) -> String {
    let mut list = String::new();
    for (wanted, word) in [
        (notify.success, "success"),
        (notify.failure, "failure"),
        (notify.delay, "delay"),
    ] {
        if wanted {
            if !list.is_empty() {
                list.push(',');
            }
            list.push_str(word);
        }
    }
    if list.is_empty() {
        list.push_str("never");
    }
    list
}

fn decoded(text: Xtext<'_>) -> String {
    let bytes: alloc::vec::Vec<u8> = text.decoded().collect();
    String::from_utf8_lossy(&bytes).into_owned()
}
