"""Post-purchase retention: reproducible reports, survival, segments, randomized check-ins.

In a notebook, `open("source.yml")` and `from_frames(orders=df)` give a `lab`, whose methods answer
questions about the shop.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as type checkers read it; the command line starts without `typing`
if TYPE_CHECKING:
    from retention_lab.lab.doors import from_frames, open  # noqa: A004  read as retention_lab.open

__all__ = ["__version__", "from_frames", "open"]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Import the door for people when somebody comes to it: the command line starts without."""
    if name in ("from_frames", "open"):
        from retention_lab.lab import doors  # noqa: PLC0415

        return getattr(doors, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
