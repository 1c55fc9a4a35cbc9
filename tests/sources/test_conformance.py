"""One set of records, the same queries, the same tables: every source that can run here."""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from loopback.account import LoopbackAccount
from loopback.client import IMPATIENT, TurnedClock, opened
from loopback.server import LoopbackServer
from record_files import WRITERS

from orpolicy.account import ApiKey, Directory
from orpolicy.errors import Reason, SourceError
from orpolicy.period import interval_window, parse_window
from orpolicy.plugins import SOURCES
from orpolicy.query.model import Answer, Filter, Granularity, Operator, Query
from orpolicy.query.vocabulary import BASE_METRICS
from orpolicy.recording import Recorder
from orpolicy.sources._snapshot_json import encode
from orpolicy.sources._snapshot_read import decode
from orpolicy.sources.base import Setting, Source
from orpolicy.sources.memory import Memory
from orpolicy.sources.snapshot import Snapshot
from orpolicy.table import DATE, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


NOW = datetime(2026, 6, 10, tzinfo=UTC)
DIMENSIONS = ("api_key_id", "model", "variant")
METRICS = (*sorted(BASE_METRICS), "usage_cache", "usage_web")
COUNTS = {"request_count", "tokens_total", "tokens_prompt", "tokens_completion", "reasoning_tokens",
          "cached_tokens"}  # fmt: skip
MAY = interval_window("2026-05-01", "2026-06-01")

HOSTILE = (
    "'; DROP TABLE records; --",
    'quo"te',
    "line\nbreak",
    "carriage\r\nreturn",
    "comma,semi;tab\t",
    *("00123", "1e5", "-1", "NULL", "null", "nan", "true"),
    "\\N",
    "\x1a61",
    "%s {0} $1 ?",
    "*",
    "naïve ☃ 模型 \U0001f600",
    " padded ",
    "\N{ZERO WIDTH SPACE}",
    "=1+1",
)
ONLY_IN_JSON = "lone \ud800 surrogate"


@dataclass(frozen=True)
class Key:
    """A key: its number in the tests, which no source sees."""

    number: int
    name: str

    @property
    def key_hash(self) -> str:
        return hashlib.sha256(f"conformance {self.number}".encode()).hexdigest()


BATCH, PROD, TWIN_A, TWIN_B = (
    Key(number, name) for number, name in enumerate(["batch", "prod", "twin", "twin"])
)
KEYS = (BATCH, PROD, TWIN_A, TWIN_B)


@dataclass(frozen=True)
class Usage:
    """One record, as no source has it."""

    at: str
    usd: float
    model: str = "acme/one-20260101"
    key: Key | None = PROD
    variant: str = "standard"
    requests: int = 1
    prompt: int = 100
    completion: int = 10
    web: float | None = None
    cache: float | None = None

    def members(self) -> dict[str, str | None]:
        return {
            "api_key_id": self.key.name if self.key else None,
            "model": self.model,
            "variant": self.variant,
        }

    def metrics(self) -> dict[str, float | None]:
        return {
            "request_count": self.requests,
            "tokens_total": self.prompt + self.completion,
            "tokens_prompt": self.prompt,
            "tokens_completion": self.completion,
            "reasoning_tokens": self.completion // 2,
            "cached_tokens": self.prompt // 4,
            "total_usage": self.usd,
            "usage_cache": self.cache,
            "usage_web": self.web,
        }


# Dollars are sums of halves, quarters and so on, each used once: no order of summation rounds them, and no
# two groups ever cost the same.
USAGES = (
    Usage("2026-04-30T23:59:59Z", 2.0**9),
    Usage("2026-05-01T00:00:00Z", 2.0**8, key=BATCH, web=0.5),
    Usage("2026-05-03T23:59:59Z", 2.0**7, key=TWIN_A, cache=-0.25),
    Usage("2026-05-04T00:00:00Z", 2.0**6, key=TWIN_B, variant="batch", requests=37_000, prompt=2**53 + 1),
    Usage("2026-05-10T12:34:56Z", 2.0**5, key=None, cache=1.5),
    Usage("2026-05-10T12:34:57Z", 2.0**4, key=None, model="acme/two-20260202"),
    Usage("2026-05-31T23:59:59Z", 2.0**3, model="acme/two-20260202", web=0.125),
    Usage("2026-05-31T12:00:00Z", 0.0, model="acme/free-20260303", variant="free"),
    Usage("2026-06-01T00:00:00Z", 2.0**2, model="acme/two-20260202", key=BATCH),
    Usage("2026-06-09T23:59:59Z", 2.0**1, prompt=0, completion=0),
    *(
        Usage(f"2026-05-{day:02d}T01:00:00Z", 2.0**-day, model=name, key=BATCH)
        for day, name in enumerate(HOSTILE, 1)
    ),
)


