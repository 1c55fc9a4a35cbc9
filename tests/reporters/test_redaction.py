"""Pseudonyms: no name in any format, the same ones from run to run, and everything else untouched."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_strategies import reports
from samples import HOSTILE, LONG_NAME, SAMPLES, SURROGATE, WIDE, finding, query, report, story
from world import catalog, hash_of, memory, model, policies, row

from orpolicy.account import ApiKey, Directory
from orpolicy.cli.main import run
from orpolicy.errors import Reason
from orpolicy.finding import Driver, Inconclusive, Recommendation, Verify
from orpolicy.lint import lint
from orpolicy.location import Location
from orpolicy.plugins import REPORTERS
from orpolicy.redaction import names_of, pseudonym, redacted
from orpolicy.report import Report, SpendBreakdown, SubjectSpend
from orpolicy.reporters.base import Style
from orpolicy.staging import Choice

SHELL = "key'; rm -rf ~ #"
MAIL = "ana.pop@example.com"
USER = f"Ana Pop <{MAIL}>"
HASH = hash_of(0xABC)
UUID = "0b5f6d1e-9f3a-4d1e-8c55-2f1d3c9a7e10"
MODEL = "google/gemini-3-flash-preview"
KEY_NAMES = (
    HOSTILE,
    LONG_NAME,
    SURROGATE,
    WIDE,
    SHELL,
    "batch-pipeline",
    'say "hi"',
    "tab\there",
    "a|b`c`*d*",
)


def spellings(name: str) -> set[str]:
    """How a format may write a name: as it is, escaped by Python, JSON, HTML or a URL."""
    return {name, repr(name)[1:-1], json.dumps(name)[1:-1], name.replace("&", "&amp;").replace('"', "&quot;")}


def everywhere(name: str, dimension: str = "api_key_id") -> Report:
    """A report that says one name wherever a report can say one."""
    body = {
        "metrics": ["total_usage"],
        "dimensions": [dimension, "model"],
        "filters": [
            {"field": dimension, "operator": "in", "value": [name]},
            {"field": "model", "operator": "in", "value": [MODEL]},
        ],
    }
    curl = f"curl -d {shlex.quote(json.dumps(body))}"
    said = f"{dimension} {name!r} (that is {name}) is not listed"
    item = finding(
        subject={dimension: name, "model": MODEL},
        drivers=(Driver({dimension: name}, 1.0, 0.5),),
        verify=Verify(body, curl, said),
        why=said,
        title=said,
        recommendation=Recommendation("swap-model", "x/y", said, said),
    )
    return report(
        findings=(
            replace(
                item, measure=replace(item.measure, note=said), savings=replace(item.savings, formula=said)
            ),
        ),
        inconclusive=(Inconclusive("p", Reason.UNRESOLVED_FILTER, said, said, Location("f", 1, 1)),),
        queries=(query(request=body, error=said, complete_because=said),),
        notices=(said,),
        spend=SpendBreakdown(by_key=(SubjectSpend({dimension: name}, 1.0, 1, 1.0),), keys=1),
    )


# No format leaks ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format_", REPORTERS.names)
@pytest.mark.parametrize("name", KEY_NAMES, ids=range(len(KEY_NAMES)))
def test_no_format_says_a_name(format_: str, name: str) -> None:
    clean = redacted(everywhere(name))
    for style in (Style(), Style(width=60, color=True, verbosity=1)):
        text = REPORTERS[format_]().render(clean, style)
        shown = [spelling for spelling in spellings(name) if spelling in text]
        assert shown == []
        assert name[:40] not in text


@pytest.mark.parametrize("format_", REPORTERS.names)
def test_no_format_names_anybody_of_the_demo(
    format_: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = _demo()
    monkeypatch.chdir(tmp_path)
    code = run(["check", "--source", "demo", "--format", f"{format_}=out", "-v"])
    assert run(["check", "--source", "demo", "--format", f"{format_}=redacted", "--redact", "-v"]) == code
    plain, clean = (Path(file).read_text(encoding="utf-8") for file in ("out", "redacted"))
    names = (
        {key.name for key in account.keys} | {key.key_hash for key in account.keys} | set(account.workspaces)
    )
    assert {name for name in names if _says(clean, name)} == set()
    assert "batch-pipeline" in plain
    assert "atlas-3-pro-preview" in clean
    assert re.search(r"key-[0-9a-f]{10}", clean)


def _demo() -> Directory:
    from orpolicy.sources.base import Setting  # noqa: PLC0415 - this one helper needs them
    from orpolicy.sources.demo import Demo  # noqa: PLC0415 - as above

    return Demo.open(Setting("demo", {})).directory()


def _says(text: str, name: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) is not None


@given(reports())
def test_no_subject_of_any_report_keeps_its_members(any_report: Report) -> None:
    clean = redacted(any_report)
    for before, after in zip(any_report.findings, clean.findings, strict=True):
        for dimension, member in before.subject.items():
            kept = dimension not in {"api_key_id", "user", "app", "workspace"} or not member
            assert (after.subject[dimension] == member) is kept


# What stays -----------------------------------------------------------------------------------------------


def test_everything_else_stays() -> None:
    before = story()
    after = redacted(before)
    assert after.savings == before.savings
    assert after.policies == before.policies
    assert [item.fingerprint for item in after.findings] == [item.fingerprint for item in before.findings]
    assert [item.locations for item in after.findings] == [item.locations for item in before.findings]
    assert [item.subject.get("model") for item in after.findings] == [
        item.subject.get("model") for item in before.findings
    ]
    assert after.findings[0].recommendation == before.findings[0].recommendation
    assert after.findings[0].owner == "data-platform"
    assert after.spend.by_key[2].subject == {"api_key_id": None}
    assert after.spend.by_model == before.spend.by_model


@pytest.mark.parametrize("sample", list(SAMPLES))
def test_twice_is_once_for_every_figure(sample: str) -> None:
    before = SAMPLES[sample]()
    once = redacted(before)
    assert [item.spend_usd for item in redacted(once).findings] == [
        item.spend_usd for item in before.findings
    ]
    assert redacted(before) == once


def test_models_keep_their_names_though_a_key_is_called_alike() -> None:
    text = f"Change the model id to {MODEL}; google said no"
    before = report(
        findings=(
            finding(subject={"api_key_id": "google", "model": MODEL}, why=text),
            finding(2, subject={"api_key_id": "gemini"}, why="x/gemini is dear"),
        )
    )
    replaced = replace(
        before.findings[1], recommendation=Recommendation("swap", "x/gemini", "use x/gemini", "")
    )
    after = redacted(replace(before, findings=(before.findings[0], replaced)))
    shown = pseudonym("key", "google")
    assert after.findings[0].why == f"Change the model id to {MODEL}; {shown} said no"
    assert after.findings[1].why == "x/gemini is dear"
    assert after.findings[1].recommendation.text == "use x/gemini"


def test_names_are_replaced_as_words_of_their_own() -> None:
    before = report(
        findings=(finding(subject={"api_key_id": "web"}), finding(2, subject={"api_key_id": "web search"})),
        notices=("web-search usage_web web web search.", "cobweb", "(web)"),
    )
    web, search = pseudonym("key", "web"), pseudonym("key", "web search")
    assert redacted(before).notices == (f"web-search usage_web {web} {search}.", "cobweb", f"({web})")


@pytest.mark.parametrize("name", ["7", "42", "ab", "-", "0.30", "::"])
def test_tiny_names_are_replaced_within_quotes_alone(name: str) -> None:
    before = report(
        findings=(finding(subject={"app": name}),), notices=(f"{name} and 1{name} or '{name}' or \"{name}\"",)
    )
    shown = pseudonym("app", name)
    after = redacted(before)
    assert after.notices == (f"{name} and 1{name} or '{shown}' or \"{shown}\"",)
    assert after.findings[0].subject == {"app": shown}


# Who is who -----------------------------------------------------------------------------------------------


def test_pseudonyms_are_what_they_were() -> None:
    # sha256 of '["orpolicy pseudonym", "key", "batch-pipeline"]'
    assert pseudonym("key", "batch-pipeline") == "key-c8bd60a9bd"
    assert pseudonym("app", "batch-pipeline") != pseudonym("key", "batch-pipeline").replace("key", "app")


def test_kinds_can_be_told_apart() -> None:
    subject = {
        "api_key_id": "n",
        "user": "n",
        "app": "n",
        "workspace": "n",
        "key_hash": HASH,
        "external_user": "n",
    }
    (item,) = redacted(report(findings=(finding(subject=subject),))).findings
    kinds = {name: str(member).partition("-")[0] for name, member in item.subject.items()}
    assert kinds == {
        "api_key_id": "key",
        "user": "user",
        "app": "app",
        "workspace": "workspace",
        "key_hash": "hash",
        "external_user": "user",
    }


def test_users_are_one_by_name_and_by_address() -> None:
    before = report(
        findings=(finding(subject={"user": USER}),),
        notices=(f"Ana Pop, {MAIL}, {USER}", "bob@example.org wrote"),
    )
    after, shown = redacted(before), pseudonym("user", USER)
    assert after.findings[0].subject == {"user": shown}
    assert after.notices == (f"{shown}, {shown}, {shown}", f"{pseudonym('user', 'bob@example.org')} wrote")


def test_hashes_are_one_however_they_are_written() -> None:
    body = {"filters": [{"field": "api_key_id", "operator": "in", "value": [HASH]}]}
    before = report(
        findings=(
            finding(
                subject={"api_key_id": f"hash:{HASH}"},
                verify=Verify(body, f"curl -d '{json.dumps(body)}'", ""),
            ),
        ),
        notices=(f"{HASH} or hash:{HASH}", f"{hash_of(5)}", f"no key has the hash {HASH[:12]}…", "deadbeef"),
    )
    after, shown = redacted(before), pseudonym("hash", HASH)
    assert after.findings[0].subject == {"api_key_id": shown}
    assert after.findings[0].verify.query == {
        "filters": [{"field": "api_key_id", "operator": "in", "value": [shown]}]
    }
    assert after.findings[0].verify.curl == f"curl -d '{json.dumps(body)}'".replace(HASH, shown)
    assert after.notices == (
        f"{shown} or {shown}",
        pseudonym("hash", hash_of(5)),
        f"no key has the hash {pseudonym('hash', HASH[:12])}…",
        "deadbeef",
    )


def test_names_that_only_the_account_knows() -> None:
    key = ApiKey("quiet-key", HASH, UUID, "Research Team")
    names = names_of(
        Directory((key, ApiKey("bare", hash_of(9))), {"Research Team": (UUID,)}),
        {"api_key_id": frozenset({"gone-key"}), "app": frozenset({"My App"}), "model": frozenset({MODEL})},
    )
    said = f"quiet-key, gone-key of Research Team ({UUID}) in My App on {MODEL}"
    (shown,) = redacted(report(notices=(said,)), names).notices
    assert shown == (
        f"{pseudonym('key', 'quiet-key')}, {pseudonym('key', 'gone-key')} of "
        f"{pseudonym('workspace', 'Research Team')} ({pseudonym('workspace', UUID)}) in "
        f"{pseudonym('app', 'My App')} on {MODEL}"
    )


@given(st.text(max_size=20), st.text(max_size=20))
def test_two_names_have_two_pseudonyms(one: str, other: str) -> None:
    assert (pseudonym("key", one) == pseudonym("key", other)) is (one == other)


# In a run -------------------------------------------------------------------------------------------------


def test_a_run_redacts_what_only_its_answers_say() -> None:
    keys = [ApiKey("listed", hash_of(1), UUID, "Team One")]
    source = memory(
        [
            row(api_key_id="listed", model="x/dear", total_usage=100.0, app="App One"),
            row(api_key_id="deleted-key", model="x/dear", total_usage=50.0, app="App Two"),
        ],
        keys=keys,
        catalogue=catalog(model("x/dear", 10, 50)),
    )
    text = "policies:\n  - {id: spend, rule: spend-limit, fail_above: 10}\n"
    text += "  - {id: dear, rule: usd-per-mtok, where: {api_key_id: [listed, deleted-key], app: 'App *'},"
    text += " fail_above: 1}\n"
    plain = lint(policies(text), source, Choice())
    clean = lint(policies(text), source, Choice(), redact=True)
    assert "deleted-key" in repr(plain)
    for name in ("listed", "deleted-key", "App One", "App Two", "Team One", hash_of(1)):
        assert not _says(repr(clean), f"'{name}'")
        assert not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", repr(clean).replace("not listed", ""))
    assert [item.fingerprint for item in clean.findings] == [item.fingerprint for item in plain.findings]
    assert clean.verdict is plain.verdict
