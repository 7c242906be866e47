"""The playbook: what is understood, what ships, and what is refused in words."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import yaml

from retention_lab.checks import BadParameter
from retention_lab.tables import playbook
from retention_lab.tables.playbook import Attribute, Churn, Milestone, Purchases, Recency, Score

DEMO = Path(__file__).parents[2] / "data" / "playbook.yml"


def refused(tmp_path, change):
    """Change the demo's file, and return what is said of it."""
    fields = yaml.safe_load(DEMO.read_text(encoding="utf-8"))
    change(fields)
    file = tmp_path / "playbook.yml"
    file.write_text(yaml.safe_dump(fields), encoding="utf-8")
    with pytest.raises(BadParameter) as caught:
        playbook.load(file)
    message = str(caught.value)
    assert message.startswith(f"{file}: ")
    assert message.endswith((".", "?"))
    assert "\n" not in message
    return message.removeprefix(f"{file}: ")


def factor(**update):
    """Change the factor of support."""
    return lambda fields: fields["churn"]["factors"][3].update(update)


def first_play(**update):
    return lambda fields: fields["plays"][0].update(update)


def test_the_file_of_the_demo_is_the_playbook_that_ships():
    assert playbook.SHIPPED.read_bytes() == DEMO.read_bytes()
    assert playbook.load(DEMO) == playbook.load("")


