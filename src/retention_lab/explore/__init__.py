"""Exploring by hand: controls above the same functions that reports call, in JupyterLab.

A board answers while its controls are dragged, as they work on tables that are collapsed once; it
gives its code, and makes a report of what it shows. In a report the same cell shows the same view
without controls.
"""

from __future__ import annotations

from retention_lab.explore.board import Board
from retention_lab.explore.opened import Opened, take

__all__ = ["Board", "Opened", "take"]
