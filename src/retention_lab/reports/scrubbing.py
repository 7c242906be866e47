"""Secrets and personal data, taken out of what is kept or sent when something went wrong."""

from __future__ import annotations

import html
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus, unquote

import yaml

from retention_lab.reports import personal

if TYPE_CHECKING:
    from nbformat import NotebookNode

SECRET, ADDRESS, PHONE = "[secret]", "[e-mail address]", "[telephone number]"
# To mask a value of one or two characters would tear words apart, and their gaps would tell it.
SHORTEST = 3
SMTP_PASSWORD = "RETENTION_LAB_SMTP_PASSWORD"

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
_PASSWORD = re.compile(r"(?<=://)([^\s:/@'\"]*):([^\s@'\"]+)(?=@)")  # of an address, up to its host
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def secrets(source_file: Path) -> frozenset[str]:
    """Return what must not be told of a source: what its variables stand for, and passwords.

    Of a `connection` that is the value of each variable, or its default, and the password of an
    address. A variable of a path counts where its value is itself a path: a word such as `data`
    says nothing, and to mask it would spoil every sentence. The password of mail is always one.

    A file that cannot be read names no variable: whoever reads it says what is wrong with it.
    """
    found = {os.environ.get(SMTP_PASSWORD, "")}
    for key, text in _settings(source_file):
        values = [os.environ.get(name, default) for name, default in _VARIABLE.findall(text)]
        if key == "connection":
            whole = _VARIABLE.sub(lambda each: os.environ.get(each[1], each[2] or ""), text)
            found |= {*values, *(each[2] for each in _PASSWORD.finditer(whole))}
            found |= {each[2] for value in values for each in _PASSWORD.finditer(value)}
        else:
            found |= {value for value in values if re.search(r"[/\\]", value)}
    return frozenset(value for value in found if len(value) >= SHORTEST)


def scrub(text: str, secrets: Iterable[str]) -> str:
    """Mask secrets, as they are and as addresses, JSON and HTML write them, and personal data.

    Also masked are the password of any address, e-mail addresses and what reads like a telephone
    number; the colours of a terminal, which may stand within a secret, are left out.
    """
    text = _COLOURS.sub("", text)
    forms = {form for secret in secrets for form in _forms(secret) if len(form) >= SHORTEST}
    if forms:  # the longest first, for one may hold another; all at once, for a mask may hold one
        longest = sorted(forms, key=lambda form: (-len(form), form))
        text = re.sub("|".join(map(re.escape, longest)), SECRET, text)
    text = _PASSWORD.sub(rf"\1:{SECRET}", text)
    return personal.PHONE.sub(PHONE, personal.EMAIL.sub(ADDRESS, text))


def scrub_notebook(notebook: NotebookNode, secrets: Iterable[str]) -> NotebookNode:
    """Return a copy of a notebook in which every text is scrubbed: code, outputs and metadata."""
    known = frozenset(secrets)
    scrubbed: NotebookNode = _scrubbed(notebook, known)
    return scrubbed


def _scrubbed(node: Any, secrets: frozenset[str]) -> Any:  # noqa: ANN401  any JSON
    if isinstance(node, str):
        return scrub(node, secrets)
    if isinstance(node, dict):
        return type(node)({key: _scrubbed(value, secrets) for key, value in node.items()})
    if isinstance(node, list):
        return [_scrubbed(each, secrets) for each in node]
    return node


def _forms(secret: str) -> Iterator[str]:
    """Yield a secret as it is, and as it stands in addresses, JSON, Python and HTML."""
    plain = {secret, unquote(secret)}
    yield from plain
    for each in plain:
        yield from (quote(each), quote(each, safe=""), quote_plus(each), html.escape(each))
        yield from (json.dumps(each)[1:-1], repr(each)[1:-1])


def _settings(file: Path) -> Iterator[tuple[str, str]]:
    """Yield each text of a source file that names a variable or an address, with its key."""
    try:
        text = file.read_text(encoding="utf-8")
        tree = yaml.safe_load(text)
    except OSError:
        return
    except (yaml.YAMLError, ValueError):  # then nobody knows which key a variable belongs to
        yield "connection", text
        return
    yield from _texts(tree, "")


def _texts(node: object, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, str):
        yield key, node
    elif isinstance(node, Mapping):
        for name, value in node.items():
            yield from _texts(value, str(name))
    elif isinstance(node, list):
        for value in node:
            yield from _texts(value, key)
