"""Lists: who is on them and who is not, in which order, and that every run says the same."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import json
import stat
import subprocess
import sys
import tracemalloc
from types import SimpleNamespace

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from scipy.stats import binom

from retention_lab import state as states
from retention_lab.checks import BadData, BadParameter
from retention_lab.churn import crm, heldback
from retention_lab.churn.listing import Run, consenting, foremost
from retention_lab.churn.scoring import CHURN

from . import members

DAY = dt.date(2025, 6, 30)
PATTERNS = pd.DataFrame(
    {
        "onboarding": ["not yet", "reached"],
        "weight": [200, 200],
        "probability": [0.6, 0.8],
        "low": [0.5, 0.7],
        "high": [0.7, 0.9],
        "goes_with": ["Onboarding: not yet", "nothing that stands out"],
        "play": ["Finish it, together", "Check in"],
        "play_name": ["finish", "check_in"],
    }
)
IDS = [f"c{number:03d}" for number in range(400)]


@pytest.fixture
def state(tmp_path):
    return states.opened(tmp_path / "state")


@pytest.fixture
def run(state, tmp_path):
    """Make a list of 400 customers, the first half at the higher risk."""

    def made(file="list.csv", *, ids=IDS, as_of=DAY, name="Shop", kept=state, **score):
        shop = SimpleNamespace(name=name, as_of=as_of, tables={"subscriptions": None})
        words = {"playbook": members.book(**score), "state": kept, "out": tmp_path / file}
        each = Run(shop=shop, kind=CHURN, **words)
        return each.listed(people_of(ids), PATTERNS)

    return made


def people_of(ids):
    half = len(ids) // 2
    onboarding = pa.array(["not yet"] * half + ["reached"] * (len(ids) - half))
    return ibis.memtable(pa.table({"customer_id": pa.array(ids), "onboarding": onboarding}))


def rows_of(file):
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def logged(state):
    return list(heldback.ledger(state).rows())


# Who is on a list


def test_a_list_takes_those_at_highest_risk_as_many_as_can_be_contacted(run, state):
    found = run(capacity=120)
    everybody = logged(state)
    assert (found.contacted + found.held_back, found.logged, found.consenting) == (120, 120, 400)
    assert {row["customer_id"] for row in everybody} < set(IDS[:200])
    assert [row["rank"] for row in everybody] == [*range(1, 121)]
    more = run(file="more.csv", name="Other shop", capacity=250)
    assert more.contacted + more.held_back == 250
    theirs = [row["customer_id"] for row in logged(state) if row["source"] == "Other shop"]
    assert set(theirs[:200]) == set(IDS[:200])
    assert set(theirs[200:]) < set(IDS[200:])


def test_a_file_holds_who_is_contacted_and_the_log_who_is_not(run, state):
    found = run()
    rows, everybody = rows_of(found.file), logged(state)
    groups = {row["customer_id"]: row["group"] for row in everybody}
    assert len(rows) == found.contacted < 100 == len(everybody)
    assert {row["customer_id"] for row in rows} == {
        one for one, group in groups.items() if group == "contacted"
    }
    assert {row["rank"]: row["customer_id"] for row in rows}.items() <= {
        str(row["rank"]): row["customer_id"] for row in everybody
    }.items()
    assert everybody[0] | {"group": ""} == {
        "source": "Shop",
        "as_of": "2025-06-30",
        "channel": "email",
        "group": "",
        "rank": 1,
        "customer_id": everybody[0]["customer_id"],
        "probability": 0.6,
        "play": "finish",
        "file": "list.csv",
        "endpoint": "cancelled",
        "horizon": 90,
        "hold_back": 0.1,
    }
    assert rows[0] | {"customer_id": "", "rank": ""} == {
        "customer_id": "",
        "rank": "",
        "probability": "0.6",
        "low": "0.5",
        "high": "0.7",
        "goes_with": "Onboarding: not yet",
        "play": "Finish it, together",
        "channel": "email",
    }


def test_equal_risk_is_ordered_by_a_draw_and_not_by_the_id(run, state):
    run(ids=IDS)
    first = [row["customer_id"] for row in logged(state)]
    assert first != sorted(first)
    run(file="next.csv", ids=IDS[::-1][200:] + IDS[200:], as_of=DAY + dt.timedelta(days=400))
    second = [row["customer_id"] for row in logged(state)[len(first) :]]
    assert first != second  # another day, another draw
    assert 25 < len(set(first) & set(second)) < 75  # 50 expected, of 100 twice out of 200


def test_the_order_of_equal_risk_is_blake2_of_source_day_and_customer(run, state):
    def digest(customer):
        salt = hashlib.blake2b(b"2025-06-30 Shop", digest_size=16).digest()
        return hashlib.blake2b(
            customer.encode(), digest_size=8, salt=salt, person=b"order"
        ).digest()

    run(capacity=400)
    found = [row["customer_id"] for row in logged(state)]
    assert found == sorted(IDS[:200], key=digest) + sorted(IDS[200:], key=digest)


def test_the_share_held_back_is_that_of_chance_and_tells_nothing_of_the_rank(run, state):
    run(ids=[f"c{number}" for number in range(4000)], capacity=4000)
    held = np.array([row["group"] == "held back" for row in logged(state)])
    low, high = binom.ppf([0.0005, 0.9995], 4000, 0.1)
    assert low <= held.sum() <= high
    halves = [held[:2000].sum(), held[2000:].sum()]
    assert all(binom.ppf(0.0005, 2000, 0.1) <= n <= binom.ppf(0.9995, 2000, 0.1) for n in halves)


def test_whoever_is_held_back_rests_until_the_horizon_is_over(run, state):
    first = run()
    resting = {row["customer_id"] for row in logged(state) if row["group"] == "held back"}
    assert len(resting) == first.held_back > 0
    later = run(file="later.csv", as_of=DAY + dt.timedelta(days=89), capacity=400)
    assert (later.resting, later.consenting) == (len(resting), 400 - len(resting))
    assert resting.isdisjoint(row["customer_id"] for row in logged(state)[100:])
    over = run(file="over.csv", as_of=DAY + dt.timedelta(days=90), name="Shop", capacity=400)
    again = {row["customer_id"] for row in logged(state) if row["as_of"] == str(over.as_of)}
    assert resting <= again


def test_a_customer_is_in_the_same_group_for_every_channel_of_a_day(run, state):
    run(capacity=400)
    run(file="sms.csv", channel="sms", capacity=400)
    by_channel = [
        {row["customer_id"]: row["group"] for row in logged(state) if row["channel"] == channel}
        for channel in ("email", "sms")
    ]
    assert by_channel[0] == by_channel[1]


# Every run says the same


def test_a_second_run_adds_nothing_and_writes_the_same_bytes(run, state):
    once = run()
    content, log = once.file.read_bytes(), logged(state)
    again = run()
    assert again.logged == 0
    assert (again.contacted, again.held_back) == (once.contacted, once.held_back)
    assert (once.file.read_bytes(), logged(state)) == (content, log)


def test_the_order_of_rows_changes_nothing(run, tmp_path):
    one = run(kept=states.opened(tmp_path / "a"))
    content = one.file.read_bytes()
    mixed = [*np.random.default_rng(1).permutation(IDS[:200]), *IDS[200:]]
    run(ids=mixed, kept=states.opened(tmp_path / "b"))
    assert one.file.read_bytes() == content


def test_the_group_that_was_logged_first_stays_whatever_is_asked_later(run, state):
    run(hold_back=0.5)
    held = {row["customer_id"] for row in logged(state) if row["group"] == "held back"}
    found = run(hold_back=0.01)
    assert found.held_back == len(held)
    assert held.isdisjoint(row["customer_id"] for row in rows_of(found.file))


def test_a_crash_between_log_and_file_is_mended_by_running_again(run, state, tmp_path, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(crm, "write", lambda *_args, **_words: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run()
    assert len(logged(state)) == 100
    assert not (tmp_path / "list.csv").exists()
    mended = run()
    content = mended.file.read_bytes()
    whole = run(kept=states.opened(tmp_path / "other"))
    assert mended.logged == 0
    assert whole.file.read_bytes() == content


LIST = """
import json, sys
from pathlib import Path
from types import SimpleNamespace
import datetime as dt
import ibis, pandas as pd, pyarrow as pa
from retention_lab import state
from retention_lab.churn.listing import Run
from retention_lab.churn.scoring import CHURN
from retention_lab.tables import playbook
folder, share = Path(sys.argv[1]), float(sys.argv[2])
book = playbook.load("")
score = book.score.model_copy(update={"capacity": 100, "hold_back": share})
shop = SimpleNamespace(name="Shop", as_of=dt.date(2025, 6, 30), tables={"subscriptions": None})
run = Run(shop=shop, playbook=book.model_copy(update={"score": score}),
          state=state.opened(folder / "state"), out=folder / "list.csv", kind=CHURN)
