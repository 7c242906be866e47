"""Pages as the runner makes them, for the tests of the notebooks."""

from __future__ import annotations

import datetime as dt
import functools
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat
import yaml

from retention_lab.charts import MIME
from retention_lab.record.ledger import MIME as RESULTS
from retention_lab.reports import kernel
from retention_lab.reports import page as report

ROOT = Path(__file__).parents[1]
DEMO_SOURCE = ROOT / "data" / "sources" / "demo.yml"
AS_OF = dt.date(2026, 11, 29)
HEAVIEST = 1_200_000  # bytes of a page
STATISTICS = re.compile(r"\bsignificant|\bp\b|hazard|driver|landmark", re.IGNORECASE)
NUMBER = re.compile(r"\d[\d,.]*\d|\d")


@dataclass(frozen=True)
class Page:
    """A notebook as the runner executed it."""

    notebook: nbformat.NotebookNode

    @functools.cached_property
    def shown(self):
        cells = self.notebook.cells
        outputs = [output for cell in cells for output in cell.get("outputs", [])]
        return [output["data"] for output in outputs if "data" in output]

    @property
    def texts(self):
        found = [data["text/markdown"] for data in self.shown if "text/markdown" in data]
        return [plain(text) for text in found]

    @property
    def first_screen(self):
        return self.texts[0].split("\n\n")

    @property
    def charts(self):
        return [data[MIME] for data in self.shown if MIME in data]

    @property
    def ledger(self):
        return next(data[RESULTS] for data in self.shown if RESULTS in data)

    @property
    def results(self):
        return {result["name"]: result for result in self.ledger["results"]}

    @property
    def numbers(self):
        """Give every number that a sentence may name, as it is recorded."""
        known = set()
        for result in self.results.values():
            text = f"{result['text']} {result['between']} {result['about']} {result['n'] or 0:,}"
            known |= set(NUMBER.findall(plain(text)))
            known |= {f"{100 * result['value']:.0f}" if result["unit"] == "share" else ""}
        return known

    @functools.cached_property
    def html(self):
        facts = report.PageFacts(
            title="Customers",
            suite="Weekly retention",
            as_of=AS_OF,
            source="Shop",
            simulated=True,
            owner="Customer Success",
            footer={"Run": "7f3a91c2e0d4"},
        )
        return report.render(self.notebook, facts=facts)


def plain(text: str) -> str:
    """Give a text plain spaces and apostrophes."""
    return text.translate({0xA0: " ", 0x2019: "'"})


def executed(notebook: str, **parameters: object) -> Page:
    """Run a notebook in a kernel of its own, as a report does."""
    told = {"parameters": parameters, "cell_seconds": 300, "deadline": time.monotonic() + 600}
    with kernel.surroundings({}):
        file = ROOT / "notebooks" / notebook
        return Page(kernel.execute(file, **told, watch=lambda *_: None))


def source_of(folder: Path, tables: Mapping[str, object]) -> dict[str, object]:
    """Write the source file of a shop beside its tables; give the parameters that name it."""
    source = {"name": "Corner shop", "time_zone": "UTC", "currency": "GBP", "tables": tables}
    source["complete_to"] = AS_OF
    (folder / "shop.yml").write_text(yaml.safe_dump(source), encoding="utf-8")
    return {"source": str(folder / "shop.yml"), "as_of": AS_OF.isoformat(), "playbook": ""}
