"""What pages are made of: style sheet, scripts, templates, and a policy that runs nothing else."""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Sequence
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined

from retention_lab.reports.calendar import long_date

TEMPLATES = Environment(
    loader=PackageLoader("retention_lab.reports", "assets"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=StrictUndefined,
)


def listed(words: Sequence[str]) -> str:
    """Return for example `one, two and three`."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


TEMPLATES.filters.update(long_date=long_date)


@functools.cache
def text(name: str) -> str:
    """Return the asset called `name`."""
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8")


def policy(*, scripts: tuple[str, ...] = ()) -> str:
    """Return a content security policy under which nothing is fetched and only `scripts` may run.

    Styles may be inline because Vega sets them on the elements that it draws.
    """
    allowed = " ".join(_hash(script) for script in scripts) or "'none'"
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        "font-src data:; base-uri 'none'; form-action 'none'"
    )


def _hash(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
