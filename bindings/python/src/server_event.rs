//! What a server connection says, one class per event, and what it asks. `ServerEvent` in `_core.pyi` is their
//! union, `ServerRequest` the union of those that wait for `accept` or `answer`.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use sansmtp::server::{Event, Query};
use sansmtp::wire::handling::{DeliverBy, Hold, Late, Priority};
use sansmtp::wire::param::{Body, Notify, Ret};
use zeroize::Zeroizing;

use crate::client_event::StartTls;
use crate::repr::{self, Repr, event};

event! {
    /// The client said hello. An open transaction is void.
    Hello {
        /// What the client calls itself. Nothing is proven by it.
        name: String,
        /// EHLO, not HELO.
        extended: bool,
    }
}

event! {
    /// The transaction is void: drop what came of its content.
    Reset {}
}

event! {
    /// A client connected: shall it be greeted?
    ConnectRequest {}
}

event! {
    /// MAIL: may this sender send?
    MailRequest {
        /// Whom failures are reported to; empty for nobody.
        sender: String,
        /// The size that the client declares, in octets.
        size: Option<u64>,
        /// What the content holds, as declared: "7bit", "8bitmime" or "binarymime".
        body: Option<&'static str>,
        /// Addresses and headers may be in UTF-8.
        smtputf8: bool,
        /// How much a report returns: "full" or "headers".
        ret: Option<&'static str>,
        /// The sender's name for this transaction, decoded.
        envid: Option<String>,
        /// Every hop from here on must use TLS (RFC 8689).
        require_tls: bool,
        /// Seconds within which it must be delivered (RFC 2852).
        deliver_by: Option<i32>,
        /// What happens if it is late: "return" or "notify".
        late: Option<&'static str>,
        /// Seconds for which it is to be kept back (RFC 4865).
        hold_for: Option<u32>,
        /// Until when it is to be kept back, in seconds since 1970.
        hold_until: Option<u64>,
        /// How urgent it is, from -9 to 9 (RFC 6710).
        priority: Option<i8>,
    }
}

event! {
    /// RCPT: is there mail for this recipient?
    RecipientRequest {
        /// Whom the mail is for.
        address: String,
        /// When the sender wants a report: of "success", "failure" and "delay"; empty for never.
        notify: Option<Vec<&'static str>>,
        /// The recipient as the first sender named it: the type of the address, a semicolon, the address.
        orcpt: Option<String>,
    }
}

event! {
    /// DATA: shall the content come?
    DataRequest {}
}

event! {
    /// The content is complete. A positive answer takes over the responsibility for the message.
    MessageRequest {
        /// The size of the content in octets.
        size: u64,
    }
}

event! {
    /// A client authenticates with a mechanism that never shows the password: answer with
    /// `answer_with_password`.
    PasswordRequest {
        /// The mechanism.
        mechanism: &'static str,
        /// The user.
        user: String,
    }
}

event! {
    /// A client has proven who it is: may it act for whom it wants to?
    AuthorizeRequest {
        /// The mechanism.
        mechanism: &'static str,
        /// The user.
        user: String,
        /// Whom the client wants to act for; empty for the user itself.
        authorization: String,
    }
}

event! {
    /// VRFY. Acceptance answers 252, which tells nothing.
    VerifyRequest {
        /// The argument.
        text: String,
    }
}

event! {
    /// EXPN. Acceptance answers 502.
    ExpandRequest {
        /// The argument.
        text: String,
    }
}

event! {
    /// HELP. Acceptance answers with the commands.
    HelpRequest {
        /// The argument, often empty.
        text: String,
    }
}

/// A stretch of the content, without the dots that were added on the way.
#[pyclass(frozen, module = "sansmtp._core")]
pub(crate) struct Content {
    /// The octets.
    #[pyo3(get)]
    data: Py<PyBytes>,
}

#[pymethods]
impl Content {
    #[classattr]
    fn __match_args__() -> (&'static str,) {
        ("data",)
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let length = self.data.as_bytes(py).len();
        format!("Content(data=<{length} octets>)")
    }
}

/// A client wants to authenticate. The password is not shown by `repr`; compare it with
/// `hmac.compare_digest`.
#[pyclass(frozen, module = "sansmtp._core")]
pub(crate) struct AuthenticateRequest {
    /// "PLAIN" or "LOGIN".
    #[pyo3(get)]
    mechanism: &'static str,
    /// The user.
    #[pyo3(get)]
    user: String,
    password: Zeroizing<String>,
    /// Whom the client wants to act for; empty for the user itself.
    #[pyo3(get)]
    authorization: String,
}

#[pymethods]
impl AuthenticateRequest {
    #[classattr]
    fn __match_args__() -> (&'static str, &'static str) {
        ("user", "password")
    }

    /// The password.
    #[getter]
    fn password(&self) -> &str {
        &self.password
    }

    fn __repr__(&self) -> String {
        repr::object(
            "AuthenticateRequest",
            &[
                ("mechanism", self.mechanism.repr()),
                ("user", self.user.repr()),
                ("password", "'****'".to_owned()),
                ("authorization", self.authorization.repr()),
            ],
        )
    }
}

/// A client shows an OAuth2 access token. The token is not shown by `repr`.
#[pyclass(frozen, module = "sansmtp._core")]
pub(crate) struct BearerRequest {
    /// "XOAUTH2" or "OAUTHBEARER".
    #[pyo3(get)]
    mechanism: &'static str,
    /// The user that the token is said to be for; empty if only the token tells.
    #[pyo3(get)]
    user: String,
    token: Zeroizing<String>,
}

