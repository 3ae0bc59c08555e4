//! The client's side of a SASL exchange.

#[cfg(feature = "scram")]
use super::{
    ChannelBinding, Hash, cram_md5,
    scram::{self, Binding, ClientExchange},
};
use super::{Credentials, Kind};
use crate::capability::{Mechanism, Mechanisms};
use crate::config::Config;
use crate::error::Requirement;
use crate::wire::base64::Encoder;
use crate::wire::keyword::Keyword;
use crate::wire::window::Window;

/// The longest user name and secret, in octets, that are sent with the AUTH line, which
/// may have 510: longer ones wait for the server's first 334 (RFC 4954, section 4). The
/// longest line is that of SCRAM-SHA-256-PLUS; its frame around the two takes 56 octets.
const INITIAL_LIMIT: usize = (510 - "AUTH SCRAM-SHA-256-PLUS ".len() - 2) / 4 * 3 - 56;

/// What a mechanism may need besides the credentials.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Material {
    /// For the nonce.
    #[cfg(feature = "scram")]
    pub(crate) entropy: Option<[u8; 18]>,
    #[cfg(feature = "scram")]
    pub(crate) binding: Option<ChannelBinding>,
}

/// The nonce must not be known before its time.
impl core::fmt::Debug for Material {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Material").finish_non_exhaustive()
    }
}

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
    #[cfg(feature = "scram")]
    proof: Proof,
}

/// What is computed from the password.
#[cfg(feature = "scram")]
#[expect(clippy::large_enum_variant, reason = "a box needs an allocator")]
#[derive(Clone, Copy, PartialEq, Eq)]
enum Proof {
    None,
    CramMd5([u8; 16]),
    Scram(ClientExchange),
}

/// A password can be guessed with it.
#[cfg(feature = "scram")]
impl core::fmt::Debug for Proof {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("****")
    }
}

impl Exchange {
    /// Chooses the strongest mechanism that both sides have and prepares it.
    pub(crate) fn choose(
        credentials: &Credentials<'_>,
        offered: Mechanisms,
        config: &Config<'_>,
        tls: bool,
        material: &Material,
    ) -> Result<Self, Requirement> {
        let usable: &[Mechanism] = match credentials.kind {
            Kind::Password => PASSWORD_MECHANISMS,
            #[cfg(feature = "oauth")]
            Kind::OAuth2 => &[Mechanism::OAuthBearer, Mechanism::XOAuth2],
            #[cfg(feature = "external")]
            Kind::External => &[Mechanism::External],
            #[cfg(not(all(feature = "oauth", feature = "external")))]
            _ => &[],
        };
        let common = offered.and(config.mechanisms).and(material.suffices_for());
        let first_of = |set: Mechanisms| usable.iter().copied().find(|&it| set.has(it));
        let admitted = match tls || config.danger_plaintext_auth {
            true => common,
            false => common.and(Mechanisms::SECRET_KEEPING),
        };
        let Some(mechanism) = first_of(admitted) else {
            return Err(match first_of(common) {
                Some(_) => Requirement::TlsForPassword,
                None => Requirement::Mechanism,
            });
        };
        #[cfg(feature = "scram")]
        let user = match mechanism.hashes() {
            true => credentials.for_scram().0,
            false => credentials.user,
        };
        #[cfg(not(feature = "scram"))]
        let user = credentials.user;
        let length = user.len().saturating_add(credentials.secret.0.len());
        // SCRAM and OAUTHBEARER write three octets for some of the user's.
        let escapes = user.bytes().filter(|b| needs_escape(*b));
        let escapes = escapes.count().saturating_mul(2);
        let no_initial_response = matches!(mechanism, Mechanism::Login | Mechanism::CramMd5);
        Ok(Self {
            mechanism,
            responses: 0,
            begun: false,
            waits: no_initial_response || length.saturating_add(escapes) > INITIAL_LIMIT,
            #[cfg(feature = "scram")]
            proof: material.prepare(mechanism, offered),
        })
    }

    /// Takes a challenge, in base64. `false` says that the mechanism has no
    /// further response, or that the challenge is wrong.
    pub(crate) fn challenge(
        &mut self,
        credentials: &Credentials<'_>,
        config: &Config<'_>,
        text: &[u8],
    ) -> bool {
        self.begun = true;
        #[cfg(feature = "scram")]
        if self.mechanism == Mechanism::CramMd5 {
            return self.take_cram_md5(credentials, text);
        }
        if self.waits {
            self.waits = false;
            return true;
        }
        self.responses = self.responses.saturating_add(1);
        #[cfg(feature = "scram")]
        if let Proof::Scram(exchange) = &mut self.proof {
            let limit = config.limits.scram_iterations;
            return exchange.challenge(credentials, limit, text).is_some();
        }
        let _ = (credentials, config, text);
        match self.mechanism {
            Mechanism::Login => self.responses < 2,
            // The challenge is an error report, to be acknowledged once (RFC
            // 7628, section 3.2.3).
            Mechanism::OAuthBearer | Mechanism::XOAuth2 => self.responses < 2,
            _ => false,
        }
    }

