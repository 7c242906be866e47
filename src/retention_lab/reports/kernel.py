"""One notebook, executed by papermill in a kernel of its own: fixed surroundings, no traces."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

import nbformat
import papermill
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import ensure_event_loop
from nbclient.exceptions import CellTimeoutError
from nbformat import NotebookNode
from papermill.exceptions import PapermillExecutionError
from traitlets.config import Config

from retention_lab import checks
from retention_lab.reports import rooms, stopping
from retention_lab.reports.stopping import Ended, Group, stoppable

if TYPE_CHECKING:
    from jupyter_client.provisioning.local_provisioner import LocalProvisioner

__all__ = ["Ended", "Stopped", "Watch", "execute", "read", "stoppable", "surroundings"]

Watch = Callable[[str, int, int], None]  # a notebook's name, the cell that begins, of how many
EXECUTED = "executed.ipynb"

# The same result on every machine. STATIC tells widgets that nobody is there to move them.
SURROUNDINGS = {
    "PYTHONHASHSEED": "0",
    "TZ": "UTC",
    "LC_ALL": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "RETENTION_LAB_STATIC": "1",
}
# To papermill. Without `immediate`, an end stalls for seconds, at random.
QUIETLY = {
    "kernel_name": "python3",
    "language": "python",
    "progress_bar": False,
    "log_output": False,
    "request_save_on_cell_execute": False,
    "shutdown_kernel": "immediate",
}


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


@contextmanager
def surroundings(extra: Mapping[str, str]) -> Iterator[None]:
    """Give all notebooks of a run the same surroundings, whoever starts it and wherever.

    `extra` are further environment variables. To be held once around all calls of `execute`, not
    by each of its threads: the environment belongs to the whole process.
    """
    rooms.sweep()
    before = dict(os.environ)
    os.environ.update(SURROUNDINGS, **extra)
    try:
        with _quiet():
            yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def execute(
    path: Path,
    *,
    parameters: Mapping[str, object],
    cell_seconds: int,
    deadline: float,
    watch: Watch,
) -> NotebookNode:
    """Execute a notebook within `surroundings` and return it with its outputs.

    Several may be executed at once, each in a thread of its own. `parameters` must fit what the
    notebook declares: papermill checks nothing. `deadline` is a moment of `time.monotonic()`.
    `watch` is told of each cell that begins, by the thread that executes it.

    Raises
    ------
    Stopped
        When a cell fails (exit code 1, or that of the refusal it raised), when it takes too long,
        when the deadline comes, or when the kernel dies twice (4): after the first time the
        notebook is begun anew.
    Ended
        When the run is being stopped; see `stoppable`.
    """
    cells = len(read(path).cells) + bool(parameters)
    for _ in range(2):
        stopping.refuse_if_stopped()
        position = _Position(path.name, cells=cells, watch=watch)
        if time.monotonic() >= deadline:
            raise position.late()
        with rooms.lent() as room, Group(deadline=deadline) as group, _own_loop():
            try:
                with _telling(position, room=room, cell_seconds=cell_seconds):
                    executed = papermill.execute_notebook(
                        _verbatim(path),
                        room / EXECUTED,
                        dict(parameters),
                        execution_timeout=cell_seconds,
                        on_cell_start=position.begin,
                        kernel_manager_class=_manager(room, group),
                        config=_private(room),
                        **QUIETLY,
                    )
                return _whole(executed, position)
            except RuntimeError as error:  # a kernel that died, or that never answered
                if group.late:
                    raise position.late() from error
    stopping.refuse_if_stopped()
    sentence = f"{position}: the kernel died. It was tried twice; most often memory is short."
    raise Stopped(sentence, exit_code=4)


@contextmanager
def _telling(position: _Position, *, room: Path, cell_seconds: int) -> Iterator[None]:
    """Word what papermill says of a cell that failed or took too long."""
    try:
        yield
    except PapermillExecutionError as error:
        position.index, position.source = error.cell_index, error.source
        executed = read(room / EXECUTED)
        raise position.failed(error.ename, error.evalue, executed=executed) from error
    except CellTimeoutError as error:
        sentence = f"{position} took longer than {cell_seconds:,} seconds (cell_minutes)."
        raise Stopped(sentence, exit_code=4) from error


def _manager(room: Path, group: Group) -> type[AsyncKernelManager]:
    """Make the class of a manager that keeps what its kernel leaves in a room of its own."""

    class Manager(AsyncKernelManager):
        async def start_kernel(self, **rest: object) -> None:  # type: ignore[override]
            # A profile of its own: what somebody set up for themselves must not change a report.
            own = {"IPYTHONDIR": str(room), "JUPYTER_RUNTIME_DIR": str(room), "TMPDIR": str(room)}
            await super().start_kernel(env={**os.environ, **own}, **rest)
            provisioner = cast("LocalProvisioner", self.provisioner)
            group.led_by(provisioner.pid)
            group.started = provisioner.process

    return Manager


def _private(room: Path) -> Config:
    """Have sockets in a folder, not network ports: others on the machine could listen to those."""
    return Config({"KernelManager": {"transport": "ipc", "connection_file": str(room / "kernel")}})


@contextmanager
def _own_loop() -> Iterator[None]:
    """Close the loop that jupyter_core opens for a thread, with what a dead kernel left in it."""
    try:
        yield
    finally:
        loop = ensure_event_loop()
        pending = asyncio.all_tasks(loop)
        for task in pending:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
        loop.close()
        asyncio.set_event_loop(None)


class _Position:
    """The cell being executed, numbered as its author sees it: papermill injects one more."""

    def __init__(self, name: str, *, cells: int, watch: Watch) -> None:
        self.name, self.cells, self.watch = name, cells, watch
        self.index, self.source, self._injected = -1, "", cells  # none has begun

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

    def late(self) -> Stopped:
        begun = "was stopped" if self.index >= 0 else "was not begun"
        sentence = f"{self} {begun}: the time of the whole run was over (minutes in the suite)."
        return Stopped(sentence, exit_code=4)

    def __str__(self) -> str:
        if self.index < 0:
            return self.name
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
def _quiet() -> Iterator[None]:
    """Papermill logs what `Stopped` says, in many lines, and asyncio what a dead kernel left."""
    loggers = [logging.getLogger(name) for name in ("papermill", "traitlets", "asyncio")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
