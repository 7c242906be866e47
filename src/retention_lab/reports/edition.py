"""A page as mail can carry it: no script, pictures for charts, styles on each element."""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import re
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urljoin

import vl_convert
from bs4 import BeautifulSoup, Tag
from markupsafe import Markup

from retention_lab.reports import assets, plain, prose

LARGEST = 1_000_000  # bytes of a whole mail: many servers take ten, many readers pay for each
MOST_ROWS = 40
SHARPNESS = 1.5  # legible on any screen, and ten charts fit into one mail

_DRAWINGS = re.compile(r"<svg\b([^>]*)>.*?</svg\s*>", re.DOTALL)
_SCRIPTS = re.compile(r"<script\b.*?</script\s*>", re.DOTALL | re.IGNORECASE)
# What XML may not hold, although a page may.
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_DROPPED = (
    "style, link, meta, title, nav, form, button, select, input, iframe, object, embed, template, "
    "noscript, .live, .unseen, details.code, figure details, [hidden], svg[aria-hidden=true]"
)
_AS_DIV = {"article", "aside", "details", "figcaption", "figure", "footer", "header", "main"}
_KEPT = prose.TEXT | prose.HEADINGS | prose.LISTS | prose.TABLES | {"h1", "img", "section"}
_ATTRIBUTES = {"alt", "colspan", "href", "rowspan", "scope", "src", "style"}


@dataclass(frozen=True, kw_only=True)
class Edition:
    """A page for mail: its title, a fragment of HTML, the same as text, and PNGs by content id."""

    title: str
    html: Markup
    text: str
    pictures: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """About how many bytes it takes in a mail."""
        return self.size_of_texts + sum(map(_cost, self.pictures.values()))

    @property
    def size_of_texts(self) -> int:
        """How many of these bytes are words."""
        return len(self.html.encode()) + len(self.text.encode())


def edition(page_html: str, *, url: str = "", room: int = LARGEST) -> Edition:
    """Return the mail edition of a published page.

    The first screen, the charts as pictures with their alternative text, and the tables up to 40
    rows stay; folded code and the data under charts do not, what else is folded is laid open. With
    `url`, the address of the page, links within it lead there. Pictures that do not fit into `room`
    bytes, in the page's order, give way to their alternative text.
    """
    whole = _made(page_html, url=url, room=room)
    if whole.size <= room or not whole.pictures:
        return whole
    return _made(page_html, url=url, room=room - whole.size_of_texts)


def _made(page_html: str, *, url: str, room: int) -> Edition:
    """Return an edition whose pictures take at most `room`."""
    page, drawings = _apart(_SCRIPTS.sub("", page_html))
    soup = BeautifulSoup(page, "html.parser")
    title = soup.title.get_text(" ", strip=True) if soup.title else ""
    inks = dict(re.findall(r"(--[a-z-]+):\s*([^;}]+)", " ".join(map(str, soup.find_all("style")))))
    body = soup.body or soup
    for tag in body.select(_DROPPED):
        tag.decompose()
    for table in body.select("table"):
        _shorten(table, soup)
    _lay_open(body, soup)
    _lead(body, url=url)
    pictures = _pictures(body, soup, drawings=drawings, room=room)
    _point_to_page(body, soup, url=url)
    said = plain.text(body)
    _style(body, inks)
    _strip(body)
    return Edition(title=title, html=Markup(body.decode_contents()), text=said, pictures=pictures)


def _apart(page: str) -> tuple[str, list[str]]:
    """Take the drawings out of a page, whose parser would write viewBox in small letters."""
    drawings: list[str] = []

    def put_aside(found: re.Match[str]) -> str:
        drawings.append(found[0])
        return f'<svg data-drawing="{len(drawings) - 1}"{found[1]}></svg>'

    return _DRAWINGS.sub(put_aside, page), drawings


def _shorten(table: Tag, soup: BeautifulSoup) -> None:
    rows = table.select("tbody tr")
    for row in rows[MOST_ROWS:]:
        row.decompose()
    if len(rows) > MOST_ROWS:
        note = soup.new_tag("p", attrs={"class": "absent"})
        note.string = f"The first {MOST_ROWS} of {len(rows):,} rows; the page has all."
        table.insert_after(note)


def _lay_open(body: Tag, soup: BeautifulSoup) -> None:
    for summary in body.select("summary"):
        summary.name = "p"
        bold = soup.new_tag("b")
        bold.extend(list(summary.contents))
        summary.append(bold)


