"""A run recorded and made again: the same report, from a file that holds no secret and, redacted, no name."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from loopback.account import MANAGEMENT_KEY
from loopback.client import opened
from world import catalog, hash_of, memory, model, policies, row

from orpolicy.account import ApiKey
from orpolicy.errors import Reason, SourceError, UsageError
from orpolicy.lint import lint
from orpolicy.pseudonyms import NAMED_DIMENSIONS
from orpolicy.recording import Recorder, record
from orpolicy.redaction import KINDS, pseudonym
from orpolicy.reporters.base import Style
from orpolicy.reporters.json import Json
from orpolicy.sources._snapshot_json import encode
from orpolicy.sources._snapshot_read import decode
from orpolicy.sources.base import Setting
from orpolicy.sources.snapshot import Snapshot
from orpolicy.staging import Choice
from orpolicy.verdict import Verdict

if TYPE_CHECKING:
    from loopback.server import LoopbackServer

    from orpolicy.report import Report
    from orpolicy.sources.base import Source

TEXT = """
defaults: {floor: {spend: 1}}
key_sets: {batch: ["batch-*"]}
policies:
  - {id: outlier, rule: blended-multiple, fail_above: 3}
  - {id: batch, rule: spend-limit, where: {api_key_id: "@batch"}, fail_above: 10}
  - {id: others, rule: spend-limit, where: {api_key_id: {not: "@batch"}}, fail_above: 10}
  - id: exact
    rule: spend-limit
    where: {api_key_id: "hash:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}
    fail_above: 10
  - {id: people, rule: cost-per-request, by: [user], where: {user: "*@corp.test"}, fail_above: 0.001}
  - {id: banned, rule: model-ban, models: ["acme/dear"], where: {workspace: "Res*"}, fail_above: 0}
  - {id: growth, rule: spend-growth, by: [model]}
  - {id: lost, rule: spend-limit, where: {api_key_id: nobody}, fail_above: 1}
waivers:
  - {policy: batch, where: {api_key_id: batch-evals}, until: 2026-12-31, reason: agreed, owner: us}
"""
NAMES = ("batch-evals", "batch-nightly", "Production", "Ada Lovelace", "ada@corp.test", "Research")
UUID = "0b9f6a52-7d1e-4c11-9f6e-000000000001"


def fill(server: LoopbackServer) -> str:
    account = server.account
    home = account.add_workspace("Research")
    keys = [account.add_key(name, workspace=home) for name in NAMES[:3]]
    ada = account.add_user("Ada Lovelace", "ada@corp.test")
    account.add_model("acme/dear-20260101")
    account.add_model("acme/plain-20260101")
    for month in range(1, 6):
        account.spend(
            date(2026, month, 15), model="acme/plain-20260101", usd=9.0 * month * month, key=keys[2],
            requests=500, prompt=1_000_000, completion=1_000, user=ada,
        )  # fmt: skip
    account.spend(date(2026, 5, 16), model="acme/dear-20260101", usd=70, key=keys[0], prompt=10_000, user=ada)
    account.spend(date(2026, 5, 17), model="acme/dear-20260101", usd=30, key=keys[1], prompt=10_000)
    account.spend(date(2026, 5, 18), model="acme/plain-20260101", usd=2, prompt=90_000)
    return keys[2].key_hash


HASHED = "b" * 64
"""Stands in ``TEXT`` for the hash of a key."""


def changed(answer: Any, **changes: Any) -> Any:
    return replace(answer, **changes)


def shown(report: Report) -> str:
    return Json().render(report, Style(width=100, color=False, verbosity=0))


def replayed(content: bytes, text: str, **choice: Any) -> Report:
    return lint(policies(text), Snapshot(decode(content, "x")), Choice(**choice))


def verdicts(report: Report) -> dict[str, Verdict]:
    return {policy.id: policy.verdict for policy in report.policies}


def test_a_run_over_http_is_repeated_byte_for_byte_without_a_secret(loopback: LoopbackServer) -> None:
    text = TEXT.replace(HASHED, fill(loopback))
    loopback.account.cached_at = datetime(2026, 6, 9, tzinfo=UTC).timestamp()
    with opened(loopback.environ) as source:
        recorded = record(policies(text), source, Choice())
    sent = recorded.report.source.requests
    asked = len(loopback.paths())
    content = encode(recorded.recording)
    report = replayed(content, text)
    assert shown(report) == shown(recorded.report)
    assert len(loopback.paths()) == asked > sent > 0
    assert {verdicts(report)[name] for name in ("outlier", "others", "exact", "people")} == {Verdict.FAIL}
    assert verdicts(report)["lost"] is Verdict.INCONCLUSIVE
    assert MANAGEMENT_KEY.encode() not in content
    assert b"sk-or" not in content
    assert recorded.recording.info.kind == "openrouter"


def test_nothing_more_is_asked_where_that_is_wanted(loopback: LoopbackServer) -> None:
    text = TEXT.replace(HASHED, fill(loopback))
    with opened(loopback.environ) as source:
        recorded = record(policies(text), source, Choice(), only_asked=True)
    assert len(loopback.paths()) == recorded.report.source.requests
    assert len(recorded.recording.answers) == recorded.asked == len(recorded.report.queries)
    assert shown(replayed(encode(recorded.recording), text)) == shown(recorded.report)


def test_other_policies_are_judged_as_the_account_would(loopback: LoopbackServer) -> None:
    fill(loopback)
    others = """
policies:
  - {id: keys, rule: spend-limit, by: [api_key_id], fail_above: 50}
  - {id: models, rule: usd-per-mtok, by: [api_key_id, model], where: {api_key_id: "batch-n*"}, fail_above: 5}
  - {id: grown, rule: spend-growth, by: [api_key_id], baseline_periods: 4}
  - {id: week, rule: spend-limit, window: 2026-05-11..2026-05-18, by: [model], fail_above: 1}
  - {id: web, rule: metric, expression: usage_web / total_usage, fail_above: 0.5}
"""
    with opened(loopback.environ) as source:
        content = encode(record(policies(TEXT), source, Choice(None, ("outlier",))).recording)
        live = lint(policies(others), source, Choice())
    found = replayed(content, others)
    assert verdicts(found) == verdicts(live)
    assert found.findings == live.findings
    assert {name: str(verdict) for name, verdict in verdicts(found).items()} == {
        "keys": "fail", "models": "fail", "grown": "pass", "week": "fail", "web": "pass",
    }  # fmt: skip


def test_what_does_not_follow_is_inconclusive(loopback: LoopbackServer) -> None:
    fill(loopback)
    with opened(loopback.environ) as source:
        content = encode(record(policies(TEXT), source, Choice(None, ("outlier",))).recording)
    report = replayed(content, "policies: [{id: app, rule: spend-limit, by: [app], fail_above: 1}]")
    (item,) = report.inconclusive
    assert item.reason is Reason.NOT_ANSWERABLE
    assert item.detail == (
        "app in 2026-05-01T00:00:00Z..2026-06-01T00:00:00Z is not in this snapshot: "
        "record again with `orpolicy snapshot`"
    )
    later = replayed(content, TEXT, select=("outlier",), window="2026-01-01..2026-02-01")
    assert later.verdict is Verdict.INCONCLUSIVE


def test_a_redacted_recording_holds_no_name_and_comes_to_the_same(loopback: LoopbackServer) -> None:
    key_hash = fill(loopback)
    text = TEXT.replace(HASHED, key_hash)
    with opened(loopback.environ) as source:
        recorded = record(policies(text), source, Choice(), redact=True)
    content = encode(recorded.recording)
    ids = [key.key_hash for key in loopback.account.keys] + [item.id for item in loopback.account.workspaces]
    for name in (*NAMES, *ids, "corp.test", "batch-*", "nobody"):
        assert name.encode() not in content
    report = replayed(content, text)
    assert verdicts(report) == verdicts(recorded.report)
    by_policy = {finding.policy: finding for finding in report.findings}
    assert by_policy["batch"].status == "waived" or len(by_policy) > 3
    wanted = [
        (item.policy, item.status, item.spend_usd, item.savings.net) for item in recorded.report.findings
    ]
    assert sorted(wanted, key=str) == sorted(
        ((item.policy, item.status, item.spend_usd, item.savings.net) for item in report.findings), key=str
    )
    subjects = {
        finding.subject.get("api_key_id") for finding in report.findings if finding.policy == "others"
    }
    assert subjects == {pseudonym("key", "Production")}
    assert recorded.recording.directory is not None


def test_a_redacted_recording_knows_no_other_selector(loopback: LoopbackServer) -> None:
    text = TEXT.replace(HASHED, fill(loopback))
    with opened(loopback.environ) as source:
        recorded = record(policies(text), source, Choice(), redact=True)
    content = encode(recorded.recording)
    other = """
policies:
  - {id: new, rule: spend-limit, where: {api_key_id: "Prod*"}, fail_above: 10}
  - {id: not, rule: spend-limit, where: {api_key_id: {not: "Prod*"}}, fail_above: 10}
  - {id: old, rule: spend-limit, where: {api_key_id: ["batch-*"]}, fail_above: 10}
  - {id: models, rule: spend-limit, by: [model], where: {model: "acme/*"}, fail_above: 10}
"""
    report = replayed(content, other)
    assert {name: str(verdict) for name, verdict in verdicts(report).items()} == {
        "new": "inconclusive", "not": "inconclusive", "old": "fail", "models": "fail",
    }  # fmt: skip
    assert {item.detail for item in report.inconclusive} == {
        "names are pseudonyms here, and whom this selector of api_key_id matches was not recorded"
    }
    once_more = record(policies(text), Snapshot(decode(content, "x")), Choice(), redact=True)
    assert shown(replayed(encode(once_more.recording), text)) == shown(once_more.report)


def test_redaction_knows_the_same_dimensions() -> None:
    assert set(KINDS) - {"key_hash"} == NAMED_DIMENSIONS


def test_sentences_are_redacted_too() -> None:
    keys = [ApiKey("secret-bot", hash_of(1), UUID, "Lab")]

    class Odd(Recorder):
        def catalogue(self) -> Any:
            raise SourceError(Reason.API_ERROR, "no models for secret-bot")

        def info(self) -> Any:
            return replace(super().info(), notes=("secret-bot is there twice",))

        def answers(self, queries: Any) -> Any:
            return [
                SourceError(Reason.API_ERROR, "secret-bot is too much")
                if "api_key_id" in query.dimensions
                else changed(outcome, warnings=("secret-bot does not resolve",))
                for query, outcome in zip(queries, super().answers(queries), strict=True)
            ]

    rows = [row(api_key_id="secret-bot", model="secret-bot/model", total_usage=5.0)]
    text = "policies: [{id: a, rule: usd-per-mtok, fail_above: 1}, {id: b, rule: spend-limit, fail_above: 1}]"
    recorded = record(policies(text), Odd(memory(rows, keys=keys)), Choice(), redact=True)
    content = encode(recorded.recording)
    assert b"secret-bot" not in content.replace(b"secret-bot/model", b"")
    assert b"does not resolve" not in content, "the words may name whom nobody knows"
    assert verdicts(replayed(content, text)) == verdicts(recorded.report)


def test_a_list_of_keys_that_failed_is_redacted_too() -> None:
    class Shut(Recorder):
        def directory(self) -> Any:
            return self._once("directory", self._refused)

        def _refused(self) -> Any:
            raise SourceError(Reason.ACCESS_DENIED, "ada@corp.test may not list keys")

    text = "policies: [{id: b, rule: spend-limit, fail_above: 1}]"
    recorded = record(policies(text), Shut(memory(ROWS)), Choice(), redact=True)
    content = encode(recorded.recording)
    assert b"corp.test" not in content
    assert b"may not list keys" not in content
    assert b"left out with --redact" in content
    assert replayed(content, text).verdict is recorded.report.verdict is Verdict.INCONCLUSIVE


def test_two_names_of_one_pseudonym_are_not_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orpolicy.disguise.pseudonym", lambda kind, _name: f"{kind}-0")
    rows = [row(api_key_id=name, model="m", total_usage=5.0) for name in ("one", "two")]
    text = "policies: [{id: b, rule: spend-limit, fail_above: 1}]"
    with pytest.raises(SourceError, match="two names of api_key_id have one pseudonym"):
        record(policies(text), memory(rows), Choice(), redact=True)


class Moody(Recorder):
    """A source that has its troubles."""

    def __init__(self, source: Source, *, knows_meta: bool = True, most_metrics: int = 99) -> None:
        super().__init__(source)
        self._knows_meta = knows_meta
        self._most_metrics = most_metrics

    def meta(self) -> Any:
        if not self._knows_meta:
            raise SourceError(Reason.ACCESS_DENIED, "only management keys")
        return super().meta()

    def answer(self, query: Any) -> Any:
        if len(query.metrics) > self._most_metrics:
            raise SourceError(Reason.API_ERROR, "too many metrics")
        return super().answer(query)

    def answers(self, queries: Any) -> Any:
        found: list[Any] = []
        for query in queries:
            try:
                found.append(self.answer(query) if len(query.metrics) > self._most_metrics else None)
            except SourceError as error:
                found.append(error)
        good = iter(
            super().answers([query for query, one in zip(queries, found, strict=True) if one is None])
        )
        return [next(good) if one is None else one for one in found]


ROWS = [
    row(api_key_id="a", model="m", variant="x", total_usage=5.0, usage_cache=-1.0),
    row(api_key_id="b", model="m", variant="x", total_usage=7.0, usage_cache=None),
]


def test_where_not_even_what_can_be_asked_is_known_nothing_is_recorded() -> None:
    with pytest.raises(SourceError, match="only management keys"):
        record(policies(TEXT), Moody(memory(ROWS), knows_meta=False), Choice())


def test_a_refusal_of_many_metrics_costs_only_the_metrics() -> None:
    by_model = "policies: [{id: a, rule: usd-per-mtok, fail_above: 1}]"
    by_key = "policies: [{id: b, rule: spend-limit, fail_above: 6}]"
    recorded = record(policies(by_model), Moody(memory(ROWS), most_metrics=7), Choice())
    assert all(not isinstance(asked.outcome, SourceError) for asked in recorded.recording.answers)
    (finding,) = replayed(encode(recorded.recording), by_key).findings
    assert (finding.subject["api_key_id"], finding.spend_usd) == ("b", 7.0)


def test_what_nobody_asked_is_asked_of_each_window_once() -> None:
    source = Recorder(memory(ROWS))
    text = """policies:
  - {id: a, rule: usd-per-mtok, fail_above: 1}
  - {id: b, rule: usd-per-mtok, window: last-week, fail_above: 1}
  - {id: c, rule: usd-per-mtok, window: 2026-01-01..2026-05-20, fail_above: 1}
"""
    recorded = record(policies(text), source, Choice())
    queries = [asked.query for asked in source.asked]
    assert len(set(queries)) == len(queries)
    assert len(recorded.recording.answers) == len(queries) > recorded.asked
    histories = {
        query.window.days for query in queries if query.granularity and query.dimensions == ("model",)
    }
    assert histories == {31, 7, 139, 273, 63}


def test_the_supplement_keeps_to_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orpolicy.recording.MAX_QUERIES", 4)
    recorded = record(
        policies("policies: [{id: a, rule: usd-per-mtok, fail_above: 1}]"), memory(ROWS), Choice()
    )
    assert len(recorded.recording.answers) == 4


def test_cut_off_days_are_not_kept() -> None:
    class Cut(Recorder):
        def answers(self, queries: Any) -> Any:
            outcomes = super().answers(queries)
            return [
                changed(outcome, truncated=bool(query.granularity))
                for query, outcome in zip(queries, outcomes, strict=True)
            ]

    recorded = record(
        policies("policies: [{id: a, rule: usd-per-mtok, fail_above: 1}]"), Cut(memory(ROWS)), Choice()
    )
    assert {asked.query.granularity for asked in recorded.recording.answers} == {None}


def test_metrics_that_travel_alone_are_asked_alone(loopback: LoopbackServer) -> None:
    fill(loopback)
    with opened(loopback.environ) as source:
        recorded = record(policies(TEXT), source, Choice(None, ("outlier",)))
    alone = [
        asked.query for asked in recorded.recording.answers if "possible_cached_tokens" in asked.query.metrics
    ]
    assert {query.dimensions for query in alone} == {(), ("model",)}
    assert {query.metrics for query in alone} == {("possible_cached_tokens", "total_usage")}


def test_a_recorder_has_no_address() -> None:
    with pytest.raises(UsageError, match="not a source that can be opened"):
        Recorder.open(Setting("x", {}))
    source = Recorder(memory(ROWS, catalogue=catalog(model("m", 1, 2))))
    with pytest.raises(SourceError):
        source.answer(replace(policies_query(), metrics=("usage_web",)))
    assert json.loads(encode(source_recording(source)))["answers"][0]["error"] == "not-answerable"


def policies_query() -> Any:
    recorder = Recorder(memory(ROWS))
    lint(policies("policies: [{id: a, rule: usd-per-mtok, fail_above: 1}]"), recorder, Choice())
    return recorder.asked[0].query


def source_recording(source: Recorder) -> Any:
    recording = source.recording()
    (asked,) = recording.answers
    widened = replace(asked, query=replace(asked.query, metrics=("total_usage",)))
    return replace(recording, answers=(widened,))


def test_an_account_without_keys_is_not_asked_for_them() -> None:
    rows = [{name: value for name, value in item.items() if name != "api_key_id"} for item in ROWS]
    recorded = record(
        policies("policies: [{id: a, rule: usd-per-mtok, fail_above: 1}]"), memory(rows), Choice()
    )
    assert recorded.recording.directory is None
    assert {asked.query.dimensions for asked in recorded.recording.answers} == {
        (),
        ("model",),
        ("model", "variant"),
    }
