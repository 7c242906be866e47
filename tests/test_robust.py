"""What was there stays: real runs that are killed, stopped, crowded and short of room."""

from __future__ import annotations

import builtins
import errno
import hashlib
import io
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from retention_lab import cli
from retention_lab.reports import kernel, publish

from .reports.corner_shop import ORDERS, SHOP

pytestmark = pytest.mark.slow

DAYS = ("2026-11-15", "2026-11-22", "2026-11-29")
PARAMETERS = 'source: str = ""\nas_of: str = ""\nn: int = 1'
# Each writes a temporary file, as engines do. A kernel is dead before it can say so.
CELL = "import tempfile\nfile = tempfile.mkstemp()\nprint('the run', n)"
WAITS = f"{CELL}\nimport pathlib, time\npathlib.Path('begun').touch()\ntime.sleep(600)"
DIES = f"{CELL}\nimport os, pathlib\npathlib.Path('begun').touch()\nos.kill(os.getpid(), 9)"
DIES_ONCE = DIES.replace(
    "os.kill", "if not (gone := pathlib.Path('gone')).exists():\n    gone.touch(); os.kill"
)


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """Go to a shop with a suite of two short notebooks, and give temporary files a folder here."""
    with tempfile.TemporaryDirectory() as temporary:  # `tmp_path` is too long for sockets
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("TMPDIR", temporary)
        monkeypatch.setattr(tempfile, "tempdir", temporary)
        for name, text in (("shop.yml", SHOP), ("orders.csv", ORDERS)):
            Path(name).write_text(text, encoding="utf-8")
        write("10_one", CELL)
        write("20_two", CELL)
        suite(n=0)
        yield Path(temporary)


def write(name, cell):
    tagged = new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})
    cells = [new_markdown_cell("# Title"), tagged, new_code_cell(cell)]
    Path("notebooks").mkdir(exist_ok=True)
    nbformat.write(new_notebook(cells=cells), f"notebooks/{name}.ipynb")


def suite(*, n):
    """Write the suite; another `n` makes other pages."""
    parts = [
        {"notebook": f"notebooks/{name}.ipynb", "title": name, "parameters": {"n": n}}
        for name in ("10_one", "20_two")
    ]
    fields = {"name": "weekly", "title": "Weekly", "source": "shop.yml", "owner": "O"}
    Path("suite.yml").write_text(yaml.safe_dump({**fields, "notebooks": parts}), encoding="utf-8")


def arguments(day=DAYS[-1]):
    return ["run", "suite.yml", "--as-of", day, "--out", "reports"]


