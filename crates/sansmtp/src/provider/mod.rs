//! Mail providers as data: servers, ports, and what a person must do to sign in.
//!
//! A person who wants to send mail knows a name ("gmail") or a mail address. [`Provider::find`]
//! turns either into host, port and security for submission, the incoming servers that belong
//! to the same account, the way to sign in, and one or two sentences on how to get the
//! credentials. [`explain()`] says in plain words what a refusing reply means and what to do next.
//!
//! Nothing here opens a connection or allocates, and every look-up does a bounded amount of
//! work: it walks the table once.
//!
//! ```
//! use sansmtp::config::Security;
//! use sansmtp::provider::Provider;
//!
//! let gmail = Provider::find("someone@googlemail.com").unwrap();
//! assert_eq!(gmail.id, "gmail");
//! assert_eq!(gmail.submission[0].host, "smtp.gmail.com");
//! assert_eq!(gmail.submission[0].security, Security::ImplicitTls);
//! assert_eq!(Provider::did_you_mean("gmial").unwrap().id, "gmail");
//! ```

mod explain;
mod lookup;
mod table;

#[cfg(feature = "std")]
pub use explain::write_json;
pub use explain::{Explanation, Refusal, explain};

use crate::config::Security;

/// A mail provider: its servers, and how a person signs in there.
///
/// The values are data, gathered from public sources (see the table's own documentation for
/// them). They can age: a program should let its user override every one.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Provider {
    /// Short name for command lines and configuration files, lower case, as `gmail`.
    pub id: &'static str,
    /// The name that people know, as `Gmail`.
    pub name: &'static str,
    /// Other names that [`Provider::by_name`] understands.
    pub aliases: &'static [&'static str],
    /// Domains of mail addresses at this provider, lower case. `yahoo.*` stands for a country
    /// domain (`yahoo.fr`, `yahoo.co.uk`, `yahoo.com.br`), `*.onmicrosoft.com` for every
    /// subdomain. Empty where people use domains of their own.
    pub domains: &'static [&'static str],
    /// Submission servers (RFC 6409), best first: implicit TLS where it is offered
    /// (RFC 8314, section 3.3), then STARTTLS. Empty only where [`SignIn::NotOffered`] is set.
    pub submission: &'static [Endpoint],
    /// IMAP servers (RFC 9051), best first. Empty where there is none.
    pub imap: &'static [Endpoint],
    /// POP3 servers (RFC 1939), best first. Empty where there is none.
    pub pop3: &'static [Endpoint],
    /// What the submission server accepts as proof of identity.
    pub sign_in: SignIn,
    /// What the submission server accepts as user name.
    pub user_name: UserName,
    /// One or two sentences: what a person must do to get credentials.
    pub help: &'static str,
    /// The provider's own page on it.
    pub help_url: Option<&'static str>,
    /// More submission host names that belong to this provider, for [`Provider::by_host`];
    /// one `*` stands for one or more characters.
    pub other_hosts: &'static [&'static str],
    /// Which set of replies the provider's servers give.
    pub(crate) family: Family,
}

/// A server to connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// Host name, lower case.
    pub host: &'static str,
    /// TCP port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
}

/// What a submission server accepts as proof of identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignIn {
    /// The ordinary password of the mailbox.
    Password,
    /// The ordinary password, or an app password once two-step verification is on.
    PasswordOrAppPassword,
    /// Only a password made for mail programs in the account's settings: an app password,
    /// "app-specific password", "authorization code" or "secure mail key".
    AppPassword,
    /// Only OAuth 2.0 access tokens (`XOAUTH2`, or `OAUTHBEARER` of RFC 7628).
    OAuth2,
    /// OAuth 2.0 access tokens, or an app password.
    OAuth2OrAppPassword,
    /// OAuth 2.0 access tokens, or the ordinary password where an administrator or a setting
    /// of the account allows it.
    OAuth2OrPassword,
    /// A key made in the provider's console is the password.
    ApiKey,
    /// A user name and a password for SMTP, both made in the provider's console.
    SmtpCredentials,
    /// Nothing: the server takes mail from anyone who can reach it.
    NotNeeded,
    /// The provider has no SMTP submission at all; [`Provider::help`] says what there is.
    NotOffered,
}

