//! What must hold in every session, and who breaks it on purpose.

use std::fmt;

/// A property that was violated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Property {
    /// Success is reported only after the final 250.
    SuccessAfterFinalReply,
    /// An acknowledged message was handed over exactly once.
    ExactlyOnce,
    /// What was handed over is never reported as failed.
    NoFalseFailure,
    /// A mail arrives whole or not at all, for the recipients that were accepted.
    Whole,
    /// No secret goes out before TLS unless the configuration says so.
    NoSecretInClear,
    /// No octet of a body is taken for a command, and no command for a body.
    NoMixing,
    /// Nothing that came before TLS is taken behind it.
    NothingSurvivesTls,
    /// Both machines come to an end.
    Ends,
    /// A machine keeps the error that it failed with.
    Sticky,
    /// What was declared of a mail and its recipients arrives as it was sent.
    Parameters,
    /// The client tells one verdict for each mail, and one answer for each recipient, in order.
    OneVerdict,
    /// A deadline stands whenever something is waited for.
    Deadline,
}

/// Who breaks a property, to show that it is seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Sabotage {
    /// Nobody.
    #[default]
    None,
    /// The client's driver reports success when the content is asked for.
    SuccessAtDemand,
    /// The server's driver keeps each message twice.
    KeepTwice,
    /// The server's driver keeps a message and refuses it.
    KeepAndRefuse,
    /// The client's driver reports a delivered message as failed.
    HideDelivery,
    /// The client's driver tries again although the outcome is unknown.
    RetryUnknown,
    /// The client's driver sends the content past the machine.
    RawBody,
    /// The client's driver sends a command within the content.
    CommandInBody,
    /// The client's driver sends the password before TLS.
    SecretInClear,
    /// The TLS of both drivers lets through what was sent before it.
    KeepPlaintext,
    /// Nobody looks at the clock.
    NoClock,
    /// The client's driver swallows a verdict.
    LoseVerdict,
    /// The client's driver loses a recipient's answer.
    LoseRecipient,
    /// The client's driver takes a verdict in LMTP for that of another recipient.
    MixVerdicts,
    /// The server's driver takes a recipient in LMTP twice.
    KeepRecipientTwice,
    /// The server's driver loses what was declared of a mail.
    LoseParameter,
    /// The server's driver loses what was declared of a recipient.
    LoseRecipientParameter,
}

impl Sabotage {
    /// All of them, and what each must be found by.
    pub const ALL: [(Self, &'static [Property]); 16] = [
        (
            Self::SuccessAtDemand,
            &[Property::SuccessAfterFinalReply, Property::OneVerdict],
        ),
        (Self::KeepTwice, &[Property::ExactlyOnce]),
        (Self::KeepAndRefuse, &[Property::NoFalseFailure]),
        (Self::HideDelivery, &[Property::NoFalseFailure]),
        (Self::RetryUnknown, &[Property::ExactlyOnce]),
        (Self::RawBody, &[Property::NoMixing, Property::Whole]),
        (Self::CommandInBody, &[Property::NoMixing, Property::Whole]),
        (Self::SecretInClear, &[Property::NoSecretInClear]),
        (
            Self::KeepPlaintext,
            &[Property::NothingSurvivesTls, Property::NoMixing],
        ),
        (Self::NoClock, &[Property::Ends]),
        (Self::LoseVerdict, &[Property::OneVerdict]),
        (Self::LoseRecipient, &[Property::OneVerdict]),
        (Self::MixVerdicts, &[Property::OneVerdict]),
        (Self::KeepRecipientTwice, &[Property::ExactlyOnce]),
        (Self::LoseParameter, &[Property::Parameters]),
        (Self::LoseRecipientParameter, &[Property::Parameters]),
    ];
}

/// A property that does not hold, and what was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The property.
    pub property: Property,
    /// What was seen.
    pub seen: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} does not hold: {}", self.property, self.seen)
    }
}

impl std::error::Error for Violation {}

/// Fails unless the property holds.
pub(crate) fn hold(
    holds: bool,
    property: Property,
    seen: impl FnOnce() -> String,
) -> Result<(), Violation> {
    if holds {
        return Ok(());
    }
    Err(Violation {
        property,
        seen: seen(),
    })
}