    #[cfg(feature = "scram")]
    fn take_cram_md5(&mut self, credentials: &Credentials<'_>, text: &[u8]) -> bool {
        let mut buffer = [0; 512];
        let challenge = scram::decode(text, &mut buffer).unwrap_or_default();
        if !core::mem::take(&mut self.waits) || challenge.is_empty() {
            return false;
        }
        self.proof = Proof::CramMd5(cram_md5::digest(credentials.secret.reveal(), challenge));
        true
    }

    /// Takes the server's success. `false` if it comes before the server has
    /// proven what the mechanism wants it to prove.
    pub(crate) fn succeed(&mut self) -> bool {
        #[cfg(feature = "scram")]
        {
            let proof = core::mem::replace(&mut self.proof, Proof::None);
            if let Proof::Scram(exchange) = proof {
                return exchange.is_proven();
            }
        }
        true
    }

    /// Writes the line that is due: AUTH or a response.
    pub(crate) fn render(&self, credentials: &Credentials<'_>, out: &mut Window<'_>) {
        if self.begun {
            self.render_response(credentials, out);
            return;
        }
        out.put(b"AUTH ");
        out.put(Keyword::Mechanism(self.mechanism).name().as_bytes());
        if self.waits {
            out.put(b"\r\n");
        } else {
            out.put(b" ");
            #[cfg(feature = "external")]
            if credentials.kind == Kind::External && credentials.user.is_empty() {
                // An empty initial response (RFC 4954, section 4).
                out.put(b"=");
            }
            self.render_response(credentials, out);
        }
    }

    fn render_response(&self, credentials: &Credentials<'_>, out: &mut Window<'_>) {
        #[cfg(feature = "scram")]
        match &self.proof {
            Proof::None => {}
            Proof::CramMd5(digest) => {
                let mut encoder = Encoder::default();
                encoder.put(credentials.user.as_bytes(), out);
                encoder.put(b" ", out);
                encoder.put(&cram_md5::hex(*digest), out);
                encoder.finish(out);
                return out.put(b"\r\n");
            }
            Proof::Scram(exchange) => {
                exchange.render(credentials, out);
                return out.put(b"\r\n");
            }
        }
        let user = credentials.user;
        let secret = credentials.secret.reveal();
        let pieces: [&str; 5] = match (self.mechanism, self.responses) {
            (Mechanism::Plain, _) => ["\0", user, "\0", secret, ""],
            (Mechanism::Login, 0) => [user, "", "", "", ""],
            #[cfg(feature = "external")]
            (Mechanism::External, _) => [user, "", "", "", ""],
            (Mechanism::Login, _) => [secret, "", "", "", ""],
            #[cfg(feature = "oauth")]
            (Mechanism::XOAuth2, 0) => ["user=", user, "\x01auth=Bearer ", secret, "\x01\x01"],
            #[cfg(feature = "oauth")]
            (Mechanism::OAuthBearer, 0) => ["n,a=", user, ",\x01auth=Bearer ", secret, "\x01\x01"],
            #[cfg(feature = "oauth")]
            (Mechanism::OAuthBearer, _) => ["\x01", "", "", "", ""],
            _ => [""; 5],
        };
        let mut encoder = Encoder::default();
        for (at, piece) in pieces.into_iter().enumerate() {
            #[cfg(feature = "oauth")]
            if at == 1 && self.mechanism == Mechanism::OAuthBearer {
                for byte in piece.bytes() {
                    match byte {
                        b',' => encoder.put(b"=2C", out),
                        b'=' => encoder.put(b"=3D", out),
                        _ => encoder.put(&[byte], out),
                    }
                }
                continue;
            }
            let _ = at;
            encoder.put(piece.as_bytes(), out);
        }
        encoder.finish(out);
        out.put(b"\r\n");
    }
}

impl Material {
    /// The mechanisms that there is everything for.
    fn suffices_for(&self) -> Mechanisms {
        #[cfg(feature = "scram")]
        return match (self.entropy, self.binding) {
            (None, _) => Mechanisms::ALL
                .without(Mechanism::ScramSha1)
                .without(Mechanism::ScramSha1Plus)
                .without(Mechanism::ScramSha256)
                .without(Mechanism::ScramSha256Plus),
            (Some(_), None) => Mechanisms::ALL
                .without(Mechanism::ScramSha1Plus)
                .without(Mechanism::ScramSha256Plus),
            (Some(_), Some(_)) => Mechanisms::ALL,
        };
        #[cfg(not(feature = "scram"))]
        Mechanisms::ALL
    }