def start(day=DAYS[-1]):
    command = [sys.executable, "-m", "retention_lab", *arguments(day)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run(day=DAYS[-1]):
    """Run the suite undisturbed; return its exit code and what went wrong."""
    with start(day) as process:
        _, words = process.communicate()
        return process.returncode, wrong(words)


def wrong(words):
    """Leave out how far a run has come, and the line for machines."""
    said = words.splitlines()
    return [line for line in said if not line.endswith(" ...") and not line.startswith("suite=")]


def soon(true, *, seconds=60):
    """Wait until something is true."""
    until = time.monotonic() + seconds
    while not (found := true()) and time.monotonic() < until:
        time.sleep(0.005)
    return found


def reports():
    return sorted(Path("reports/weekly").glob("2026-*"))


def check_whole(folder):
    """Check that a report is one report: its pages are those that its manifest tells of."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    told = {name: each["sha256"] for name, each in manifest["notebooks"].items()}
    pages = {
        page.stem: hashlib.sha256(page.read_bytes()).hexdigest() for page in folder.glob("*.html")
    }
    assert pages == told
    assert pages.keys() == results["notebooks"].keys() == {"10_one", "20_two"}
    assert manifest["as_of"] == results["as_of"] == folder.name


def check_what_is_there(*, latest):
    """Check every report; `latest` must be one of them, once there is one."""
    for folder in reports():
        check_whole(folder)
    if latest:
        check_whole(Path("reports/weekly/latest").resolve())


def check_nothing_is_left(temporary):
    assert soon(lambda: not kernels(temporary), seconds=10)
    assert list(temporary.iterdir()) == []
    hidden = {each.name for each in Path("reports").rglob(".*")}
    assert hidden <= {".lock"}


def kernels(temporary):
    """Find the kernels whose sockets lie in a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = process.read_bytes()
        except OSError:  # it has ended meanwhile
            continue
        if f"{temporary}/retention-lab-kernel-".encode() in command:
            found.append(int(process.parent.name))
    return found


def test_fifty_kills_at_random_moments_leave_whole_reports_and_nothing_for_long(shop):
    began = time.monotonic()
    assert run(DAYS[0]) == (0, [])
    usual = time.monotonic() - began
    chance, published, early = random.Random(20261129), set(), 0
    for number in range(1, 51):
        suite(n=number)
        with start(chance.choice(DAYS)) as process:
            if number % 2:
                time.sleep(chance.uniform(0, usual))
            else:  # while it publishes, which takes a small part of the time
                soon(
                    lambda: process.poll() is not None or list(Path("reports").rglob(".partial-*"))
                )
                time.sleep(chance.uniform(0, 0.03))
            early += process.poll() is None
            process.kill()
        check_what_is_there(latest=True)
        assert published <= (published := {each.name for each in reports()})
    assert early >= 40
    suite(n=99)
    assert run() == (0, [])
    check_what_is_there(latest=True)
    assert Path("reports/weekly/latest").readlink() == Path(DAYS[-1])
    assert "the run 99" in Path("reports/weekly/latest/20_two.html").read_text(encoding="utf-8")
    check_nothing_is_left(shop)


def test_eight_runs_at_once_leave_one_whole_report(shop):
    processes = [start() for _ in range(8)]
    said = [process.communicate()[1] for process in processes]
    codes = [process.returncode for process in processes]
    assert set(codes) <= {0, 75}
    assert 0 in codes
    for code, words in zip(codes, said, strict=True):
        assert ("is being run already" in words) == (code == 75)
    check_what_is_there(latest=True)
    assert [each.name for each in reports()] == [DAYS[-1]]
    check_nothing_is_left(shop)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_stopped_run_leaves_what_was_there_and_nothing_else(shop, number, code):
    assert run() == (0, [])
    before = {page: page.read_bytes() for page in Path("reports").rglob("*.html")}
    suite(n=2)
    write("20_two", WAITS)
    process = start()
    assert soon(Path("begun").exists)
    process.send_signal(number)
    _, words = process.communicate(timeout=10)
    assert (process.returncode, wrong(words)) == (
        code,
        [f"The run was stopped by {number.name}. Nothing was published."],
    )
    assert {page: page.read_bytes() for page in Path("reports").rglob("*.html")} == before
    check_nothing_is_left(shop)


def test_killed_kernel_is_tried_once_more(shop):
    write("20_two", DIES_ONCE)
    assert run() == (0, [])
    check_what_is_there(latest=True)
    write("20_two", DIES)
    before = Path("reports/weekly/latest/20_two.html").read_bytes()
    code, [words, _] = run()
    assert code == 4
    assert "20_two.ipynb, cell 3 ('import tempfile'): the kernel died. It was tried twice" in words
    assert Path("reports/weekly/latest/20_two.html").read_bytes() == before
    check_nothing_is_left(shop)


def executed(path, *, parameters, **_):
    """Do what a kernel would."""
    notebook = nbformat.read(path, as_version=4)
    words = f"the run {parameters['n']}\n"
    notebook.cells[-1].outputs = [new_output("stream", name="stdout", text=words)]
    return notebook


class Disk:
    """A disk that has no room at one step: the making or moving of a file or folder in a place."""

    def __init__(self, patch, *, step, folder):
        self.step, self.folder, self.steps = step, folder, 0
        for name in ("mkdir", "rename", "replace", "symlink", "fsync"):
            patch.setattr(os, name, self._guarded(getattr(os, name)))
        for module in (io, builtins):
            patch.setattr(module, "open", self._guarded(io.open, reads=self._reads))
        patch.setattr(publish, "_exchanged", self._guarded(publish._exchanged))

    def _guarded(self, real, *, reads=lambda *_, **__: False):
        def guard(path, *args, **rest):
            if not reads(*args, **rest) and self._is_here(path):
                self.steps += 1
                if self.steps == self.step:
                    if real is io.open:  # the name fits, the content does not
                        real(path, *args, **rest).close()
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real(path, *args, **rest)

        return guard

    def _reads(self, mode="r", *_, **__):
        return not set(mode) & set("wax+")

    def _is_here(self, path):
        place = Path(f"/proc/self/fd/{path}").readlink() if isinstance(path, int) else Path(path)
        return place.absolute().is_relative_to(self.folder)


def test_full_disk_at_any_step_is_told_in_a_sentence_and_leaves_what_was_there(
    shop, tmp_path, monkeypatch, capsys
):
    assert cli.main(arguments(DAYS[0])) == 0
    assert cli.main(arguments()) == 0
    # Kernels write nothing into reports, and would take most of the time.
    monkeypatch.setattr(kernel, "execute", executed)
    told, step = 0, 0
    while True:
        step += 1
        suite(n=step)
        capsys.readouterr()
        with monkeypatch.context() as patch:
            disk = Disk(patch, step=step, folder=tmp_path / "reports")
            code = cli.main(arguments())
        words = capsys.readouterr().err
        check_what_is_there(latest=True)
        assert [each.name for each in reports()] == [DAYS[0], DAYS[-1]]
        if code:
            [sentence] = wrong(words)
            assert "No space left on device" in sentence
            assert code == 1
            told += 1
        elif disk.steps < step:
            break
    assert told >= 20
    assert f"the run {step}" in Path("reports/weekly/latest/20_two.html").read_text("utf-8")
    check_nothing_is_left(shop)
