"""Parts of a page that are tried one by one: what is refused is missing, with its sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from retention_lab.checks import Refusal

Part = TypeVar("Part")


class Attempts:
    """What was refused so far, by the name of the part: a sentence each, in `why`."""

    def __init__(self) -> None:
        self.why: dict[str, str] = {}

    def __call__(self, name: str, part: Callable[[], Part]) -> Part | None:
        """Return the part, or None where it is refused."""
        try:
            return part()
        except Refusal as refused:
            self.why[name] = str(refused)
            return None
