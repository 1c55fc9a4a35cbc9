"""Which threshold a value crosses."""

from __future__ import annotations

import pytest

from orpolicy.policy.model import Thresholds
from orpolicy.verdict import Verdict

ABOVE = Thresholds(fail_above=15, warn_above=5)
BELOW = Thresholds(fail_below=0.1, warn_below=0.3)


@pytest.mark.parametrize(
    ("thresholds", "value", "reaching", "expected"),
    [
        (ABOVE, 15.1, False, (Verdict.FAIL, 15)),
        (ABOVE, 15.0, False, (Verdict.WARN, 5)),
        (ABOVE, 15.0, True, (Verdict.FAIL, 15)),
        (ABOVE, 5.0, False, None),
        (ABOVE, 5.0, True, (Verdict.WARN, 5)),
        (BELOW, 0.05, False, (Verdict.FAIL, 0.1)),
        (BELOW, 0.1, False, (Verdict.WARN, 0.3)),
        (BELOW, 0.1, True, (Verdict.FAIL, 0.1)),
        (BELOW, 0.3, False, None),
        (BELOW, 0.3, True, (Verdict.WARN, 0.3)),
        (Thresholds(fail_above=0), 0.0, False, None),
        (Thresholds(), 1.0, True, None),
    ],
)
def test_the_worse_threshold_wins(
    thresholds: Thresholds, value: float, reaching: bool, expected: tuple[Verdict, float] | None
) -> None:
    assert thresholds.crossed(value, reaching=reaching) == expected
