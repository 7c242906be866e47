from __future__ import annotations

import datetime as dt

import pytest
from bs4 import BeautifulSoup

from retention_lab import checks
from retention_lab.reports import catalogue
from retention_lab.reports.catalogue import Entry


def run(day, *, status="good", suite="Weekly", simulated=True, **rest):
    return Entry(
        suite=suite,
        as_of=dt.date(2026, 11, day),
        status=status,
        simulated=simulated,
        source="Demo shop",
        **rest,
    )


def rendered(*entries):
    return BeautifulSoup(catalogue.render(entries), "html.parser")


def days(soup, where):
    return [each.get_text() for each in soup.select(f"{where} h3")]


def test_catalogue_shows_the_newest_run_and_folds_the_older_ones():
    soup = rendered(run(15), run(29), run(22))
    assert days(soup, ".latest") == ["Sunday 29 November 2026"]
    assert days(soup, "details") == ["Sunday 22 November 2026", "Sunday 15 November 2026"]
    assert soup.summary.get_text() == "2 earlier"


def test_catalogue_keeps_the_last_good_run_in_sight_behind_a_failed_one():
    soup = rendered(run(29, status="failed"), run(22), run(15))
    assert days(soup, ".latest") == ["Sunday 29 November 2026", "Sunday 22 November 2026"]
    assert len(soup.select(".failed")) == 1


def test_catalogue_of_failures_alone_folds_the_older_ones():
    soup = rendered(run(29, status="failed"), run(22, status="failed"))
    assert days(soup, ".latest") == ["Sunday 29 November 2026"]


def test_catalogue_lists_suites_by_name():
    soup = rendered(run(1, suite="Weekly"), run(2, suite="Check-in"), run(3, suite="Weekly"))
    assert [each.get_text() for each in soup.find_all("h2")] == ["Check-in", "Weekly"]


def test_catalogue_links_pages():
    soup = rendered(run(29, pages={"Overview": "weekly/o.html"}))
    assert [(each["href"], each.get_text()) for each in soup.select("main a")] == [
        ("weekly/o.html", "Overview")
    ]


def test_catalogue_says_what_a_page_says_first():
    said = {"Overview": "Fewer of <August> came back."}
    soup = rendered(run(29, pages={"Overview": "weekly/o.html"}, headlines=said))
    assert "Fewer of <August> came back." in soup.li.get_text()


def test_catalogue_runs_no_script_and_keeps_hostile_words_inert():
    said = {"<b>": "</dd><img src=x>"}
    soup = rendered(run(29, suite="<script>x()</script>", pages={"<b>": "o.html"}, headlines=said))
    policy = soup.find("meta", attrs={"http-equiv": "Content-Security-Policy"})["content"]
    assert "script-src 'none'" in policy
    assert not soup.select("script, img, main b")
    assert soup.h2.get_text() == "<script>x()</script>"


@pytest.mark.parametrize("href", ["https://example.org", "javascript:x()", "/etc", "//example.org"])
def test_catalogue_refuses_pages_that_lie_elsewhere(href):
    with pytest.raises(checks.BadParameter, match="relative to it"):
        rendered(run(29, pages={"Overview": href}))


def test_catalogue_says_which_runs_are_made_up():
    soup = rendered(run(29, suite="a"), run(29, suite="b", simulated=False))
    assert len(soup.select(".tag")) == 1
    assert soup.title.string == "Retention reports"
    assert rendered(run(29)).title.string == "Made-up customers · Retention reports"


def test_catalogue_of_nothing_says_so():
    assert "No report has been made yet." in rendered().get_text()
