"""Commands called when a run is over: argument lists, no shell, no secrets, a limited time."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from retention_lab import checks
from retention_lab.reports.delivery import Undelivered
from retention_lab.reports.ran import Ran

SECONDS = 300
OWN = "RETENTION_LAB_SMTP_"  # what mail is sent with is nobody else's


def parsed(option: str, text: str) -> tuple[str, ...]:
    """Return a command as an argument list: quotes group words, nothing else means anything.

    Raises
    ------
    BadParameter
        When it is empty, or a quote in it has no end.
    """
    try:
        argv = tuple(shlex.split(text))
    except ValueError as error:
        raise checks.BadParameter(f"{option} {text!r} has a quote without an end.") from error
    if not argv:
        raise checks.BadParameter(f"{option} takes a command, such as 'notify --channel reports'.")
    return argv


def call(
    argv: Sequence[str], *, run_json: Path, ran: Ran, secrets: Collection[str] = frozenset()
) -> None:
    """Call a command with the path of `run.json` as its last argument.

    It finds RETENTION_LAB_STATUS, _EXIT_CODE, _SUITE, _AS_OF and _FOLDER (of a failed run, where
    its notebooks are kept) in its environment, but neither the settings of mail nor a variable that
    holds one of `secrets`.

    Raises
    ------
    Undelivered
        When it cannot be started, fails, or takes longer than five minutes.
    """
    told = {
        "RETENTION_LAB_STATUS": ran.status,
        "RETENTION_LAB_EXIT_CODE": str(ran.exit_code),
        "RETENTION_LAB_SUITE": ran.suite,
        "RETENTION_LAB_AS_OF": ran.as_of,
        "RETENTION_LAB_FOLDER": ran.folder or ran.kept,
    }
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(OWN) and not any(secret in value for secret in secrets if secret)
    }
    code = ended([*argv, str(run_json)], environment=kept | told, seconds=SECONDS)
    if code:
        raise Undelivered(f"The command {argv[0]} for {run_json} ended with exit code {code}.")


def ended(
    argv: Sequence[str],
    *,
    environment: Mapping[str, str],
    seconds: float,
    output: int | None = None,
) -> int:
    """Run a command to its end and return its exit code.

    It reads nothing, and prints as we do, or to `output`, a constant of `subprocess`.

    Raises
    ------
    Undelivered
        When it cannot be started, or takes too long: then it is ended with all that it started.
    """
    try:
        process = subprocess.Popen(
            argv,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or str(error)
        raise Undelivered(f"The command {argv[0]} cannot be started: {cause}.") from error
    try:
        return process.wait(timeout=seconds)
    except subprocess.TimeoutExpired as error:
        raise Undelivered(
            f"The command {argv[0]} took longer than {seconds:,} seconds and was ended."
        ) from error
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
