"""What follows from a breach's cells is only asked where there are some."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orpolicy.evaluation import Breach
from orpolicy.lay_out import Layout
from orpolicy.period import Window
from orpolicy.rules.base import Row
from orpolicy.totals import Totals
from orpolicy.verdict import Verdict

MAY = Window(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC))


def test_nothing_follows_from_no_cells() -> None:
    breach = Breach(Row({"model": "m"}, Totals(), MAY), Verdict.FAIL, 2.0, 1.0, "")
    nowhere = Layout(None, None)
    assert nowhere.cells(breach) == ()
    with pytest.raises(ValueError, match="a breach without cells"):
        nowhere.once(breach, ("spend",), dict[str, float])
