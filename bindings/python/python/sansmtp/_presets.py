"""Configurations for those who know their provider's name, or keep it all in the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping

from sansmtp._core import Config
from sansmtp.exceptions import ConfigError


def gmail(user: str, app_password: str | None = None, *, oauth2_token: str | None = None) -> Config:
    """Gmail and Google Workspace. The app password is made in the Google account, at "App passwords", once 2-step
    verification is on; the account's own password is refused. The spaces in it do not count."""
    if app_password is not None:
        app_password = app_password.replace(" ", "")
    return provider("gmail", user, app_password, oauth2_token=oauth2_token)


def outlook(user: str, app_password: str | None = None, *, oauth2_token: str | None = None) -> Config:
    """Outlook.com, Hotmail and Live: an OAuth2 access token, or an app password. For a company's Microsoft 365 use
    ``provider("office365", ...)``."""
    return provider("outlook", user, app_password, oauth2_token=oauth2_token)


def provider(
    name_or_address: str,
    user: str | None = None,
    password: str | None = None,
    *,
    oauth2_token: str | None = None,
) -> Config:
    """The configuration for a mail provider, by its name (``"fastmail"``) or by a mail address, which then is the user
    too. The table has more than a hundred; :func:`sansmtp.providers` lists them."""
    config = Config.for_provider(name_or_address)
    found = config.provider
    address = user or (name_or_address if "@" in name_or_address else None)
    if found is not None and address is not None and user is None:
        user = found.user_name_for(address)
    if user is None and found is not None and (password or oauth2_token):
        user = found.user_name_for("")
    if user is None and password is None and oauth2_token is None:
        return config
    return config.replace(user=user, password=password, oauth2_token=oauth2_token)


def from_url(url: str, *, password: str | None = None, oauth2_token: str | None = None) -> Config:
    """The configuration in a URL such as ``smtps://user%40example.org:password@smtp.example.org``.

    ``smtps`` stands for implicit TLS, ``smtp`` for STARTTLS, ``smtp+danger-plaintext`` for no TLS. The secret may
    be given apart.
    """
    config = Config.from_url(url)
    if password is None and oauth2_token is None:
        return config
    return config.replace(password=password, oauth2_token=oauth2_token)


def from_env(environ: Mapping[str, str] | None = None) -> Config:
    """The configuration in environment variables: ``SMTP_URL`` (see :func:`from_url`), or ``SMTP_PROVIDER`` with
    ``SMTP_USER``; the secret in ``SMTP_PASSWORD`` or ``SMTP_OAUTH2_TOKEN``."""
    environ = os.environ if environ is None else environ
    url = environ.get("SMTP_URL")
    name = environ.get("SMTP_PROVIDER")
    user = environ.get("SMTP_USER")
    password = environ.get("SMTP_PASSWORD")
    token = environ.get("SMTP_OAUTH2_TOKEN")
    if url is None and name is None:
        raise ConfigError(
            "neither SMTP_URL nor SMTP_PROVIDER is set",
            next_step="set SMTP_URL=smtps://user@host and SMTP_PASSWORD",
        )
    if url is None:
        return provider(name or "", user, password, oauth2_token=token)
    config = Config.from_url(url)
    if user is None and password is None and token is None:
        return config
    return config.replace(user=user, password=password, oauth2_token=token)