def fold(query: Query, usages: tuple[Usage, ...], keys: frozenset[Key] | None) -> dict[str, list[Any]]:
    """The answer's columns by plain loops: group, add, order, cut.

    Args:
        keys: whose usage counts; None: everybody's.
    """
    groups: dict[tuple[Any, ...], list[Usage]] = defaultdict(list)
    for usage in usages:
        at = datetime.fromisoformat(usage.at)
        if query.window.start <= at < query.window.end and _passes(query, usage, keys):
            bucket = {None: [], Granularity.DAY: [usage.at[:10]], Granularity.MONTH: [usage.at[:7] + "-01"]}
            groups[
                (*bucket[query.granularity], *(usage.members()[name] for name in query.dimensions))
            ].append(usage)
    rows = [
        (*group, *(_added([usage.metrics()[metric] for usage in members]) for metric in query.metrics))
        for group, members in groups.items()
    ]
    names = [*([DATE] if query.granularity else []), *query.dimensions, *query.metrics]
    rows.sort(key=lambda row: -row[names.index("total_usage")])
    return {name: [row[index] for row in rows[: query.limit]] for index, name in enumerate(names)}


def _passes(query: Query, usage: Usage, keys: frozenset[Key] | None) -> bool:
    if keys is not None and usage.key not in keys:
        return False
    others = [item for item in query.filters if item.field != "api_key_id"]
    return all(
        (usage.members()[item.field] in item.values) == (item.operator is Operator.IN) for item in others
    )


def _added(values: list[float | None]) -> float | None:
    present = [value for value in values if value is not None]
    if not present:
        return None
    return sum(present) if all(isinstance(value, int) for value in present) else math.fsum(present)


@dataclass(frozen=True)
class Harness:
    """A source with the usages in it.

    Attributes:
        knows_hashes: whether keys are filtered by hash; otherwise by name.
        no_key: how the source shows traffic without a key.
        splits_namesakes: whether keys of one name have a row each.
        usages: what was put in.
    """

    source: Source
    usages: tuple[Usage, ...] = USAGES
    knows_hashes: bool = False
    no_key: str | None = None
    splits_namesakes: bool = False

    def key_filter(self, operator: Operator, *keys: Key) -> Filter:
        values = {key.key_hash if self.knows_hashes else key.name for key in keys}
        return Filter("api_key_id", operator, tuple(sorted(values)))

    def check(self, query: Query, keys: frozenset[Key] | None = None) -> Table:
        """Hold the source's answer against the fold's."""
        answer = self.source.answer(query)
        wanted = fold(query, self.usages, keys)
        if "api_key_id" in wanted:
            wanted["api_key_id"] = [self.no_key if name is None else name for name in wanted["api_key_id"]]
        table = answer.table.rollup(tuple(answer.table.dimensions)) if self.splits_namesakes else answer.table
        found = {name: list(column) for name, column in {**table.dimensions, **table.metrics}.items()}
        assert list(table.dimensions) == [name for name in wanted if name not in query.metrics]
        assert found == wanted
        for name in query.metrics:
            kind = int if name in COUNTS else float
            assert all(value is None or type(value) is kind for value in found[name])
        assert not answer.warnings
        assert answer.query == query
        return table


def _record(usage: Usage) -> dict[str, Any]:
    return {"created_at": usage.at, **usage.members(), **usage.metrics()}


def _memory(usages: tuple[Usage, ...]) -> Memory:
    dimensions = {name: [usage.members()[name] for usage in usages] for name in DIMENSIONS}
    dimensions[DATE] = [usage.at[:10] for usage in usages]
    dimensions["api_key_hash"] = [usage.key.key_hash if usage.key else None for usage in usages]
    metrics = {name: [usage.metrics()[name] for usage in usages] for name in METRICS}
    directory = Directory(tuple(sorted(ApiKey(key.name, key.key_hash) for key in KEYS)))
    return Memory(Table(dimensions, metrics), now=NOW, directory=directory)


