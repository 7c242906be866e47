"""The sentences on who the customers are, word for word, and the words that they do without."""

from __future__ import annotations

import re

import pytest

from retention_lab.wording import segments as said

from ..customers import moved  # noqa: TID252  one maker of standings
from ..customers.moved import COUNTS, made, rule, slipping  # noqa: TID252

ABOVE = re.compile(r"significant|\bp\b|hazard|driver|chance|binomial|\bindex\b", re.IGNORECASE)


def read(text):
    """Give a sentence plain spaces and apostrophes."""
    return text.translate({0xA0: " ", 0x2019: "'", 0x201C: '"', 0x201D: '"'})


def first_screen(*, consents=True, **fields):
    ledger, standing = made(**fields)
    parts = [
        read(said.segments_headline(ledger, standing)),
        read(said.segments_body(ledger, standing)),
        read(said.segments_action(ledger, standing, owner="Lifecycle", consents=consents)),
    ]
    for part in parts:
        assert not ABOVE.search(part)
        assert "  " not in part
        assert re.findall(r"\b(?:nan|None,|NaT)\b|\bNone\.", part) == []
    return parts


def test_first_screen_says_who_they_are_what_they_bring_and_who_slipped():
    headline, body, action = first_screen()
    assert headline == (
        'About 12 in 100 customers are "high-value repeat"; they brought 48.0 % of the revenue of '
        "the last year, and no more of the long-standing ones slipped than would by luck alone."
    )
    assert body == (
        '1,060 of 9,000 customers (11.8 %, 11.1 to 12.5) are "high-value repeat". They brought '
        "48.0 % of the revenue of the 365 days to 29 November 2026, less what was sent back. About "
        "60 in 100 (59.0 to 61.0) have bought only once. Of the 1,020 who were so on 31 August "
        "2026, 120 (11.8 %, 9.9 to 13.9) slipped to another cohort; some always do by luck. Of "
        "those who first bought by 31 August 2025, 90 slipped and 80 rose into it; by luck alone "
        "about 85 (72 to 98) of these 170 would have slipped. So no more of them slipped than "
        "would by luck. The cut lines are those frozen on 1 January 2026, so nobody changed cohort "
        "because they were redrawn."
    )
    assert action == (
        "**Do** (Lifecycle, by 6 December 2026): contact those who slipped and those whose "
        "interest rises; `retention-lab list slipped SOURCE` and `retention-lab list rising "
        "SOURCE` write the lists. **Do not** look for what made them slip: no more did than would "
        "by luck."
    )


def test_more_who_slipped_than_by_luck_are_asked_why():
    headline, body, action = first_screen(long=slipping(105, 60))
    assert headline.endswith("and more of the long-standing ones slipped than would by luck alone.")
    assert (
        "So more of them slipped than would by luck; that is so as well where old customers simply "
        "stop for good."
    ) in body
    assert action == (
        "**Do** (Lifecycle, by 6 December 2026): contact those who slipped and ask what changed "
        "for them; `retention-lab list slipped SOURCE` writes their list. **Do not** count whoever "
        "comes back as won back: some come back by themselves."
    )


def test_fewer_who_slipped_than_by_luck_are_said_so():
    headline, body, action = first_screen(long=slipping(50, 90))
    assert "and fewer of the long-standing ones slipped than would by luck alone." in headline
    assert "So fewer of them slipped than would by luck." in body
    assert "**Do not** look for what made them slip: no more did than would by luck." in action


@pytest.mark.parametrize(
    ("usual", "said", "wrong"),
    [
        (40, "more of the long-standing ones slipped than in the 90 days before", "Do not** count"),
        (
            104,
            "about as many of the long-standing ones slipped as in the 90",
            "more did than usual",
        ),
        (260, "fewer of the long-standing ones slipped than in the 90", "more did than usual"),
    ],
)
def test_who_slipped_is_news_only_beside_what_is_usual(usual, said, wrong):
    headline, body, action = first_screen(long=slipping(105, 60), usual=slipping(usual, 60))
    assert said in headline
    assert "luck" not in headline
    assert "about 15 in 100 of the 705 who were in it (14.9 %, 12.5 to 17.7)" in body
    assert wrong in action


def test_nobody_who_slipped_is_said_so():
    counts = COUNTS.copy()
    counts[1, 2] = 0
    headline, body, action = first_screen(counts=counts, long=slipping(0, 80))
    assert headline.endswith("of the last year, and nobody slipped in 90 days.")
    assert "None of the 900 who were so on 31 August 2026 slipped." in body
    assert action == (
        "**Do** (Lifecycle, by 6 December 2026): contact those whose interest rises; "
        "`retention-lab list rising SOURCE` writes their list. **Do not** draw new cut lines to "
        "find more of them: whoever moves then has done nothing."
    )


def test_too_few_who_slipped_are_not_counted():
    counts = COUNTS.copy()
    counts[1, 2] = 4
    headline, body, action = first_screen(counts=counts, long=slipping(4, 80))
    assert headline.endswith("they brought 48.0 % of the revenue of the last year.")
    too_few = 'Too few were "high-value repeat" on 31 August 2026, or have slipped since, to say'
    assert f"{too_few} how many." in body
    assert "slipped" not in action


