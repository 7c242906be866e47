"""Markdown and HTML from a notebook, made inert and readable.

Customers may have typed any word of it, so it passes a whitelist; the page's policy is the second
wall.
"""

from __future__ import annotations

import re
from typing import TypeAlias

import bleach  # type: ignore[import-untyped]
import mistune
from bs4 import BeautifulSoup, Tag
from markupsafe import Markup

Heading: TypeAlias = tuple[str, str]  # id, words

TEXT = {"a", "b", "blockquote", "br", "code", "del", "em", "hr", "i", "p", "pre", "strong", "sub"}
HEADINGS = {"h2", "h3", "h4", "h5", "h6", "sup"}
LISTS = {"dd", "div", "dl", "dt", "li", "ol", "ul"}
TABLES = {"caption", "table", "tbody", "td", "tfoot", "th", "thead", "tr"}
# Their content is not text either; of any other tag the words stay.
REMOVED = ["embed", "head", "iframe", "math", "noscript", "object", "script", "style", "svg"]
SCROLLS = {"class": "scroll", "role": "group", "tabindex": "0", "aria-label": "Table"}
NUMBER = re.compile(r"[<>≤≥±]?\s*[-+\N{MINUS SIGN}]?(?:[£$€¥]|[A-Z]{3}\s)?\d[\d,.\s]*%?")
SILENT = {"", "\N{EN DASH}", "-", "...", "nan", "NaN", "NaT", "None", "<NA>"}

_markdown = mistune.create_markdown(escape=True, plugins=["table", "strikethrough"])


def from_markdown(source: str) -> BeautifulSoup:
    """Read Markdown; tags written in it stay visible text."""
    return from_html(str(_markdown(source)))


def from_html(source: str) -> BeautifulSoup:
    """Read HTML, for example of a DataFrame."""
    return BeautifulSoup(source, "html.parser")


def safe(soup: BeautifulSoup, *, contents: list[Heading] | None = None) -> Markup:
    """Return what the whitelist knows of `soup`, with readable tables.

    The page's title is its only first-level heading, so one of the notebook's becomes second-level.
    With `contents`, second-level headings get an id and are added to it.
    """
    for tag in soup.find_all(REMOVED):
        tag.decompose()
    for image in soup.find_all("img"):
        image.replace_with(str(image.get("alt", "")))
    for heading in soup.find_all(["h1", "h2"]):
        heading.name = "h2"
        del heading["id"]
        if contents is not None:
            heading["id"] = name = f"section-{len(contents) + 1}"
            contents.append((name, heading.get_text(" ", strip=True)))
    for table in soup.find_all("table"):
        _make_readable(table)
        table.wrap(soup.new_tag("div", attrs=SCROLLS))
    return Markup(
        bleach.clean(
            str(soup),
            tags=TEXT | HEADINGS | LISTS | TABLES,
            attributes=_is_harmless,
            protocols={"http", "https"},
            strip=True,
        )
    )


def _is_harmless(tag: str, name: str, value: str) -> bool:
    match name:
        case "href":
            return value.lower().startswith(("https://", "http://", "#"))
        case "id":
            return tag == "h2"
        case "class":
            return value in {"num", "scroll"}
        case "role" | "tabindex" | "aria-label":
            return tag == "div"
    return tag in {"td", "th"} and name in {"scope", "colspan", "rowspan"}


def _make_readable(table: Tag) -> None:
    """Give header cells their scope, make empty ones plain cells, and mark columns of numbers."""
    _lift_index_names(table)
    for cell in table.find_all("th"):
        if cell.get_text(strip=True):
            cell["scope"] = "col" if cell.find_parent("thead") else "row"
        else:
            cell.name = "td"
    # Counted from the right, since row headers that span several rows shift what stands left.
    rows = [row.find_all(["td", "th"])[::-1] for row in table.find_all("tr")]
    for place in range(max(map(len, rows), default=0)):
        column = [cells[place] for cells in rows if place < len(cells)]
        below = [cell for cell in column if not cell.find_parent("thead")]
        words = {cell.get_text(strip=True) for cell in below} - SILENT
        if words and all(cell.name == "td" for cell in below) and all(map(NUMBER.fullmatch, words)):
            for cell in column:
                cell["class"] = "num"


def _lift_index_names(table: Tag) -> None:
    """Put the names of a DataFrame's index beside those of its columns: one header row, not two."""
    head = table.select("thead tr")
    if len(head) < 2:
        return
    pairs = list(zip(head[-2].find_all("th"), head[-1].find_all("th"), strict=False))
    if all(bool(upper.get_text()) != bool(lower.get_text()) for upper, lower in pairs):
        for upper, lower in pairs:
            upper.string = upper.get_text() or lower.get_text()
        head[-1].decompose()