given = json.loads(sys.stdin.read())
run.listed(ibis.memtable(pa.table(given["people"])), pd.DataFrame(given["patterns"]))
print(share)
"""


@pytest.mark.slow  # two interpreters start
def test_two_runs_at_once_lose_nothing_and_agree_on_the_groups(tmp_path, state):
    people = people_of(IDS).to_pandas().to_dict("list")
    given = json.dumps({"people": people, "patterns": PATTERNS.to_dict("list")})
    both = [
        subprocess.Popen(
            [sys.executable, "-c", LIST, str(tmp_path), share],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for share in ("0.1", "0.5")
    ]
    for each in both:
        each.stdin.write(given)
        each.stdin.close()
    for each in both:
        each.wait()
        each.stdout.close()
    assert [each.returncode for each in both] == [0, 0]
    rows = logged(state)
    contacted = {row["customer_id"] for row in rows if row["group"] == "contacted"}
    assert len(rows) == 100
    assert len({row["hold_back"] for row in rows}) == 1  # one came first, with all of its rows
    assert {row["customer_id"] for row in rows_of(tmp_path / "list.csv")} == contacted


def test_a_forgotten_customer_leaves_the_log_and_the_next_file(run, state):
    found = run()
    who = rows_of(found.file)[0]["customer_id"]
    assert state.forget(who, source="Shop") == {"lists": 1}
    again = run(ids=[one for one in IDS if one != who])
    assert who not in {row["customer_id"] for row in [*rows_of(again.file), *logged(state)]}


# The file


def test_a_file_is_for_its_owner_and_replaced_at_once(run, tmp_path):
    (tmp_path / "list.csv").write_text("older", encoding="utf-8")
    found = run()
    assert stat.S_IMODE(found.file.stat().st_mode) == 0o600
    assert {each.name for each in tmp_path.iterdir()} == {"list.csv", "state"}


def test_csv_and_parquet_say_the_same(run):
    text = pd.read_csv(run().file, dtype={"customer_id": str})
    table = pyarrow.parquet.read_table(run(file="list.parquet").file)
    assert table.schema.equals(CHURN.schema)
    pd.testing.assert_frame_equal(text, table.to_pandas())


def test_an_id_that_a_spreadsheet_would_run_stands_behind_an_apostrophe_and_is_told(run):
    odd = ["=1+1", "+44", "-7", "@SUM(A1)", "\tx", "\uff1d1", 'a,"b"', "'=c", "0=0"]
    found = run(ids=odd, hold_back=0.0001)
    wanted = {f"'{one}" for one in odd[:6]} | set(odd[6:])
    assert {row["customer_id"] for row in rows_of(found.file)} == wanted
    told = [sentence for sentence in found.sentences if "apostrophe" in sentence]
    assert len(told) == 1
    assert told[0].startswith("6 customer ids in list.csv begin with a sign")
    whole = run(file="list.parquet", ids=odd, hold_back=0.0001)
    table = pyarrow.parquet.read_table(whole.file)
    assert set(table["customer_id"].to_pylist()) == set(odd)
    assert not any("apostrophe" in sentence for sentence in whole.sentences)


def test_no_cell_of_text_runs_in_a_spreadsheet(state, tmp_path):
    said = dict.fromkeys(("customer_id", "goes_with", "play", "channel"), "=1+1")
    row = {**said, "rank": 1, "probability": 0.5, "low": 0.4, "high": 0.6}
    rows = pa.Table.from_pylist([row], schema=CHURN.schema)
    assert crm.write(rows, tmp_path / "a.csv", state=state) == 1
    assert list(rows_of(tmp_path / "a.csv")[0].values()).count("'=1+1") == 4


def test_a_file_that_cannot_be_written_is_refused_in_a_sentence(run, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(
        BadParameter, match=r"The list .*a\.csv cannot be written \(File exists\).*same day"
    ):
        run(file="file/a.csv")


# Memory


@pytest.mark.parametrize("n", [20_000, pytest.param(200_000, marks=pytest.mark.slow)])
def test_many_customers_are_streamed_and_few_are_held(n):
    rng, batch = np.random.default_rng(3), 2_000
    places = rng.integers(0, 50, n)
    probability = np.round(rng.uniform(size=50), 1)  # many ties
    ids = [f"customer {number}" for number in range(n)]
    batches = (
        pa.record_batch({"customer_id": ids[at : at + batch], "pattern": places[at : at + batch]})
        for at in range(0, n, batch)
    )
    tracemalloc.start()
    first, count = foremost(batches, probability, capacity=300, draw=hash_of)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    every = zip(probability[places].tolist(), map(hash_of, ids), ids, places.tolist(), strict=True)
    assert (first, count) == (sorted(every)[:300], n)
    assert peak < 2e6  # 2,000 rows at a time; 20,000 take some 5 MB


def test_a_list_longer_than_a_batch_waits_for_the_batches_after_it():
    ids, places = [f"c{number}" for number in range(6)], [1, 0, 2, 1, 2, 0]
    batches = [
        pa.record_batch({"customer_id": ids[at : at + 2], "pattern": places[at : at + 2]})
        for at in (0, 2, 4)
    ]
    first, _count = foremost(batches, np.array([0.1, 0.2, 0.3]), capacity=5, draw=lambda _one: 0)
    assert [(chance, one) for chance, _draw, one, _place in first] == [
        (0.1, "c1"), (0.1, "c5"), (0.2, "c0"), (0.2, "c3"), (0.3, "c2")
    ]  # fmt: skip


def hash_of(customer):
    return int.from_bytes(hashlib.blake2b(customer.encode(), digest_size=8).digest())


# Consent


def consents_of(*rows):
    table = pa.table(
        {
            "customer_id": pa.array([row[0] for row in rows], pa.string()),
            "channel": pa.array([row[1] for row in rows], pa.string()),
            "valid_from": pa.array([pd.Timestamp(row[2]) for row in rows], pa.timestamp("us")),
            "granted": pa.array([row[3] for row in rows], pa.bool_()),
        }
    )
    return SimpleNamespace(name="Shop", consents=ibis.memtable(table))


def test_consent_is_the_latest_word_for_the_channel():
    shop = consents_of(
        ("gave", "email", "2025-01-01", True),
        ("withdrew", "email", "2025-01-01", True),
        ("withdrew", "email", "2025-02-01", False),
        ("came back", "email", "2025-02-01", False),
        ("came back", "email", "2025-03-01", True),
        ("other channel", "sms", "2025-01-01", True),
        ("never", "email", "2025-01-01", False),
    )
    found = consenting(shop, "email").to_pandas()["customer_id"]
    assert sorted(found) == ["came back", "gave"]


@pytest.fixture(scope="module")
def snapshot():
    """A snapshot of three customers: 30 June 2025 ends at 23:00 UTC in London."""
    rows, day = members.tables(customers=3), pd.Timestamp("2025-06-30")
    before, within, after = (day + pd.Timedelta(hours=hours) for hours in (-9, 22, 23))
    asked = [
        *(("m00000", before, True), ("m00000", after, False)),
        *(("m00001", before, True), ("m00001", within, False)),
        ("m00002", after, True),
    ]
    consents = pd.DataFrame(asked, columns=["customer_id", "valid_from", "granted"])
    return members.snapshot_of({**rows, "consents": consents.assign(channel="email")})


def test_consent_is_that_of_the_day(snapshot):
    assert consenting(snapshot, "email").to_pandas()["customer_id"].tolist() == ["m00000"]


def test_a_channel_that_nobody_was_asked_for_is_refused_with_those_that_are_known():
    shop = consents_of(("a", "email", "2025-01-01", True), ("a", "sms", "2025-01-01", True))
    with pytest.raises(BadParameter, match=r"has no channel 'e-mail'\. Did you mean 'email'"):
        consenting(shop, "e-mail")


def test_without_anybody_who_may_be_listed_there_is_no_list(run, state):
    with pytest.raises(BadData, match="No customer of Shop who consents to email as of 2025-06-30"):
        run(ids=[])
    assert not logged(state)
