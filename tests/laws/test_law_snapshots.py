"""Of random accounts: a snapshot says of other policies what the account says, or that it does not know."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from law_world import ALL, KEYS, LAW, accounts, in_memory, line, usages, written
from world import hash_of, policies

from orpolicy.account import KeyFacts
from orpolicy.lint import lint
from orpolicy.recording import record
from orpolicy.sources._snapshot_json import encode
from orpolicy.sources._snapshot_read import decode
from orpolicy.sources.memory import Memory
from orpolicy.sources.snapshot import Snapshot
from orpolicy.staging import Choice
from orpolicy.table import Table

if TYPE_CHECKING:
    from law_world import Usage

    from orpolicy.finding import Finding
    from orpolicy.query.model import Answer, Query
    from orpolicy.report import Report

HASH = "api_key_hash"
OTHERS = ALL | {
    "exact": f"rule: spend-limit, where: {{api_key_id: 'hash:{KEYS[0].key_hash}'}}, fail_above: 5",
    "but": f"rule: spend-limit, where: {{api_key_id: {{not: 'hash:{KEYS[1].key_hash}'}}}}, fail_above: 5",
    "week": "rule: spend-limit, window: 2026-05-11..2026-05-18, fail_above: 5",
    "growth": "rule: spend-growth, allow_empty: true",
    "models-of-batch": "rule: usd-per-mtok, by: [model, api_key_id], where: {api_key_id: 'batch-*'}, "
    "fail_above: 3, allow_empty: true",
    "twins": "rule: cost-per-request, by: [api_key_id], fail_above: 0.02",
}
UNKNOWN = {"not-answerable", "ambiguous-key"}
"""Live, a finer answer that other policies need may hide that two keys have a name; a snapshot has both."""

LATE = KeyFacts(usage_usd=0.0, created_at="2026-05-20T00:00:00Z")
GONE = tuple(hash_of(90 + number) for number in range(len(KEYS)))
"""Deleted keys, each of which had the name of one that is listed."""


class ByIdentity(Memory):
    """Gives a row to each key, as the API does, where ``Memory`` knows one by its name."""

    def answer(self, query: Query) -> Answer:
        if "api_key_id" not in query.dimensions:
            return super().answer(query)
        dimensions = tuple(HASH if name == "api_key_id" else name for name in query.dimensions)
        found = Hashed(self).answer(replace(query, dimensions=dimensions))
        columns = dict(found.table.dimensions)
        names = [NAMES[key_hash] for key_hash in columns[HASH]]
        shown = {("api_key_id" if name == HASH else name): column for name, column in columns.items()}
        return replace(found, query=query, table=Table(shown | {"api_key_id": names}, found.table.metrics))


class Hashed(Memory):
    """Rows by the hash that is never shown."""

    def __init__(self, source: Memory) -> None:
        super().__init__(records_of(source), now=source.now, directory=source.directory())

    def _require(self, query: Query) -> None:
        """Whatever is asked is there."""


def records_of(source: Memory) -> Table:
    return source._records  # noqa: SLF001 - with the hashes, which it never shows


NAMES: dict[str | None, str | None] = {
    key_hash: key.name for key, gone in zip(KEYS, GONE, strict=True) for key_hash in (key.key_hash, gone)
}


@st.composite
def worlds(draw: st.DrawFn) -> ByIdentity:
    """An account some of whose keys are young, and had a namesake that is gone."""
    usage: list[Usage] = draw(accounts)
    late = draw(st.sets(st.integers(0, len(KEYS) - 1)))
    keys = tuple(replace(key, facts=LATE if place in late else KeyFacts()) for place, key in enumerate(KEYS))
    gone = draw(st.lists(usages(), max_size=4)) if late else []
    records = [one.record(keys) for one in usage]
    records += [one.record(keys) | {HASH: GONE[one.key]} for one in gone]
    source = in_memory(records, keys=keys)
    return ByIdentity(
        records_of(source), now=source.now, directory=source.directory(), catalogue=source.catalogue()
    )


@LAW
@given(
    worlds(),
    st.sets(st.sampled_from(sorted(OTHERS)), min_size=1, max_size=3),
    st.sets(st.sampled_from(sorted(OTHERS)), min_size=1, max_size=6),
    st.booleans(),
)
def test_another_policy_is_judged_as_live_or_not_at_all(
    account: ByIdentity, recorded: set[str], asked: set[str], only_asked: bool
) -> None:
    first, other = (policies(written({name: OTHERS[name] for name in names})) for names in (recorded, asked))
    content = encode(record(first, account, Choice(), only_asked=only_asked).recording)
    found, live = lint(other, Snapshot(decode(content, "x")), Choice()), lint(other, account, Choice())
    unknown = {item.policy for item in found.inconclusive if item.reason in UNKNOWN}
    for name in asked - unknown:
        assert verdict(found, name) == verdict(live, name)
        assert reasons(found, name) == reasons(live, name)
        pairs = findings(found, name), findings(live, name)
        assert pairs[0].keys() == pairs[1].keys()
        if not (unknown or only_asked):
            assert {whom: behind(one) for whom, one in pairs[0].items()} == {
                whom: behind(one) for whom, one in pairs[1].items()
            }


def verdict(report: Report, name: str) -> str:
    return next(str(policy.verdict) for policy in report.policies if policy.id == name)


def reasons(report: Report, name: str) -> list[str]:
    return [str(item.reason) for item in report.inconclusive if item.policy == name]


def findings(report: Report, name: str) -> dict[str, Finding]:
    """A policy's findings by whom and what they are about."""
    return {str(line(finding)[:5]): finding for finding in report.findings if finding.policy == name}


def behind(finding: Finding) -> tuple[object, ...]:
    """What a finding is worth and who drives it, which more answers than its own go into."""
    return (*line(finding), finding.drivers)
