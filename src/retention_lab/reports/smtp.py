"""Sending mail by the server that the environment names.

Settings come from the environment, so that no file holds a password:

- RETENTION_LAB_SMTP_HOST, and _PORT (default 587; 465 means TLS from the first byte);
- RETENTION_LAB_SMTP_USER and _PASSWORD, where the server asks for them;
- RETENTION_LAB_SMTP_FROM, such as `Retention reports <reports@example.org>`;
- RETENTION_LAB_SMTP_STARTTLS, 0 for a server on this machine that has no TLS;
- RETENTION_LAB_URL, the address of the folder that reports are published to, for links.

Nothing else of the environment is read.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Literal

from retention_lab import checks
from retention_lab.reports import digest
from retention_lab.reports.delivery import Undelivered

SECONDS = 30  # that a server may take for one answer
_NAME = "RETENTION_LAB_SMTP_"
_HERE = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where mail goes out, from whom, and where published pages are found."""

    host: str
    port: int
    sender: Address
    user: str = ""
    password: str = field(default="", repr=False)
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    url: str = ""


def settings(environment: Mapping[str, str]) -> Settings | None:
    """Read the settings of mail, or nothing where no server is named.

    Raises
    ------
    BadParameter
        When one of them does not fit, or a password would travel without TLS.
    """
    told = {
        name.removeprefix(_NAME): value
        for name, value in environment.items()
        if name.startswith(_NAME)
    }
    host, port = told.get("HOST", ""), told.get("PORT") or "587"
    if not host:
        return None
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise checks.BadParameter(f"{_NAME}PORT must be the number of a port, got {port!r}.")
    starttls, user = told.get("STARTTLS") or "1", told.get("USER", "")
    checks.known(f"{_NAME}STARTTLS", "value", [starttls], ["0", "1"])
    if user and starttls == "0" and port != "465" and host not in _HERE:
        raise checks.BadParameter(
            f"{_NAME}STARTTLS=0 would send the password to {host} for all to read. Leave it out."
        )
    return Settings(
        host=host,
        port=int(port),
        sender=address_of(told.get("FROM", ""), name=f"{_NAME}FROM"),
        user=user,
        password=told.get("PASSWORD", ""),
        tls="implicit" if port == "465" else "starttls" if starttls == "1" else "none",
        url=environment.get("RETENTION_LAB_URL", "").rstrip("/"),
    )


def address_of(text: str, *, name: str) -> Address:
    """Read an address, with or without the name of a person before it; `name` is the setting's.

    Raises
    ------
    BadParameter
        When it is none.
    """
    display, spec = parseaddr(text)
    try:
        address = Address(display, addr_spec=spec)
    except (ValueError, IndexError, MessageError) as error:
        raise checks.BadParameter(f"{name} {text!r} is no mail address.") from error
    if not (text.isprintable() and address.username and address.domain):
        raise checks.BadParameter(f"{name} {text!r} is no mail address.")
    return address


def send(letter: EmailMessage, *, by: Settings) -> None:
    """Send a mail; the server must prove who it is.

    Raises
    ------
    Undelivered
        In one sentence without the password: when the server cannot be reached, is not who it says,
        takes longer than 30 seconds, or refuses the user, a reader or the mail.
    """
    readers = [address.addr_spec for address in letter["To"].addresses]
    try:
        with _connected(by) as server:  # send_message would write `>From` where a line begins so
            refused = server.sendmail(by.sender.addr_spec, readers, letter.as_bytes())
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise Undelivered(
            f"Mail could not be sent by {by.host}:{by.port}: {_cause(error, by)}."
        ) from None  # the cause may hold the password
    if refused:
        raise Undelivered(f"{by.host}:{by.port} refused {len(refused)} of the readers of a mail.")


@contextmanager
def _connected(by: Settings) -> Iterator[smtplib.SMTP]:
    proof = ssl.create_default_context()
    server: smtplib.SMTP = (
        smtplib.SMTP_SSL(by.host, by.port, timeout=SECONDS, context=proof)
        if by.tls == "implicit"
        else smtplib.SMTP(by.host, by.port, timeout=SECONDS)
    )
    with server:
        if by.tls == "starttls":
            server.starttls(context=proof)
        if by.user:
            server.login(by.user, by.password)
        yield server


def _cause(error: Exception, by: Settings) -> str:
    match error:
        case smtplib.SMTPRecipientsRefused():
            return "it refused every reader"
        case smtplib.SMTPResponseException(smtp_code=code, smtp_error=said):
            words = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
            text = f"{code} {words}"
        case UnicodeError():
            return "a name or the password has signs that mail cannot carry"
        case _:
            text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    if "timed out" in text:
        return f"no answer in {SECONDS} seconds"
    hidden = text.replace(by.password, "***") if by.password else text
    return digest.one_line(hidden)[:200].rstrip(".")
