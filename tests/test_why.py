"""Why a figure moved, word for word and drawn: a head of department reads nothing else."""

from __future__ import annotations

import datetime as dt
import json
from types import SimpleNamespace

import pandas as pd
import pytest
import vl_convert

from retention_lab import charts, wording
from retention_lab.customers.compare import Comparison
from retention_lab.customers.explain import Explained, Part, Printed
from retention_lab.customers.groups import LEAST
from retention_lab.customers.measures import Estimate, measure
from retention_lab.customers.notable import notable
from retention_lab.inference.interval import Interval, minus
from retention_lab.record import SMALL, Ledger, why
from retention_lab.record.previous import Previous
from retention_lab.record.previous import Printed as Result
from retention_lab.reports import figures
from retention_lab.tables.period import parse
from retention_lab.wording import Instead

JULY, AUGUST = parse("2026-07"), parse("2026-08")
AS_OF = dt.date(2026, 10, 29)


def plain(text):
    """Make spaces and quotation marks those of a keyboard, so that sentences can be typed here."""
    marks = {"\N{NO-BREAK SPACE}": " "}
    marks |= dict.fromkeys("\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}", '"')
    return text.translate(str.maketrans(marks))


def around(value, margin):
    return Interval(value=value, low=value - margin, high=value + margin)


def groups(codes=((4_000, 3_000), (0.22, 0.22)), others=((6_000, 7_000), (0.31, 0.31))):
    """Two channels: customers (now, before) and rates (now, before) of each, and the split."""
    rows = [("code", *codes[0], *codes[1]), ("organic", *others[0], *others[1])]
    columns = ["group", "customers_now", "customers_before", "rate_now", "rate_before"]
    frame = pd.DataFrame(rows, columns=columns)
    for side in ("now", "before"):
        customers = frame[f"customers_{side}"]
        frame[f"share_{side}"] = customers / customers.sum()
        frame[f"rate_{side}"] = frame[f"rate_{side}"].astype("Float64")
    mean = (frame["rate_now"] + frame["rate_before"]) / 2
    weight = (frame["share_now"] + frame["share_before"]) / 2
    frame["mix"] = (frame["share_now"] - frame["share_before"]) * (mean - (mean * weight).sum())
    frame["rate"] = weight * (frame["rate_now"] - frame["rate_before"])
    return frame.astype({"mix": "float64", "rate": "float64"})


def explained(mix, rate, *, name="returned_90", before=0.284, printed=None, **about):
    """A change of two parts, each (value, margin), from `before`; `printed` is (value, parts)."""
    settings = {"by": ("acquisition_channel",), "groups": groups(), "size": 6_000, **about}
    parts = [
        Part(name="mix", value=mix[0], interval=around(*mix) if settings["by"] else None),
        Part(name="rate", value=rate[0], interval=around(*rate)),
    ]
    sides = [
        Estimate(measure=measure(name), period=period, customers=settings["size"], value=value)
        for period, value in (
            (AUGUST, around(before + mix[0] + rate[0], 0.011)),
            (JULY, around(before, 0.011)),
        )
    ]
    compared = Comparison(
        now=sides[0],
        before=sides[1],
        difference=minus(sides[0].value, sides[1].value),
        lift=None,
        overlap=0,
        currency="GBP",
        where_now="",
        where_before="",
    )
    value, others = printed or (None, {})
    changes = [Part(name=part, value=size, interval=None) for part, size in others.items()]
    frame = settings["groups"]
    dimension = (settings["by"] or ("acquisition_channel",))[0]
    return Explained(
        comparison=compared,
        printed=None
        if value is None
        else Printed(value=value, as_of=AS_OF, same_method="definition" in others),
        by=settings["by"],
        parts=(*changes, *parts),
        groups=frame,
        dimensions=pd.DataFrame(
            [(dimension, *vars(around(*mix)).values())],
            columns=["dimension", "mix", "low", "high"],
        ),
        singles=frame.assign(dimension=dimension),
        _split=None,
        _sides=(),
    )


