//! The envelope, with data of its own.

use pyo3::prelude::*;
use sansmtp::envelope::{self, Recipient};
use sansmtp::wire::datetime::DateTime;
use sansmtp::wire::handling::{DeliverBy, Handling, Hold, Late, Priority};
use sansmtp::wire::param::{Body, Notify, Ret, Xtext};
use sansmtp::wire::path::ReversePath;
use self_cell::self_cell;

use crate::error::invalid;
use crate::repr::{self, Repr};

/// What the envelope's parts borrow from.
struct Texts {
    sender: String,
    recipients: Vec<String>,
    envid: Option<String>,
}

/// The checked parts.
struct Parts<'a> {
    reverse_path: ReversePath<'a>,
    recipients: Vec<Recipient<'a>>,
    envid: Option<Xtext<'a>>,
}

self_cell!(
    // Addresses are checked once, however often a machine asks for them.
    struct Checked {
        owner: Texts,
        #[covariant]
        dependent: Parts,
    }
);

/// Who sends, who receives, and what the server is told of the message beforehand.
#[pyclass(frozen, module = "sansmtp._core")]
pub(crate) struct Envelope {
    checked: Checked,
    notify: Option<Notify>,
    size: Option<u64>,
    body: Option<Body>,
    smtputf8: bool,
    ret: Option<Ret>,
    handling: Handling,
}

impl Envelope {
    /// The borrowed form, which a machine takes.
    pub(crate) fn as_envelope(&self) -> envelope::Envelope<'_> {
        let parts = self.checked.borrow_dependent();
        let mut envelope = envelope::Envelope::new(parts.reverse_path, &parts.recipients);
        envelope.size = self.size;
        envelope.body = self.body;
        envelope.smtputf8 = self.smtputf8;
        envelope.ret = self.ret;
        envelope.envid = parts.envid;
        envelope.handling = self.handling;
        envelope
    }

    pub(crate) fn addresses(&self) -> &[String] {
        &self.checked.borrow_owner().recipients
    }
}

#[pymethods]
impl Envelope {
    /// An envelope; the empty sender stands for nobody. `body` is "7bit", "8bitmime" or "binarymime", `ret` "full" or
    /// "headers", `notify` any of "success", "failure" and "delay", or nothing for never. `require_tls` wants TLS
    /// on the whole way (RFC 8689); `deliver_by` is seconds and "return" or "notify" (RFC 2852); `hold_for` is
    /// seconds, `hold_until` seconds since 1970 (RFC 4865); `priority` is from -9 to 9 (RFC 6710).
    #[new]
    #[pyo3(signature = (sender, recipients, *, size = None, body = None, smtputf8 = false, ret = None,
        envid = None, notify = None, require_tls = false, deliver_by = None, hold_for = None, hold_until = None,
        priority = None))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        py: Python<'_>,
        sender: String,
        recipients: Vec<String>,
        size: Option<u64>,
        body: Option<&str>,
        smtputf8: bool,
        ret: Option<&str>,
        envid: Option<String>,
        notify: Option<Vec<String>>,
        require_tls: bool,
        deliver_by: Option<(i32, String)>,
        hold_for: Option<u32>,
        hold_until: Option<u64>,
        priority: Option<i8>,
    ) -> PyResult<Self> {
        let handling = handling(py, require_tls, deliver_by, hold_for, hold_until, priority)?;
        let notify = notify.map(|events| parse_notify(py, &events)).transpose()?;
        let wrong = |what: &str, value: &str| {
            invalid(py, "EnvelopeError", format!("{what} can not be {value:?}"))
        };
        let body = match body {
            None => None,
            Some("7bit") => Some(Body::SevenBit),
            Some("8bitmime") => Some(Body::EightBitMime),
            Some("binarymime") => Some(Body::BinaryMime),
            Some(other) => return Err(wrong("body", other)),
        };
        let ret = match ret {
            None => None,
            Some("full") => Some(Ret::Full),
            Some("headers") => Some(Ret::Headers),
            Some(other) => return Err(wrong("ret", other)),
        };
        let texts = Texts {
            sender,
            recipients,
            envid: envid.map(|text| encode_envid(py, &text)).transpose()?,
        };
        Ok(Self {
            checked: checked(py, texts, notify)?,
            notify,
            size,
            body,
            smtputf8,
            ret,
            handling,
        })
    }

    /// Whom failures are reported to; empty for nobody.
    #[getter]
    fn sender(&self) -> &str {
        &self.checked.borrow_owner().sender
    }

    /// Whom the mail is for.
    #[getter]
    fn recipients(&self) -> Vec<String> {
        self.addresses().to_vec()
    }

    /// The size of the message in octets, if it is known.
    #[getter]
    fn size(&self) -> Option<u64> {
        self.size
    }

    /// The same for the recipients at these places alone, for a message that goes out in several transactions.
    fn part(&self, py: Python<'_>, places: Vec<usize>) -> PyResult<Self> {
        let whole = self.checked.borrow_owner();
        let recipients = places
            .iter()
            .filter_map(|place| whole.recipients.get(*place));
        let texts = Texts {
            sender: whole.sender.clone(),
            recipients: recipients.cloned().collect(),
            envid: whole.envid.clone(),
        };
        Ok(Self {
            checked: checked(py, texts, self.notify)?,
            ..*self
        })
    }

    /// It never changes, so that it is its own copy.
    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    /// It never changes, so that it is its own copy.
    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }

    fn __repr__(&self) -> String {
        repr::object(
            "Envelope",
            &[
                ("sender", self.sender().repr()),
                ("recipients", self.recipients().repr()),
                ("size", self.size.repr()),
            ],
        )
    }
}

