//! The role-neutral transition table of an SMTP session.
//!
//! Both machines follow it: the client by the replies it gets, the server by
//! the replies it gives. What is not in the table can not happen.
//!
#![doc = include_str!("state/transitions.md")]

#[cfg(all(
    test,
    feature = "client",
    feature = "esmtp",
    feature = "scram",
    feature = "server"
))]
mod exploration;
// Without some features nobody asks what was taken, or takes a step.
#[cfg(test)]
#[allow(dead_code)]
pub(crate) mod taken;

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum State {
    /// Connected; the server has not greeted yet.
    Opening,
    /// Greeted, or TLS has just come up: the client has to say hello.
    Greeted,
    /// Ready for a transaction.
    Ready,
    /// STARTTLS was agreed; the TLS handshake is next.
    Handshake,
    /// Inside an AUTH exchange.
    Authenticating,
    /// MAIL was accepted.
    Mail,
    /// At least one recipient was accepted.
    Recipients,
    /// DATA was accepted, or BDAT came; the content, or a chunk of it, is on its
    /// way.
    Content,
    /// Between two chunks of the content (RFC 3030, section 2).
    Chunking,
    /// The content is complete; its fate is open.
    Verdict,
    /// Nothing is left but to part.
    Closing,
    /// The connection is over.
    Closed,
}

/// What moves a session from one state to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Step {
    /// 220 as the greeting.
    Greet,
    /// 554 as the greeting (RFC 5321, section 3.1).
    TurnAway,
    /// EHLO or HELO accepted.
    Hello,
    /// STARTTLS accepted with 220.
    AgreeTls,
    /// The TLS handshake succeeded.
    TlsUp,
    /// AUTH answered with 334.
    Challenge,
    /// AUTH accepted with 235.
    Authenticate,
    /// AUTH refused.
    DenyAuthentication,
    /// MAIL accepted.
    Mail,
    /// RCPT accepted.
    Recipient,
    /// DATA answered with 354, or BDAT in its place.
    GoAhead,
    /// A chunk that is not the last accepted.
    Chunk,
    /// The final dot or the last chunk was sent.
    Complete,
    /// The content was accepted or refused.
    Judge,
    /// RSET accepted.
    Reset,
    /// XCLIENT accepted: the session begins anew, for another client.
    Introduce,
    /// QUIT, or 421 from the server.
    Part,
    /// The connection was closed.
    Close,
}

/// Every transition there is.
pub const TRANSITIONS: [(State, Step, State); 50] = {
    use State as S;
    use Step as T;
    [
        (S::Opening, T::Greet, S::Greeted),
        (S::Opening, T::TurnAway, S::Closing),
        (S::Opening, T::Part, S::Closing),
        (S::Greeted, T::Hello, S::Ready),
        (S::Greeted, T::Reset, S::Greeted),
        (S::Greeted, T::Part, S::Closing),
        (S::Ready, T::Hello, S::Ready),
        (S::Ready, T::AgreeTls, S::Handshake),
        (S::Ready, T::Challenge, S::Authenticating),
        (S::Ready, T::Authenticate, S::Ready),
        (S::Ready, T::DenyAuthentication, S::Ready),
        (S::Ready, T::Mail, S::Mail),
        (S::Ready, T::Reset, S::Ready),
        (S::Ready, T::Introduce, S::Opening),
        (S::Ready, T::Part, S::Closing),
        (S::Handshake, T::TlsUp, S::Greeted),
        (S::Authenticating, T::Challenge, S::Authenticating),
        (S::Authenticating, T::Authenticate, S::Ready),
        (S::Authenticating, T::DenyAuthentication, S::Ready),
        (S::Authenticating, T::Part, S::Closing),
        (S::Mail, T::Hello, S::Ready),
        (S::Mail, T::Recipient, S::Recipients),
        (S::Mail, T::GoAhead, S::Content),
        (S::Mail, T::Reset, S::Ready),
        (S::Mail, T::Part, S::Closing),
        (S::Recipients, T::Hello, S::Ready),
        (S::Recipients, T::Recipient, S::Recipients),
        (S::Recipients, T::GoAhead, S::Content),
        (S::Recipients, T::Reset, S::Ready),
        (S::Recipients, T::Part, S::Closing),
        (S::Content, T::Chunk, S::Chunking),
        (S::Content, T::Complete, S::Verdict),
        (S::Content, T::Part, S::Closing),
        (S::Chunking, T::GoAhead, S::Content),
        (S::Chunking, T::Hello, S::Ready),
        (S::Chunking, T::Reset, S::Ready),
        (S::Chunking, T::Part, S::Closing),
        (S::Verdict, T::Judge, S::Ready),
        (S::Verdict, T::Part, S::Closing),
        // A connection can end anywhere.
        (S::Opening, T::Close, S::Closed),
        (S::Greeted, T::Close, S::Closed),
        (S::Ready, T::Close, S::Closed),
        (S::Handshake, T::Close, S::Closed),
        (S::Authenticating, T::Close, S::Closed),
        (S::Mail, T::Close, S::Closed),
        (S::Recipients, T::Close, S::Closed),
        (S::Content, T::Close, S::Closed),
        (S::Chunking, T::Close, S::Closed),
        (S::Verdict, T::Close, S::Closed),
        (S::Closing, T::Close, S::Closed),
    ]
};

