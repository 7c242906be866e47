"""One chart as a figure: a picture that needs no script, a live chart, its data, its words."""

from __future__ import annotations

import base64
import contextlib
import csv
import datetime as dt
import functools
import importlib.metadata
import io
import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote

import pyarrow as pa
import vl_convert
from markupsafe import Markup

from retention_lab import checks
from retention_lab.reports.assets import TEMPLATES

VEGA_LITE = "6.4"  # the version that Altair writes for; a test holds the two together
MOST_ROWS = 500
NOTHING = "\N{EN DASH}"
# How a formula begins; spreadsheets of some countries read the wide forms too.
FORMULAS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
BREAKS = ("\t", "\r", "\n")
# Some of it ends the process that draws a picture; a line break in a title makes Vega refuse.
UNPRINTABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
# The still picture is one image: its parts need neither roles nor names nor a pointer.
# Nor need it say what is so anyhow, or a place more exactly than to a thousandth of a pixel.
UNUSED = re.compile(
    r' (?:role|class|pointer-events|xmlns|aria-[a-z]+)="[^"]*"'
    r'| (?:opacity="1"|[xy]2="0"|transform="translate\(0,0\)")'
)
LONG = re.compile(r"\d+\.\d{4,}")
COLOUR = re.compile(r"rgb\((\d+), (\d+), (\d+)\)")
EMPTY = re.compile(r'<path d="(?:M0,0h0v0h0Z)?"[^>]*></path>|<g[^>]*></g>')
# The picture of a chart as wide as its container: legible when a telephone shrinks it.
STILL = {"width": 480, "autosize": {"type": "fit-x", "contains": "padding"}}

Spec: TypeAlias = Mapping[str, Any]  # a Vega-Lite specification is open-ended JSON
Row: TypeAlias = Mapping[str, object]


def figure(spec: Spec, *, number: int, where: str) -> Markup:
    """Return the figure for a Vega-Lite chart whose data are inline.

    Parameters
    ----------
    spec
        A Vega-Lite 6 specification with a `description`, which becomes the alternative text.
        Optional in its `usermeta`: `caption` (the text under the figure), `labels` (the fields of
        the data table, in order, with their headings; pairs rather than a mapping, since a saved
        notebook sorts a mapping's keys) and `formats` (by field, a Python format such as ",.1%"
        or, for dates, "%B %Y").
    number
        Of the figure on its page, from 1.
    where
        The notebook's cell, for the words of an error.

    Raises
    ------
    BadParameter
        If the chart has no description, holds no data of its own, labels a field that its data
        lack, or cannot be drawn.
    """
    if not str(spec.get("description") or "").strip():
        raise checks.BadParameter(
            f"{where} draws a chart without a description. Say in one sentence what it shows, for "
            "readers who cannot see it: chart.properties(description=...)."
        )
    spec = _printable(spec)
    meta: Mapping[str, Any] = spec.get("usermeta") or {}
    rows, labels = _table(spec, dict(meta.get("labels") or {}), where=where)
    formats: Mapping[str, str] = meta.get("formats") or {}
    return Markup(
        TEMPLATES.get_template("figure.html").render(
            number=number,
            svg=_picture(spec, number=number, where=where),
            caption=meta.get("caption") or spec["description"],
            columns=[{"heading": labels[field], "css": _css(rows, field)} for field in labels],
            rows=[
                [shown(row.get(field), formats.get(field)) for field in labels]
                for row in rows[:MOST_ROWS]
            ],
            total=len(rows),
            csv=_csv_link(rows, labels),
            spec=_inert_json({key: value for key, value in spec.items() if key != "usermeta"}),
        )
    )


@functools.cache
def bundle() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script, kept in the user's cache folder."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "retention-lab"
    file = cache / f"vega-{VEGA_LITE}-{importlib.metadata.version('vl-convert-python')}.js"
    if file.is_file():
        return file.read_text(encoding="utf-8")
    script: str = vl_convert.javascript_bundle(
        "window.vegaEmbed = vegaEmbed;", vl_version=VEGA_LITE
    )
    with contextlib.suppress(
        OSError
    ):  # a home that cannot be written to costs a second, not the report
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=cache, delete=False, encoding="utf-8") as part:
            part.write(script)
        Path(part.name).replace(file)
    return script


@functools.cache
def packed() -> str:
    """Return the bundle compressed and in base64: less than half of it, for every page holds it.

    By Arrow's own compressor, which is locked with the package: that of Python is the system's, and
    another one would give other bytes to the same page.
    """
    codec = pa.Codec("gzip", compression_level=9)
    return base64.b64encode(codec.compress(bundle().encode(), asbytes=True)).decode()


