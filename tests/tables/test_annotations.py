"""Annotations: what is understood, what is refused in words, and what a report may know of them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import yaml

from retention_lab.checks import BadParameter
from retention_lab.tables import annotations
from retention_lab.tables.annotations import Annotation, within
from retention_lab.tables.period import Period
from retention_lab.tables.truth import Truth

DEMO = Path(__file__).parents[2] / "data" / "demo_annotations.yml"
AS_OF = dt.date(2026, 11, 29)
SALE = {"date": dt.date(2026, 8, 1), "until": dt.date(2026, 8, 31)}
SALE |= {"label": "Summer sale", "kind": "promotion"}


def written(tmp_path, *entries):
    file = tmp_path / "annotations.yml"
    file.write_text(yaml.safe_dump({"annotations": list(entries)}), encoding="utf-8")
    return file


def refused(tmp_path, *entries):
    file = written(tmp_path, *entries)
    with pytest.raises(BadParameter) as caught:
        annotations.load(file, as_of=AS_OF)
    message = str(caught.value)
    assert message.startswith(f"{file}: ")
    assert "\n" not in message
    return message.removeprefix(f"{file}: ")


def test_annotations_are_read_in_the_order_of_their_dates(tmp_path):
    outage = {"date": dt.date(2026, 3, 3), "label": "  Checkout\n down ", "kind": "outage"}
    found = annotations.load(written(tmp_path, SALE, outage), as_of=AS_OF)
    assert [each.label for each in found] == ["Checkout down", "Summer sale"]
    assert [each.period for each in found] == [
        Period(first=dt.date(2026, 3, 3), last=dt.date(2026, 3, 3)),
        Period(first=dt.date(2026, 8, 1), last=dt.date(2026, 8, 31)),
    ]


def test_a_report_does_not_know_what_comes_after_its_day(tmp_path):
    file = written(tmp_path, SALE)
    assert annotations.load(file, as_of=dt.date(2026, 7, 31)) == ()
    (first,) = annotations.load(file, as_of=dt.date(2026, 8, 1))
    assert first.period.days == 1
    (cut,) = annotations.load(file, as_of=dt.date(2026, 8, 10))
    assert cut.period.last == dt.date(2026, 8, 10)
    (whole,) = annotations.load(file, as_of=dt.date(2026, 8, 31))
    assert whole.period.last == dt.date(2026, 8, 31)


def test_no_path_is_no_annotations_and_a_missing_file_is_refused(tmp_path):
    assert annotations.load("", as_of=AS_OF) == ()
    with pytest.raises(BadParameter, match=r"nowhere\.yml cannot be read: No such file"):
        annotations.load(tmp_path / "nowhere.yml", as_of=AS_OF)
    (tmp_path / "latin.yml").write_bytes("annotations: [é]".encode("latin-1"))
    with pytest.raises(BadParameter, match="it is not UTF-8 text"):
        annotations.load(tmp_path / "latin.yml", as_of=AS_OF)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"lable": "x"}, "annotations.0.lable is not a setting. Did you mean 'label'?"),
        (
            {"kind": "promo"},
            "annotations.0.kind: Input should be 'promotion', 'price', 'outage', 'tracking change' "
            "or 'holiday', got 'promo'.",
        ),
        (
            {"until": dt.date(2026, 7, 31)},
            "annotations.0: `until` 2026-07-31 is before `date` 2026-08-01.",
        ),
        (
            {"label": "x" * 61},
            f"annotations.0.label: a label is 1 to 60 characters of plain text, got '{'x' * 61}'.",
        ),
        ({"label": " "}, "annotations.0.label: a label is 1 to 60 characters of plain text, got"),
        ({"label": "a\u202eb"}, "annotations.0.label: a label is 1 to 60 characters of plain"),
        ({"label": 2026}, "annotations.0.label: Input should be a valid string, got 2026."),
    ],
)
def test_an_entry_that_does_not_fit_is_refused_with_its_place(tmp_path, changes, sentence):
    assert refused(tmp_path, SALE | changes).startswith(sentence)


def test_an_entry_that_stands_twice_is_refused(tmp_path):
    other = SALE | {"date": dt.date(2026, 8, 2)}
    assert len(annotations.load(written(tmp_path, SALE, other), as_of=AS_OF)) == 2
    assert refused(tmp_path, SALE, other, SALE | {"kind": "price"}) == (
        "annotations: 'Summer sale' of 2026-08-01 stands twice."
    )


@pytest.mark.parametrize(
    ("first", "last", "there"),
    [
        ((2026, 7, 1), (2026, 7, 31), False),
        ((2026, 7, 1), (2026, 8, 1), True),
        ((2026, 8, 10), (2026, 8, 10), True),
        ((2026, 7, 1), (2026, 9, 30), True),
        ((2026, 8, 31), (2026, 9, 30), True),
        ((2026, 9, 1), (2026, 9, 30), False),
    ],
)
def test_within_takes_what_went_on_on_any_day_of_the_period(first, last, there):
    sale = Annotation(**SALE)
    found = within([sale], first=dt.date(*first), last=dt.date(*last))
    assert found == ((sale,) if there else ())


def test_the_demo_is_annotated_with_the_promotion_that_was_planted():
    (sale,) = annotations.load(DEMO, as_of=AS_OF)
    assert (sale.date, sale.until) == Truth().promotion
    assert sale.kind == "promotion"
    assert Truth().promoted_channel in sale.label.lower()
