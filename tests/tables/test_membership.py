from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.stats import norm

from retention_lab.tables.drawing import DAY, named
from retention_lab.tables.membership import draw_members, spend, tables
from retention_lab.tables.people import draw_people
from retention_lab.tables.truth import Truth

UNTIL = (date(2026, 11, 29) - date(1970, 1, 1)).days
END = pd.Timestamp("2026-11-30")
TRUTH = Truth()
NOTHING = replace(  # no factor on cancelling at all
    TRUTH,
    channels=tuple(replace(kind, cancel_ratio=1.0) for kind in TRUTH.channels),
    milestones=tuple(replace(stone, cancel_ratio=1.0) for stone in TRUTH.milestones),
    slow_cancel_ratio=1.0,
    hard_cancel_ratio=1.0,
)


def drawn(truth, *, n=40_000, days=729, seed=1):
    people = draw_people(
        np.random.default_rng(seed), truth, calendar=np.arange(UNTIL - days + 1, UNTIL + 1), n=n
    )
    return people, draw_members(np.random.default_rng(seed + 1), truth, people)


@pytest.fixture(scope="module")
def crowd():
    return drawn(TRUTH)


@pytest.fixture(scope="module")
def files(crowd):
    ids = named([f"C{n}" for n in range(crowd[0].pace.size)], np.arange(crowd[0].pace.size))
    made = tables(np.random.default_rng(2), TRUTH, crowd[0], ids=ids)
    return {name: table.to_pandas() for name, table in made.items()}


def within(share: float, n: int) -> float:
    """Four binomial standard errors: a true share lies further off once in 16,000 times."""
    return 4 * np.sqrt(share * (1 - share) / n)


# Who joins, and how it ends


def test_shares_of_joining_and_of_plans_come_back(crowd, files):
    people, members = crowd
    long_ago = people.buys & (people.start < people.end - 200 * DAY)
    joined = np.isin(np.flatnonzero(long_ago), members.who)
    assert joined.mean() == pytest.approx(0.65, abs=within(0.65, joined.size))
    wait = (members.started - people.start[members.who])[long_ago[members.who]] / DAY
    assert (wait == 0).mean() == pytest.approx(0.70, abs=within(0.70, wait.size))
    late = wait[wait > 0]
    assert late.mean() == pytest.approx(10, abs=4 * 10 / np.sqrt(late.size))
    plans = files["subscriptions"]["plan"]
    assert set(plans) == {"monthly", "yearly"}
    assert (plans == "yearly").mean() == pytest.approx(0.3, abs=within(0.3, len(plans)))


def test_members_bought_and_join_with_their_first_order_or_later(crowd):
    people, members = crowd
    assert people.buys[members.who].all()
    assert (people.start[members.who] <= members.started).all()
    assert (members.started < people.end).all()


def test_a_cancellation_after_the_end_is_neither_dated_nor_reasoned(crowd, files):
    people, members = crowd
    told, gone = files["subscriptions"], members.cancelled < people.end
    assert 0.3 < gone.mean() < 0.7
    assert (told["cancelled_at"].notna() == gone).all()
    assert (told["cancel_reason"].notna() == gone).all()
    moments = pd.to_datetime(members.cancelled[gone], unit="s").as_unit("us")
    assert (told["cancelled_at"][gone] == moments).all()
    assert (told["cancelled_at"][gone] >= told["started_at"][gone]).all()
    assert ((told["cancel_reason"][gone] == "voluntary") == members.voluntary[gone]).all()


def test_a_page_of_the_demo_has_thousands_of_members_and_hundreds_who_leave_in_a_quarter():
    people, members = drawn(TRUTH, n=20_000)
    known = np.minimum(members.cancelled, people.end)
    assert 4_000 < (members.cancelled >= people.end).sum() < 9_000
    for ago in (90, 180, 270, 360):
        day = people.end - ago * DAY
        lost = (known >= day) & (known < day + 90 * DAY) & (members.cancelled < people.end)
        assert 300 < lost.sum() < 1_500
        alive = (members.started < day) & (members.cancelled >= day)
        assert 0.10 < lost[alive].mean() < 0.20
    old = members.started < people.end - 90 * DAY
    assert 0.20 < (members.cancelled - members.started < 90 * DAY)[old].mean() < 0.30


# Planted hazards come back. A constant hazard is events over exposure; the error of its logarithm
# is 1 / sqrt(events).


def followed(people, members):
    """Days of membership until the cancellation or the end, and whether it was cancelled."""
    return (np.minimum(members.cancelled, people.end) - members.started) / DAY, (
        members.cancelled < people.end
    )


