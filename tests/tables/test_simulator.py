from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from retention_lab.tables import simulator
from retention_lab.tables.drawing import DAY
from retention_lab.tables.people import draw_people, dropout_days, milestone_days
from retention_lab.tables.simulator import draw_orders, simulate
from retention_lab.tables.truth import FAMILIES, MILESTONES, Channel, Delay, Truth

SHOP = ("customers", "orders", "order_lines", "returns", "events")
TABLES = (*SHOP, "subscriptions", "tickets", "consents", "messages", "assignments")
END = pd.Timestamp("2026-11-30")
PLAIN = Truth(growth=0.0, weekly=(1.0,) * 7, yearly_swing=0.0, promotion_factor=1.0)
HARMLESS = tuple(replace(stone, hazard_ratio=1.0) for stone in MILESTONES)


def read(folder: Path) -> dict[str, pd.DataFrame]:
    return {name: pd.read_parquet(folder / f"{name}.parquet") for name in TABLES}


def calendar(first: date, last: date) -> np.ndarray:
    begin, end = ((day - date(1970, 1, 1)).days for day in (first, last))
    return np.arange(begin, end + 1)


TWO_YEARS = calendar(date(2024, 11, 30), date(2026, 11, 29))


@pytest.fixture
def rng():
    return np.random.default_rng(20261129)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return simulate(tmp_path_factory.mktemp("demo") / "shop")


@pytest.fixture(scope="module")
def shop(folder):
    return read(folder)


@pytest.fixture(scope="module")
def crowd():
    return draw_people(np.random.default_rng(1), Truth(), calendar=TWO_YEARS, n=200_000)


def within(share: float, n: int) -> float:
    """Four binomial standard errors: a true share lies further off once in 16,000 times."""
    return 4 * np.sqrt(share * (1 - share) / n)


# What the files hold


def test_files_have_the_canonical_columns_and_types(folder):
    at, text = "timestamp[us]", "string"
    assert {name: described(folder / f"{name}.parquet") for name in TABLES} == {
        "customers": {
            "customer_id": text,
            "signed_up_at": at,
            "country": text,
            "acquisition_channel": text,
            "referred_by": text,
        },
        "orders": {
            "order_id": text,
            "customer_id": text,
            "ordered_at": at,
            "amount": "int64",
            "discount": "int64",
            "coupon": text,
            "shipped_at": at,
            "promised_at": at,
            "delivered_at": at,
        },
        "order_lines": {
            "order_id": text,
            "line": "int64",
            "product_id": text,
            "product_family": text,
            "quantity": "int64",
            "unit_price": "int64",
        },
        "returns": {
            "return_id": text,
            "order_id": text,
            "customer_id": text,
            "returned_at": at,
            "amount": "int64",
        },
        "events": {"customer_id": text, "event": text, "occurred_at": at},
        "subscriptions": {
            "customer_id": text,
            "started_at": at,
            "cancelled_at": at,
            "cancel_reason": text,
            "plan": text,
        },
        "tickets": {
            "ticket_id": text,
            "customer_id": text,
            "opened_at": at,
            "first_response_at": at,
            "resolved_at": at,
            "channel": text,
            "csat": "int64",
        },
        "consents": {"customer_id": text, "channel": text, "valid_from": at, "granted": "bool"},
        "messages": {
            "message_id": text,
            "customer_id": text,
            "campaign": text,
            "stage": text,
            "channel": text,
            "sent_at": at,
            "delivered_at": at,
            "opened_at": at,
            "clicked_at": at,
            "converted_at": at,
            "unsubscribed_at": at,
            "cost": "int64",
        },
        "assignments": {
            "experiment": text,
            "customer_id": text,
            "arm": text,
            "stratum": text,
            "time_zero": at,
            "assigned_at": at,
            "plan_digest": text,
        },
    }


def described(path: Path) -> dict[str, str]:
    return {column.name: str(column.type) for column in pq.read_schema(path)}


def test_truth_json_holds_the_seed_and_every_planted_truth_with_its_meaning(folder):
    told = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    assert told["seed"] == 20261131
    assert "Made-up customers" in told["about"]
    assert told["planted"].keys() == asdict(Truth()).keys()
    assert told["planted"]["milestones"]["value"][0]["hazard_ratio"] == 0.7
    assert told["planted"]["newsletter"]["value"]["readers"][2]["click"] == 0.034
    assert all(entry["means"].endswith(".") for entry in told["planted"].values())