class Rerecorded(Recorder):
    """Answers what a snapshot says that was recorded from another source when it was asked."""

    def answer(self, query: Query) -> Answer:
        with suppress(SourceError):
            super().answer(query)
        return Snapshot(decode(encode(self.recording()), "x")).answer(query)

    def answers(self, queries: Sequence[Query]) -> list[Answer | SourceError]:
        if len(queries) == 1:
            return super().answers(queries)
        return Source.answers(self, queries)


def _fill(account: LoopbackAccount, usages: tuple[Usage, ...]) -> None:
    made = {key: account.add_key(key.name, key_hash=key.key_hash) for key in KEYS}
    for usage in usages:
        extras: dict[str, Any] = {"usage_web": usage.web, "usage_cache": usage.cache}
        account.spend(
            datetime.fromisoformat(usage.at),
            model=usage.model,
            usd=usage.usd,
            key=made[usage.key] if usage.key else None,
            variant=usage.variant,
            requests=usage.requests,
            prompt=usage.prompt,
            completion=usage.completion,
            reasoning=usage.completion // 2,
            cached=usage.prompt // 4,
            **{name: value for name, value in extras.items() if value is not None},
        )


@pytest.fixture(scope="module", params=["memory", "snapshot", "openrouter", *WRITERS])
def harness(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    surrogate = Usage("2026-05-25T00:00:00Z", 2.0**-25, model=ONLY_IN_JSON)
    if request.param == "memory":
        usages = (*USAGES, surrogate)
        yield Harness(_memory(usages), usages, knows_hashes=True)
    elif request.param == "snapshot":
        usages = (*USAGES, surrogate)
        yield Harness(Rerecorded(_memory(usages)), usages, knows_hashes=True)
    elif request.param == "openrouter":
        endless = replace(IMPATIENT, run_seconds=1e9)
        with (
            LoopbackServer(LoopbackAccount()) as server,
            opened(server.environ, clock=TurnedClock(), patience=endless) as source,
        ):
            _fill(server.account, USAGES)
            yield Harness(source, knows_hashes=True, no_key="Chatroom", splits_namesakes=True)
    else:
        usages = (*USAGES, surrogate) if "json" in request.param else USAGES
        path = WRITERS[request.param](
            tmp_path_factory.mktemp("records"), [_record(usage) for usage in usages]
        )
        local = SOURCES["local"].open(Setting(str(path), {}, now=NOW))
        yield Harness(local, usages)
        local.close()


@pytest.mark.parametrize("granularity", [None, Granularity.DAY, Granularity.MONTH])
@pytest.mark.parametrize(
    "dimensions",
    [(), ("model",), ("api_key_id",), ("api_key_id", "model"), ("model", "variant")],
    ids="+".join,
)
@pytest.mark.parametrize(
    "window",
    [
        MAY,
        interval_window("2026-04-30", "2026-05-01"),
        interval_window("2026-05-04", "2026-05-11"),
        interval_window("2026-04-01", "2026-06-10"),
    ],
    ids=str,
)
def test_groups(
    harness: Harness, dimensions: tuple[str, ...], granularity: Granularity | None, window: Any
) -> None:
    table = harness.check(Query(METRICS, dimensions, window, granularity=granularity))
    assert len(table) > 0


def test_every_hostile_name_survives(harness: Harness) -> None:
    table = harness.check(Query(METRICS, ("model",), MAY))
    assert set(HOSTILE) <= set(table.dimensions["model"])
    for name in {usage.model for usage in harness.usages}:
        alone = harness.check(Query(METRICS, ("model",), MAY, (Filter("model", Operator.IN, (name,)),)))
        assert list(alone.dimensions["model"]) == [name]


def test_filters(harness: Harness) -> None:
    two = Filter("model", Operator.IN, ("acme/one-20260101", "acme/two-20260202"))
    harness.check(Query(METRICS, ("model",), MAY, (two,)))
    harness.check(Query(METRICS, ("api_key_id",), MAY, (replace(two, operator=Operator.NOT_IN),)))
    harness.check(Query(METRICS, (), MAY, (two, Filter("variant", Operator.IN, ("batch",)))))


def test_filters_on_keys(harness: Harness) -> None:
    some = harness.key_filter(Operator.IN, BATCH, PROD)
    harness.check(Query(METRICS, ("api_key_id",), MAY, (some,)), frozenset({BATCH, PROD}))
    harness.check(Query(METRICS, ("model",), MAY, (some,)), frozenset({BATCH, PROD}))


def test_a_hash_tells_namesakes_apart(harness: Harness) -> None:
    """Where keys are known by name only, namesakes are one."""
    twin = harness.key_filter(Operator.IN, TWIN_A)
    table = harness.check(
        Query(METRICS, ("api_key_id",), MAY, (twin,)),
        frozenset({TWIN_A} if harness.knows_hashes else {TWIN_A, TWIN_B}),
    )
    assert list(table.dimensions["api_key_id"]) == ["twin"]


def test_limit(harness: Harness) -> None:
    query = Query(METRICS, ("model",), MAY)
    groups = len(harness.check(query))
    for limit in (1, 2, groups - 1, groups, groups + 1):
        cut = replace(query, limit=limit)
        assert len(harness.check(cut)) == min(limit, groups)
        assert harness.source.answer(cut).truncated is (limit < groups)


def test_nothing_there_is_no_row(harness: Harness) -> None:
    empty = interval_window("2025-01-01", "2025-02-01")
    for dimensions in ((), ("model",)):
        table = harness.check(Query(METRICS, dimensions, empty))
        assert len(table) == 0
        assert list(table.metrics) == list(METRICS)
    nobody = Filter("model", Operator.IN, ("nobody/none",))
    assert len(harness.check(Query(METRICS, (), MAY, (nobody,)))) == 0


def test_meta_lists_what_can_be_asked(harness: Harness) -> None:
    meta = harness.source.meta()
    assert {name for name in METRICS if meta.metrics[name] is False} == set(METRICS)
    assert set(DIMENSIONS) <= meta.dimensions


def test_one_bad_question_spoils_no_other(harness: Harness) -> None:
    good = Query(METRICS, ("model",), MAY)
    bad = Query((*METRICS, "usage_nobody_knows"), (), MAY)
    first, error, last = harness.source.answers([good, bad, good])
    assert isinstance(error, SourceError)
    assert not isinstance(first, SourceError)
    assert not isinstance(last, SourceError)
    assert first.table == last.table


@pytest.mark.parametrize("kind", ["memory", *WRITERS])
def test_offline_sources_name_what_they_lack(kind: str, tmp_path: Path) -> None:
    source: Source
    if kind == "memory":
        source = _memory(USAGES)
    else:
        path = WRITERS[kind](tmp_path, [_record(usage) for usage in USAGES])
        source = SOURCES["local"].open(Setting(str(path), {}, now=NOW))
    for query, word in (
        (Query(("total_usage", "usage_file"), (), MAY), "metric usage_file"),
        (Query(("total_usage", "cache_hit_rate"), (), MAY), "metric cache_hit_rate"),
        (Query(("total_usage",), ("app",), MAY), "dimension app"),
        (Query(("total_usage",), (), MAY, (Filter("user", Operator.IN, ("x",)),)), "dimension user"),
    ):
        with pytest.raises(SourceError, match=word) as caught:
            source.answer(query)
        assert caught.value.reason is Reason.NOT_ANSWERABLE
    assert source.info().requests == 0
    source.close()


def test_demo_answers_in_the_same_shape() -> None:
    demo = SOURCES["demo"].open(Setting("demo", {}))
    names = tuple(sorted(BASE_METRICS))
    for granularity in (None, *Granularity):
        query = Query(
            names, ("api_key_id", "model"), parse_window("last-month", demo.now), (), granularity, 10
        )
        answer = demo.answer(query)
        dates = [DATE] if granularity else []
        assert list(answer.table.dimensions) == [*dates, "api_key_id", "model"]
        assert list(answer.table.metrics) == list(names)
        assert len(answer.table) == 10
        assert answer.truncated
        spend = [value or 0 for value in answer.table.metrics["total_usage"]]
        assert spend == sorted(spend, reverse=True)
