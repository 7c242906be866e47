"""The pictures of the README, made anew from the demo: `make screenshots`.

Two suites are run and JupyterLab is opened, in a project of its own that is removed at the end; the
first screens of the overview, of a read-out and of the cohort explorer go to `docs/images`.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import BrowserContext
from tests.explore.browsed import Notebook, chromium, jupyter

from retention_lab.tables.simulator import simulate

ROOT = Path(__file__).parents[1]
PLACE = ROOT / "docs" / "images"
REPORTS = {
    "overview": ("overview", "10_retention_overview"),
    "readout": ("readout", "41_experiment_readout"),
}
COLOURS = 128  # more make a file larger and no picture better


def main() -> None:
    """Make the demo, its reports and the pictures."""
    with tempfile.TemporaryDirectory() as scratch:
        project, home = Path(scratch, "project"), Path(scratch, "home")
        home.mkdir()
        made(project)
        for suite, _page in REPORTS.values():
            run(suite, project)
        with chromium() as context:
            for name, (suite, page) in REPORTS.items():
                [file] = project.glob(f"reports/{suite}/2*/{page}.html")
                keep(name, page_of(context, file))
            with jupyter(project, home) as lab:
                keep("cohort_explorer", explorer(context, lab))


def made(project: Path) -> None:
    """Write a project as it is after `make demo`."""
    for name in ("experiments", "notebooks", "data/sources"):
        ignored = shutil.ignore_patterns("snapshots", ".ipynb_checkpoints")
        shutil.copytree(ROOT / name, project / name, ignore=ignored)
    for file in [*ROOT.glob("data/demo_*.yml"), ROOT / "data/playbook.yml"]:
        shutil.copy(file, project / "data")
    simulate(project / "data/demo")


def run(suite: str, project: Path) -> None:
    """Run a suite."""
    file = f"experiments/suites/{suite}.yml"
    subprocess.run([sys.executable, "-m", "retention_lab", "run", file], cwd=project, check=True)


def page_of(context: BrowserContext, file: Path) -> bytes:
    """Picture the first screen of a page."""
    tab = context.new_page()
    tab.goto(file.as_uri())
    tab.wait_for_function(
        "() => [...document.querySelectorAll('.live')]"
        ".every(live => live.classList.contains('drawn'))"
    )
    return bytes(tab.screenshot())


def explorer(context: BrowserContext, lab: tuple[str, str]) -> bytes:
    """Picture the board of the cohort explorer, with a cell that was clicked."""
    notebook = Notebook(context, lab, "notebooks/explore/cohort_explorer.ipynb")
    notebook.menu("View", "File Browser")
    notebook.run_all()
    before = notebook.seen()
    notebook.tab.locator(".explore-picture svg .mark-rect path").nth(3).click()
    notebook.changed(before)
    notebook.tab.locator(".explore-controls").scroll_into_view_if_needed()
    notebook.settled()
    return bytes(notebook.tab.screenshot())


def keep(name: str, picture: bytes) -> None:
    """Write a picture with as few colours as it needs."""
    PLACE.mkdir(parents=True, exist_ok=True)
    few = Image.open(io.BytesIO(picture)).convert("RGB").quantize(COLOURS)
    file = PLACE / f"{name}.png"
    few.save(file, optimize=True)
    sys.stdout.write(f"{file}: {file.stat().st_size // 1024} kB\n")


if __name__ == "__main__":
    main()
