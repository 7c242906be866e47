"""The file that a CRM reads: whole or not there, for its owner only, and harmless in a spreadsheet.

A spreadsheet runs a cell that begins with one of ``= + - @``. In a CSV such a text stands behind an
apostrophe, which spreadsheets show and do not run; how many do is told, for a CRM must take it off.
Parquet has no such cells, and every id in it as it is.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from retention_lab.checks import BadParameter
from retention_lab.state import State, files

_RUNS = r"^[=+\-@\t\r\n\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}]"  # with the full-width ones


def check(file: Path) -> None:
    """Refuse a file of which neither the name nor the place will do.

    Raises
    ------
    BadParameter
        When it is not called .csv or .parquet, or is a folder.
    """
    if file.suffix.lower() not in (".csv", ".parquet") or file.is_dir():
        raise BadParameter(f"A list is a file that ends in .csv or .parquet, got {file}.")


def write(rows: pa.Table, file: Path, *, state: State) -> int:
    """Put rows into the place of `file` at once, and return how many ids stand behind a mark.

    Who else writes a list from the same state waits meanwhile.

    Raises
    ------
    BadParameter
        As `check` does, or when the disk refuses: what was there is there still.
    """
    check(file)
    as_text = file.suffix.lower() == ".csv"
    content = pa.BufferOutputStream()
    if as_text:
        pa.csv.write_csv(_harmless(rows), content)
    else:
        pa.parquet.write_table(rows, content)
    with files.locked(state.folder):
        try:
            files.write(file, content.getvalue().to_pybytes())
        except OSError as error:
            raise BadParameter(
                f"The list {file} cannot be written ({error.strerror}). Mend that or take another "
                "place (--out), and run it again as of the same day."
            ) from error
    runs = pc.match_substring_regex(rows["customer_id"], _RUNS)
    return int(pc.sum(runs, min_count=0).as_py()) if as_text else 0


def _harmless(rows: pa.Table) -> pa.Table:
    for i, field in enumerate(rows.schema):
        if pa.types.is_string(field.type):
            text = rows[i]
            marked = pc.binary_join_element_wise("'", text, "")
            runs = pc.match_substring_regex(text, _RUNS)
            rows = rows.set_column(i, field, pc.if_else(runs, marked, text))
    return rows