def test_keys_are_unique(shop):
    assert shop["customers"]["customer_id"].is_unique
    assert shop["orders"]["order_id"].is_unique
    assert shop["returns"]["return_id"].is_unique
    assert not shop["order_lines"].duplicated(["order_id", "line"]).any()
    milestones = shop["events"].query("event != 'session'")
    assert not milestones.duplicated(["customer_id", "event"]).any()
    assert shop["tickets"]["ticket_id"].is_unique
    assert not shop["subscriptions"].duplicated(["customer_id", "started_at"]).any()
    assert not shop["consents"].duplicated(["customer_id", "channel", "valid_from"]).any()
    assert shop["messages"]["message_id"].is_unique


def test_only_what_may_be_unknown_is_null(shop):
    may_be = {"referred_by", "coupon", "shipped_at", "promised_at", "delivered_at"}
    may_be |= {"cancelled_at", "cancel_reason", "first_response_at", "resolved_at", "csat"}
    may_be |= {"opened_at", "clicked_at", "converted_at", "unsubscribed_at"}
    for table in shop.values():
        assert table.drop(columns=may_be & set(table)).notna().all(axis=None)


def test_every_reference_leads_somewhere(shop):
    customers, orders = shop["customers"]["customer_id"], shop["orders"]["order_id"]
    for name in {*TABLES} - {"customers", "order_lines"}:
        assert shop[name]["customer_id"].isin(customers).all()
    assert shop["tickets"]["customer_id"].isin(shop["subscriptions"]["customer_id"]).all()
    assert set(shop["order_lines"]["order_id"]) == set(orders)
    back = shop["returns"].merge(shop["orders"], on=["order_id", "customer_id"])
    assert len(back) == len(shop["returns"])


def test_referrals_and_only_they_name_somebody_who_signed_up_before(shop):
    customers = shop["customers"]
    named = customers.dropna(subset="referred_by")
    assert (named["acquisition_channel"] == "referral").all()
    assert len(named) >= (customers["acquisition_channel"] == "referral").sum() - 1
    since = customers.set_index("customer_id")["signed_up_at"]
    assert (since[named["referred_by"]].to_numpy() <= named["signed_up_at"].to_numpy()).all()


def test_amount_is_the_sum_of_the_lines_and_bounds_discount_and_returns(shop):
    orders, lines = shop["orders"].set_index("order_id"), shop["order_lines"]
    total = (lines["quantity"] * lines["unit_price"]).groupby(lines["order_id"]).sum()
    pd.testing.assert_series_equal(orders["amount"], total[orders.index], check_names=False)
    assert orders["discount"].between(0, orders["amount"]).all()
    assert ((orders["discount"] > 0) == orders["coupon"].notna()).all()
    returns = shop["returns"]
    assert (returns["amount"] > 0).all()
    assert (returns["amount"].to_numpy() <= orders["amount"][returns["order_id"]]).all()


def test_nothing_is_dated_after_the_last_day_and_all_at_whole_seconds(shop):
    for table in shop.values():
        for moments in table.select_dtypes("datetime").items():
            known = moments[1].dropna()
            assert known.lt(END).all()
            assert known.eq(known.dt.floor("s")).all()


def test_what_happens_to_an_order_happens_in_order(shop):
    orders = shop["orders"].merge(shop["customers"], on="customer_id")
    assert (orders["signed_up_at"] <= orders["ordered_at"]).all()
    delivered = orders.dropna(subset="delivered_at")
    assert (delivered["ordered_at"] < delivered["shipped_at"]).all()
    assert (delivered["shipped_at"] < delivered["delivered_at"]).all()
    late = orders[orders["delivered_at"].isna()]
    assert late["ordered_at"].min() > END - pd.Timedelta(days=60)
    back = shop["returns"].merge(orders, on="order_id")
    assert (back["returned_at"] > back["delivered_at"]).all()


# What the shop is like


def test_the_shop_resembles_a_real_one(shop):
    returned = returned_within_90_days(shop["orders"])
    counts = shop["orders"]["customer_id"].value_counts()
    assert 0.25 < returned["returned"].mean() < 0.32
    assert 0.45 < (counts == 1).sum() / len(shop["customers"]) < 0.55
    lag = shop["returns"].merge(shop["orders"], on="order_id").eval("returned_at - ordered_at")
    assert 0.45 < (lag > pd.Timedelta(days=7)).mean() < 0.55
    days = shop["orders"]["ordered_at"].dt.date
    assert (
        0.01 < pd.concat([shop["orders"]["customer_id"], days], axis=1).duplicated().mean() < 0.03
    )
    sessions = shop["events"].query("event == 'session'")["customer_id"].value_counts()
    assert sessions.max() <= Truth().most_sessions


