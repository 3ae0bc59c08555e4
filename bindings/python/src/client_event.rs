//! What a client connection says, one class per event. `ClientEvent` in `_core.pyi` is their union.

use pyo3::prelude::*;
use sansmtp::client::Event;

use crate::error::stage as stage_name;
use crate::reply::Reply;
use crate::repr::event;

event! {
    /// A reply that needs no action: it only moves the dialogue on. For logs.
    ReplyReceived {
        /// What the reply answers.
        stage: &'static str,
        /// The reply.
        reply: Reply,
    }
}

event! {
    /// TLS was agreed: do the handshake on the connection, then call `tls_established`.
    StartTls {}
}

event! {
    /// The session is set up: `submit` may be called.
    Ready {}
}

event! {
    /// The server refused the session, or closes it. Every further call raises the error.
    Refused {
        /// What it refused.
        stage: &'static str,
        /// The reply.
        reply: Reply,
    }
}

event! {
    /// The reply to MAIL.
    SenderReply {
        /// The reply.
        reply: Reply,
    }
}

event! {
    /// The reply to a RCPT.
    RecipientReply {
        /// Which recipient of the envelope, from 0.
        index: usize,
        /// The reply.
        reply: Reply,
    }
}

event! {
    /// The server waits for the content. What was given to `submit` follows by itself; else call `write` and
    /// `finish`.
    ContentWanted {}
}

event! {
    /// The server refused a chunk of the content, and so the message; `NotDelivered` follows.
    ChunkRefused {
        /// The reply.
        reply: Reply,
    }
}

event! {
    /// The server took the message for every recipient that it had accepted.
    Delivered {
        /// The reply.
        reply: Reply,
    }
}

event! {
    /// LMTP: the server's verdict for one recipient. The last one ends the transaction; it comes in the place of
    /// `Delivered`.
    Verdict {
        /// Which recipient of the envelope, from 0.
        index: usize,
        /// The reply.
        reply: Reply,
        /// No more verdicts come.
        last: bool,
    }
}

event! {
    /// The server took the message for nobody.
    NotDelivered {
        /// What failed: "mail", "rcpt" (every recipient), "data" or "content".
        stage: &'static str,
        /// The reply that refused DATA or the content. For MAIL and RCPT the replies came before.
        reply: Option<Reply>,
    }
}

event! {
    /// The reply to a query.
    Answer {
        /// The reply.
        reply: Reply,
    }
}

event! {
    /// QUIT was answered: the connection can be closed.
    Closed {}
}

/// The Python object for an event whose reply, if it has one, is complete.
pub(crate) fn object(
    py: Python<'_>,
    event: &Event<'_>,
    reply: Option<Reply>,
) -> PyResult<Py<PyAny>> {
    fn made<T: pyo3::PyClass + Into<PyClassInitializer<T>>>(
        py: Python<'_>,
        value: T,
    ) -> PyResult<Py<PyAny>> {
        Py::new(py, value).map(Py::into_any)
    }
    match (event, reply) {
        (Event::Reply { stage, .. }, Some(reply)) => {
            let stage = stage_name(*stage);
            made(py, ReplyReceived { stage, reply })
        }
        (Event::Refused { stage, .. }, Some(reply)) => {
            let stage = stage_name(*stage);
            made(py, Refused { stage, reply })
        }
        (Event::Sender { .. }, Some(reply)) => made(py, SenderReply { reply }),
        (Event::Recipient { index, .. }, Some(reply)) => {
            let index = *index;
            made(py, RecipientReply { index, reply })
        }
        (Event::ChunkRefused { .. }, Some(reply)) => made(py, ChunkRefused { reply }),
        (Event::Verdict { index, last, .. }, Some(reply)) => {
            let (index, last) = (*index, *last);
            made(py, Verdict { index, reply, last })
        }
        (Event::Delivered { .. }, Some(reply)) => made(py, Delivered { reply }),
        (Event::Answer { .. }, Some(reply)) => made(py, Answer { reply }),
        (Event::NotDelivered { stage, .. }, reply) => {
            let stage = stage_name(*stage);
            made(py, NotDelivered { stage, reply })
        }
        (Event::StartTls, _) => made(py, StartTls {}),
        (Event::Ready, _) => made(py, Ready {}),
        (Event::Content, _) => made(py, ContentWanted {}),
        (Event::Closed, _) => made(py, Closed {}),
        (event, _) => Err(pyo3::exceptions::PyNotImplementedError::new_err(format!(
            "event {event:?} is newer than this binding"
        ))),
    }
}