/// Checks what commands will be made of.
fn checked(py: Python<'_>, texts: Texts, notify: Option<Notify>) -> PyResult<Checked> {
    let address_error =
        |address: &str, error| invalid(py, "AddressError", format!("{error}: {address:?}"));
    Checked::try_new(texts, |texts| {
        let reverse_path = ReversePath::parse(&texts.sender)
            .map_err(|error| address_error(&texts.sender, error))?;
        let recipients = texts.recipients.iter().map(|address| {
            let mut recipient =
                Recipient::parse(address).map_err(|error| address_error(address, error))?;
            recipient.notify = notify;
            Ok(recipient)
        });
        // It is what `encode_envid` made.
        let envid = texts.envid.as_deref().and_then(Xtext::parse);
        Ok(Parts {
            reverse_path,
            recipients: recipients.collect::<PyResult<_>>()?,
            envid,
        })
    })
}

/// How the message is to be handled on its way.
fn handling(
    py: Python<'_>,
    require_tls: bool,
    deliver_by: Option<(i32, String)>,
    hold_for: Option<u32>,
    hold_until: Option<u64>,
    priority: Option<i8>,
) -> PyResult<Handling> {
    let wrong = |message: &str| invalid(py, "EnvelopeError", message);
    let deliver_by = match deliver_by {
        None => None,
        Some((seconds, late)) => {
            let late = match late.as_str() {
                "return" => Late::Return,
                "notify" => Late::Notify,
                _ => return Err(wrong("deliver_by ends with \"return\" or \"notify\"")),
            };
            let by = DeliverBy::new(seconds, late).ok_or_else(|| {
                wrong("deliver_by has at most nine digits, and more than 0 to return")
            })?;
            Some(by)
        }
    };
    let hold = match (hold_for, hold_until) {
        (None, None) => None,
        (Some(_), Some(_)) => return Err(wrong("give hold_for or hold_until, not both")),
        (Some(seconds), None) if seconds <= Hold::LIMIT => Some(Hold::For(seconds)),
        (Some(_), None) => return Err(wrong("hold_for has at most nine digits")),
        (None, Some(seconds)) => Some(Hold::Until(
            DateTime::from_unix(seconds)
                .ok_or_else(|| wrong("hold_until is beyond the year 9999"))?,
        )),
    };
    let priority = match priority {
        None => None,
        Some(value) => Some(Priority::new(value).ok_or_else(|| wrong("priority is from -9 to 9"))?),
    };
    Ok(Handling {
        require_tls,
        deliver_by,
        hold,
        priority,
    })
}

fn parse_notify(py: Python<'_>, events: &[String]) -> PyResult<Notify> {
    let mut notify = Notify::default();
    for event in events {
        match event.as_str() {
            "success" => notify.success = true,
            "failure" => notify.failure = true,
            "delay" => notify.delay = true,
            other => {
                let message = format!("notify holds success, failure and delay, not {other:?}");
                return Err(invalid(py, "EnvelopeError", message));
            }
        }
    }
    Ok(notify)
}

/// The envelope identifier as xtext (RFC 3461, section 4.4).
fn encode_envid(py: Python<'_>, text: &str) -> PyResult<String> {
    let mut buffer = [0; 100];
    match Xtext::encode(text, &mut buffer) {
        Some(envid) if !text.is_empty() => Ok(envid.as_str().to_owned()),
        _ => {
            let message = format!(
                "envid is printable ASCII, of at most 100 octets when it is encoded, not {text:?}"
            );
            Err(invalid(py, "EnvelopeError", message))
        }
    }
}