def returned_within_90_days(orders: pd.DataFrame) -> pd.DataFrame:
    """One row a customer watched for 90 days: month of the first order, and whether returned."""
    by_time = orders.sort_values("ordered_at")
    place = by_time.groupby("customer_id").cumcount()
    moments = [by_time[place == n].set_index("customer_id")["ordered_at"] for n in (0, 1)]
    table = pd.concat(moments, axis=1, keys=["first", "second"])
    table = table[table["first"] < END - pd.Timedelta(days=90)]
    returned = table["second"] < table["first"] + pd.Timedelta(days=90)
    return table.assign(returned=returned, month=table["first"].dt.strftime("%Y-%m"))


def test_august_returns_visibly_less_than_july_in_the_demo(shop):
    share = returned_within_90_days(shop["orders"]).groupby("month")["returned"].mean()
    assert share["2026-08"] < share["2026-07"] - 0.02


def test_the_promotion_lowers_returns_by_the_mix_of_channels_alone(rng):
    people = draw_people(
        rng, Truth(), calendar=calendar(date(2026, 7, 1), date(2026, 11, 29)), n=100_000
    )
    orders = draw_orders(rng, Truth(), people, begin=0)
    table = pd.DataFrame(
        {"customer_id": orders.who, "ordered_at": pd.to_datetime(orders.moment, unit="s")}
    )
    table = returned_within_90_days(table)
    table["channel"] = people.channel[table.index]
    cells = table.groupby(["month", "channel"])["returned"].agg(["mean", "size"])
    july, august = cells.loc["2026-07"], cells.loc["2026-08"]
    mix = july["size"] / july["size"].sum()
    errors = sum(month["mean"] * (1 - month["mean"]) / month["size"] for month in (july, august))
    gap = table.groupby("month")["returned"].mean().diff()["2026-08"]
    assert gap < -0.015
    like_for_like = (mix * (august["mean"] - july["mean"])).sum()
    assert like_for_like == pytest.approx(0, abs=4 * np.sqrt((mix**2 * errors).sum()))


# Planted truths come back


