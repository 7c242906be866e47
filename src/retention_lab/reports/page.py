"""An executed notebook as one HTML page: no network, no script but ours, readable by all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup
from nbformat import NotebookNode
from pygments import highlight  # type: ignore[import-untyped]
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
from pygments.lexers import PythonLexer  # type: ignore[import-untyped]

from retention_lab import checks
from retention_lab.reports import assets, figures, prose
from retention_lab.reports.brand import Brand
from retention_lab.reports.calendar import long_date

__all__ = ["CHART", "RESULTS", "PageFacts", "render"]

CHART = "application/vnd.vegalite.v5+json"  # JupyterLab draws this type itself, with no network
RESULTS = "application/vnd.retention-lab.results+json"  # read by the runner, not by people
HIDDEN = {"parameters", "injected-parameters", "hide"}


@dataclass(frozen=True, kw_only=True)
class PageFacts:
    """What stands at the head and foot of a page.

    `as_of` is the last business day that the page knows; `footer` holds what identifies the run,
    for example its key, code version and snapshot. `warnings` are sentences, said before anything
    else. Nothing here may differ between two runs of the same thing: no clock time, no host.
    """

    title: str
    suite: str
    as_of: dt.date
    source: str
    simulated: bool
    owner: str
    footer: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    brand: Brand | None = None


def render(notebook: NotebookNode, *, facts: PageFacts) -> str:
    """Return the whole HTML page of an executed notebook; the same outputs give the same bytes.

    Cells tagged `parameters`, `injected-parameters` or `hide` appear only as folded code at the
    end; the output of a cell tagged `answer` opens the page. The notebook's first title gives way
    to that of `facts`. What was printed to stderr is left to the executed notebook.

    Raises
    ------
    BadParameter
        If a chart lacks its description or its data, or an output is of a kind that a page cannot
        hold.
    Refusal
        If a cell failed: such a run is not published.
    """
    blocks = _Blocks()
    for number, cell in enumerate(notebook.cells, start=1):
        blocks.add(cell, where=_where(number, cell))
    blocks.fold_code()
    scripts = (assets.text("boot.js"), figures.bundle()) if blocks.charts else ()
    return assets.TEMPLATES.get_template("page.html").render(
        facts=facts,
        as_of=long_date(facts.as_of),
        policy=assets.policy(scripts=scripts),
        brand=facts.brand or Brand(),
        css=Markup(assets.text("page.css")),
        blocks=blocks,
        packed=figures.packed() if blocks.charts else "",
        boot=Markup(assets.text("boot.js")),
    )


class _Blocks:
    """The page's blocks in order, with the numbering that runs through them."""

    def __init__(self) -> None:
        self.answer: list[Markup] = []
        self.body: list[Markup] = []
        self.hidden: list[Markup] = []
        self.contents: list[prose.Heading] = []
        self.charts = 0
        self._titled = False
        self._sources: list[str] = []

    def add(self, cell: NotebookNode, *, where: str) -> None:
        outputs = cell.get("outputs", [])
        for output in outputs:
            _refuse_failure(output, where=where)
        tags = set(cell.metadata.get("tags", []))
        if tags & HIDDEN:
            self.hidden += [_code([cell.source])] if cell.cell_type == "code" else []
            return
        place, contents = (self.answer, None) if "answer" in tags else (self.body, self.contents)
        if cell.cell_type == "markdown":
            place.append(self._markdown(cell.source, contents=contents))
        elif cell.cell_type == "code":
            shown = [self._output(output, where=where, contents=contents) for output in outputs]
            place += shown
            self._sources.append(cell.source)
            if any(shown):
                self.fold_code()

    def fold_code(self) -> None:
        """Fold away the code up to here; a cell that shows nothing waits for the next that does."""
        if any(source.strip() for source in self._sources):
            fold = Markup('<details class="code"><summary>Code</summary>{}</details>')
            self.body.append(fold.format(_code(self._sources)))
        self._sources = []

    def _output(
        self, output: NotebookNode, *, where: str, contents: list[prose.Heading] | None
    ) -> Markup:
        if output.output_type == "stream":
            return _plain(output.text) if output.name == "stdout" else Markup()
        data = output.data
        if RESULTS in data:
            return Markup()
        if CHART in data:
            self.charts += 1
            return figures.figure(data[CHART], number=self.charts, where=where)
        if "text/markdown" in data:
            return prose.safe(prose.from_markdown(data["text/markdown"]), contents=contents)
        if "text/html" in data:
            return prose.safe(prose.from_html(data["text/html"]), contents=contents)
        if set(data) == {"text/plain"}:
            return _plain(data["text/plain"])
        raise checks.BadParameter(
            f"{where} shows {', '.join(sorted(data))}, which a page cannot hold. "
            "Show an Altair chart, a table or Markdown."
        )

    def _markdown(self, source: str, *, contents: list[prose.Heading] | None) -> Markup:
        soup = prose.from_markdown(source)
        if soup.h1 and contents is not None and not self._titled:
            self._titled = True
            soup.h1.decompose()
        return prose.safe(soup, contents=contents)


def _refuse_failure(output: NotebookNode, *, where: str) -> None:
    if output.output_type == "error":
        raise checks.Refusal(
            f"{where} failed with {output.ename}: {output.evalue}. A failed run is not published."
        )


def _plain(text: str) -> Markup:
    block = Markup('<pre role="group" tabindex="0" aria-label="Output">{}</pre>')
    return block.format(text) if text.strip() else Markup()


def _code(sources: Sequence[str]) -> Markup:
    source = "\n\n".join(sources).strip()
    coloured = Markup(highlight(source, PythonLexer(), HtmlFormatter(nowrap=True)))
    return Markup('<pre role="group" tabindex="0" aria-label="Code">{}</pre>').format(coloured)


def _where(number: int, cell: NotebookNode) -> str:
    first = next(iter(cell.source.strip().splitlines()), "")
    return f"Cell {number} ({first[:60]!r})"
