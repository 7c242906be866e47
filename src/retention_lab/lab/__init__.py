"""The door for people: `open` a source file, or hand in frames, and ask the `lab` that comes back.

`lab.` and the tabulator key list what can be asked; each answer shows itself, and gives `.frame`,
`.chart` and `.sentence`.
"""

from __future__ import annotations

from retention_lab.lab.answer import Answer
from retention_lab.lab.doors import from_frames, open  # noqa: A004  read as retention_lab.open
from retention_lab.lab.lab import Lab

__all__ = ["Answer", "Lab", "from_frames", "open"]