impl SignIn {
    /// Whether some kind of password works, be it an app password or a key.
    #[must_use]
    pub const fn accepts_password(self) -> bool {
        !matches!(self, Self::OAuth2 | Self::NotNeeded | Self::NotOffered)
    }

    /// Whether OAuth 2.0 access tokens work.
    #[must_use]
    pub const fn accepts_oauth2(self) -> bool {
        matches!(
            self,
            Self::OAuth2 | Self::OAuth2OrAppPassword | Self::OAuth2OrPassword
        )
    }

    /// Whether the password that opens the provider's web page is sure to be refused.
    #[must_use]
    pub const fn refuses_ordinary_password(self) -> bool {
        matches!(
            self,
            Self::AppPassword
                | Self::OAuth2
                | Self::OAuth2OrAppPassword
                | Self::ApiKey
                | Self::SmtpCredentials
                | Self::NotOffered
        )
    }

    /// A few words for a table or a prompt, as "app password".
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::PasswordOrAppPassword => "password, or app password with two-step verification",
            Self::AppPassword => "app password",
            Self::OAuth2 => "OAuth2 only",
            Self::OAuth2OrAppPassword => "app password or OAuth2",
            Self::OAuth2OrPassword => "OAuth2, or password where it is allowed",
            Self::ApiKey => "API key as password",
            Self::SmtpCredentials => "SMTP user name and password from the console",
            Self::NotNeeded => "no sign-in",
            Self::NotOffered => "no SMTP offered",
        }
    }
}

/// What a submission server accepts as user name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UserName {
    /// The whole mail address.
    Address,
    /// The part of the mail address before the `@`.
    LocalPart,
    /// The same word for everybody, as `apikey`.
    Fixed(&'static str),
    /// Given by the provider, unrelated to the mail address.
    Issued,
    /// None is needed.
    NotNeeded,
}

