from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re

import pytest
from bs4 import BeautifulSoup

from retention_lab import checks
from retention_lab.reports import history, sparkline


def claim(value, **rest):
    said = {"name": "returned", "label": "Returned", "unit": "share", "key": True}
    marks = {"definition_hash": "d1", "method_version": "0.1.0"}
    text = f"{100 * value:.1f} %"
    return {**said, **marks, "value": value, "text": text, "low": None, "high": None, **rest}


def report(day, *claims, code="c1", where="", **rest):
    return {
        "as_of": f"2026-11-{day:02}",
        "source": {"name": "Shop"},
        "snapshot": {"where": where, "time_zone": "UTC"},
        "code": code,
        "notebooks": {"10": {"title": "Overview", "results": list(claims)}},
        **rest,
    }


def followed(*reports):
    (series,) = history.series(reports)
    return series


def broken(*reports):
    return [point.broken for point in followed(*reports).points]


def test_key_numbers_of_the_newest_report_are_followed_back():
    reports = [report(day, claim(day / 100), claim(1, name="n", key=False)) for day in (1, 8, 15)]
    series = followed(*reports)
    assert [(point.as_of.day, point.value) for point in series.points] == [
        (1, 0.01),
        (8, 0.08),
        (15, 0.15),
    ]
    assert not any(point.broken for point in series.points)


def test_lines_show_a_year_of_weeks():
    days = [dt.date(2024, 1, 7) + dt.timedelta(weeks=n) for n in range(60)]
    series = followed(*(report(1, claim(0.2), as_of=str(day)) for day in days))
    assert [len(series.points), series.points[0].as_of] == [53, days[7]]


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        (report(8, claim(0.2, definition_hash="d2")), "the definition changed"),
        (report(8, claim(0.2, method_version="0.2.0")), "version 0.2.0 replaced 0.1.0"),
        (report(8, claim(0.2), code="c2"), "the code changed"),
        (
            report(8, claim(0.2), where="country = 'UK'"),
            "the source, the choice of customers or the time zone changed",
        ),
        (
            report(8, claim(0.2), source={"name": "Other"}),
            "the source, the choice of customers or the time zone changed",
        ),
    ],
)
def test_line_breaks_where_numbers_stop_being_comparable(after, reason):
    assert broken(report(1, claim(0.2)), after, {**after, "as_of": "2026-11-15"}) == [
        (),
        (reason,),
        (),
    ]


def test_line_does_not_break_at_what_older_reports_did_not_tell():
    old = claim(0.2)
    del old["definition_hash"], old["method_version"]
    assert broken(report(1, old, code=""), report(8, claim(0.2))) == [(), ()]


def test_line_breaks_where_a_report_lacks_the_number_or_counts_it_otherwise():
    without = ("a report in between has no such number",)
    assert broken(report(1, claim(0.2)), report(8), report(15, claim(0.2))) == [(), without]
    other = report(8, claim(20, unit="count"))
    assert broken(report(1, claim(0.2)), other, report(15, claim(0.2))) == [(), without]


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        (claim(0.3), claim(0.2), "Down from 30.0 % in the report of 1 November 2026."),
        (
            claim(0.2, about="July"),
            claim(0.3, about="August"),
            "Up from 20.0 % (July) in the report of 1 November 2026.",
        ),
        (
            claim(0.3, about="July"),
            claim(0.2, about="July"),
            "Restated: 30.0 % in the report of 1 November 2026.",
        ),
        (claim(0.3), claim(0.30001), "As in the report of 1 November 2026."),
        (
            claim(0.3, about="July"),
            claim(0.3, about="August"),
            "30.0 % (July), the same, in the report of 1 November 2026.",
        ),
        (
            claim(0.3, definition_hash="d0"),
            claim(0.2),
            "Not comparable with 30.0 % in the report of 1 November 2026: the definition changed.",
        ),
    ],
)
def test_change_since_the_report_before_is_told_in_words(before, now, words):
    assert followed(report(1, before), report(8, now)).change == words
    assert followed(report(8, now)).change == ""


