"""A policy in plain words, with its queries."""

from __future__ import annotations

from pathlib import Path

import pytest

from orpolicy.cli.main import run
from orpolicy.explaining.queries import condition
from orpolicy.query.model import Filter, Operator

FILE = """
version: 1
key_sets:
  batch: ["batch-*", nightly]
policies:
  - id: everything
    rule: cache-hit-rate
    title: Prompts are cached
    why: It is cheap
    owner: data
    link: https://example.com/x
    by: [api_key_id, model]
    window: last-week
    where: {api_key_id: "@batch", model: {not: ["a/*", "b/*"]}}
    prompt_heavy: {prompt_per_completion_above: 7}
    floor: {spend: 10, requests: 5, share: 0.01}
    fail_below: 0.2
    warn_below: 0.4
    locked: true
    allow_empty: true
  - {id: spend-limit, rule: spend-limit, severity: note, fail_above: 5}
  - {id: grown, rule: spend-growth}
  - {id: banned, rule: model-ban, models: [a/b], replacement: c/d}
  - {id: extras, rule: surcharge-share, components: [web, file], fail_above: 0.1}
  - {id: never, rule: spend-growth, window: last-30d}
waivers:
  - {policy: banned, where: {api_key_id: [x, y]}, until: 2027-01-31, max_spend: 500,
     reason: Agreed., owner: finance}
  - {policy: banned, until: 2027-02-28, reason: All, owner: finance}
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    Path("orpolicy.yaml").write_text(FILE, encoding="utf-8")


def page(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["explain", *arguments, "--now", "2026-06-10"]) == 0
    return capsys.readouterr().out


def test_all_that_a_policy_says_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    shown = page(capsys, "everything")
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert shown.startswith(
        "everything: a policy of kind cache-hit-rate, orpolicy.yaml:6\nPrompts are cached\n\n"
    )
    paragraph = " ".join(shown.split("\n\n")[1].split())
    assert paragraph == (
        "It measures cached / prompt tokens where prompt-heavy, for each key and model, over last-week (now "
        "2026-06-01 to 2026-06-07 (7 days)). Only where the key is @batch (batch-*, nightly). Not where the "
        "model is a/* or b/*. Settings of the kind: prompt_heavy prompt_per_completion_above 7. It fails "
        "below 20 % and warns below 40 %. Rows that spend less than $10 or have fewer than 5 requests or "
        "spend less than 1 % of all spend in the window are counted, not judged. Matching nothing is a pass. "
        "It is locked: it can neither be waived nor accepted by a baseline. It belongs to data. "
        "Why: It is cheap. "
        "More: https://example.com/x"
    )
    assert "q3  api_key_id, model, 2026-06-01T00:00:00Z..2026-06-08T00:00:00Z" in shown
    assert "`orpolicy plan --select everything` prints the queries in full." in shown


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("grown", "for each key, over last-month (now May 2026), against the 8 periods before it"),
        ("grown", "It fails at or above 2x, the kind's default"),
        ("banned", "It is about these models: a/b. It fails on any use, the kind's default."),
        ("banned", "Savings are priced on c/d. Matching nothing is inconclusive, not a pass."),
        (
            "banned",
            "finance agreed to an exception for key x or y up to $500 a month until 2027-01-31 (Agreed).",
        ),
        ("banned", "finance agreed to an exception for all of it until 2027-02-28 (All)."),
        ("extras", "for all traffic together"),
        ("extras", "Settings of the kind: components web, file."),
        ("never", "cannot be asked: never: "),
    ],
)
def test_what_is_particular_is_said(policy: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert words in " ".join(page(capsys, policy).split())


def test_a_kind_of_the_same_name_comes_first_unless_files_are_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    first = page(capsys, "spend-limit")
    assert "Good example" in first
    second = page(capsys, "spend-limit", "orpolicy.yaml")
    assert second.startswith("spend-limit: a policy of kind spend-limit, orpolicy.yaml:")
    assert "It warns above $5/month; its severity is note." in " ".join(second.split())


def test_a_pack_and_an_override_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.yaml").write_text(
        "version: 1\nextends: [pack:starter]\n"
        "override:\n  blended-outlier: {fail_above: 8, warn_above: null}\n",
        encoding="utf-8",
    )
    shown = " ".join(page(capsys, "blended-outlier", "mine.yaml").split())
    assert "mine.yaml:4 overrides fail_above: 15 before, 8 now." in shown
    assert page(capsys, "blended-outlier", "--pack", "starter").startswith(
        "blended-outlier: a policy of kind"
    )


def test_broken_files_are_wrong_and_missing_ones_only_if_named(capsys: pytest.CaptureFixture[str]) -> None:
    Path("orpolicy.yaml").unlink()
    assert run(["explain", "everything"]) == 2
    assert "there is no rule kind, policy, finding or code 'everything'" in capsys.readouterr().err
    assert run(["explain", "everything", "nowhere.yaml"]) == 2
    assert "nowhere.yaml does not exist" in capsys.readouterr().err
    Path("orpolicy.yaml").write_text("version: 1\npolicies: 3\n", encoding="utf-8")
    assert run(["explain", "everything"]) == 2
    assert "orpolicy.yaml:2" in capsys.readouterr().err
    assert run(["explain", "spend-limit"]) == 0


def test_queries_that_differ_in_their_filters_alone_are_told_apart(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("orpolicy.yaml").write_text(
        "version: 1\npolicies:\n  - {id: batch, rule: usd-per-mtok, by: [api_key_id], fail_above: 1,"
        " where: {model: ['a/*:batch', 'a/*:free']}}\n",
        encoding="utf-8",
    )
    shown = [line.strip() for line in page(capsys, "batch").splitlines()]
    conditions = ["the variant is batch", "the variant is free", "the variant is not batch or free"]
    told = [line.removeprefix("where ") for line in shown if line.startswith("where ")]
    assert told == [*conditions, *conditions]  # control totals first


def test_a_long_filter_is_cut() -> None:
    values = tuple(f"m{number}" for number in range(9))
    assert condition(Filter("api_key_id", Operator.IN, values)) == (
        "the key is m0, m1, m2, m3, m4, m5 or 3 more"
    )
    assert condition(Filter("model", Operator.NOT_IN, ("a\x1b[1m",))) == "the model is not a\\x1b[1m"
