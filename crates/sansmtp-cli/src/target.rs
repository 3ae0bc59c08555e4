//! Which server the command talks to, from a provider, a URL or an address.

use crate::args::Connect;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::output::{note, warn};
use crate::{password, providers};
use sansmtp::config::{OwnedConfig, Security, Timeouts};
use sansmtp::provider::{Provider, SignIn};

/// A server, and who we are there.
#[derive(Debug)]
pub(crate) struct Target {
    /// Host, port, security and what else the client needs, yet without
    /// credentials.
    pub(crate) config: OwnedConfig,
    /// The provider, if it is a known one.
    pub(crate) provider: Option<&'static Provider>,
    /// The user who signs in, if one does.
    pub(crate) user: Option<String>,
}

impl Target {
    /// Decides on the server. `address` is the author, from which provider and
    /// user name follow if nothing else was said.
    pub(crate) fn resolve(args: &Connect, address: Option<&str>) -> Result<Self> {
        let target = Self::resolve_for_check(args, address)?;
        if let Some(provider) = target.provider
            && target.user.is_none()
            && args.server.is_none()
            && provider.sign_in != SignIn::NotNeeded
        {
            let what = format!("{} wants a user name that is not known", provider.name);
            let failure = Failure::new(Exit::Config, what, "give it with --user NAME");
            return Err(failure.explained(provider.help, provider.help_url));
        }
        Ok(target)
    }

    /// The same, but a provider's user may stay unknown: a check is of use without
    /// a sign-in too.
    pub(crate) fn resolve_for_check(args: &Connect, address: Option<&str>) -> Result<Self> {
        let mut target = match (&args.server, &args.provider) {
            (Some(url), _) => Self::from_url(url, args.danger_plaintext)?,
            (None, Some(name)) => Self::from_provider(providers::find(name)?)?,
            (None, None) => Self::from_address(address)?,
        };
        if args.danger_plaintext && target.config.security != Security::DangerPlaintext {
            return Err(Failure::new(
                Exit::Usage,
                "--danger-plaintext goes with --server smtp://HOST or lmtp://HOST only",
                "leave it out: this server has TLS",
            ));
        }
        if let Some(user) = &args.user {
            if target.config.credentials.is_some() {
                return Err(Failure::new(
                    Exit::Usage,
                    "the URL has a user name and a password, and --user gives another one",
                    "leave one of them out",
                ));
            }
            target.user = Some(user.clone());
        }
        if let Some(provider) = target.provider
            && target.user.is_none()
            && args.server.is_none()
        {
            target.user = address
                .and_then(|address| provider.user_name_for(address))
                .or_else(|| provider.user_name_for(""))
                .map(str::to_owned);
        }
        if target.user.is_none() && (args.password.is_some() || args.password_file.is_some()) {
            return Err(Failure::new(
                Exit::Usage,
                "there is a password, but no user name",
                "give it with --user NAME, or in the URL: smtps://NAME@HOST",
            ));
        }
        target.settings(args)?;
        Ok(target)
    }

    /// Adds the credentials, if there is a user.
    pub(crate) fn sign_in(&mut self, args: &Connect) -> Result<()> {
        // Whoever says "danger" and gives a password means it.
        self.config.danger_plaintext_auth = self.config.security == Security::DangerPlaintext;
        if self.config.credentials.is_none()
            && let Some(user) = &self.user
        {
            self.config.credentials = Some(password::credentials(args, user, self.provider)?);
        }
        Ok(())
    }

    /// Where it is, as a URL without user.
    pub(crate) fn url(&self) -> String {
        let config = &self.config;
        url(config.host(), config.port, config.security, config.lmtp)
    }

    fn from_provider(provider: &'static Provider) -> Result<Self> {
        let Some(config) = OwnedConfig::for_provider(provider) else {
            let what = format!("{} offers no SMTP for mail programs", provider.name);
            let failure = Failure::new(Exit::Unavailable, what, "use another account");
            return Err(failure.explained(provider.help, provider.help_url));
        };
        Ok(Self {
            config,
            provider: Some(provider),
            user: None,
        })
    }

    fn from_url(url: &str, danger_plaintext: bool) -> Result<Self> {
        let plain = match url.split_once("://") {
            Some((scheme, rest))
                if danger_plaintext
                    && ["smtp", "lmtp"]
                        .iter()
                        .any(|plain| scheme.eq_ignore_ascii_case(plain)) =>
            {
                Some(format!("{scheme}+danger-plaintext://{rest}"))
            }
            _ => None,
        };
        // The URL may hold a password, so that it is not quoted.
        let (config, user) =
            OwnedConfig::from_url(plain.as_deref().unwrap_or(url)).map_err(|error| {
                let next = "write --server smtps://HOST (port 465) or smtp://HOST (port 587)";
                Failure::new(Exit::Usage, error, next)
            })?;
        if config.credentials.is_some() {
            warn(
                "a password in a URL can be seen by other users of this machine; \
                 --password-file or the environment is safer",
            );
        }
        if config.security == Security::DangerPlaintext && !is_loopback(config.host()) {
            warn("no TLS: everybody on the way can read password and mail");
        }
        let user = match &config.credentials {
            Some(credentials) => Some(credentials.user().to_owned()),
            None => user,
        };
        Ok(Self {
            provider: Provider::by_host(config.host()),
            config,
            user,
        })
    }

    fn from_address(address: Option<&str>) -> Result<Self> {
        let Some((address, provider)) =
            address.and_then(|address| Some((address, Provider::by_address(address)?)))
        else {
            let domain = address
                .and_then(|address| address.rsplit_once('@'))
                .map_or("this sender", |(_, domain)| domain);
            let mut next = String::from(
                "name the server with --server smtps://HOST or the provider with --provider NAME",
            );
            if let Some(near) = address.and_then(Provider::did_you_mean) {
                next = format!(
                    "did you mean an address at {} ({})? Else {next}",
                    near.name, near.id
                );
            }
            return Err(Failure::new(
                Exit::Config,
                format_args!("no server given, and none is known for {domain}"),
                next,
            ));
        };
        let target = Self::from_provider(provider)?;
        note(format_args!(
            "{address} is at {}: using {}",
            provider.name,
            target.url()
        ));
        Ok(target)
    }

    fn settings(&mut self, args: &Connect) -> Result<()> {
        if let Some(seconds) = args.timeout {
            self.config.timeouts = Timeouts::all(seconds.saturating_mul(1000));
        }
        if let Some(name) = &args.ehlo {
            let config = self.config.clone().with_ehlo_name(name);
            self.config = config.map_err(|error| {
                let next = "write --ehlo host.example.org or --ehlo [192.0.2.1]";
                Failure::new(Exit::Usage, error, next)
            })?;
        }
        Ok(())
    }
}

/// `smtps://host:465`
pub(crate) fn url(host: &str, port: u16, security: Security, lmtp: bool) -> String {
    let scheme = match (security, lmtp) {
        (Security::ImplicitTls, false) => "smtps",
        (Security::StartTls, false) => "smtp",
        (Security::DangerPlaintext, false) => "smtp+danger-plaintext",
        (Security::DangerPlaintext, true) => "lmtp+danger-plaintext",
        (_, true) => "lmtp",
    };
    if host.contains(':') {
        format!("{scheme}://[{host}]:{port}")
    } else {
        format!("{scheme}://{host}:{port}")
    }
}

/// Whether the host is this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}