def test_reasons_are_told_once_for_all_lines_that_they_break():
    def both(day, **rest):
        one, other = claim(0.2, **rest), claim(0.3, name="r", label="Revenue")
        return report(day, one, other, code="c1" if day < 8 else f"c{day}")

    lines = history.series([both(1), both(8), both(15, definition_hash="d2"), both(22)])
    assert history.breaks(lines) == [
        "Every line breaks where the code changed: 8 November 2026, 15 November 2026 and "
        "22 November 2026.",
        "The line of Returned breaks where the definition changed: 15 November 2026 and "
        "22 November 2026.",
    ]
    assert history.breaks(history.series([both(1)])) == []


def test_report_of_a_day_counts_once_and_in_order():
    twice = [report(8, claim(0.1)), report(1, claim(0.2)), report(8, claim(0.3))]
    ordered = history.oldest_first(twice)
    assert [each["notebooks"]["10"]["results"][0]["value"] for each in ordered] == [0.2, 0.3]


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"as_of": "soon"}', '{"as_of": 3}'])
def test_damaged_results_are_refused_by_name(tmp_path, text):
    file = tmp_path / "2026-11-29.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(checks.BadData, match=r"2026-11-29\.json does not hold the results"):
        history.read(file)
    file.write_text(json.dumps(report(1)), encoding="utf-8")
    assert history.read(file) == report(1)


def drawn(*reports):
    return BeautifulSoup(sparkline.picture(followed(*reports)), "html.parser").svg


def places(path):
    numbers = [float(each) for each in re.findall(r"[\d.]+", path["d"])]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def test_sparkline_goes_from_the_first_report_to_the_newest_and_up_for_more():
    svg = drawn(*(report(day, claim(value)) for day, value in ((1, 0.2), (2, 0.25), (5, 0.3))))
    ((x1, y1), (x2, y2), (x3, y3)) = places(svg.select_one(".line"))
    assert (x1, x3) == (sparkline.MARGIN, sparkline.WIDTH - sparkline.MARGIN)
    assert (x2 - x1) == pytest.approx((x3 - x1) / 4, abs=0.1)
    assert y1 > y2 > y3
    assert (svg["role"], svg.select(".gap, .band")) == ("img", [])
    assert svg["aria-label"] == (
        "Returned: 3 reports from 1 November 2026 to 5 November 2026, lowest 20.0 %, "
        "highest 30.0 %, newest 30.0 %."
    )


def test_sparkline_is_interrupted_where_the_definition_changed():
    hashes = {1: "d1", 8: "d1", 15: "d2", 22: "d2"}
    svg = drawn(*(report(day, claim(0.2, definition_hash=mark)) for day, mark in hashes.items()))
    first, second = map(places, svg.select(".line"))
    (gap,) = svg.select(".gap")
    assert first[-1][0] < float(re.findall(r"[\d.]+", gap["d"])[0]) < second[0][0]
    assert svg["aria-label"].endswith("The line breaks at 15 November 2026.")


def test_sparkline_shows_intervals_within_its_frame():
    reports = [report(day, claim(0.2, low=0.1, high=0.4)) for day in (1, 8)]
    (band,) = drawn(*reports).select(".band")
    heights = [y for _, y in places(band)]
    assert (min(heights), max(heights)) == (
        sparkline.MARGIN,
        sparkline.HEIGHT - sparkline.MARGIN,
    )


def test_sparkline_of_one_report_is_not_drawn_and_of_equal_numbers_is_level():
    assert sparkline.picture(followed(report(1, claim(0.2)))) == ""
    (line,) = drawn(report(1, claim(0.2)), report(8, claim(0.2))).select(".line")
    assert {y for _, y in places(line)} == {sparkline.HEIGHT / 2}


def test_words_of_a_sparkline_stay_words():
    series = followed(report(1, claim(0.2)), report(8, claim(0.3)))
    hostile = dataclasses.replace(series, label='"><script>x()</script>')
    svg = BeautifulSoup(sparkline.picture(hostile), "html.parser").svg
    assert svg["aria-label"].startswith('"><script>x()</script>: 2 reports')
    assert not svg.select("script")