def test_the_hazard_of_cancelling_by_choice_changes_with_age_as_planted():
    people, members = drawn(NOTHING)
    days, gone = followed(people, members)
    for (begin, hazard), end in zip(NOTHING.voluntary_hazard, (30, 90, 999), strict=True):
        events = (gone & members.voluntary & (begin <= days) & (days < end)).sum()
        exposure = (np.clip(days, begin, end) - begin).sum()
        assert np.log(events / exposure) == pytest.approx(np.log(hazard), abs=4 / np.sqrt(events))


def test_failing_cards_are_influenced_by_nothing_and_are_a_sixth_of_all_losses(crowd):
    people, members = crowd
    days, gone = followed(people, members)
    failed = gone & ~members.voluntary
    for place in range(len(TRUTH.channels)):
        here = people.channel[members.who] == place
        assert np.log(failed[here].sum() / days[here].sum()) == pytest.approx(
            np.log(TRUTH.involuntary_hazard), abs=4 / np.sqrt(failed[here].sum())
        )
    assert 0.15 < failed.sum() / gone.sum() < 0.20


def test_pace_touches_cancelling_only_if_planted_so():
    for power in (0.0, 0.5):
        people, members = drawn(replace(NOTHING, cancel_pace=power, voluntary_hazard=((0, 0.003),)))
        days, gone = followed(people, members)
        pace = people.pace[members.who]
        for group in (pace < 0.5, (pace >= 0.5) & (pace < 1.5), pace >= 1.5):
            events = (gone & members.voluntary & group).sum()
            exposure = (days * pace**power)[group].sum()
            assert np.log(events / exposure) == pytest.approx(
                np.log(0.003), abs=4 / np.sqrt(events)
            )


@pytest.fixture(scope="module")
def days_of_members():
    """Events by choice and days at risk in every state, in a shop with many tickets."""
    return daily(*drawn(replace(TRUTH, tickets_a_day=0.02), n=15_000, days=400))


