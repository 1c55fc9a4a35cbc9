"""The same usage says the same from every source, and less of it never says that all is well."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st
from law_world import KEYS, LAW, MODELS, Usage, accounts, in_memory, judge, line, models, prices, verdicts
from loopback.account import LoopbackAccount
from loopback.client import opened
from loopback.server import LoopbackServer
from world import NOW, table

from orpolicy.account import Directory
from orpolicy.sources.base import Setting
from orpolicy.sources.local import Local
from orpolicy.sources.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orpolicy.query.model import Answer, Query
    from orpolicy.report import Report

FEW = settings(LAW, max_examples=LAW.max_examples // 3)
SURE = {"pass", "warn", "fail"}


def told(report: Report) -> tuple[Any, ...]:
    """Everything in dollars: findings, net, traffic, coverage, verdicts."""
    found = {(line(item), item.savings.net) for item in report.findings}
    return found, report.savings, report.baseline, report.coverage, verdicts(report)


def over_http(usages: Sequence[Usage]) -> Report:
    account = LoopbackAccount(models=models())
    keys = [account.add_key(key.name, key_hash=key.key_hash) for key in KEYS]
    for usage in usages:
        account.spend(
            date(2026, 5, usage.day),
            model=MODELS[usage.model],
            key=keys[usage.key],
            usd=usage.sixty_fourths / 64,
            prompt=usage.prompt,
            completion=usage.completion,
            cached=usage.cached,
            reasoning=usage.reasoning,
            requests=usage.requests,
            usage_web=usage.web / 64,
            usage_cache=usage.cache / 64,
            possible_cached_tokens=usage.prompt,  # all of it: the records cap no saving either
        )
    with LoopbackServer(account) as server, opened(server.environ, use_cache=False) as source:
        return judge(source)


def from_file(usages: Sequence[Usage]) -> Report:
    with tempfile.TemporaryDirectory() as folder:
        records, catalogue = Path(folder, "records.jsonl"), Path(folder, "models.json")
        texts = [json.dumps({"created_at": f"{item['date']}T12:00:00Z", **item}) for item in plain(usages)]
        records.write_text("\n".join(texts), encoding="utf-8")
        catalogue.write_text(json.dumps({"data": models()}), encoding="utf-8")
        source = Local.open(Setting(str(records), {}, NOW, catalogue))
        try:
            return judge(source)
        finally:
            source.close()


def plain(usages: Sequence[Usage]) -> list[dict[str, Any]]:
    """Records that know keys by name alone."""
    return [
        {name: value for name, value in usage.record().items() if name != "api_key_hash"} for usage in usages
    ]


@FEW
@given(accounts)
def test_the_api_says_what_memory_says(usages: list[Usage]) -> None:
    assert told(over_http(usages)) == told(judge(in_memory([usage.record() for usage in usages])))


@FEW
@given(accounts)
def test_files_say_what_memory_says(usages: list[Usage]) -> None:
    assert told(from_file(usages)) == told(judge(in_memory(plain(usages), keys=())))


class Capped(Memory):
    """Memory that sends a few rows at most, and says so."""

    most = 1

    def answer(self, query: Query) -> Answer:
        """The first rows."""
        return replace(super().answer(replace(query, limit=min(self.most, query.limit))), query=query)


class Forgetful(Memory):
    """Memory that leaves a row out of grouped answers, and says that nothing is missing.

    What the row spends is more than the tolerance of the control total.
    """

    lost = 0

    def answer(self, query: Query) -> Answer:
        """All rows but one."""
        answer = super().answer(query)
        spend = answer.table.metrics["total_usage"]
        large = [row for row, usd in enumerate(spend) if (usd or 0.0) > max(0.006 * self.spent(query), 0.02)]
        if not query.dimensions or not large:
            return answer
        lost = large[self.lost % len(large)]
        return replace(answer, table=answer.table.keep([row for row in range(len(spend)) if row != lost]))

    def spent(self, query: Query) -> float:
        """All dollars that the query is about."""
        return float(super().answer(replace(query, dimensions=())).table.total("total_usage") or 0.0)


def impaired(kind: type[Memory], usages: Sequence[Usage]) -> Memory:
    records = table([usage.record() for usage in usages])
    return kind(records, now=NOW, directory=Directory(KEYS), catalogue=prices())


def findings_by_policy(report: Report) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {policy.id: set() for policy in report.policies}
    for finding in report.findings:
        found[finding.policy].add(finding.fingerprint)
    return found


def assert_never_less(whole: Report, less: Report) -> None:
    """Each policy says the same of part of the rows, or that it cannot tell."""
    wanted, found = findings_by_policy(whole), findings_by_policy(less)
    for name, verdict in verdicts(less).items():
        if verdict in SURE:
            assert verdict == verdicts(whole)[name]
            assert found[name] == wanted[name]


@LAW
@given(accounts, st.integers(1, 8))
def test_a_cap_on_rows_is_never_green(usages: list[Usage], most: int) -> None:
    source = impaired(Capped, usages)
    source.most = most  # type: ignore[attr-defined]  # it is Capped
    assert_never_less(judge(in_memory([usage.record() for usage in usages])), judge(source))


@LAW
@given(accounts, st.integers(0, 50))
def test_a_row_lost_in_silence_is_never_green(usages: list[Usage], lost: int) -> None:
    source = impaired(Forgetful, usages)
    source.lost = lost  # type: ignore[attr-defined]  # it is Forgetful
    assert_never_less(judge(in_memory([usage.record() for usage in usages])), judge(source))
