"""The list of those at highest risk, each with what goes with it and which play to try."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from retention_lab.checks import BadData
from retention_lab.churn import crm, landmarks, listing, suggestions
from retention_lab.churn.listing import Kind, Listed, consenting
from retention_lab.churn.outlook import outlook
from retention_lab.churn.suggestions import SHARES
from retention_lab.state import State
from retention_lab.tables.playbook import Playbook
from retention_lab.tables.snapshot import Snapshot

CHURN = Kind(
    name="churn",
    columns={
        **dict.fromkeys(SHARES, pa.float64()),  # of the good thing: to stay; to return
        **dict.fromkeys(("goes_with", "play"), pa.string()),
    },
    first="probability",
    logged={"probability": "probability", "play": "play_name"},
    returns=False,
)


def write(shop: Snapshot, playbook: Playbook, *, state: State, out: Path) -> Listed:
    """Learn from a shop's past, rank its customers, log the list and write it.

    The model is that of `churn.outlook`, and there is no list from one that earlier days could not
    test.

    Parameters
    ----------
    shop
        With `consents`, and `subscriptions` or `orders`; the list is as of its day.
    playbook
        Its `score` says for which channel, how many, and which share of them is held back.
    state
        Whose ledger of lists gets a row per listed customer.
    out
        A file that ends in .csv or .parquet; what was there is replaced.

    Raises
    ------
    BadParameter
        If no consent is about the channel, or the file cannot be written.
    BadData
        If there are no consents, nobody can be listed, or the past tells nothing.
    """
    crm.check(out)
    willing = consenting(shop, playbook.score.channel)
    seen = outlook(shop, playbook, horizon=playbook.churn.horizon)
    if seen.model is None:
        raise BadData(f"No list is made from what could not be tested. {seen.why}")
    patterns = suggestions.suggested(
        landmarks.people_collapsed(shop, seen.endpoint, seen.factors),
        model=seen.model,
        endpoint=seen.endpoint,
        plays=playbook.plays,
        as_of=shop.as_of,
    )
    people = landmarks.people(shop, seen.endpoint, seen.factors)
    run = listing.Run(shop=shop, playbook=playbook, state=state, out=out, kind=CHURN)
    beside = _left_out(shop, playbook, people.columns)
    return run.listed(people.semi_join(willing, "customer_id"), patterns, beside=beside)


def _left_out(shop: Snapshot, playbook: Playbook, names: Sequence[str]) -> list[str]:
    """Say which factors the data cannot tell, and which plays need one of them."""
    lost = [factor for factor in playbook.churn.factors if factor.name not in names]
    idle = [play for play in playbook.plays if not set(play.when) <= {*names}]
    return [
        *(f"{one.label} is left out: {shop.name} has no data on it." for one in lost),
        *(f"The play {play.name} is suggested to nobody, for it needs one." for play in idle),
    ]
