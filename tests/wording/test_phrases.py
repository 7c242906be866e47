from __future__ import annotations

import pytest

from retention_lab.wording.phrases import plainly

PLAIN = "The plan names no cost of a message, so no money can be told."


@pytest.mark.parametrize(
    ("why", "said"),
    [
        (PLAIN.replace("message,", "message (cost_per_message),"), PLAIN),
        (
            "Shop has no messages; map them in its source file to use this, or hand them to "
            "from_frames.",
            "Shop has no messages.",
        ),
        ("Shop has no orders. Map it in the source file.", "Shop has no orders."),
        ("It is worth nothing (worth: 0).", "It is worth nothing."),
        ("It cannot be told. Name `worth` in the plan.", "It cannot be told."),
        ("Hardly any (3 in 100) were reached (by e-mail).",) * 2,
    ],
)
def test_a_reason_is_told_without_how_it_is_mended(why, said):
    assert plainly(why) == said