def shown(value: object, form: str | None = None) -> str:
    """Return a value as a reader wants it: 6,412; 0.27; 29 November 2026; a dash for nothing."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        moment = _moment(value)
        return value if moment is None else format(moment, form or f"{moment.day} %B %Y")
    if isinstance(value, float):
        return format(value, form or (",.4g" if abs(value) < 10_000 else ",.0f"))
    return format(value, form or ",") if _is_number(value) else str(value)


def _table(spec: Spec, labels: dict[str, str], *, where: str) -> tuple[list[Row], dict[str, str]]:
    tables = [table for table in _inline(spec, spec.get("datasets") or {}) if table]
    if not tables:
        raise checks.BadParameter(
            f"{where} draws a chart without data of its own; give it a DataFrame."
        )
    fits = (table for table in tables if all(field in table[0] for field in labels))
    table = next(fits, tables[0])
    checks.known(f"The chart of {where}", "column to label", labels, table[0])
    return table, labels or {field: field for field in sorted(table[0])}


def _inline(spec: Spec, named: Mapping[str, list[Row]]) -> Iterator[list[Row]]:
    """Yield the chart's own tables, the outermost first."""
    data = spec.get("data") or {}
    if isinstance(data.get("values"), list):
        yield data["values"]
    elif data.get("name") in named:
        yield named[data["name"]]
    for part in ("layer", "concat", "hconcat", "vconcat"):
        for child in spec.get(part, []):
            yield from _inline(child, named)
    if "spec" in spec:
        yield from _inline(spec["spec"], named)


def _picture(spec: Spec, *, number: int, where: str) -> Markup:
    config = {"font": "sans-serif", **(spec.get("config") or {}), "aria": False}
    still = {**spec, "config": config} | (STILL if spec.get("width") == "container" else {})
    try:
        svg = vl_convert.vegalite_to_svg(_dump(still), vl_version=VEGA_LITE, allowed_base_urls=[])
    except ValueError as error:
        raise checks.BadParameter(
            f"{where} draws a chart that Vega-Lite {VEGA_LITE} refuses: {_first_words(error)}"
        ) from error
    label = Markup('<svg role="img" aria-label="{}" ').format(spec["description"])
    return Markup(_own_ids(_lean(svg), prefix=f"f{number}-").replace("<svg ", label, 1))


def _printable(node: Any) -> Any:  # noqa: ANN401  any JSON
    """Put a space for what cannot be drawn, in a picture or in a browser."""
    if isinstance(node, str):
        return UNPRINTABLE.sub(" ", node)
    if isinstance(node, Mapping):
        return {_printable(key): _printable(value) for key, value in node.items()}
    return [_printable(each) for each in node] if isinstance(node, list) else node


def _lean(svg: str) -> str:
    """Leave out what nobody sees; it is up to a third of a picture."""
    svg = re.sub(r"<[^>]+>", lambda tag: _lean_tag(tag[0]), svg)
    while (leaner := EMPTY.sub("", svg)) != svg:
        svg = leaner
    return svg


def _lean_tag(tag: str) -> str:
    bare = LONG.sub(lambda number: f"{float(number[0]):.3f}", UNUSED.sub("", tag))
    return COLOUR.sub(lambda rgb: "#" + "".join(f"{int(part):02x}" for part in rgb.groups()), bare)


def _first_words(error: ValueError) -> str:
    """Leave out the stack of the script engine."""
    return " ".join(str(error).splitlines()[:2])


def _own_ids(svg: str, *, prefix: str) -> str:
    """Give the picture ids of its own; else the live chart finds these, and they differ by call."""
    for index, old in enumerate(dict.fromkeys(re.findall(r'<[^>]* id="([^"]+)"', svg))):
        svg = svg.replace(f' id="{old}"', f' id="{prefix}{index}"').replace(
            f"url(#{old})", f"url(#{prefix}{index})"
        )
    return svg


def _csv_link(rows: Sequence[Row], labels: Mapping[str, str]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([_no_formula(heading) for heading in labels.values()])
    writer.writerows([_no_formula(row.get(field)) for field in labels] for row in rows)
    # Spreadsheets read UTF-8 only behind a byte-order mark.
    return "data:text/csv;charset=utf-8," + quote("\ufeff" + file.getvalue(), safe=",:/ ")


def _no_formula(value: object) -> object:
    """Put an apostrophe before text that a spreadsheet would run, also behind what is not seen."""
    if not isinstance(value, str):
        return value
    seen = "".join(sign for sign in value if sign.isprintable() and not sign.isspace())
    return f"'{value}" if value.startswith(BREAKS) or seen.startswith(FORMULAS) else value


def _css(rows: Sequence[Row], field: str) -> Markup:
    values = [row.get(field) for row in rows if row.get(field) is not None]
    return Markup(' class="num"' if values and all(_is_number(value) for value in values) else "")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _moment(text: str) -> dt.datetime | None:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}(T[\d:.]+)?", text):
        return None
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:  # looks like a date, is none: then it is text
        return None


def _inert_json(spec: Spec) -> Markup:
    return Markup(_dump(spec).replace("<", "\\u003c"))


def _dump(spec: Spec) -> str:
    """Sorted, so that a notebook kept in memory and one read from disk give the same bytes."""
    return json.dumps(
        spec, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    )
