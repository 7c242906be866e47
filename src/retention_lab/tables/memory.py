"""Rows that are in memory already: a place that no source file can name."""

from __future__ import annotations

from typing import Annotated

import pyarrow as pa
from pydantic import ConfigDict, Field

from retention_lab.tables.location import Kind, Location


class Frame(Location):
    """Rows as Arrow holds them."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    rows: Annotated[pa.Table, Field(exclude=True, repr=False)]

    @property
    def kind(self) -> Kind:
        """In memory."""
        return "frame"
