"""One notebook, executed by papermill in a kernel of its own: fixed surroundings, no traces."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import nbformat
import papermill
from nbclient.exceptions import CellTimeoutError
from nbformat import NotebookNode
from papermill.exceptions import PapermillExecutionError
from traitlets.config import Config

from retention_lab import checks

Watch = Callable[[str, int, int], None]  # a notebook's name, the cell that begins, of how many

# The same result on every machine. STATIC tells widgets that nobody is there to move them.
SURROUNDINGS = {
    "PYTHONHASHSEED": "0",
    "TZ": "UTC",
    "LC_ALL": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "RETENTION_LAB_STATIC": "1",
}
# Sockets in a folder of its own, not network ports: others on the machine could listen to those.
PRIVATE = Config({"KernelManager": {"transport": "ipc"}})


class Stopped(checks.Refusal):
    """A notebook did not come to its end; `executed` is how far it came, where that is known."""

    def __init__(
        self, sentence: str, *, exit_code: int, executed: NotebookNode | None = None
    ) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code
        self.executed = executed


def read(path: Path) -> NotebookNode:
    """Read a notebook.

    Raises
    ------
    BadParameter
        When it is missing or is no notebook.
    """
    try:
        return nbformat.read(path, as_version=4)  # type: ignore[no-any-return, no-untyped-call]
    except FileNotFoundError as error:
        raise checks.BadParameter(
            f"The notebook {path} cannot be read: there is no such file."
        ) from error
    except (
        nbformat.reader.NotJSONError,
        nbformat.ValidationError,
        UnicodeDecodeError,
        AttributeError,
    ) as error:
        raise checks.BadParameter(f"{path} is no notebook.") from error


def execute(
    path: Path, *, parameters: Mapping[str, object], cell_seconds: int, watch: Watch
) -> NotebookNode:
    """Execute a notebook and return it with its outputs.

    `parameters` must fit what the notebook declares: papermill checks nothing. `watch` is told of
    each cell that begins.

    Raises
    ------
    Stopped
        When a cell fails (exit code 1, or that of the refusal it raised), when it takes too long,
        or when the kernel dies (4).
    """
    position = _Position(path.name, cells=len(read(path).cells) + bool(parameters), watch=watch)
    with (
        tempfile.TemporaryDirectory(prefix="retention-lab-") as room,
        _surroundings(room),
        _quiet(),
    ):
        target = Path(room, "executed.ipynb")
        try:
            executed = papermill.execute_notebook(
                _verbatim(path),
                target,
                dict(parameters),
                kernel_name="python3",
                language="python",
                progress_bar=False,
                log_output=False,
                request_save_on_cell_execute=False,
                shutdown_kernel="immediate",  # a graceful end stalls for seconds, at random
                execution_timeout=cell_seconds,
                on_cell_start=position.begin,
                config=PRIVATE,
            )
        except PapermillExecutionError as error:
            position.index, position.source = error.cell_index, error.source
            raise position.failed(error.ename, error.evalue, executed=read(target)) from error
        except RuntimeError as error:  # a kernel that died, or that never answered
            sentence = f"{position}: the kernel died. Most often the memory was not enough."
            raise Stopped(sentence, exit_code=4) from error
        except CellTimeoutError as error:
            sentence = f"{position} took longer than {cell_seconds:,} seconds (cell_minutes)."
            raise Stopped(sentence, exit_code=4) from error
    return _whole(executed, position)


class _Position:
    """The cell being executed, numbered as its author sees it: papermill injects one more."""

    def __init__(self, name: str, *, cells: int, watch: Watch) -> None:
        self.name, self.cells, self.watch = name, cells, watch
        self.index, self.source, self._injected = 0, "", cells

    def begin(self, cell: NotebookNode, cell_index: int) -> None:
        if "injected-parameters" in cell.metadata.get("tags", []):
            self._injected = cell_index
        self.index, self.source = cell_index, cell.source
        self.watch(self.name, cell_index + 1, self.cells)

    def failed(self, kind: str, message: str, *, executed: NotebookNode) -> Stopped:
        words = next(iter(message.splitlines()), "")
        words += "" if words.endswith((".", "?")) else "."
        refusal = getattr(checks, kind, None)
        if isinstance(refusal, type) and issubclass(refusal, checks.Refusal):
            code = refusal.exit_code
            return Stopped(f"{self} stopped: {words}", exit_code=code, executed=executed)
        return Stopped(f"{self} failed with {kind}: {words}", exit_code=1, executed=executed)

    def __str__(self) -> str:
        number = self.index + (self.index < self._injected)
        first = next(iter(self.source.strip().splitlines()), "")
        return f"{self.name}, cell {number} ({first[:60]!r})"


def _whole(executed: NotebookNode, position: _Position) -> NotebookNode:
    """Refuse a notebook that called `sys.exit()`, which papermill takes for a good end."""
    errors = [
        each
        for cell in executed.cells
        for each in cell.get("outputs", [])
        if each.output_type == "error"
    ]
    if errors:
        raise position.failed(errors[0].ename, errors[0].evalue, executed=executed)
    return executed


def _verbatim(path: Path) -> str:
    """Papermill fills in braces in a path."""
    return str(path).replace("{", "{{").replace("}", "}}")


@contextmanager
def _surroundings(room: str) -> Iterator[None]:
    before = dict(os.environ)
    # A profile of its own: what somebody set up for their own sessions must not change a report.
    os.environ.update(SURROUNDINGS, IPYTHONDIR=room, JUPYTER_RUNTIME_DIR=room)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _quiet() -> Iterator[None]:
    """Papermill logs what `Stopped` says, in many lines."""
    loggers = [logging.getLogger(name) for name in ("papermill", "traitlets")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
