//! The one configuration vocabulary that every adapter and binding shares.

/// How a connection is protected (RFC 8314).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Security {
    /// TLS from the first byte, usually port 465 (RFC 8314, section 3.3).
    ImplicitTls,
    /// STARTTLS is required before anything else is said, usually port 587
    /// (RFC 3207). A server that does not offer it is refused.
    StartTls,
    /// No TLS at all. Passwords and mail can be read and changed on the way.
    DangerPlaintext,
}
