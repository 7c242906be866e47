"""What ends kernels: their own end, the time of the whole run, and who stops the runner.

A kernel is the leader of a process group, so ending the group ends what its cells started, too.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from retention_lab import checks


class Ended(checks.Refusal):
    """Somebody stopped the run: exit code 143 after SIGTERM, 130 after Ctrl-C."""

    def __init__(self, number: int) -> None:
        super().__init__(
            f"The run was stopped by {signal.Signals(number).name}. Nothing was published."
        )
        self.exit_code = 128 + number


class _Signalled(KeyboardInterrupt):
    """Raised by the handler: asyncio lets this pass, and keeps an ordinary exception to itself."""


_REAPED_WITHIN = 5.0  # seconds, for a process that was killed


class Group:
    """The processes of one kernel: they end together, at the `deadline` at the latest.

    `deadline` is a moment of `time.monotonic()`; `late` tells that it came first. `started` is the
    process that was started last, which is waited for at the end.
    """

    def __init__(self, *, deadline: float) -> None:
        self.late = False
        self.started: subprocess.Popen[bytes] | None = None
        self._leader: int | None = None
        self._over = False
        self._lock = threading.RLock()  # a signal may arrive while this very thread holds it
        self._timer = threading.Timer(max(0.0, deadline - time.monotonic()), self._expire)
        self._timer.daemon = True

    def __enter__(self) -> Group:
        _groups.add(self)
        self._timer.start()
        if _stopped:  # by a signal that came before this group could be found
            self.end()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self.end()
        _groups.discard(self)
        if self.started is not None:  # or a kernel that was killed stays a zombie as long as we run
            with suppress(subprocess.TimeoutExpired):
                self.started.wait(_REAPED_WITHIN)

    def led_by(self, leader: int | None) -> None:
        """Say which process leads the group, once it has been started."""
        with self._lock:
            self._leader = leader
            if self._over:
                self.end()

    def end(self) -> None:
        """End every process of the group, and one that is being started as soon as it is there."""
        with self._lock:
            self._over = True
            if self._leader is not None:
                with suppress(ProcessLookupError, PermissionError):  # macOS says so of a zombie
                    os.killpg(self._leader, signal.SIGKILL)

    def _expire(self) -> None:
        self.late = True
        self.end()


_groups: set[Group] = set()
_stopped: list[int] = []  # the signal that stopped this process, while it is being wound up


def refuse_if_stopped() -> None:
    """Raise what `stoppable` is about to raise, in a thread that a signal does not reach.

    Raises
    ------
    Ended
        When the run is being stopped.
    """
    if _stopped:
        raise Ended(_stopped[0])


@contextmanager
def stoppable() -> Iterator[None]:
    """Let SIGTERM and Ctrl-C end all kernels with what they started; for the main thread only.

    Raises
    ------
    Ended
        When one of the two came; on the way out every folder that was lent has been removed.
    """
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, _stop) for number in numbers]
    try:
        yield
    except BaseException:
        if not _stopped:  # else it is what a kernel's end looks like from inside
            raise
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
        received, _stopped[:] = list(_stopped), []
    if received:
        raise Ended(received[0])


def _stop(number: int, _: FrameType | None) -> None:
    if _stopped:  # a second one must not break off the clearing up after the first
        return
    _stopped.append(number)
    for group in list(_groups):
        group.end()
    raise _Signalled