def test_channel_shares_come_back_and_the_promotion_multiplies_its_own(crowd):
    truth = Truth()
    begin, end = (calendar(day, day)[0] * DAY for day in truth.promotion)
    during = (crowd.signed_up >= begin) & (crowd.signed_up < end + DAY)
    for place, channel in enumerate(truth.channels):
        share = np.mean(crowd.channel[~during] == place)
        assert share == pytest.approx(channel.share, abs=within(channel.share, (~during).sum()))
    # 10 % of sign-ups become 5 x 10 % beside the other 90 %.
    promoted = np.mean(crowd.channel[during] == 4)
    assert promoted == pytest.approx(0.5 / 1.4, abs=within(0.5 / 1.4, during.sum()))
    for day, at_most, at_least in ((begin, 1, 0.25), (end, 1, 0.25), (end + DAY, 0.2, 0)):
        share = np.mean(crowd.channel[crowd.signed_up // DAY == day // DAY] == 4)
        assert at_least < share < at_most


def test_country_shares_come_back(shop):
    share = shop["customers"]["country"].value_counts(normalize=True)
    for country in Truth().countries:
        assert share[country.name] == pytest.approx(
            country.share, abs=within(country.share, len(shop["customers"]))
        )


def test_growth_comes_back(rng):
    truth = replace(PLAIN, growth=0.25)
    people = draw_people(rng, truth, calendar=TWO_YEARS, n=100_000)
    second = np.mean(people.signed_up >= TWO_YEARS[365] * DAY)
    # Days step, so that the ratio of the years is 1.25 to within half a thousandth.
    assert second == pytest.approx(1.25 / 2.25, abs=within(0.55, 100_000) + 0.0005)


def test_week_and_season_come_back(rng):
    for truth, part, days in (
        (
            replace(PLAIN, weekly=Truth().weekly),
            weekday,
            [1.10, 1.05, 1.00, 0.95, 0.90, 0.95, 1.05],
        ),
        # The mean of 1 + 0.15 cos over the half year around its peak is 1 + 0.15 x 2 / pi.
        (replace(PLAIN, yearly_swing=0.15), winter, [1 - 0.3 / np.pi, 1 + 0.3 / np.pi]),
    ):
        people = draw_people(rng, truth, calendar=TWO_YEARS, n=100_000)
        share = np.bincount(part(people.signed_up // DAY)) / 100_000
        expected = np.array(days) / sum(days)
        # 730 days are not quite whole weeks or seasons, which moves a share by under 0.001.
        assert share == pytest.approx(expected, abs=within(0.5, 100_000) + 0.001)


def weekday(day: np.ndarray) -> np.ndarray:
    return pd.to_datetime(day, unit="D").weekday.to_numpy()


def winter(day: np.ndarray) -> np.ndarray:
    """Within a quarter of a year of 1 December, the planted peak."""
    from_peak = (pd.to_datetime(day, unit="D").dayofyear.to_numpy() - 335) % 365
    return ((from_peak < 365 / 4) | (from_peak >= 365 * 3 / 4)).astype(int)


def test_first_orders_come_back(crowd):
    n = crowd.pace.size
    assert crowd.buys.mean() == pytest.approx(0.95, abs=within(0.95, n))
    same_day = crowd.buys & (crowd.start // DAY == crowd.signed_up // DAY)
    assert same_day.mean() == pytest.approx(0.85, abs=within(0.85, n))
    wait = (
        crowd.start[crowd.buys & ~same_day] // DAY - crowd.signed_up[crowd.buys & ~same_day] // DAY
    )
    # Exponential days rounded up: the mean is 1 / (1 - exp(-1 / 20)), the deviation about 20.
    assert wait.mean() == pytest.approx(1 / -np.expm1(-1 / 20), abs=4 * 20 / np.sqrt(wait.size))


def test_pace_has_the_moments_of_its_gamma(crowd):
    n, shape = crowd.pace.size, Truth().pace_shape
    assert crowd.pace.mean() == pytest.approx(1, abs=4 * np.sqrt(1 / shape / n))
    # Fourth central moment of a gamma: (3 + 6 / shape) times the variance squared.
    error = np.sqrt((2 + 6 / shape) / n) / shape
    assert crowd.pace.var() == pytest.approx(1 / shape, abs=4 * error)


@pytest.mark.parametrize("milestone", MILESTONES, ids=lambda milestone: milestone.name)
def test_milestone_hazard_ratio_holds_from_the_milestone_on_and_not_before(rng, milestone):
    truth = Truth(milestones=(milestone,))
    reached = milestone_days(rng, truth, np.ones(100_000))
    dropout = dropout_days(rng, truth, factor=np.ones(100_000), reached=reached)
    after = dropout > reached[:, 0]
    days_before = np.minimum(dropout, reached[:, 0]).sum()
    days_after = (dropout - reached[:, 0])[after].sum()
    # A constant hazard is events over exposure; the error of its logarithm is 1 / sqrt(events).
    for events, days, ratio in (
        ((~after).sum(), days_before, 1.0),
        (after.sum(), days_after, milestone.hazard_ratio),
    ):
        assert np.log(events / days) == pytest.approx(
            np.log(truth.dropout_hazard * ratio), abs=4 / np.sqrt(events)
        )


def test_milestones_multiply_whatever_their_order(rng):
    reached = np.tile([200.0, 100.0, np.inf], (200_000, 1))
    dropout = dropout_days(rng, Truth(), factor=np.ones(200_000), reached=reached)
    alive = [(dropout > day).mean() for day in (100, 200, 300)]
    # Hazard 0.0045 until day 100, then times 0.8 (second milestone), then also times 0.7 (first).
    expected = np.exp(-0.45 * np.cumsum([1, 0.8, 0.8 * 0.7]))
    assert alive == pytest.approx(expected, abs=within(0.5, 200_000))


def test_channel_hazard_ratios_come_back(rng):
    truth = Truth(milestones=HARMLESS)
    people = draw_people(rng, truth, calendar=TWO_YEARS, n=100_000)
    days = (people.leaves - people.start) / DAY
    for place, channel in enumerate(truth.channels):
        here = (people.channel == place) & (days > 0)
        events = (here & (people.leaves < people.end)).sum()
        assert np.log(events / days[here].sum()) == pytest.approx(
            np.log(truth.dropout_hazard * channel.hazard_ratio), abs=4 / np.sqrt(events)
        )


@pytest.mark.parametrize("pace", [0.25, 1.0, 4.0])
def test_milestone_shares_delays_and_confounding_come_back(rng, pace):
    days = milestone_days(rng, Truth(), np.full(50_000, pace))
    for place, stone in enumerate(MILESTONES):
        known = days[np.isfinite(days[:, place]), place]
        odds = stone.share / (1 - stone.share) * pace**0.3
        share = odds / (1 + odds)
        assert known.size / 50_000 == pytest.approx(share, abs=within(share, 50_000))
        assert_log_median(known, stone)


def assert_log_median(days: np.ndarray, planted: Delay) -> None:
    """The error of a normal median is 1.2533 deviations over the root of n."""
    error = 1.2533 * planted.spread / np.sqrt(days.size)
    assert np.log(np.median(days)) == pytest.approx(np.log(planted.median_days), abs=4 * error)


def test_family_rhythms_come_back(rng):
    # Nobody leaves, all have pace 1, and ten years are long enough for every second order.
    truth = replace(PLAIN, dropout_hazard=1e-6, pace_shape=1e9, second_order_same_day=0.0)
    decade = calendar(date(2016, 11, 30), date(2026, 11, 29))
    people = draw_people(rng, truth, calendar=decade, n=40_000)
    orders = draw_orders(rng, truth, people, begin=0)
    begin = np.flatnonzero(np.diff(orders.who, prepend=-1))
    early = begin[orders.moment[begin] < decade[1_000] * DAY]
    gap = orders.moment[early + 1] // DAY - orders.moment[early] // DAY
    for place, family in enumerate(FAMILIES):
        # A day is rounded, which moves a median by at most half a day.
        days = gap[people.family[orders.who[early]] == place]
        error = 4 * 1.2533 * family.spread / np.sqrt(days.size) + 0.5 / family.median_days
        assert np.log(np.median(days)) == pytest.approx(np.log(family.median_days), abs=error)
        assert days.size > 1_000


def test_nobody_orders_or_uses_the_shop_before_the_start_or_after_dropout(rng):
    truth = Truth(second_order_same_day=1.0, dropout_hazard=0.05)
    people = draw_people(rng, truth, calendar=TWO_YEARS, n=20_000)
    tables = simulator._tables(rng, truth, people, begin=0)
    for name, moment in (("orders", "ordered_at"), ("events", "occurred_at")):
        table = tables[name].to_pandas()
        who = table["customer_id"].str[1:].astype(int)
        at = table[moment].to_numpy().astype("datetime64[s]").astype(int)
        assert ((people.start[who] <= at) & (at < people.leaves[who])).all()


def test_main_family_is_in_every_order_and_others_now_and_then(shop):
    lines = shop["order_lines"].merge(shop["orders"][["order_id", "customer_id"]], on="order_id")
    main = lines[lines["line"] == 1].groupby("customer_id")["product_family"]
    assert (main.first() == main.last()).all()
    share = main.first().value_counts(normalize=True)
    for family in FAMILIES:
        assert share[family.name] == pytest.approx(
            family.share, abs=within(family.share, main.ngroups)
        )
    own = lines["customer_id"].map(main.first())
    assert 0.10 < (lines["product_family"] != own).mean() < 0.25


# One seed, one shop


def test_what_is_drawn_later_changes_nothing_of_the_shop_as_it_was_before(shop, tmp_path):
    bare = read(simulate(tmp_path / "bare", truth=Truth(check_in=None)))
    # The first five from commit 508d8c4, the last without members; three from 079c70a, the last
    # without messages; messages from b1f930f, the last without the check-in test.
    assert {name: digest(bare[name]) for name in TABLES if name != "assignments"} == {
        "customers": "2ce61404a3d18d39",
        "orders": "ab587fd2505b2308",
        "order_lines": "164bc47f9f24d523",
        "returns": "0f4662da5f7b26a3",
        "events": "4b8e803be2ba8d05",
        "subscriptions": "781b8fc7a3723647",
        "tickets": "03265d9cd420ca6c",
        "consents": "1f7ef127cadc5686",
        "messages": "a756f3cf489e85d5",
    }
    assert bare["assignments"].empty
    for name in {*SHOP, "consents"}:
        assert digest(shop[name]) == digest(bare[name])


def digest(table: pd.DataFrame) -> str:
    rows = pd.util.hash_pandas_object(table, index=False)
    return hashlib.sha256(rows.to_numpy().tobytes()).hexdigest()[:16]


def test_same_seed_gives_the_same_bytes_and_another_seed_another_shop(tmp_path):
    shops = [
        simulate(tmp_path / f"{n}", customers=500, seed=seed) for n, seed in enumerate((7, 7, 8))
    ]
    for name in TABLES:
        once, again, other = ((shop / f"{name}.parquet").read_bytes() for shop in shops)
        assert once == again
        assert once != other


def test_a_block_does_not_depend_on_how_many_follow(tmp_path, monkeypatch):
    monkeypatch.setattr(simulator, "BLOCK", 300)
    small = read(simulate(tmp_path / "small", customers=300))
    large = read(simulate(tmp_path / "large", customers=700))
    assert large["customers"]["customer_id"].is_unique
    assert large["orders"]["order_id"].is_unique
    for name in TABLES:
        pd.testing.assert_frame_equal(small[name], large[name].head(len(small[name])))


def test_members_of_one_block_are_drawn_apart_from_those_of_another(tmp_path, monkeypatch):
    monkeypatch.setattr(simulator, "BLOCK", 500)
    shop = read(simulate(tmp_path / "shop", customers=1_000))
    joined = shop["customers"]["customer_id"].isin(shop["subscriptions"]["customer_id"]).to_numpy()
    # 0.95 x 0.65 = 62 % join, so two blocks agree on 0.62^2 + 0.38^2 = 53 % of their places.
    assert (joined[:500] == joined[500:]).mean() < 0.53 + within(0.53, 500)


@pytest.mark.parametrize("seed", range(12))
def test_one_customer_on_one_day_is_a_shop_even_without_orders(tmp_path, seed):
    shop = read(simulate(tmp_path / "shop", customers=1, days=1, seed=seed))
    assert len(shop["customers"]) == 1


# Whole or not at all


def test_a_failure_midway_leaves_the_earlier_shop_and_nothing_else(tmp_path, monkeypatch):
    folder = simulate(tmp_path / "shop", customers=50, seed=1)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    monkeypatch.setattr(simulator, "BLOCK", 20)
    fail_on_second_call(monkeypatch)
    for name in ("shop", "new"):
        with pytest.raises(OSError, match="disk full"):
            simulate(tmp_path / name, customers=50, seed=2)
    assert [path.name for path in tmp_path.iterdir()] == ["shop"]
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def fail_on_second_call(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, calls = simulator._events, []

    def events(*args, **kwargs):
        calls.append(args)
        if len(calls) % 2 == 0:
            raise OSError("disk full")
        return whole(*args, **kwargs)

    monkeypatch.setattr(simulator, "_events", events)


def test_an_earlier_shop_is_replaced_whole(tmp_path):
    folder = simulate(tmp_path / "shop", customers=50, seed=1)
    (folder / "stray.parquet").touch()
    simulate(folder, customers=60, seed=1)
    assert len(read(folder)["customers"]) == 60
    assert {path.stem for path in folder.iterdir()} == {*TABLES, "truth"}
    assert [path.name for path in tmp_path.iterdir()] == ["shop"]


def test_a_folder_of_something_else_is_refused_and_kept(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(ValueError, match=r"is not a simulated shop\. Choose a new folder"):
        simulate(tmp_path, customers=10)
    assert (tmp_path / "thesis.txt").exists()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"customers": 0}, "customers must be at least 1, got 0"),
        ({"days": 0}, "days must be at least 1, got 0"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
    ],
)
def test_an_argument_too_small_is_refused_before_anything_is_written(tmp_path, wrong, words):
    with pytest.raises(ValueError, match=words):
        simulate(tmp_path / "shop", **wrong)
    assert not list(tmp_path.iterdir())


def test_an_impossible_truth_is_refused():
    with pytest.raises(ValueError, match=r"shares of channels must add up to 1, got 0\.9"):
        Truth(channels=(Channel(name="discount code", share=0.9, hazard_ratio=1.0),))
    with pytest.raises(ValueError, match=r"no channel 'discount'\. Did you mean 'discount code'"):
        Truth(promoted_channel="discount")
    with pytest.raises(ValueError, match="dropout_hazard must be at least"):
        Truth(dropout_hazard=0.0)
