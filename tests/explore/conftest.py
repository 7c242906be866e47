"""A project with a small shop in it, and boards on it; what a board keeps lies there, too."""

from __future__ import annotations

import altair as alt
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from tests.reports.corner_shop import ORDERS, SHOP

from retention_lab import explore
from retention_lab.explore import picture

from .toy import NOTEBOOK, Toy

PARAMETERS = 'source: str = ""\nas_of: str = ""\nwhere: str = ""\nprevious: str = ""\nn: int = 1'


@pytest.fixture(scope="session", autouse=True)
def _no_scripts():
    """Leave out the scripts of the pictures: no browser reads them here, and they take seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(picture, "widget", lambda: alt.JupyterChart)
        yield


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """The folder of a project, which tests of the same file share."""
    folder = tmp_path_factory.mktemp("project")
    for each in ("data", "notebooks", "experiments/suites"):
        (folder / each).mkdir(parents=True)
    (folder / "data/shop.yml").write_text(SHOP, encoding="utf-8")
    (folder / "data/orders.csv").write_text(ORDERS, encoding="utf-8")
    cells = [new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}), new_code_cell("n")]
    nbformat.write(new_notebook(cells=cells), folder / NOTEBOOK)
    return folder


@pytest.fixture
def project(shop, monkeypatch):
    """The folder, entered; what was left in it is gone."""
    monkeypatch.chdir(shop)
    monkeypatch.delenv("RETENTION_LAB_STATIC", raising=False)
    for file in (*shop.glob("data/snapshots/views/*"), *shop.glob("experiments/suites/*")):
        file.unlink()
    return shop


@pytest.fixture
def toy(project):  # noqa: ARG001  it is entered
    """Make explorers of the shop."""
    opened = explore.take("data/shop.yml", as_of="2026-11-28")
    return lambda **start: Toy(opened, **start)


@pytest.fixture
def board(toy):
    return explore.Board(toy(), owner="Olive")
