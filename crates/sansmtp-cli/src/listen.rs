//! Where a server listens, as `smtp://127.0.0.1:2525`.

use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::target::is_loopback;
use sansmtp::config::{Host, Security};

/// An address to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listen {
    /// `host:port`, with brackets around an IPv6 address.
    pub(crate) address: String,
    /// Whether TLS comes first, is offered, or is not to be had.
    pub(crate) security: Security,
    /// Clients speak LMTP.
    pub(crate) lmtp: bool,
}

impl Listen {
    /// From a URL with the schemes of `--server`. Port 0 takes a free one; the
    /// default is 465 for `smtps`, 24 for `lmtp` and 25 else.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let failure = |what: &str| {
            Failure::new(
                Exit::Usage,
                format_args!("--listen `{text}`: {what}"),
                "write --listen smtp://127.0.0.1:2525 or smtps://127.0.0.1:4650",
            )
        };
        let (scheme, place) = text
            .split_once("://")
            .ok_or_else(|| failure("there is no smtp:// or smtps:// in front"))?;
        let (security, port): (_, u16) = match scheme.to_ascii_lowercase().as_str() {
            "smtps" => (Security::ImplicitTls, 465),
            "smtp" => (Security::StartTls, 25),
            "smtp+danger-plaintext" => (Security::DangerPlaintext, 25),
            "lmtp" => (Security::StartTls, 24),
            "lmtp+danger-plaintext" => (Security::DangerPlaintext, 24),
            _ => return Err(failure("only smtp://, smtps:// and lmtp:// are known")),
        };
        let lmtp = scheme.to_ascii_lowercase().starts_with("lmtp");
        let place = place.strip_suffix('/').unwrap_or(place);
        let (host, digits) = match place.strip_prefix('[') {
            Some(rest) => {
                let (host, rest) = rest
                    .split_once(']')
                    .ok_or_else(|| failure("the bracket is not closed"))?;
                let digits = match rest.strip_prefix(':') {
                    None if !rest.is_empty() => return Err(failure("this is no address")),
                    digits => digits,
                };
                (host, digits)
            }
            None => match place.split_once(':') {
                Some((host, digits)) => (host, Some(digits)),
                None => (place, None),
            },
        };
        let port = match digits {
            None => port,
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => digits
                .parse()
                .map_err(|_| failure("the port is no number from 0 to 65535"))?,
            Some(_) => return Err(failure("the port is no number from 0 to 65535")),
        };
        Host::parse(host).map_err(|_| failure("the host is neither an address nor a name"))?;
        let address = match host.contains(':') {
            true => format!("[{host}]:{port}"),
            false => format!("{host}:{port}"),
        };
        Ok(Self {
            address,
            security,
            lmtp,
        })
    }

    /// The address or name without the port.
    pub(crate) fn host(&self) -> &str {
        let host = self.address.rsplit_once(':').map_or("", |(host, _)| host);
        host.trim_matches(['[', ']'])
    }

    /// Whether there is no TLS at all.
    pub(crate) fn is_plaintext(&self) -> bool {
        self.security == Security::DangerPlaintext
    }

    /// Whether only this machine can connect.
    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback(self.host())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (text, address, host, security) in [
            (
                "smtp://127.0.0.1:2525",
                "127.0.0.1:2525",
                "127.0.0.1",
                Security::StartTls,
            ),
            ("smtps://[::1]:0", "[::1]:0", "::1", Security::ImplicitTls),
            (
                "SMTPS://0.0.0.0/",
                "0.0.0.0:465",
                "0.0.0.0",
                Security::ImplicitTls,
            ),
            (
                "smtp://localhost",
                "localhost:25",
                "localhost",
                Security::StartTls,
            ),
            (
                "smtp+danger-plaintext://[::]:25",
                "[::]:25",
                "::",
                Security::DangerPlaintext,
            ),
        ] {
            let listen = Listen::parse(text).unwrap();
            assert_eq!(
                (listen.address.as_str(), listen.security),
                (address, security)
            );
            assert_eq!(listen.host(), host);
            assert!(!listen.lmtp);
        }
        let lmtp = Listen::parse("lmtp://127.0.0.1").unwrap();
        assert_eq!((lmtp.lmtp, lmtp.address.as_str()), (true, "127.0.0.1:24"));
        for text in [
            "127.0.0.1:25",
            "http://x",
            "smtp://",
            "smtp://a b:1",
            "smtp://x:65536",
            "smtp://x:+1",
            "smtp://[::1",
            "smtp://[::1]25",
            "smtp://user@x:25",
        ] {
            assert!(Listen::parse(text).is_err(), "{text}");
        }
    }
}