def daily(people, members):
    """Look at every member on every day, as slowly and simply as can be."""
    days, gone = followed(people, members)
    day = np.arange(np.ceil(days.max()))
    shape = (days.size, day.size)
    slow, hard = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    for place, opened, answered, is_hard, is_slow in by_ticket(members):
        slow[place, opened:], hard[place, opened:] = False, is_hard
        slow[place, answered:] = is_slow
    at = people.start[members.who][:, None] + np.rint(people.reached[members.who] * DAY)
    from_day = np.where(
        people.seen[members.who], np.floor((at - members.started[:, None]) / DAY) + 1, np.inf
    )
    states = {
        **{stone.name: day >= from_day[:, [place]] for place, stone in enumerate(TRUTH.milestones)},
        "slow": slow,
        "hard": hard,
        "30 days": np.broadcast_to(day >= 30, shape),
        "90 days": np.broadcast_to(day >= 90, shape),
        "channel": np.broadcast_to(people.channel[members.who][:, None], shape),
    }
    return pd.DataFrame(
        {
            **{name: state.ravel().astype(np.int8) for name, state in states.items()},
            "days": np.clip(days[:, None] - day, 0, 1).ravel(),
            "events": ((gone & members.voluntary)[:, None] & (day == days[:, None] // 1)).ravel(),
        }
    )


def by_ticket(members):
    """Each ticket in order: member, day from which it counts, and its answer if that still does."""
    tickets = members.tickets
    joined = members.started[tickets.member]
    opened, answered = ((at - joined) // DAY + 1 for at in (tickets.opened, tickets.answered))
    return zip(tickets.member, opened, answered, tickets.hard, tickets.slow, strict=True)


def regression(table: pd.DataFrame, names: list[str]):
    """Poisson regression of events on states, which for piecewise constant hazards is exact."""
    cells = table.groupby([*names, "channel"], as_index=False)[["days", "events"]].sum()
    cells = cells[cells["days"] > 0]
    for place, channel in enumerate(TRUTH.channels):
        if channel.cancel_ratio != 1:
            cells[channel.name] = cells["channel"] == place
    design = sm.add_constant(cells.drop(columns=["days", "events", "channel"]).astype(float))
    return sm.GLM(
        cells["events"], design, family=sm.families.Poisson(), exposure=cells["days"]
    ).fit()


STATES = [*(stone.name for stone in TRUTH.milestones), "slow", "hard", "30 days", "90 days"]


def test_every_planted_factor_on_cancelling_by_choice_comes_back(days_of_members):
    fitted = regression(days_of_members, STATES)
    hazards = np.array([hazard for _, hazard in TRUTH.voluntary_hazard])
    planted = {
        **{stone.name: stone.cancel_ratio for stone in TRUTH.milestones},
        **{kind.name: kind.cancel_ratio for kind in TRUTH.channels if kind.cancel_ratio != 1},
        "slow": 1.25,
        "hard": 1.6,
        "const": hazards[0],
        "30 days": hazards[1] / hazards[0],
        "90 days": hazards[2] / hazards[1],
    }
    assert fitted.params.to_dict() == {
        name: pytest.approx(np.log(ratio), abs=4 * fitted.bse[name])
        for name, ratio in planted.items()
    }


HARMLESS = replace(NOTHING, voluntary_hazard=((0, 1e-5),), involuntary_hazard=1e-6)


def test_a_milestone_counts_from_the_whole_day_after_it_on_if_the_events_show_it():
    stone = replace(HARMLESS.milestones[1], cancel_ratio=1e8)
    people, members = drawn(replace(HARMLESS, milestones=(stone,)), n=3_000)
    seen, at = people.seen[members.who, 0], people.start[members.who]
    at = at + np.rint(people.reached[members.who, 0] * DAY)
    assert_lost_at_once(members, at, where=seen & (at >= members.started))
    hidden = ~seen & np.isfinite(at)
    assert hidden.sum() > 50
    assert (members.cancelled[hidden] < people.end).mean() < 0.05


def test_a_slow_answer_counts_from_the_whole_day_after_it_on_but_not_once_another_ticket_came():
    people, members = drawn(replace(HARMLESS, slow_cancel_ratio=1e8, tickets_a_day=0.1), n=3_000)
    tickets = members.tickets
    final = np.diff(tickets.member, append=-1) != 0
    until = np.where(final, people.end, np.append(tickets.opened[1:], 0))
    # Long enough to hold for a day, of members with no slow answer before that may have held.
    upset = np.flatnonzero(tickets.slow & (tickets.answered < until))
    upset = upset[np.unique(tickets.member[upset], return_index=True)[1]]
    upset = upset[tickets.answered[upset] + 2 * DAY < until[upset]]
    at = np.full(members.who.size, np.inf)
    at[tickets.member[upset]] = tickets.answered[upset]
    assert_lost_at_once(members, at, where=np.isfinite(at))


def assert_lost_at_once(members, at, *, where):
    """With 1,000 a day, hardly anybody is left 0.01 days after the factor begins to hold."""
    begins = np.floor((at[where] - members.started[where]) / DAY) + 1
    waited = (members.cancelled - members.started)[where] / DAY - begins
    assert where.sum() > 300
    assert ((waited >= -1e-4) & (waited < 0.01)).mean() > 0.98


def test_hidden_hard_problems_make_slow_answers_look_worse_than_they_are(days_of_members):
    naive = regression(days_of_members, [name for name in STATES if name != "hard"])
    assert naive.params["slow"] > np.log(TRUTH.slow_cancel_ratio) + 2 * naive.bse["slow"]


def test_a_dose_is_spent_along_the_hazard_that_changes_on_the_days_told(rng):
    # The last of three members has hazard 0.01, times 2 from day 50 on, times 0.25 from day 100 on.
    n = 3 * 50_000
    third, other = np.arange(2, n, 3), np.setdiff1d(np.arange(n), np.arange(2, n, 3))
    member = np.concatenate([third, other, third, third])
    day = np.repeat([100.0, 0.0, 0.0, 50.0], [50_000, 100_000, 50_000, 50_000])
    change = np.log(np.repeat([0.25, 0.5, 0.01, 2.0], [50_000, 100_000, 50_000, 50_000]))
    days = spend(rng, member, day, change, n=n)
    alive = [(days[third] > until).mean() for until in (50, 100, 300)]
    assert alive == pytest.approx(np.exp([-0.5, -1.5, -2.5]), abs=within(0.5, 50_000))
    assert days[other].mean() == pytest.approx(2, abs=4 * 2 / np.sqrt(other.size))


@pytest.fixture
def rng():
    return np.random.default_rng(20261129)


def test_who_never_cancels_never_cancels(rng):
    days = spend(rng, np.arange(3), np.zeros(3), np.log([1e-9, 1.0, 1e-9]), n=3)
    assert (days[[0, 2]] > 99_999).all()
    assert days[1] < 100


# Support


def test_tickets_are_opened_at_the_planted_rate_and_by_members_only(crowd, files):
    people, members = crowd
    tickets = files["tickets"].merge(files["subscriptions"], on="customer_id")
    n = len(tickets)
    assert n == len(files["tickets"])
    assert np.log(n / followed(people, members)[0].sum()) == pytest.approx(
        np.log(TRUTH.tickets_a_day), abs=4 / np.sqrt(n)
    )
    assert (tickets["opened_at"] >= tickets["started_at"]).all()
    assert (tickets["opened_at"] < tickets["cancelled_at"].fillna(END)).all()
    per = tickets.groupby("customer_id")["opened_at"]
    assert (per.diff().dropna() >= pd.Timedelta(0)).all()


def test_answers_come_as_planted_and_later_to_hard_problems(crowd):
    tickets = crowd[1].tickets
    n = tickets.hard.size
    assert tickets.hard.mean() == pytest.approx(0.25, abs=within(0.25, n))
    hours = (tickets.answered - tickets.opened) / 3_600
    for hard, median in ((False, 12), (True, 36)):
        share = norm.cdf(np.log(24 / median) / 1.3)
        some = tickets.hard == hard
        assert (hours[some] <= 24).mean() == pytest.approx(share, abs=within(share, some.sum()))
    assert 0.55 < (hours <= 24).mean() < 0.65
    assert (tickets.slow == (hours > 24)).all()
    assert (tickets.answered <= tickets.resolved).all()


def test_answers_and_solutions_after_the_end_are_not_known_nor_marked(crowd, files):
    people, members = crowd
    told, drawn_ = files["tickets"], members.tickets
    kept = drawn_.opened < members.cancelled[drawn_.member]
    for column, moments in (
        ("first_response_at", drawn_.answered[kept]),
        ("resolved_at", drawn_.resolved[kept]),
    ):
        known = told[column].notna()
        assert 0.95 < known.mean() < 1
        assert (known == (moments < people.end)).all()
        assert (told[column][known] == pd.to_datetime(moments[known], unit="s")).all()
    assert told["csat"][~known].isna().all()
    assert told["csat"][known].notna().mean() == pytest.approx(0.4, abs=within(0.4, known.sum()))


def test_marks_are_worse_after_a_slow_answer(files):
    tickets = files["tickets"].dropna(subset="csat")
    assert set(tickets["csat"]) == {1, 2, 3, 4, 5}
    slow = tickets.eval("first_response_at - opened_at") > pd.Timedelta(days=1)
    marks = tickets["csat"][slow].value_counts(normalize=True).sort_index()
    planted = np.array(TRUTH.csat_marks_poor) / sum(TRUTH.csat_marks_poor)
    assert marks.to_numpy() == pytest.approx(planted, abs=within(0.5, slow.sum()))
    assert tickets["csat"][~slow].mean() > tickets["csat"][slow].mean() + 0.5


# Consents


def test_consents_are_given_at_sign_up_in_the_planted_shares_and_some_withdrawn(crowd, files):
    people, _ = crowd
    consents = files["consents"]
    first = ~consents.duplicated(["customer_id", "channel"])
    signed_up = pd.Series(
        pd.to_datetime(people.signed_up, unit="s"), index=[f"C{n}" for n in range(40_000)]
    )
    at = signed_up[consents["customer_id"]].to_numpy()
    assert (consents["valid_from"][first] == at[first]).all()
    assert (consents["valid_from"][~first] > at[~first]).all()
    assert (consents["valid_from"] < END).all()
    granted = consents[first].groupby("channel")["granted"].mean()
    for kind in TRUTH.consents:
        assert granted[kind.name] == pytest.approx(kind.share, abs=within(kind.share, 40_000))
    assert not consents["granted"][~first].any()
    assert (
        consents.groupby(["customer_id", "channel"])["granted"]
        .first()[consents[~first].set_index(["customer_id", "channel"]).index]
        .all()
    )
    until = consents["valid_from"].shift(-1).where(~first.shift(-1, fill_value=True), END)
    days = (until - consents["valid_from"])[first & consents["granted"]].dt.total_seconds() / DAY
    events = (~first).sum()
    assert np.log(events / days.sum()) == pytest.approx(
        np.log(TRUTH.withdrawal_hazard), abs=4 / np.sqrt(events)
    )


# Hostile truths


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"voluntary_hazard": ((0, 0.01), (9, 0.0))}, "voluntary_hazard from day 9 on must be at"),
        ({"voluntary_hazard": ((1, 0.01),)}, "voluntary_hazard must begin on day 0"),
        ({"involuntary_hazard": 0.0}, "involuntary_hazard must be at least"),
        ({"ticket_channels": TRUTH.ticket_channels[:1]}, "shares of ticket_channels must add up"),
    ],
)
def test_an_impossible_membership_is_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        Truth(**wrong)


@pytest.mark.parametrize("wrong", [{"member_share": 0.0}, {"tickets_a_day": 0.0}])
def test_a_shop_without_members_or_without_tickets_is_a_shop(wrong):
    people = draw_people(
        np.random.default_rng(1), Truth(**wrong), calendar=np.arange(UNTIL, UNTIL + 9), n=50
    )
    ids = named([f"C{n}" for n in range(50)], np.arange(50))
    made = tables(np.random.default_rng(2), Truth(**wrong), people, ids=ids)
    assert made["tickets"].num_rows == 0
    assert (made["subscriptions"].num_rows == 0) == ("member_share" in wrong)