def _lead(body: Tag, *, url: str) -> None:
    for link in body.select("a"):
        address = urljoin(url, str(link.get("href", "")))
        if re.match("https?://", address):
            link["href"] = address
        else:
            link.unwrap()


def _pictures(
    body: Tag, soup: BeautifulSoup, *, drawings: Sequence[str], room: int
) -> dict[str, bytes]:
    """Put a picture, or words where it does not fit, in the place of each drawing."""
    found: dict[str, bytes] = {}
    for drawing in body.select("svg, img"):
        words = str(drawing.get("aria-label") or drawing.get("alt") or "")
        png = _drawn(drawing, drawings)
        if png and _cost(png) <= room:
            name = f"{hashlib.sha256(png).hexdigest()[:24]}@retention-lab"
            room -= 0 if name in found else _cost(png)
            found[name] = png
            drawing.replace_with(soup.new_tag("img", attrs={"src": f"cid:{name}", "alt": words}))
        else:
            absent = soup.new_tag("p", attrs={"class": "absent"})
            absent.string = f"[Picture, on the page only: {words}]" if words else ""
            drawing.replace_with(absent)
    return found


def _cost(png: bytes) -> int:
    return len(png) * 138 // 100 + 500  # in base64 with line ends, and what names it


def _drawn(drawing: Tag, drawings: Sequence[str]) -> bytes | None:
    """Return a drawing as PNG, or nothing where it is no picture that can be drawn offline."""
    if drawing.name == "svg":
        return _png(drawings[int(str(drawing["data-drawing"]))])
    kind, _, content = str(drawing.get("src", "")).partition(";base64,")
    try:
        picture = base64.b64decode(content, validate=True)
    except binascii.Error:
        return None
    if kind == "data:image/svg+xml":
        return _png(picture.decode("utf-8", errors="replace"))
    return picture if kind == "data:image/png" else None


def _png(svg: str) -> bytes | None:
    """Draw a picture; what it would fetch is left out of it."""
    alone = re.sub(r"<image\b[^>]*>", "", _NO_XML.sub("", svg))
    if "xmlns=" not in alone:
        alone = alone.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    try:
        return _packed(vl_convert.svg_to_png(alone, scale=SHARPNESS))
    except ValueError:
        return None


def _packed(png: bytes) -> bytes:
    """Compress a PNG as well as can be: a quarter of the size, not a dot different."""
    place, head, data = 8, b"", b""
    while place < len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        kind, content = png[place + 4 : place + 8], png[place + 8 : place + 8 + length]
        data += content if kind == b"IDAT" else b""
        head += _chunk(kind, content) if kind not in {b"IDAT", b"IEND"} else b""
        place += 12 + length
    packed = zlib.compress(zlib.decompress(data), 9)
    return png[:8] + head + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    sum_of_it = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + sum_of_it


def _point_to_page(body: Tag, soup: BeautifulSoup, *, url: str) -> None:
    if url:
        line, link = soup.new_tag("p"), soup.new_tag("a", attrs={"href": url})
        link.string = "The full page, with interactive charts and the data under each"
        line.append(link)
        body.insert(0, line)


def _style(body: Tag, inks: Mapping[str, str]) -> None:
    """Write the rules of the style sheet on the elements, in the colours of the page."""
    for selector, rules in _rules():
        coloured = re.sub(r"var\((--[a-z-]+)\)", lambda ink: inks.get(ink[1], "inherit"), rules)
        for tag in body.select(selector):
            tag["style"] = "; ".join(filter(None, (str(tag.get("style", "")), coloured)))


@functools.cache
def _rules() -> list[tuple[str, str]]:
    bare = re.sub(r"/\*.*?\*/", "", assets.text("mail.css"), flags=re.DOTALL)
    return [
        (selector.strip(), rules.strip())
        for selector, rules in re.findall(r"([^{}]+){([^{}]*)}", bare)
    ]


def _strip(body: Tag) -> None:
    """Leave only tags and attributes that do nothing but show."""
    for tag in body.find_all(True):
        if tag.name in _AS_DIV:
            tag.name = "div"
        elif tag.name not in _KEPT:
            tag.unwrap()
            continue
        tag.attrs = {name: value for name, value in tag.attrs.items() if name in _ATTRIBUTES}
