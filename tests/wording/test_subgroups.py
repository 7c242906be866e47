"""What is recorded, said and drawn of effects by segment, word for word; nothing of a few."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest
import vl_convert

from retention_lab.charts.frame import listed
from retention_lab.charts.subgroups import MOST, effects
from retention_lab.experiments.subgroups import Subgroups
from retention_lab.record import Ledger
from retention_lab.record import subgroups as recorded
from retention_lab.wording import Instead
from retention_lab.wording.subgroups import NOT_SHOWN, TO_TEST, brief, subgroups_sentence

LUCK = {
    "arm": "check-in",
    "segment": "country",
    "value": "DE",
    "customers": 500,
    "customers_control": 510,
    "effect": 0.05,
    "std_error": 0.03,
    "low": -0.01,
    "high": 0.11,
    "shrunk": 0.034,
    "shrunk_low": -0.011,
    "shrunk_high": 0.079,
    "p_value": 0.4,
    "p_adjusted": 0.6,
}
ROWS = [LUCK, LUCK | {"value": "FR"}, LUCK | {"value": "first_class"}]
PAIR = [
    LUCK
    | {"segment": "plan_type", "value": name}
    | dict.fromkeys(("shrunk", "shrunk_low", "shrunk_high"), pd.NA)
    for name in ("a", "b")
]
APART = LUCK | {"value": "UK", "p_adjusted": 0.01, "shrunk": 0.12}
APART |= {"shrunk_low": 0.06, "shrunk_high": 0.18}


def found_of(*rows, left_out=(), why=None, p_adjusted=1.0):
    frame = pd.DataFrame([*rows], columns=[*LUCK])
    pairs = frame[["arm", "segment"]].drop_duplicates()
    mean = {"mean": 0.03, "mean_low": 0.004, "mean_high": 0.056, "p_adjusted": p_adjusted}
    return Subgroups(
        rows=frame,
        interactions=pairs.assign(**mean).reset_index(drop=True),
        left_out=pd.DataFrame([*left_out], columns=[*LUCK][:5]),
        examined=len(frame),
        why=why or {},
    )


def small(value, customers):
    return dict(zip([*LUCK][:5], ("check-in", "country", value, customers, customers), strict=True))


def seen_of(found, *, shows=True, arms=2, why=None):
    names = ["control", "check-in", "call"][:arms]
    plan = SimpleNamespace(
        arms=[SimpleNamespace(name=name) for name in names], endpoint=SimpleNamespace(day=90)
    )
    return SimpleNamespace(subgroups=found, shows=shows, plan=plan, why=why or {})


def said(*rows, shows=True, arms=2, **words):
    seen, ledger = seen_of(found_of(*rows, **words), shows=shows, arms=arms), Ledger()
    recorded.record(ledger, seen)
    return subgroups_sentence(ledger, seen).replace("\\", ""), effects(seen), ledger


def test_without_a_difference_it_is_said_that_there_is_none():
    words, _, ledger = said(*ROWS)
    assert words == (
        "No segment differs reliably from the average. Pulled towards the average because "
        "small groups mislead; 3 segments were examined."
    )
    assert ledger["subgroups_examined"].value == 3
    assert ledger["subgroup:check-in:country:DE"].full == "+3.4 (-1.1 to +7.9)"


def test_a_segment_that_differs_is_named_beside_the_average_and_is_no_result():
    words, *_ = said(*ROWS, APART)
    assert words == (
        "1 segment differs reliably from the average:\n"
        "\n"
        "- Country UK: +12.0 points (+6.0 to +18.0), against +3.0 (+0.4 to +5.6) on average.\n"
        "\n"
        f"{TO_TEST} Pulled towards the average because small groups mislead; 4 segments were "
        "examined."
    )
    assert "2 segments differ reliably" in said(*ROWS, APART, APART | {"value": "IT"})[0]
    assert "- Check-in, country UK: " in said(*ROWS, APART, arms=3)[0]


def test_the_first_screen_says_of_segments_what_their_own_part_says():
    alone = brief(seen_of(found_of(*ROWS, APART)))
    assert alone.startswith("One segment differs reliably from the average")
    other = APART | {"arm": "call"}
    assert brief(seen_of(found_of(*ROWS, other), arms=3)) == alone
    none = found_of(*ROWS)
    assert brief(seen_of(none)) == "No segment differs reliably from the average."
    assert brief(seen_of(none, shows=False)) == ""


def test_two_groups_are_told_as_they_are():
    words, chart, ledger = said(*PAIR)
    assert words.endswith(
        "2 segments were examined. By plan type there are two groups, too few to tell how far to "
        "pull them: they stand as they are."
    )
    assert "Pulled" not in words
    assert ledger["subgroup:check-in:plan_type:a"].full == "+5.0 (-1.0 to +11.0)"
    assert listed(chart)["pulled"].isna().all()


def test_effects_that_differ_together_but_not_alone_are_not_called_alike():
    words, *_ = said(*ROWS, p_adjusted=0.01)
    assert "Taken together, though, effects differ by country more than luck explains." in words


def test_groups_left_out_are_counted_and_none_of_a_few_can_be_worked_out():
    words, chart, ledger = said(
        LUCK | {"customers": 40, "customers_control": 40},
        *ROWS[1:],
        APART,
        left_out=[small("LI", 4)],
    )
    assert "- By country, 1 group is left out: fewer than 10 customers on one side" in words
    # LI has 8 customers: DE, the next smallest, would tell of them beside the test's total.
    assert listed(chart)["name"].tolist() == ["country FR", "country first_class", "country UK"]
    assert "subgroup:check-in:country:DE" not in ledger
    assert len(listed(said(*ROWS, left_out=[small("LI", 40)])[1])) == 3
    shown = said(*ROWS, left_out=[small("LI", 40), small("SE", 30)])
    assert len(listed(shown[1])) == 3
    assert "2 groups are left out" in shown[0]


def test_what_is_hidden_is_not_said_to_be_like_the_rest():
    hidden = APART | {"customers": 6}
    words, chart, _ = said(*ROWS, hidden)
    assert "No segment that can be shown differs reliably from the average." in words
    assert "UK" not in listed(chart)["name"].str.cat()


def test_effects_by_segment_wait_for_the_effect_itself():
    words, chart, ledger = said(*ROWS, APART, shows=False)
    assert words == NOT_SHOWN
    assert isinstance(chart, Instead)
    assert not ledger.claims()
    nothing = seen_of(None, why={"subgroups": "Nobody has been followed for so long."})
    assert subgroups_sentence(Ledger(), nothing) == "Nobody has been followed for so long."


def test_why_an_attribute_cannot_be_told_is_said():
    words, chart, _ = said(why={"segments": "The plan names no segments."})
    assert words == "- The plan names no segments."
    assert isinstance(chart, Instead)


def test_the_picture_sets_alone_and_pulled_beside_the_average():
    _, chart, _ = said(*ROWS, APART)
    data = listed(chart)
    assert data["pulled"].tolist() == pytest.approx([3.4, 3.4, 3.4, 12.0])
    assert data["effect"].tolist() == pytest.approx([5.0] * 4)
    assert data["mean"].tolist() == pytest.approx([3.0] * 4)
    assert data["apart"].tolist() == ["no", "no", "no", "yes"]
    vl_convert.vegalite_to_png(chart.properties(width=340).to_dict())


def test_of_many_segments_the_largest_are_drawn():
    rows = [LUCK | {"value": f"{place:02}", "customers": 100 + place} for place in range(MOST + 6)]
    _, chart, _ = said(*rows)
    data = listed(chart)
    assert len(data) == MOST
    assert data["name"].iloc[0] == "country 06"
    assert f"The {MOST} largest are drawn." in chart.usermeta["caption"]
