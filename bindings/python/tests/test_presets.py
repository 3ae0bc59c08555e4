"""Configurations by provider, URL and environment."""

from __future__ import annotations

import pickle

import pytest
import sansmtp


def test_gmail() -> None:
    config = sansmtp.gmail("me@gmail.com", "abcd efgh ijkl mnop")
    assert (config.host, config.port, config.security) == ("smtp.gmail.com", 465, "implicit-tls")
    assert config == sansmtp.gmail("me@gmail.com", "abcdefghijklmnop")
    assert "efgh" not in repr(config)
    assert config.provider is not None
    assert config.provider.id == "gmail"


def test_outlook_with_a_token() -> None:
    config = sansmtp.outlook("me@outlook.com", oauth2_token="t0ken")
    assert (config.host, config.security) == ("smtp-mail.outlook.com", "starttls")
    assert not config.needs_password
    assert "t0ken" not in repr(config)


def test_a_provider_by_mail_address() -> None:
    config = sansmtp.provider("someone@gmx.de", password="pw")
    assert config.user == "someone@gmx.de"
    assert sansmtp.provider("sendgrid", password="SG.key").user == "apikey"


def test_a_misspelt_provider_gets_a_hint() -> None:
    with pytest.raises(sansmtp.ConfigError, match="did you mean gmail"):
        sansmtp.provider("gmial")


def test_urls() -> None:
    config = sansmtp.from_url("smtp://user%40example.org:p%3Aw@smtp.example.org:2525")
    assert (config.host, config.port, config.security, config.user) == (
        "smtp.example.org",
        2525,
        "starttls",
        "user@example.org",
    )
    assert sansmtp.from_url("smtps://user@host", password="pw") == sansmtp.Config("host", user="user", password="pw")
    with pytest.raises(sansmtp.ConfigError, match="smtps://"):
        sansmtp.from_url("http://smtp.example.org")


def test_a_user_without_a_password_can_not_send() -> None:
    config = sansmtp.from_url("smtps://user@smtp.example.org")
    assert config.needs_password
    with pytest.raises(sansmtp.ConfigError, match="no password"):
        sansmtp.Mailer(config)


def test_the_environment() -> None:
    variables = {"SMTP_URL": "smtps://user@smtp.example.org", "SMTP_PASSWORD": "pw"}
    assert sansmtp.from_env(variables) == sansmtp.Config("smtp.example.org", user="user", password="pw")
    variables = {"SMTP_PROVIDER": "gmail", "SMTP_USER": "me@gmail.com", "SMTP_PASSWORD": "abcd"}
    assert sansmtp.from_env(variables) == sansmtp.gmail("me@gmail.com", "abcd")
    with pytest.raises(sansmtp.ConfigError, match="SMTP_URL"):
        sansmtp.from_env({})


@pytest.mark.parametrize(
    "options",
    [
        {"host": "a b"},
        {"host": "x\r\ny"},
        {"port": 0},
        {"security": "tls"},
        {"user": "u", "password": "p\0"},
        {"password": "p"},
        {"user": "u", "password": "p", "oauth2_token": "t"},
        {"ehlo_name": "x\r\nMAIL"},
        {"timeout": 0.0},
        {"timeout": float("nan")},
    ],
)
def test_configurations_that_can_not_work(options: dict[str, object]) -> None:
    arguments = {"host": "smtp.example.org", **options}
    with pytest.raises(sansmtp.ConfigError):
        sansmtp.Config(**arguments)  # type: ignore[arg-type]


def test_a_secret_is_not_pickled() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(sansmtp.gmail("me@gmail.com", "abcd"))


def test_providers() -> None:
    everyone = sansmtp.providers()
    assert len(everyone) > 100
    assert len(set(everyone)) == len(everyone)
    gmail = sansmtp.find_provider("someone@googlemail.com")
    assert gmail in everyone
    assert gmail is not None
    assert gmail.submission[0].host == "smtp.gmail.com"
    assert "app password" in gmail.sign_in


def test_explanations() -> None:
    explanation = sansmtp.explain(
        534, "5.7.9 Application-specific password required.", stage="auth", host="smtp.gmail.com"
    )
    assert explanation is not None
    assert explanation.meaning.startswith("Google wants an app password")
    assert sansmtp.explain(250, "Ok") is None
