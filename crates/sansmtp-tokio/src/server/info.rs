//! What a server knows about the session it is in.

use std::net::SocketAddr;

/// What is known about a session. Each method of a
/// [`Handler`](super::Handler) gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionInfo {
    /// A name for the session in logs and trace fields, random hexadecimal
    /// digits.
    pub id: String,
    /// Where the client connects from; behind a listed balancer, what that says.
    pub peer: SocketAddr,
    /// The balancer that said so, by the PROXY protocol or XCLIENT.
    pub balancer: Option<SocketAddr>,
    /// The client's host name, if a listed balancer said it by XCLIENT.
    pub client_name: Option<String>,
    /// Where it connected to.
    pub local: SocketAddr,
    /// The TLS parameters, once TLS is up.
    pub tls: Option<TlsInfo>,
    /// What the client called itself in EHLO or HELO: printable ASCII, but
    /// nothing is proven by it. Empty before.
    pub hello: String,
    /// It said EHLO, not HELO.
    pub extended: bool,
    /// The user that authenticated.
    pub user: Option<String>,
    /// How many messages were taken in this session.
    pub messages: u64,
    /// The client speaks LMTP.
    pub lmtp: bool,
}

/// The parameters of a TLS connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsInfo {
    /// The protocol version, such as `TLSv1_3`.
    pub protocol: String,
    /// The cipher suite, such as `TLS13_AES_256_GCM_SHA384`.
    pub cipher: String,
    /// The host name that the client asked for (SNI).
    pub server_name: Option<String>,
}

impl SessionInfo {
    pub(super) fn new(id: String, peer: SocketAddr, local: SocketAddr) -> Self {
        Self {
            id,
            peer,
            balancer: None,
            client_name: None,
            local,
            tls: None,
            hello: String::new(),
            extended: false,
            user: None,
            messages: 0,
            lmtp: false,
        }
    }

    /// The protocol's name for the `with` clause of a Received field (RFC 3848;
    /// RFC 6531, section 4.3, where the transaction used SMTPUTF8).
    pub fn protocol(&self, smtputf8: bool) -> &'static str {
        if self.lmtp {
            // RFC 3848; RFC 6531, section 4.3
            return match (smtputf8, self.tls.is_some(), self.user.is_some()) {
                (false, false, false) => "LMTP",
                (false, true, false) => "LMTPS",
                (false, false, true) => "LMTPA",
                (false, true, true) => "LMTPSA",
                (true, false, false) => "UTF8LMTP",
                (true, true, false) => "UTF8LMTPS",
                (true, false, true) => "UTF8LMTPA",
                (true, true, true) => "UTF8LMTPSA",
            };
        }
        match (
            smtputf8,
            self.extended,
            self.tls.is_some(),
            self.user.is_some(),
        ) {
            (false, false, ..) => "SMTP",
            (false, true, false, false) => "ESMTP",
            (false, true, true, false) => "ESMTPS",
            (false, true, false, true) => "ESMTPA",
            (false, true, true, true) => "ESMTPSA",
            (true, _, false, false) => "UTF8SMTP",
            (true, _, true, false) => "UTF8SMTPS",
            (true, _, false, true) => "UTF8SMTPA",
            (true, _, true, true) => "UTF8SMTPSA",
        }
    }
}