impl Provider {
    /// Every provider of the table: mailboxes first, the most used ones at the front, then
    /// sending services, then tools for developers.
    pub fn all() -> impl Iterator<Item = &'static Self> + Clone {
        table::GROUPS.iter().flat_map(|group| group.iter())
    }

    /// The provider for whatever a person typed: a name, a mail address, its domain, or the
    /// host name of a submission server.
    ///
    /// Text with an `@` is taken as a mail address only.
    #[must_use]
    pub fn find(name_or_address: &str) -> Option<&'static Self> {
        if name_or_address.contains('@') {
            return Self::by_address(name_or_address);
        }
        Self::by_name(name_or_address)
            .or_else(|| Self::by_address(name_or_address))
            .or_else(|| Self::by_host(name_or_address))
    }

    /// The provider with this id, display name or alias.
    ///
    /// ASCII case, spaces and punctuation do not count: `Web.de`, `WEB DE` and `webde` are the
    /// same name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<&'static Self> {
        Self::all().find(|provider| {
            provider
                .names()
                .any(|candidate| lookup::same_name(candidate, name))
        })
    }

    /// The provider of this mail address, or of this bare domain.
    ///
    /// Case does not count (RFC 5321, section 2.4), nor do spaces around or a final dot. An
    /// exact domain wins over a wildcard. `None` for domains of companies and persons: that
    /// such a domain is hosted by Google or Microsoft stands only in the DNS.
    #[must_use]
    pub fn by_address(address_or_domain: &str) -> Option<&'static Self> {
        let domain = lookup::domain_of(address_or_domain)?;
        Self::all()
            .find(|provider| {
                let mut domains = provider.domains.iter();
                domains.any(|candidate| candidate.eq_ignore_ascii_case(domain))
            })
            .or_else(|| {
                Self::all().find(|provider| {
                    let mut domains = provider.domains.iter();
                    domains.any(|pattern| lookup::domain_matches(pattern, domain))
                })
            })
    }

    /// The provider that this submission host belongs to, so that its replies can be explained
    /// when a person gave only a server name.
    ///
    /// Where several providers share a host, the one that comes first in the table. `None` for
    /// the own machine (`localhost`, `127.0.0.1`), which may run anything.
    #[must_use]
    pub fn by_host(host: &str) -> Option<&'static Self> {
        let host = lookup::trimmed_domain(host);
        if lookup::is_loopback(host) {
            return None;
        }
        Self::all()
            .find(|provider| {
                let mut servers = provider.submission.iter();
                servers.any(|server| server.host.eq_ignore_ascii_case(host))
            })
            .or_else(|| {
                Self::all().find(|provider| {
                    let mut patterns = provider.other_hosts.iter();
                    patterns.any(|pattern| lookup::host_matches(pattern, host))
                })
            })
    }

    /// The provider whose name, or whose mail domain, is nearest to a text that
    /// [`Provider::find`] does not know, for "did you mean ...?".
    ///
    /// Counts wrong, missing, added and swapped letters, and allows one for up to five letters,
    /// two for up to eight, three above. Always performs a bounded amount of work: texts of more
    /// than 32 letters and digits have no nearest name.
    #[must_use]
    pub fn did_you_mean(name_or_address: &str) -> Option<&'static Self> {
        lookup::nearest(name_or_address)
    }

    /// The user name for the submission server, for this mail address.
    ///
    /// `None` where the provider gives the user name itself ([`UserName::Issued`]), where none
    /// is needed, or where the text is not of the form `local-part@domain` although the user
    /// name is made of it.
    #[must_use]
    pub fn user_name_for<'a>(&self, address: &'a str) -> Option<&'a str> {
        match self.user_name {
            UserName::Fixed(name) => Some(name),
            UserName::Issued | UserName::NotNeeded => None,
            UserName::Address | UserName::LocalPart => {
                let address = address.trim();
                let (local_part, domain) = crate::octets::split_last(address, b'@')?;
                if local_part.is_empty() || domain.is_empty() {
                    None
                } else if self.user_name == UserName::LocalPart {
                    Some(local_part)
                } else {
                    Some(address)
                }
            }
        }
    }

    /// What a refusing reply of this provider means; see [`explain()`].
    #[must_use]
    pub fn explain(&self, refusal: &Refusal<'_>) -> Option<Explanation> {
        explain(Some(self), refusal)
    }

    /// Id, display name and aliases.
    fn names(&self) -> impl Iterator<Item = &'static str> {
        [self.id, self.name]
            .into_iter()
            .chain(self.aliases.iter().copied())
    }
}

/// Providers whose servers speak alike, so that their replies are explained alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Family {
    /// No replies of its own are known.
    Other,
    /// Gmail and the relay of Google Workspace.
    Google,
    /// Outlook.com and Microsoft 365.
    Microsoft,
    /// Yahoo, AOL and the providers whose mail Yahoo runs.
    Yahoo,
    /// iCloud.
    Apple,
    /// GMX, Web.de and mail.com.
    Gmx,
    /// Zoho Mail in all its regions.
    Zoho,
    /// Fastmail and its sister services.
    Fastmail,
    /// Amazon SES in all its regions.
    Ses,
    /// SendGrid.
    SendGrid,
    /// Mailgun.
    Mailgun,
    /// Postmark.
    Postmark,
    /// Brevo.
    Brevo,
    /// Yandex.
    Yandex,
    /// Mail.ru.
    MailRu,
    /// QQ, NetEase and others that call an app password "authorization code".
    AuthorizationCode,
    /// Proton Mail's submission with tokens.
    Proton,
}

#[cfg(test)]
mod tests;
