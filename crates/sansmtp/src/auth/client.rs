//! The client's side of a SASL exchange.

use super::{Credentials, Kind};
use crate::capability::{Mechanism, Mechanisms};
use crate::error::Requirement;
use crate::wire::base64::{Encoder, encoded_len};
use crate::wire::window::Window;

/// The longest AUTH line with an initial response, in octets: longer responses
/// wait for the server's first 334 (RFC 4954, section 4).
const LINE_LIMIT: usize = 510;

/// An exchange with one mechanism: which response is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exchange {
    pub(crate) mechanism: Mechanism,
    /// Responses sent so far. The AUTH line counts if it carries one.
    responses: u8,
    /// The AUTH line is out.
    begun: bool,
    /// The AUTH line carries no initial response.
    waits: bool,
}

impl Exchange {
    /// Chooses the strongest mechanism that both sides have and prepares it.
    pub(crate) fn choose(
        credentials: &Credentials<'_>,
        offered: Mechanisms,
        password_in_clear_allowed: bool,
    ) -> Result<Self, Requirement> {
        let usable: &[Mechanism] = match credentials.kind {
            Kind::Password => &[Mechanism::Plain, Mechanism::Login],
            Kind::OAuth2 => &[Mechanism::OAuthBearer, Mechanism::XOAuth2],
        };
        let mechanism = usable
            .iter()
            .copied()
            .find(|mechanism| offered.has(*mechanism))
            .ok_or(Requirement::Mechanism)?;
        if !password_in_clear_allowed {
            return Err(Requirement::TlsForPassword);
        }
        let overhead = "AUTH  \u{0}\u{0}".len() + mechanism.name().len();
        let length = credentials
            .user
            .len()
            .saturating_add(credentials.secret.0.len());
        // The largest frame around user and secret is that of OAUTHBEARER, which
        // also writes three octets for some of the user's.
        let escapes = credentials.user.bytes().filter(|b| needs_escape(*b));
        let escapes = escapes.count().saturating_mul(2);
        let response = encoded_len(length.saturating_add(escapes).saturating_add(32));
        Ok(Self {
            mechanism,
            responses: 0,
            begun: false,
            waits: mechanism == Mechanism::Login || response.saturating_add(overhead) > LINE_LIMIT,
        })
    }

    /// Takes a challenge. `false` says that the mechanism has no further
    /// response.
    pub(crate) fn challenge(&mut self) -> bool {
        self.begun = true;
        if self.waits {
            self.waits = false;
            return true;
        }
        self.responses = self.responses.saturating_add(1);
        match self.mechanism {
            Mechanism::Login => self.responses < 2,
            // The challenge is an error report, to be acknowledged once (RFC
            // 7628, section 3.2.3).
            Mechanism::OAuthBearer | Mechanism::XOAuth2 => self.responses < 2,
            _ => false,
        }
    }

    /// Writes the line that is due: AUTH or a response.
    pub(crate) fn render(&self, credentials: &Credentials<'_>, out: &mut Window<'_>) {
        if self.begun {
            self.render_response(credentials, out);
            return;
        }
        out.put(b"AUTH ");
        out.put(self.mechanism.name().as_bytes());
        if self.waits {
            out.put(b"\r\n");
        } else {
            out.put(b" ");
            self.render_response(credentials, out);
        }
    }

    fn render_response(&self, credentials: &Credentials<'_>, out: &mut Window<'_>) {
        let user = credentials.user;
        let secret = credentials.secret.reveal();
        let pieces: [&str; 5] = match (self.mechanism, self.responses) {
            (Mechanism::Plain, _) => ["\0", user, "\0", secret, ""],
            (Mechanism::Login, 0) => [user, "", "", "", ""],
            (Mechanism::Login, _) => [secret, "", "", "", ""],
            (Mechanism::XOAuth2, 0) => ["user=", user, "\x01auth=Bearer ", secret, "\x01\x01"],
            (Mechanism::OAuthBearer, 0) => ["n,a=", user, ",\x01auth=Bearer ", secret, "\x01\x01"],
            (Mechanism::OAuthBearer, _) => ["\x01", "", "", "", ""],
            _ => [""; 5],
        };
        let mut encoder = Encoder::default();
        for (at, piece) in pieces.into_iter().enumerate() {
            if at != 1 || self.mechanism != Mechanism::OAuthBearer {
                encoder.put(piece.as_bytes(), out);
                continue;
            }
            for byte in piece.bytes() {
                match byte {
                    b',' => encoder.put(b"=2C", out),
                    b'=' => encoder.put(b"=3D", out),
                    _ => encoder.put(&[byte], out),
                }
            }
        }
        encoder.finish(out);
        out.put(b"\r\n");
    }
}