def test_too_few_long_standing_customers_leave_luck_out():
    headline, body, action = first_screen(long=slipping(3, 2))
    assert headline.endswith("they brought 48.0 % of the revenue of the last year.")
    assert "some always do by luck. Too few have long been customers to say how many." in body
    assert "list slipped" in action
    assert "Do not** count" in action


def test_no_earlier_day_is_said_so():
    headline, body, action = first_screen(then=None)
    assert headline.endswith("they brought 48.0 % of the revenue of the last year.")
    assert body.endswith("Nobody had bought by 31 August 2026, so nobody can have moved yet.")
    assert action == (
        "**Do:** nothing yet. **Do not** read a trend into one day: who slips or rises is told 90 "
        "days after the first purchases."
    )


def test_nobody_who_bought_is_said_so():
    nobody = moved.sizes([5_400, 0, 3_600], revenue=(0, 0, 0), purchases=[0, 0, 0])
    headline, body, action = first_screen(known=nobody)
    assert headline == "Nobody has bought in the last 365 days."
    assert body.startswith(
        '0 of 9,000 customers (0.0 %, 0.0 to 0.0) are "high-value repeat". About'
    )
    assert action == (
        "**Do** (Lifecycle, by 6 December 2026): find out whether the orders are complete. **Do "
        "not** contact anybody by this."
    )


def test_too_few_customers_are_said_so():
    few = moved.sizes([3, 2, 1])
    assert first_screen(known=few) == [
        "There are fewer than 10 customers, too few to tell apart.",
        "",
        "**Do:** nothing yet.",
    ]


def test_one_cohort_only_tells_nobody_apart():
    alone = moved.rules(rule("everybody"))
    sizes = moved.sizes([9_000], revenue=(1_000,), names=["everybody"])
    headline, body, _action = first_screen(
        rules=alone, known=sizes, counts=[[8_460]], long=[[5_000]], names=["everybody"]
    )
    assert headline == 'All 9,000 customers are in one cohort, "everybody".'
    assert body.startswith("The playbook tells no cohorts apart, so nobody is told to slip.")


def test_playbook_without_a_cohort_of_value_is_said_so():
    group = ["once", "new", "rest"]
    rules = moved.rules(rule("once", bought="once"), rule("new", recency=(4, 5)), rule("rest"))
    headline, body, _action = first_screen(rules=rules, names=group)
    assert headline == "About 60 in 100 of all 9,000 customers have bought only once."
    assert body.startswith("The playbook names no cohort of high value, so nobody is told to slip.")
    mixed = moved.rules(rule("a", recency=(4, 5)), rule("b", frequency=(2, 5)), rule("c"))
    headline, _body, _action = first_screen(rules=mixed, names=["a", "b", "c"])
    assert headline == "9,000 customers have bought so far."


def test_cohort_of_a_few_is_not_counted():
    headline, body, _action = first_screen(known=moved.sizes([5_400, 9, 3_591]))
    assert (
        headline == "About 60 in 100 of all 9,000 customers have bought only once."
    )  # the rest hide
    assert 'How many are "high-value repeat" would tell of fewer than 10 customers.' in body


def test_cohort_goes_by_its_own_name_which_markdown_does_not_read():
    group = ["once", "*Gold*", "rest"]
    rules = moved.rules(rule("once", bought="once"), rule("*Gold*", monetary=(4, 5)), rule("rest"))
    headline, _body, _action = first_screen(rules=rules, names=group)
    assert headline.startswith('About 12 in 100 customers are "\\*Gold\\*"; they brought')


def test_cohort_of_everybody_or_nobody_is_no_share():
    everybody = moved.sizes([0, 9_000, 0], revenue=(0, 1_000, 0))
    headline, _body, _action = first_screen(known=everybody)
    assert headline.startswith('All of the 9,000 customers are "high-value repeat"; they brought 1')
    nobody = moved.sizes([5_400, 0, 3_600], revenue=(500, 0, 500))
    headline, _body, _action = first_screen(known=nobody)
    assert headline.startswith('None of the 9,000 customers are "high-value repeat"; no more of')


def test_other_days_than_a_year_are_said():
    headline, _body, _action = first_screen(within=180)
    assert "48.0 % of the revenue of the last 180 days" in headline


def test_without_consents_nobody_is_contacted():
    _headline, _body, action = first_screen(consents=False)
    assert action == (
        "**Do** (Lifecycle, by 6 December 2026): have the consents of customers mapped, so that a "
        "list of whom to contact can be made. **Do not** contact anybody without one."
    )


def test_lines_drawn_for_the_page_are_said_so():
    lines = moved.lines(as_of=moved.THEN)
    _headline, body, _action = first_screen(frozen=False, thresholds=lines)
    assert body.endswith(
        "Both days are judged by the cut lines of 31 August 2026, so nobody changed cohort because "
        "lines were redrawn."
    )
