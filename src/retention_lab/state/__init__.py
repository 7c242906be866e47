"""What reports must remember beyond a run: the history of results, and ledgers that only grow.

One folder, outside of `reports/`, as reports are published and ledgers name customers. Only its
owner may read it. In it there are

- `state.json`: the version of this contract, the id of the state, and of each ledger its key, how
  many rows and bytes it holds and a checksum of its end;
- `results/<suite>/<day>.json`: what each report said, kept for ever;
- `ledgers/<name>.jsonl`: a row of JSON on each line, only ever added to.

A change counts once `state.json` tells of it; what a crash left beyond that is dropped.
"""

from __future__ import annotations

from retention_lab.state.archive import backup, restore
from retention_lab.state.folder import State, found, opened
from retention_lab.state.ledger import Ledger

__all__ = ["Ledger", "State", "backup", "found", "opened", "restore"]