    #[cfg(feature = "scram")]
    fn prepare(&self, mechanism: Mechanism, offered: Mechanisms) -> Proof {
        let (Some(hash), Some(entropy)) = (Hash::of(mechanism), &self.entropy) else {
            return Proof::None;
        };
        let offers_plus =
            offered.has(Mechanism::ScramSha1Plus) || offered.has(Mechanism::ScramSha256Plus);
        let binding = match self.binding {
            Some(binding) if mechanism.binds_channel() => Binding::Bound(binding),
            Some(_) if !offers_plus => Binding::NotOffered,
            _ => Binding::Impossible,
        };
        Proof::Scram(ClientExchange::new(hash, binding, entropy))
    }
}

/// Mechanisms for passwords, the strongest first.
const PASSWORD_MECHANISMS: &[Mechanism] = &[
    #[cfg(feature = "scram")]
    Mechanism::ScramSha256Plus,
    #[cfg(feature = "scram")]
    Mechanism::ScramSha1Plus,
    #[cfg(feature = "scram")]
    Mechanism::ScramSha256,
    #[cfg(feature = "scram")]
    Mechanism::ScramSha1,
    #[cfg(feature = "scram")]
    Mechanism::CramMd5,
    Mechanism::Plain,
    Mechanism::Login,
];

/// `saslname` of OAUTHBEARER's header (RFC 5801, section 4) writes comma and
/// equals sign in another form.
fn needs_escape(byte: u8) -> bool {
    cfg!(any(feature = "oauth", feature = "scram")) && matches!(byte, b',' | b'=')
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::{String, ToString};

    fn config() -> Config<'static> {
        Config::new("mx.example.org", crate::config::Security::ImplicitTls).unwrap()
    }

    fn choose(
        credentials: &Credentials<'_>,
        offered: Mechanisms,
        tls: bool,
    ) -> Result<Exchange, Requirement> {
        Exchange::choose(credentials, offered, &config(), tls, &Material::default())
    }

    fn challenge(exchange: &mut Exchange) -> bool {
        let credentials = Credentials::password("user", "s3cret-pw").unwrap();
        exchange.challenge(&credentials, &config(), b"")
    }

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
        let mut exchange = choose(&credentials, offered, true).unwrap();
        assert_eq!(
            rendered(|out| exchange.render(&credentials, out)),
            "AUTH PLAIN AHVzZXIAczNjcmV0LXB3\r\n"
        );
        assert!(!challenge(&mut exchange));
    }

    #[test]
    fn plain_waits_if_the_line_would_be_too_long() {
        let long = "p".repeat(400);
        let credentials = Credentials::password("user", &long).unwrap();
        let offered = Mechanisms::NONE.with(Mechanism::Plain);
        let mut exchange = choose(&credentials, offered, true).unwrap();
        assert_eq!(
            rendered(|out| exchange.render(&credentials, out)),
            "AUTH PLAIN\r\n"
        );
        assert!(challenge(&mut exchange));
        assert!(rendered(|out| exchange.render(&credentials, out)).starts_with("AHVzZXIAcHBw"));
        assert!(!challenge(&mut exchange));
    }

    #[test]
    fn login() {
        let credentials = Credentials::password("user", "s3cret-pw").unwrap();
        let offered = Mechanisms::NONE
            .with(Mechanism::Login)
            .with(Mechanism::XOAuth2);
        let mut exchange = choose(&credentials, offered, true).unwrap();
        assert_eq!(
            rendered(|out| exchange.render(&credentials, out)),
            "AUTH LOGIN\r\n"
        );
        assert!(challenge(&mut exchange));
        assert_eq!(
            rendered(|out| exchange.render(&credentials, out)),
            "dXNlcg==\r\n"
        );
        assert!(challenge(&mut exchange));
        assert_eq!(
            rendered(|out| exchange.render(&credentials, out)),
            "czNjcmV0LXB3\r\n"
        );
        assert!(
            !challenge(&mut exchange),
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
        let mut exchange = choose(&credentials, offered, true).unwrap();
        assert_eq!(
            rendered(|out| exchange.render(&credentials, out)),
            "AUTH XOAUTH2 dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2cBAQ==\r\n"
        );
        assert!(challenge(&mut exchange));
        assert_eq!(rendered(|out| exchange.render(&credentials, out)), "\r\n");
        assert!(!challenge(&mut exchange));
    }

    #[test]
    fn oauthbearer_escapes_the_user() {
        let credentials = Credentials::oauth2("a=b,c", "t").unwrap();
        let offered = Mechanisms::NONE.with(Mechanism::OAuthBearer);
        let exchange = choose(&credentials, offered, true).unwrap();
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
            assert_eq!(choose(credentials, offered, clear), Err(why));
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
