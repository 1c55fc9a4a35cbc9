"""Accounts with more rows than an answer has, and what is said of the rows that are missing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from world import NOW, memory, row

from orpolicy.comparing.model import Changes
from orpolicy.comparing.study import compare
from orpolicy.comparing.text import as_text
from orpolicy.comparing.windows import two_windows
from orpolicy.comparing.words import missing
from orpolicy.errors import Reason, SourceError
from orpolicy.reporters.base import Style
from orpolicy.sources.memory import Memory

if TYPE_CHECKING:
    from typing import Any

    from orpolicy.query.model import Answer, Query

SMALL_USD = 0.0001
LARGE = [("a", "acme/big", 100.0), ("b", "acme/mini", 50.0)]


class Cut(Memory):
    """Gives so many rows at most, whatever is asked."""

    most = 5

    def answer(self, query: Query) -> Answer:
        found = super().answer(replace(query, limit=self.most))
        return replace(found, query=query)


def source(small: list[tuple[str, str, float]], kind: type[Memory] = Cut) -> Memory:
    records: list[dict[str, Any]] = [
        row(date=day, api_key_id=key, model=model, total_usage=usd * factor)
        for day, factor in (("2026-04-10", 1.0), ("2026-05-10", 2.0))
        for key, model, usd in (*LARGE, *small)
    ]
    whole = memory(records)
    return kind(whole._records, now=NOW)  # noqa: SLF001 - the same records behind a narrower door


def test_small_rows_that_are_missing_are_a_cause_of_their_own() -> None:
    small = [(f"k{number}", "acme/big", SMALL_USD) for number in range(9)]
    figures = source(small)
    found = compare(figures, *two_windows(None, None, figures.now))
    assert found.keys is not None
    assert len(found.keys.items) == 5
    assert found.keys.before_below_usd == pytest.approx(SMALL_USD)
    # 9 small keys of which 3 came, 0.0006 USD in 30 days and 0.0012 USD in 31
    assert found.keys.rest_usd == pytest.approx(0.0012 / 31 - 0.0006 / 30)
    assert "Small rows are missing" in as_text(found, Style(width=100), 10, ascii_only=True)


def test_large_rows_that_are_missing_are_asked_again_or_not_known() -> None:
    large = [(f"k{number}", f"acme/{number}", 10.0) for number in range(9)]
    figures = source(large)
    with pytest.raises(SourceError) as caught:
        compare(figures, *two_windows(None, None, figures.now))
    assert caught.value.reason is Reason.TRUNCATED


def test_what_is_said_of_missing_rows() -> None:
    assert missing(Changes((), 0.0)) == ""
    assert missing(Changes((), 0.0, 1.5, 2.0)) == (
        "Small rows are missing (before at most $1.50 each, after at most $2 each, unscaled): new "
        "and vanished may mean below that."
    )
