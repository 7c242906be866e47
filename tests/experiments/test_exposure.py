"""Nobody is compared by what came after the assignment."""

from __future__ import annotations

import pytest

from retention_lab.checks import BadParameter
from retention_lab.experiments.exposure import refuse_exposure


@pytest.mark.parametrize("name", ["delivered_at", "opened", "Clicked_at", "contacted"])
def test_comparing_by_exposure_is_refused_with_the_reason(name):
    with pytest.raises(BadParameter, match="immortal time"):
        refuse_exposure(name)


def test_comparing_by_arm_or_by_what_was_known_before_is_not_refused():
    for name in ("arm", "country", "acquisition_channel"):
        refuse_exposure(name)
