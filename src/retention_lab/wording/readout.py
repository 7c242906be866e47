"""The sentences and tables of the page that reads a test."""

from __future__ import annotations

from retention_lab.wording.decision_file import decision_file
from retention_lab.wording.deviating import deviating, deviating_sentence
from retention_lab.wording.effects import effects_sentences, effects_table
from retention_lab.wording.looking import looking_sentence, looking_table
from retention_lab.wording.measured import (
    measured_basis,
    measured_guardrails,
    measured_secondaries,
    measured_table,
)
from retention_lab.wording.subgroups import subgroups_sentence
from retention_lab.wording.validity import validity_sentence, validity_table
from retention_lab.wording.verdict import readout_body, readout_do, readout_headline
from retention_lab.wording.verdict_money import readout_change, readout_money

__all__ = [
    "decision_file",
    "deviating",
    "deviating_sentence",
    "effects_sentences",
    "effects_table",
    "looking_sentence",
    "looking_table",
    "measured_basis",
    "measured_guardrails",
    "measured_secondaries",
    "measured_table",
    "readout_body",
    "readout_change",
    "readout_do",
    "readout_headline",
    "readout_money",
    "subgroups_sentence",
    "validity_sentence",
    "validity_table",
]
