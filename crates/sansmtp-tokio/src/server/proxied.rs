//! Whom a balancer speaks for: the PROXY protocol in front of a session, and
//! XCLIENT within it.

use super::info::SessionInfo;
use sansmtp::wire::param::Xtext;
use sansmtp::wire::proxy::{self, Endpoints, InvalidHeader, Progress};
use sansmtp::wire::xclient::{Attribute, Protocol, XClient};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncRead, AsyncReadExt};

/// Why there is no header.
#[derive(Debug)]
pub(super) enum NoHeader {
    Invalid(InvalidHeader),
    Lost(io::Error),
}

impl fmt::Display for NoHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(error) => error.fmt(f),
            Self::Lost(error) => error.fmt(f),
        }
    }
}

/// For whom a balancer connects.
pub(super) enum Proxied {
    /// For itself, as in a health check.
    Nobody,
    /// For a client that it knows nothing of.
    Unknown,
    Client(Endpoints),
}

/// Reads a header of the PROXY protocol, and nothing of what follows it, which may
/// be a TLS handshake.
pub(super) async fn read_header<T: AsyncRead + Unpin>(stream: &mut T) -> Result<Proxied, NoHeader> {
    let mut header = Vec::new();
    loop {
        match proxy::parse(&header).map_err(NoHeader::Invalid)? {
            Progress::Complete { header, .. } => {
                return Ok(match header.endpoints {
                    Some(endpoints) => Proxied::Client(endpoints),
                    None if header.local => Proxied::Nobody,
                    None => Proxied::Unknown,
                });
            }
            Progress::Incomplete { needed } => {
                let have = header.len();
                header.resize(have + needed.min(proxy::LIMIT), 0);
                let room = header.get_mut(have..).unwrap_or_default();
                stream.read_exact(room).await.map_err(NoHeader::Lost)?;
            }
        }
    }
}

impl SessionInfo {
    /// Takes over what a PROXY header says.
    pub(super) fn proxied(&mut self, proxied: &Proxied) {
        match proxied {
            Proxied::Nobody => {}
            // It is not the balancer itself, and may not do what that may.
            Proxied::Unknown => self.behind(self.peer),
            Proxied::Client(endpoints) => {
                self.behind(endpoints.source);
                self.local = endpoints.destination;
            }
        }
    }

    /// Takes over what XCLIENT says; all that is known of another client is void.
    pub(super) fn introduced(&mut self, attributes: &XClient<'_>) {
        self.hello.clear();
        self.extended = false;
        self.user = None;
        self.client_name = None;
        let (address, port) = (known(attributes.address()), known(attributes.port()));
        if let Some(address) = address {
            self.behind(SocketAddr::new(address, port.unwrap_or(0)));
        }
        let (address, port) = (
            known(attributes.destination_address()),
            known(attributes.destination_port()),
        );
        if let Some(address) = address {
            self.local.set_ip(address);
        }
        if let Some(port) = port {
            self.local.set_port(port);
        }
        let text = |attribute: Option<Attribute<Xtext<'_>>>| {
            let octets: Vec<u8> = known(attribute)?.decoded().collect();
            let text = String::from_utf8_lossy(&octets).into_owned();
            Some(text).filter(|text| !text.is_empty())
        };
        self.client_name = text(attributes.name());
        self.user = text(attributes.login());
        self.hello = text(attributes.helo()).unwrap_or_default();
        self.extended = known(attributes.protocol()) == Some(Protocol::Esmtp);
    }

    fn behind(&mut self, client: SocketAddr) {
        self.balancer.get_or_insert(self.peer);
        self.peer = client;
    }
}

fn known<T>(attribute: Option<Attribute<T>>) -> Option<T> {
    attribute.and_then(Attribute::known)
}
