from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orpolicy.cli.main import run
from orpolicy.explaining.queries import body_lines

TEXT = """
version: 1
policies:
  - {id: outlier, rule: blended-multiple, fail_above: 15}
  - {id: dear, rule: usd-per-mtok, fail_above: 15}
  - {id: ban, rule: model-ban, models: ["@preview"]}
  - {id: growth, rule: spend-growth, window: last-week}
  - {id: pushed, rule: spend-limit, by: [app, model], where: {api_key_id: "batch-*"}, fail_above: 1}
  - {id: lost, rule: spend-limit, by: [provider, user], where: {app: x}, fail_above: 1}
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("orpolicy.yaml").write_text(TEXT, encoding="utf-8")
    monkeypatch.delenv("OPENROUTER_API_KEY", raising=False)
    monkeypatch.delenv("OPENROUTER_MANAGEMENT_KEY", raising=False)


def test_a_plan_needs_neither_key_nor_network(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan", "--now", "2026-06-10"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("4 queries for 5 policies, and 4 requests about the account\n")
    assert "shared by ban, dear, outlier" in shown
    assert "not asked: lost:" in shown
    assert "later: pushed:" in shown
    assert "2026-05-01T00:00:00Z..2026-06-01T00:00:00Z" in shown


def test_a_plan_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan", "--now", "2026-06-10", "--json", "--select", "dear"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert [query["request"]["dimensions"] for query in plan["queries"]] == [[], ["model"]]
    assert plan["queries"][1]["policies"] == ["dear"]
    assert plan["account_requests"] == 2
    assert plan["unasked"] == []


def test_two_thousand_policies_take_no_more(capsys: pytest.CaptureFixture[str]) -> None:
    many = "version: 1\npolicies:\n" + "".join(
        f"  - {{id: p-{number}, rule: {rule}, fail_above: {number}}}\n"
        for number in range(1, 2001)
        for rule in [("blended-multiple", "usd-per-mtok", "spend-limit", "cost-per-request")[number % 4]]
    )
    Path("orpolicy.yaml").write_text(many, encoding="utf-8")
    assert run(["plan", "--now", "2026-06-10"]) == 0
    assert capsys.readouterr().out.startswith("2 queries for 2000 policies")


def test_a_plan_of_a_source_that_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan", "--source", "demo"]) == 0
    assert "2026-05-01T00:00:00Z" in capsys.readouterr().out


def test_a_catalogue_may_be_given(tmp_path: Path) -> None:
    assert run(["plan", "--catalog", str(tmp_path / "absent.json")]) == 2
    (tmp_path / "models.json").write_text(
        json.dumps({"data": [{"id": "a/b", "pricing": {"prompt": "1", "completion": "1"}}]}), encoding="utf-8"
    )
    assert run(["plan", "--catalog", str(tmp_path / "models.json")]) == 0


def test_lines_fit_the_terminal_and_hold_the_request(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "70")
    assert run(["plan", "--now", "2026-06-10"]) == 0
    shown = capsys.readouterr().out
    assert run(["plan", "--now", "2026-06-10", "--json"]) == 0
    wanted = [query["request"] for query in json.loads(capsys.readouterr().out)["queries"]]
    requests = [part for part in shown.split("\n\n") if part.startswith("q")]
    assert [json.loads(part[part.index("{") :]) for part in requests] == wanted
    assert max(len(line) for part in requests for line in part.splitlines()) <= 70


BODIES = st.dictionaries(
    st.text(max_size=8),
    st.lists(st.text(max_size=12), max_size=6) | st.integers() | st.just({"a": "b c", "d": ["e", "f"]}),
    min_size=1,
    max_size=5,
)


@settings(max_examples=50)
@given(body=BODIES, width=st.integers(10, 60))
def test_wrapped_or_not_the_request_is_the_same(body: dict[str, object], width: int) -> None:
    assert json.loads("\n".join(body_lines(body, width))) == body