impl Step {
    /// Where the step leads, in the client's order: what RSET answers before
    /// EHLO is only seen by servers.
    #[cfg(feature = "client")]
    pub(crate) const fn target(self) -> State {
        match self {
            Self::Greet | Self::TlsUp => State::Greeted,
            Self::Hello
            | Self::Authenticate
            | Self::DenyAuthentication
            | Self::Judge
            | Self::Reset => State::Ready,
            Self::Introduce => State::Opening,
            Self::AgreeTls => State::Handshake,
            Self::Challenge => State::Authenticating,
            Self::Mail => State::Mail,
            Self::Recipient => State::Recipients,
            Self::GoAhead => State::Content,
            Self::Chunk => State::Chunking,
            Self::Complete => State::Verdict,
            Self::TurnAway | Self::Part => State::Closing,
            Self::Close => State::Closed,
        }
    }
}

impl State {
    /// Where `step` leads from here; `None` if it can not happen here.
    pub fn next(self, step: Step) -> Option<Self> {
        *NEXT.get(self as usize)?.get(step as usize)?
    }
}

const STATES: usize = State::Closed as usize + 1;
const STEPS: usize = Step::Close as usize + 1;

/// The table in the form that a look-up takes one access in.
static NEXT: [[Option<State>; STEPS]; STATES] = {
    let mut next = [[None; STEPS]; STATES];
    let mut at = 0;
    while at < TRANSITIONS.len() {
        let (from, step, to) = TRANSITIONS[at];
        next[from as usize][step as usize] = Some(to);
        at += 1;
    }
    next
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_each_thing_once() {
        for (at, (from, step, to)) in TRANSITIONS.into_iter().enumerate() {
            assert_eq!(from.next(step), Some(to));
            assert!(
                !TRANSITIONS[..at].iter().any(|t| (t.0, t.1) == (from, step)),
                "{from:?} {step:?} stands twice"
            );
        }
    }

    #[test]
    #[cfg(feature = "client")]
    fn a_step_leads_to_one_state() {
        for (from, step, to) in TRANSITIONS {
            if (from, step) != (State::Greeted, Step::Reset) {
                assert_eq!(step.target(), to);
            }
        }
    }

    #[test]
    fn what_must_not_happen() {
        for (state, step) in [
            (State::Opening, Step::Mail),
            (State::Greeted, Step::Mail),
            (State::Ready, Step::Recipient),
            (State::Ready, Step::GoAhead),
            (State::Mail, Step::Mail),
            (State::Mail, Step::AgreeTls),
            (State::Mail, Step::Introduce),
            (State::Recipients, Step::Authenticate),
            (State::Content, Step::Judge),
            (State::Chunking, Step::Mail),
            (State::Chunking, Step::Recipient),
            (State::Chunking, Step::Judge),
            (State::Handshake, Step::Hello),
            (State::Closed, Step::Greet),
        ] {
            assert_eq!(state.next(step), None, "{state:?} {step:?}");
        }
    }
}