def told(found):
    ledger = Ledger()
    assert why.why(ledger, found)
    return ledger


def answer(*parts, **about):
    found = explained(*parts, **about)
    return plain(wording.why_answer(told(found), found))


ANSWERS = {
    "mostly who joined": (
        ((-0.009, 0.006), (-0.005, 0.008)),
        "About 0.9 of the 1.4 points comes from *who* joined (0.3 to 1.5 lower): more customers of "
        'acquisition channel "code" (40 against 30 in 100), who come back less often (22 in 100, '
        "all others 31). The same kind of people came back 0.5 points less, which may be chance "
        "(1.3 lower to 0.3 higher).",
    ),
    "mostly what they did": (
        ((-0.009, 0.010), (-0.03, 0.01)),
        "About 0.9 of the 3.9 points goes with *who* joined: more customers of acquisition channel "
        '"code" (40 against 30 in 100), a part that may be chance (1.9 lower to 0.1 higher). The '
        "same kind of people came back 3.0 points less (2.0 to 4.0 lower).",
    ),
    "chance": (
        ((-0.001, 0.010), (0.002, 0.01)),
        "*Who* joined made no difference that can be told from chance (1.1 lower to 0.9 higher). "
        "The same kind of people came back 0.2 points more, which may be chance (0.8 lower to 1.2 "
        "higher).",
    ),
    "they cancel out": (
        ((-0.009, 0.004), (0.009, 0.004)),
        "*Who* joined would have lowered it by 0.9 points (0.5 to 1.3 lower): more "
        'customers of acquisition channel "code" (40 against 30 in 100), who come back less often '
        "(22 in 100, all others 31). The same kind of people came back 0.9 points more (0.5 to 1.3 "
        "higher).",
    ),
    "opposite signs, and no group that points so": (
        ((0.005, 0.004), (-0.019, 0.004)),
        "*Who* joined would have raised it by 0.5 points (0.1 to 0.9 higher). The same "
        "kind of people came back 1.9 points less (1.5 to 2.3 lower).",
    ),
    "perhaps nothing": (
        ((0.0001, 0.02), (-0.0001, 0.004)),
        "*Who* joined made no difference that can be told from chance (2.0 lower to 2.0 higher). "
        "Among the same kind of people it is about the same (0.4 lower to 0.4 higher).",
    ),
    "nothing": (
        ((0.0001, 0.0002), (-0.0001, 0.004)),
        "*Who* joined made next to no difference (0.0 lower to 0.0 higher). Among the "
        "same kind of people it is about the same (0.4 lower to 0.4 higher).",
    ),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_the_first_screen_says_how_much_goes_with_who_joined(case):
    parts, expected = ANSWERS[case]
    assert answer(*parts) == expected


def test_no_word_claims_a_cause_or_speaks_to_statisticians():
    for parts, _ in ANSWERS.values():
        said = answer(*parts).lower()
        assert not any(word in said for word in ("driver", "significan", "because", "p-value"))


def test_buyers_are_not_said_to_have_joined_or_come_back():
    said = answer((2.5, 1.0), (1.0, 2.0), name="average_order_value", before=40.0, groups=money())
    assert said == (
        "About £2.50 of the £3.50 comes from *who* bought (£1.50 to £3.50 higher): more customers "
        'of acquisition channel "code" (40 against 30 in 100), and their figure is higher (£62.00, '
        "all others £31.00). Among the same kind of people it is £1.00 higher, which may be chance "
        "(£1.00 lower to £3.00 higher)."
    )


def money():
    return groups(codes=((4_000, 3_000), (62, 62)), others=((6_000, 7_000), (31, 31)))


def test_without_dimensions_nothing_is_said_of_who_joined():
    found = explained((0, 0), (-0.014, 0.016), by=())
    said = wording.why_answer(told(found), found)
    assert said == (
        "The data do not tell what kind of people these customers are, so a change in *who* joined "
        "cannot be seen."
    )
    assert wording.why_cautions(found).startswith("Map attributes of customers")
    (_, step, _) = wording.why_parts(told(found), found).index
    assert step == "Who joined and what they did"


def test_a_group_is_named_only_if_it_makes_a_quarter_of_the_mix_in_its_direction():
    named = explained((-0.009, 0.006), (0, 0.01))
    assert notable(named).group == "code"
    assert notable(explained((-0.05, 0.006), (0, 0.01))) is None  # 0.5 of 5 points
    assert notable(explained((0.009, 0.006), (0, 0.01))) is None  # the other direction
    unknown = groups().replace({"group": {"code": "unknown", "organic": "all others"}})
    assert notable(explained((-0.009, 0.006), (0, 0.01), groups=unknown)) is None


def test_names_that_people_typed_are_inert():
    typed = groups().replace({"group": {"code": "*sale* [x](y)"}})
    said = answer((-0.009, 0.006), (0, 0.01), groups=typed)
    assert r"\*sale\* \[x\](y)" in said


def test_a_restated_figure_is_said_as_printed_and_as_it_is_now():
    moved = explained(
        (-0.009, 0.006),
        (-0.005, 0.008),
        printed=(0.285, {"restated": -0.001, "definition": 0.0}),
    )
    assert plain(wording.why_restated(told(moved), moved)) == (
        "With today's data, July 2026 moves from 28.5 % as printed to 28.4 % (data restated since)."
    )
    same = explained((0, 0.1), (0, 0.1), printed=(0.284, {"restated": 0.0, "definition": 0.0}))
    assert plain(wording.why_restated(told(same), same)) == ""
    assert wording.why_parts(told(same), same).index.tolist() == [
        "July 2026, as printed",
        "Who joined",
        "What the same kind of people did",
        "August 2026",
    ]
    either = explained((0, 0.1), (0, 0.1), printed=(0.3, {"restated or definition": -0.016}))
    assert "restated data or another way of counting" in wording.why_restated(told(either), either)
    nothing = explained((0, 0.1), (0, 0.1))
    assert wording.why_restated(told(nothing), nothing) == ""


def test_the_table_leads_from_the_printed_figure_to_the_one_now():
    found = explained(
        (-0.009, 0.006),
        (-0.005, 0.008),
        printed=(0.285, {"restated": -0.001, "definition": 0.0}),
    )
    table = wording.why_parts(told(found), found).map(plain)
    assert table.to_dict("split")["index"] == [
        "July 2026, as printed",
        "Restated data",
        "Who joined",
        "What the same kind of people did",
        "August 2026",
    ]
    figures = table["Figure, or change in points"].tolist()
    assert figures == ["28.5 %", "-0.1", "-0.9", "-0.5", "27.0 %"]
    spans = ["", "", "0.3 to 1.5 lower", "1.3 lower to 0.3 higher", ""]
    assert table["Range"].tolist() == spans
    alone = wording.why_dimensions(found)
    assert alone.index.tolist() == ["Acquisition channel"]
    assert alone["Change from who joined, in points"].tolist() == ["-0.9"]


def test_every_number_of_the_sentences_is_recorded():
    found = explained(
        (-0.009, 0.006), (-0.005, 0.008), printed=(0.285, {"restated or definition": -0.001})
    )
    ledger = told(found)
    assert [claim.name for claim in ledger.claims()] == [
        "why_restated_or_definition",
        "why_mix",
        "why_rate",
        "why_group",
        "why_group_before",
        "why_group_rate",
        "why_others_rate",
    ]
    assert {claim.unit for claim in ledger.claims()[:3]} == {"points"}
    assert ledger["why_restated_or_definition"].low is None
    assert ledger["why_mix"].low == pytest.approx(-0.015)
    assert ledger["why_group"].value == 0.4


def test_fewer_than_ten_customers_are_neither_recorded_nor_explained():
    assert LEAST == SMALL
    found, ledger = explained((-0.009, 0.006), (0, 0.01), size=9), Ledger()
    assert not why.why(ledger, found)
    assert ledger.claims() == []
    assert wording.why_answer(ledger, found) == ""
    for shown in (wording.why_parts(ledger, found), charts.why_steps(ledger, found)):
        assert isinstance(shown, Instead)


def test_where_nothing_can_be_explained_a_sentence_says_so():
    nobody = SimpleNamespace(cohort=None, before=None)
    assert why.returned(Ledger(), None, nobody, days=90) is None
    assert wording.why_answer(Ledger(), None) == ""
    assert wording.why_cautions(None) == wording.why_parts(Ledger(), None).why == ""
    assert charts.why_steps(Ledger(), None).why.startswith("Nothing is explained")
    bare = explained((0, 0), (-0.014, 0.016), by=())
    for shown in (wording.why_dimensions(None), charts.why_groups(None), charts.why_groups(bare)):
        assert isinstance(shown, Instead)


def printed_as(name, **about):
    result = {
        "value": 0.285,
        "unit": "share",
        "period": "2026-07-01/2026-07-31",
        "definition": "It is so.",
        "method_version": why.__version__,
    }
    return Previous(as_of=AS_OF, results={name: Result(name=name, **{**result, **about})})


@pytest.mark.parametrize("name", ["returned", "returned_before"])
def test_what_was_printed_of_a_month_is_found_by_either_name(name):
    claim = Ledger().record(
        "returned_before",
        0.284,
        unit="share",
        definition="It is so.",
        period="2026-07-01/2026-07-31",
    )
    found = why.printed(printed_as(name), claim)
    assert (found.value, found.as_of, found.same_method) == (0.285, AS_OF, True)
    for other in ({"definition": "It was so."}, {"method_version": "0.0.1"}):
        assert not why.printed(printed_as(name, **other), claim).same_method
    assert why.printed(printed_as(name, period="2026-06-01/2026-06-30"), claim) is None
    assert why.printed(None, claim) is None


def data_of(chart):
    (rows,) = chart.to_dict()["datasets"].values()
    return pd.DataFrame(rows)


def drawn(chart, caplog):
    svg = vl_convert.vegalite_to_svg(json.dumps(chart.to_dict()), vl_version=figures.VEGA_LITE)
    assert caplog.records == []
    return svg


def test_the_steps_lead_from_one_figure_to_the_other(caplog):
    found = explained(
        (-0.009, 0.006),
        (-0.005, 0.008),
        printed=(0.285, {"restated": -0.001, "definition": 0.0}),
    )
    chart = charts.why_steps(told(found), found)
    data = data_of(chart)
    assert data["ends"].tolist()[:-1] == pytest.approx([*data["begins"][1:-1], 0.27])
    assert data["ends"].iloc[[0, -1]].tolist() == [0.285, 0.27]
    spans = data.dropna(subset="low").set_index("step")
    assert spans.index.tolist() == ["Who joined", "What the same kind of people did"]
    assert spans.loc["Who joined", ["low", "high"]].tolist() == pytest.approx([0.269, 0.281])
    meta = chart.to_dict()["usermeta"]
    assert {field for field, _ in meta["labels"]} == set(data.columns)
    assert (
        "the steps from July 2026 to August 2026, in points: Restated data -0.1"
        in chart.to_dict()["description"]
    )
    drawn(chart, caplog)


def test_groups_are_drawn_with_their_figure_and_size_unless_they_are_small(caplog):
    found = explained((-0.009, 0.006), (-0.005, 0.008))
    chart = charts.why_groups(found)
    data = data_of(chart)
    assert len(data) == 4
    assert set(data["side"]) == {"August 2026", "July 2026"}
    drawn(chart, caplog)
    few = groups(codes=((9, 0), (0.22, None)), others=((6_000, 7_000), (0.31, 0.31)))
    data = data_of(charts.why_groups(explained((-0.009, 0.006), (0, 0.01), groups=few)))
    assert set(data["group"]) == {"organic"}
