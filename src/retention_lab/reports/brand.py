"""Whose report it is, in one file: name, accent colour, logo and the words at its foot.

```yaml
name: Northwind Retention
accent: "#7a2e6f"
logo: logo.svg
footer: Internal. Questions to the lifecycle team.
```
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from retention_lab import checks
from retention_lab.tables.settings import first_problem, read_yaml

MOST_BYTES = 50_000  # of a logo
READABLE = 4.5  # WCAG 2.2, success criterion 1.4.3
TINT = "#f4f7fa"  # the darkest ground that the accent stands on as text; see page.css
# What a file must begin with, so that a renamed one is not embedded as something else.
BEGINNINGS = {
    ".png": ("image/png", (b"\x89PNG\r\n",)),
    ".jpg": ("image/jpeg", (b"\xff\xd8\xff",)),
    ".jpeg": ("image/jpeg", (b"\xff\xd8\xff",)),
    ".svg": ("image/svg+xml", (b"<svg", b"<?xml")),
}


@dataclass(frozen=True, kw_only=True)
class Brand:
    """What is shown of whom: `accent` is a colour such as #0b5a8a, `logo` a `data:` address.

    Empty parts are not shown.
    """

    name: str = ""
    accent: str = "#0b5a8a"
    logo: str = ""
    footer: str = ""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: Annotated[str, Field(min_length=1)]
    accent: Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")] = Brand.accent
    logo: str = ""
    footer: str = ""


def load(path: str | Path) -> Brand:
    """Read a brand file; its logo is a path from there.

    Raises
    ------
    BadParameter
        When the file or its logo is missing, says something that a brand does not know, or names a
        colour that people could not read; the logo is larger than 50 kB or is no picture.
    """
    file = Path(path)
    try:
        fields = read_yaml(_read(file).decode("utf-8"), file=file)
        told = _File.model_validate(fields)
    except UnicodeDecodeError as error:
        raise checks.BadParameter(f"The brand file {file} is no text in UTF-8.") from error
    except ValidationError as error:
        raise checks.BadParameter(f"{file}: {first_problem(error, model=_File)}") from error
    _refuse_pale(told.accent, file=file)
    logo = _picture(file.parent / told.logo) if told.logo else ""
    return Brand(name=told.name, accent=told.accent.lower(), logo=logo, footer=told.footer)


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours such as #0b5a8a: 1 is none, 21 black on white.

    As WCAG 2.2 defines it, from the relative luminance of both.
    """
    darker, lighter = sorted(map(_luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    shares = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return sum(weight * s for weight, s in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _refuse_pale(accent: str, *, file: Path) -> None:
    found = contrast(accent, TINT)
    if found < READABLE:
        raise checks.BadParameter(
            f"{file}: the accent {accent} has a contrast of {found:.1f} with the ground of a page; "
            f"links in it could not be read by all below {READABLE}. Choose a darker colour."
        )


def _picture(file: Path) -> str:
    """Return a picture as a `data:` address; shown by <img>, an SVG runs no script of its own."""
    kind, beginnings = BEGINNINGS.get(file.suffix.lower(), ("", ()))
    if not kind:
        raise checks.BadParameter(f"The logo {file} must be a PNG, SVG or JPEG file.")
    content = _read(file)
    if len(content) > MOST_BYTES:
        raise checks.BadParameter(
            f"The logo {file} has {len(content):,} bytes; every page would hold them. "
            f"Make it at most {MOST_BYTES:,}."
        )
    if not content.lstrip().startswith(beginnings):
        raise checks.BadParameter(f"The logo {file} is no {kind.partition('/')[2]} picture.")
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        cause = "there is no such file" if isinstance(error, FileNotFoundError) else error.strerror
        raise checks.BadParameter(f"{file} cannot be read: {cause}.") from error