/// `saslname` of OAUTHBEARER's header (RFC 5801, section 4) writes comma and
/// equals sign in another form.
fn needs_escape(byte: u8) -> bool {
    matches!(byte, b',' | b'=')
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::{String, ToString};

    fn rendered(render: impl FnOnce(&mut Window<'_>)) -> String {
        let mut out = [0; 2048];
        let mut window = Window::new(0, &mut out);
        render(&mut window);
        let written = window.written();
        core::str::from_utf8(&out[..written]).unwrap().to_string()
    }

    #[test]
    fn plain() {
        let credentials = Credentials::password("user", "s3cret-pw").unwrap();
        let offered = Mechanisms::NONE
            .with(Mechanism::Login)
            .with(Mechanism::Plain);
        let mut exchange = Exchange::choose(&credentials, offered, true).unwrap();
        assert_eq!(
            rendered(|out| exchange.render(&credentials, out)),
            "AUTH PLAIN AHVzZXIAczNjcmV0LXB3\r\n"
        );
        assert!(!exchange.challenge());
    }

    #[test]
    fn plain_waits_if_the_line_would_be_too_long() {
        let long = "p".repeat(400);
        let credentials = Credentials::password("user", &long).unwrap();
        let offered = Mechanisms::NONE.with(Mechanism::Plain);
        let mut exchange = Exchange::choose(&credentials, offered, true).unwrap();
        assert_eq!(
            rendered(|out| exchange.render(&credentials, out)),
            "AUTH PLAIN\r\n"
        );
        assert!(exchange.challenge());
        assert!(rendered(|out| exchange.render(&credentials, out)).starts_with("AHVzZXIAcHBw"));
        assert!(!exchange.challenge());
    }

    #[test]
    fn login() {
        let credentials = Credentials::password("user", "s3cret-pw").unwrap();
        let offered = Mechanisms::NONE
            .with(Mechanism::Login)
            .with(Mechanism::XOAuth2);
        let mut exchange = Exchange::choose(&credentials, offered, true).unwrap();
        assert_eq!(
            rendered(|out| exchange.render(&credentials, out)),
            "AUTH LOGIN\r\n"
        );
        assert!(exchange.challenge());
        assert_eq!(
            rendered(|out| exchange.render(&credentials, out)),
            "dXNlcg==\r\n"
        );
        assert!(exchange.challenge());
        assert_eq!(
            rendered(|out| exchange.render(&credentials, out)),
            "czNjcmV0LXB3\r\n"
        );
        assert!(
            !exchange.challenge(),
            "an endless row of challenges ends here"
        );
    }

    #[test]
    fn xoauth2() {
        let credentials = Credentials::oauth2(
            "someuser@example.com",
            "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg",
        )
        .unwrap();
        let offered = Mechanisms::NONE
            .with(Mechanism::XOAuth2)
            .with(Mechanism::Plain);
        let mut exchange = Exchange::choose(&credentials, offered, true).unwrap();
        assert_eq!(
            rendered(|out| exchange.render(&credentials, out)),
            "AUTH XOAUTH2 dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2cBAQ==\r\n"
        );
        assert!(exchange.challenge());
        assert_eq!(rendered(|out| exchange.render(&credentials, out)), "\r\n");
        assert!(!exchange.challenge());
    }

    #[test]
    fn oauthbearer_escapes_the_user() {
        let credentials = Credentials::oauth2("a=b,c", "t").unwrap();
        let offered = Mechanisms::NONE.with(Mechanism::OAuthBearer);
        let exchange = Exchange::choose(&credentials, offered, true).unwrap();
        let line = rendered(|out| exchange.render(&credentials, out));
        let mut response = line
            .trim_end()
            .rsplit(' ')
            .next()
            .unwrap()
            .to_string()
            .into_bytes();
        let length = crate::wire::base64::decode_in_place(&mut response).unwrap();
        assert_eq!(
            &response[..length],
            b"n,a=a=3Db=2Cc,\x01auth=Bearer t\x01\x01"
        );
    }

    #[test]
    fn what_can_not_be_used() {
        let password = Credentials::password("user", "pw").unwrap();
        let token = Credentials::oauth2("user", "token").unwrap();
        let plain = Mechanisms::NONE.with(Mechanism::Plain);
        let oauth = Mechanisms::NONE.with(Mechanism::XOAuth2);
        for (credentials, offered, clear, why) in [
            (&password, Mechanisms::NONE, true, Requirement::Mechanism),
            (&password, oauth, true, Requirement::Mechanism),
            (&token, plain, true, Requirement::Mechanism),
            (&password, plain, false, Requirement::TlsForPassword),
        ] {
            assert_eq!(Exchange::choose(credentials, offered, clear), Err(why));
        }
        assert!(Credentials::password("us\r\ner", "x").is_err());
        assert!(Credentials::password("user", "a\0b").is_err());
        assert!(Credentials::password("user", "").is_err());
        assert!(Credentials::oauth2("user", "a b").is_err());
        let long = "x".repeat(Credentials::LENGTH_LIMIT - 4);
        assert!(Credentials::oauth2("user", &long).is_ok());
        assert!(Credentials::oauth2("users", &long).is_err());
    }

    #[test]
    fn secrets_compare() {
        use super::super::Secret;
        for (a, b) in [
            ("", ""),
            ("a", "a"),
            ("s3cret", "s3cret"),
            ("s3cret", "s3cre"),
        ] {
            assert_eq!(Secret::new(a) == Secret::new(b), a == b);
        }
        for b in ["", "s3creu", "z3cret", "s3cret-pw"] {
            assert!(Secret::new("s3cret") != Secret::new(b), "{b}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let credentials = Credentials::password("user", "s3cret-pw").unwrap();
        assert!(!std::format!("{credentials:?}").contains("s3cret"));
    }
}