def test_a_project_without_a_playbook_has_the_one_that_ships(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert playbook.load() == playbook.load("")
    with pytest.raises(BadParameter, match=r"mine\.yml cannot be read: No such file"):
        playbook.load("mine.yml")


def test_a_project_with_a_playbook_has_its_own(tmp_path, monkeypatch):
    own = DEMO.read_text(encoding="utf-8").replace("capacity: 500", "capacity: 7")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "playbook.yml").write_text(own, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert playbook.load().score.capacity == 7


def test_a_list_may_have_other_settings_than_the_file_says():
    book = playbook.load(DEMO)
    assert book.listing({"channel": None, "capacity": 3}).score == Score(capacity=3)
    assert book.listing({"channel": None}) == book
    with pytest.raises(BadParameter, match=r"The list: hold_back .* If you meant 10 %, pass 0\.1"):
        book.listing({"hold_back": 10})


def test_what_ships_has_an_owner_and_a_review_date_for_every_play():
    book = playbook.load("")
    for each in (book, *book.plays):
        assert each.owner
        assert each.review_by > dt.date(2026, 11, 29)
    assert (book.churn.horizon, book.churn.lost_after) == (90, (30, 60, 90))
    assert book.score == Score(channel="email", capacity=500, hold_back=0.10)


def test_states_are_words_with_the_reference_first():
    states = {each.name: each.states for each in playbook.load("").churn.factors}
    assert states["onboarding"] == ("not yet", "reached")
    assert states["support"] == ("no ticket", "waiting", "answered within 24 h", "answered later")
    assert states["recency"] == ("0-30", "31-90", "91-180", "over 180")
    assert states["tenure"] == ("0-30", "31-90", "91-180", "181-365", "over 365")
    assert states["acquisition_channel"] == ()
    assert Purchases(name="p", label="P").states == ("0", "1", "2 or more")
    assert Purchases(name="p", label="P", cuts=(1, 4)).states == ("0", "1-3", "4 or more")
    assert Recency(name="r", label="R", days=(1,)).states == ("0-1", "over 1")


def test_a_state_that_yaml_takes_for_a_number_is_a_state(tmp_path):
    fields = yaml.safe_load(DEMO.read_text(encoding="utf-8"))
    fields["churn"]["factors"][4] |= {"name": "bought", "cuts": [1, 2]}
    fields["plays"][0]["when"] = {"bought": [0, 1]}
    file = tmp_path / "playbook.yml"
    file.write_text(yaml.safe_dump(fields), encoding="utf-8")
    assert playbook.load(file).plays[0].when == {"bought": ("0", "1")}


def test_factors_can_be_made_without_a_file():
    both = (
        Milestone(name="seen", label="Seen", event="seen"),
        Attribute(name="plan", label="Plan", column="plan"),
    )
    assert Churn(factors=both).factors == both


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (factor(hour=3), "churn.factors.3: hour is not a setting. Did you mean 'hours'?"),
        (factor(kind="supports"), "a factor has no kind 'supports'. Did you mean 'support'?"),
        (factor(hours="soon"), "churn.factors.3: hours: Input should be a valid integer"),
        (factor(hours=0), "hours: Input should be greater than or equal to 1, got 0."),
        (factor(name="weight"), "'weight' is a name of the tables' own; take another."),
        (factor(name="Support"), "must be small letters, digits and _"),
        (factor(name="onboarding"), "two factors have the name 'onboarding'."),
        (factor(label="a\0b"), "must be 1 to 60 characters of plain text"),
        (lambda f: f["churn"].update(factors=[3]), "give a mapping such as {kind: support, ...}"),
        (lambda f: f["churn"].update(horizn=3), "churn.horizn is not a setting. Did you mean"),
        (lambda f: f["churn"].update(horizon=0), "churn.horizon: Input should be greater than or"),
        (lambda f: f["churn"].update(lost_after=[90, 60]), "each above the last, got [90, 60]."),
        (lambda f: f["churn"]["factors"][4].update(cuts=[0, 1]), "from 1 on, each above the last"),
        (lambda f: f["churn"]["factors"][5].update(days=[]), "each above the last, got []."),
        (
            first_play(when={"supports": ["waiting"]}),
            "no factor 'supports'. Did you mean 'support'?",
        ),
        (first_play(when={"support": ["waits"]}), "no state 'waits'. Did you mean 'waiting'?"),
        (first_play(when={"support": "waiting"}), "give a list such as [waiting], got 'waiting'."),
        (first_play(when={}), "play 'answer_ticket' has no `when`, so none after it is reached"),
        (first_play(name="check_in"), "two plays have the name 'check_in'."),
        (first_play(review_by="soon"), "plays.0.review_by: must be a day such as"),
        (lambda f: f["plays"][0].pop("owner"), "plays.0.owner is missing."),
        (lambda f: f.pop("review_by"), "review_by is missing."),
        (lambda f: f["score"].update(hold_back=10), "If you meant 10 %, pass 0.1."),
        (lambda f: f["score"].update(hold_back=0), "hold_back must be a share strictly between"),
        (lambda f: f["score"].update(capacity=0), "score.capacity: Input should be greater than"),
        (lambda f: f.update(bands={}), "bands is not a setting."),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(tmp_path, change, words):
    assert words in refused(tmp_path, change)


def test_a_playbook_that_is_no_text_is_refused(tmp_path):
    file = tmp_path / "playbook.yml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadParameter, match="it is not UTF-8 text"):
        playbook.load(file)


def test_list_takes_other_settings_and_refuses_those_it_cannot_have():
    book = playbook.load("")
    assert book.listing({"channel": None, "capacity": 3}).score.capacity == 3
    assert book.listing({"channel": None}).score == book.score
    with pytest.raises(BadParameter, match=r"The list: .*capacity"):
        book.listing({"capacity": 0})
    with pytest.raises(BadParameter, match=r"The list: .*hold_back"):
        book.listing({"hold_back": 1.5})


def test_worth_has_its_owners_too_and_bands_are_no_goal_of_ours():
    book = playbook.load("")
    for each in (*book.targets, *book.loyalty):
        assert each.owner
        assert each.review_by > dt.date(2026, 11, 29)
    assert {target.source for target in book.targets} == {"trade press"}
    assert (book.value.months, book.value.margin, book.rising.false_alerts) == (12, 1.0, 0.10)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: f["targets"][0].update(cohort="high value"), "high-value repeat"),
        (lambda f: f["targets"][0].update(click=[0.09, 0.04]), "the lower share first"),
        (lambda f: f["loyalty"].pop(), "the last tier must take everybody"),
        (lambda f: f["loyalty"][1].update(spent=900), "must ask for more than"),
        (lambda f: f["value"].update(margin=0), "value.margin"),
        (lambda f: f["rising"].update(false_alerts=10), "pass 0.1"),
        (lambda f: f["segments"].update(within=3), "segments.within"),
    ],
)
def test_worth_that_cannot_be_is_refused(tmp_path, change, said):
    assert said in refused(tmp_path, change)


def test_own_cohorts_need_no_bands(tmp_path):
    fields = yaml.safe_load(DEMO.read_text(encoding="utf-8"))
    fields["segments"]["cohorts"] = fields["segments"]["cohorts"][-1:]
    del fields["targets"]
    (tmp_path / "own.yml").write_text(yaml.safe_dump(fields), encoding="utf-8")
    assert len(playbook.load(tmp_path / "own.yml").segments.cohorts) == 1
