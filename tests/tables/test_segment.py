"""Segments of a playbook: every cell of scores has exactly one, and bad rules are refused."""

from __future__ import annotations

import datetime as dt

import pytest
import yaml

from retention_lab.checks import BadParameter
from retention_lab.tables import playbook
from retention_lab.tables.segment import Segment, first_fit, grid

OWNED = {"owner": "Insights", "review_by": dt.date(2027, 3, 31)}


def rule(name, **scores):
    return {"name": name, **scores, **OWNED}


def refused(tmp_path, **change):
    """Change the segments that ship, and return what is said of them."""
    fields = yaml.safe_load(playbook.SHIPPED.read_text(encoding="utf-8"))
    fields["segments"].update(change)
    file = tmp_path / "playbook.yml"
    file.write_text(yaml.safe_dump(fields), encoding="utf-8")
    with pytest.raises(BadParameter) as caught:
        playbook.load(file)
    assert str(caught.value).startswith(f"{file}: segments.")
    return str(caught.value)


def test_every_cell_has_exactly_one_segment_and_every_segment_a_cell():
    segments = playbook.load("").segments
    assert len(list(grid())) == 5 * 5 * 5 * 2
    for rules in (segments.cohorts, segments.named):
        found = [first_fit(rules, cell).name for cell in grid()]
        assert set(found) == {each.name for each in rules}


def test_three_value_cohorts_are_told_by_coming_back_and_by_what_was_spent():
    rules = playbook.load("").segments.cohorts
    assert [each.name for each in rules] == ["one-time", "high-value repeat", "mid-value repeat"]
    for cell in grid():
        *_, monetary, bought = cell
        spent = "high-value repeat" if monetary >= 4 else "mid-value repeat"
        assert first_fit(rules, cell).name == ("one-time" if bought == "once" else spent)


def test_every_segment_that_ships_has_an_owner_and_a_review_date():
    segments = playbook.load("").segments
    for each in (*segments.cohorts, *segments.named):
        assert each.owner
        assert each.review_by > dt.date(2026, 11, 29)
    assert segments.activity == (30, 90)


def test_a_playbook_without_segments_has_those_that_ship(tmp_path):
    fields = yaml.safe_load(playbook.SHIPPED.read_text(encoding="utf-8"))
    del fields["segments"]
    file = tmp_path / "playbook.yml"
    file.write_text(yaml.safe_dump(fields), encoding="utf-8")
    assert playbook.load(file) == playbook.load("")


def test_the_first_rule_that_fits_counts():
    rules = [Segment(**rule("new", recency=(5, 5))), Segment(**rule("good", monetary=(4, 5)))]
    rules.append(Segment(**rule("rest")))
    cells = [(5, 1, 5, "once"), (4, 1, 5, "once"), (4, 1, 3, "again")]
    assert [first_fit(rules, cell).name for cell in cells] == ["new", "good", "rest"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"named": [rule("a", recency=[2, 5])]}, "the last rule, 'a', must fit everybody"),
        ({"named": [rule("a", bought="once")]}, "the last rule, 'a', must fit everybody"),
        ({"named": [rule("a"), rule("b")]}, "nobody can be in 'b', for a rule above it"),
        (
            {"named": [rule("a", recency=[1, 3]), rule("b", recency=[2, 3]), rule("c")]},
            "nobody can be in 'b'",
        ),
        ({"cohorts": [rule("a", recency=[1, 3]), rule("a")]}, "two segments have the name 'a'"),
        ({"named": [rule("a", recency=[3, 1]), rule("b")]}, "the lowest score and the highest"),
        ({"named": [rule("a", recency=[0, 1]), rule("b")]}, "greater than or equal to 1, got 0"),
        ({"named": [rule("a", recency=[1, 6]), rule("b")]}, "less than or equal to 5, got 6"),
        ({"named": [rule("a", recencies=[1, 2])]}, "Did you mean 'recency'?"),
        ({"named": [rule("a", bought="twice")]}, "Input should be 'once' or 'again'"),
        ({"named": [{"name": "a", "owner": "me"}]}, "named.0.review_by is missing"),
        ({"named": []}, "at least 1 item"),
        ({"activity": [90, 30]}, "each above the last, got [90, 30]"),
    ],
)
def test_rules_that_leave_somebody_out_or_say_nonsense_are_refused(tmp_path, change, words):
    assert words in refused(tmp_path, **change)