#[pymethods]
impl BearerRequest {
    #[classattr]
    fn __match_args__() -> (&'static str, &'static str) {
        ("user", "token")
    }

    /// The access token.
    #[getter]
    fn token(&self) -> &str {
        &self.token
    }

    fn __repr__(&self) -> String {
        repr::object(
            "BearerRequest",
            &[
                ("mechanism", self.mechanism.repr()),
                ("user", self.user.repr()),
                ("token", "'****'".to_owned()),
            ],
        )
    }
}

/// The Python object for an event.
pub(crate) fn object(py: Python<'_>, event: Event<'_>) -> PyResult<Py<PyAny>> {
    fn made<T: pyo3::PyClass + Into<PyClassInitializer<T>>>(
        py: Python<'_>,
        value: T,
    ) -> PyResult<Py<PyAny>> {
        Py::new(py, value).map(Py::into_any)
    }
    let query = match event {
        Event::Request(request) => request.query(),
        Event::Hello { name, extended } => {
            let name = name.to_owned();
            return made(py, Hello { name, extended });
        }
        Event::Content(data) => {
            let data = PyBytes::new(py, data).unbind();
            return made(py, Content { data });
        }
        Event::Reset => return made(py, Reset {}),
        Event::StartTls => return made(py, StartTls {}),
        other => return unknown(&other),
    };
    match query {
        Query::Connect => made(py, ConnectRequest {}),
        Query::Authenticate(login) => made(
            py,
            AuthenticateRequest {
                mechanism: login.mechanism.name(),
                user: login.user.to_owned(),
                password: Zeroizing::new(login.password.reveal().to_owned()),
                authorization: login.authorization.to_owned(),
            },
        ),
        Query::Bearer(bearer) => made(
            py,
            BearerRequest {
                mechanism: bearer.mechanism.name(),
                user: bearer.user.to_owned(),
                token: Zeroizing::new(bearer.token.reveal().to_owned()),
            },
        ),
        Query::Authorize(identity) => made(
            py,
            AuthorizeRequest {
                mechanism: identity.mechanism.name(),
                user: identity.user.to_owned(),
                authorization: identity.authorization.to_owned(),
            },
        ),
        Query::Keys(wanted) => made(
            py,
            PasswordRequest {
                mechanism: wanted.mechanism.name(),
                user: wanted.user.to_owned(),
            },
        ),
        Query::Mail {
            reverse_path,
            parameters,
        } => made(
            py,
            MailRequest {
                sender: reverse_path.as_str().to_owned(),
                size: parameters.size,
                body: parameters.body.map(|body| match body {
                    Body::SevenBit => "7bit",
                    Body::EightBitMime => "8bitmime",
                    Body::BinaryMime => "binarymime",
                }),
                smtputf8: parameters.smtputf8,
                ret: parameters.ret.map(|ret| match ret {
                    Ret::Full => "full",
                    Ret::Headers => "headers",
                }),
                envid: parameters.envid.map(|envid| decoded(envid.decoded())),
                require_tls: parameters.handling.require_tls,
                deliver_by: parameters.handling.deliver_by.map(DeliverBy::seconds),
                late: parameters.handling.deliver_by.map(|by| match by.late() {
                    Late::Return => "return",
                    Late::Notify => "notify",
                }),
                hold_for: match parameters.handling.hold {
                    Some(Hold::For(seconds)) => Some(seconds),
                    _ => None,
                },
                hold_until: match parameters.handling.hold {
                    Some(Hold::Until(time)) => Some(time.unix()),
                    _ => None,
                },
                priority: parameters.handling.priority.map(Priority::get),
            },
        ),
        Query::Recipient {
            forward_path,
            parameters,
        } => made(
            py,
            RecipientRequest {
                address: forward_path.as_str().to_owned(),
                notify: parameters.notify.map(notify_names),
                orcpt: parameters.orcpt.map(|orcpt| {
                    format!(
                        "{};{}",
                        orcpt.addr_type(),
                        decoded(orcpt.address().decoded())
                    )
                }),
            },
        ),
        Query::Data => made(py, DataRequest {}),
        Query::Message { size } => made(py, MessageRequest { size }),
        Query::Verify(text) => made(
            py,
            VerifyRequest {
                text: text.to_owned(),
            },
        ),
        Query::Expand(text) => made(
            py,
            ExpandRequest {
                text: text.to_owned(),
            },
        ),
        Query::Help(text) => made(
            py,
            HelpRequest {
                text: text.to_owned(),
            },
        ),
        other => unknown(&other),
    }
}

fn unknown(event: &dyn std::fmt::Debug) -> PyResult<Py<PyAny>> {
    Err(pyo3::exceptions::PyNotImplementedError::new_err(format!(
        "event {event:?} is newer than this binding"
    )))
}

fn decoded(octets: impl Iterator<Item = u8>) -> String {
    String::from_utf8_lossy(&octets.collect::<Vec<u8>>()).into_owned()
}

fn notify_names(notify: Notify) -> Vec<&'static str> {
    [
        (notify.success, "success"),
        (notify.failure, "failure"),
        (notify.delay, "delay"),
    ]
    .into_iter()
    .filter_map(|(wanted, name)| wanted.then_some(name))
    .collect()
}
