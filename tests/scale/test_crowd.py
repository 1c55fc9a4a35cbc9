"""Ten thousand keys on four hundred models: the verdicts of an unlimited server, in few requests, or none."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from crowd import KINDS, Crowd, key_name, model_id
from crowd_run import Unlimited, checked, essence, pack
from crowd_server import CrowdServer, never_truncated, rows_dropped

from orpolicy.query.vocabulary import MAX_ROWS
from orpolicy.sources.openrouter import OpenRouter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crowd_server import Lie

    from orpolicy.report import Report

HERE = Path(__file__).parent
MAX_REQUESTS = 120
MAX_MB = 500
MAY_DAYS_TIMES_FACTOR = "(CASE kind WHEN 2 THEN 155 WHEN 3 THEN 56 WHEN 4 THEN 42 ELSE 62 END)"
"""Of May's 31 days 10 are weekends: 2 a day is usual, 5 on growing keys, none before the 4th on new ones."""


@pytest.fixture(scope="module")
def crowd() -> Crowd:
    return Crowd(10_000, 400)


@pytest.fixture(scope="module")
def starter(crowd: Crowd, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a process of its own says of the starter pack."""
    folder = tmp_path_factory.mktemp("cache")
    with CrowdServer(crowd) as server:
        environ = server.environ | {"ORPOLICY_CACHE_DIR": str(folder), "PYTHONPATH": f"{HERE.parent}:{HERE}"}
        done = subprocess.run(
            [sys.executable, str(HERE / "crowd_run.py"), "starter"],
            env=environ,
            capture_output=True,
            check=False,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        answered: dict[str, Any] = json.loads(done.stdout)
        assert answered["requests"] == len(server.requests)
    return answered


def subjects(crowd: Crowd, text: str) -> set[str]:
    """Members that a statement over the pairs finds, joined."""
    found = crowd.engine.cursor().execute(
        text.replace("USD", f"(total_usage * {MAY_DAYS_TIMES_FACTOR} / 1e6)")
    )
    return {"|".join(map(str, row)) for row in found.fetchall()}


def findings(starter: dict[str, Any], policy: str, verdict: str = "fail") -> set[str]:
    return {item[1] for item in starter["findings"] if item[0] == policy and item[3] == verdict}


def test_the_account_is_as_crowded_as_it_should_be(crowd: Crowd) -> None:
    (pairs,) = crowd.engine.cursor().execute("SELECT count(*) FROM pairs").fetchone() or (0,)
    assert pairs > 1_490_000
    assert len(crowd.account.keys) == 10_000
    assert len(crowd.account.models) == 400


def test_the_starter_pack_is_judged_within_the_budget(starter: dict[str, Any]) -> None:
    assert starter["reasons"] == []
    assert dict(starter["policies"]) == {
        "blended-outlier": "fail",
        "no-preview-on-batch": "fail",
        "cache-prompt-heavy": "fail",
        "paid-extras": "pass",
        "sudden-growth": "fail",
    }
    assert starter["requests"] <= MAX_REQUESTS, starter["queries"]
    assert starter["peak_mb"] < MAX_MB


def test_and_finds_what_an_engine_finds(crowd: Crowd, starter: dict[str, Any]) -> None:
    """The expected rows are asked of the pairs directly, in SQL."""
    rate = "sum(total_usage * F) / sum(tokens_total * F)".replace("F", MAY_DAYS_TIMES_FACTOR)
    models = f"""
        SELECT m FROM pairs GROUP BY m HAVING sum(USD) >= 50
        AND ({rate}) / (SELECT {rate} FROM pairs) > """  # noqa: S608 - of this module's own words
    dear, outliers = subjects(crowd, models + "5"), subjects(crowd, models + "15")
    assert len(dear) == 5
    assert findings(starter, "blended-outlier") == {model_id(int(m)) for m in outliers}
    assert findings(starter, "blended-outlier", "warn") == {model_id(int(m)) for m in dear - outliers}
    previews = subjects(crowd, "SELECT k, m FROM pairs WHERE k % 10 = 3 AND m % 40 = 19 AND USD >= 50")
    assert findings(starter, "no-preview-on-batch") == names(previews)
    uncached = subjects(
        crowd,
        "SELECT k, m FROM pairs WHERE tokens_prompt > 10 * tokens_completion AND USD >= 50"
        " AND cached_tokens < 0.3 * tokens_prompt",
    )
    assert len(uncached) > 20
    assert findings(starter, "cache-prompt-heavy") == names(uncached)
    assert KINDS[1] == "grew last week"
    assert findings(starter, "sudden-growth") == {key_name(5)}, "the one that also grew by 2 % of everything"


def names(pairs: set[str]) -> set[str]:
    """The keys and models behind numbers."""
    split = [pair.split("|") for pair in pairs]
    return {f"{key_name(int(key))}|{model_id(int(model))}" for key, model in split}


@pytest.fixture(scope="module", autouse=True)
def _no_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ORPOLICY_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


def judged(name: str, *, cap: int, lie: Lie | None = None) -> Report:
    """A pack over 900 keys, two of them of one name, on 100 models: 33,000 pairs."""
    with CrowdServer(Crowd(900, 100, cap=cap, namesakes=1), lie) as server:
        return checked(pack(name), server.environ, Unlimited if cap > MAX_ROWS else OpenRouter)


@pytest.fixture(scope="module")
def whole() -> dict[str, Report]:
    """By pack, what an unlimited server leads to."""
    return {name: judged(name, cap=10**9) for name in ("starter", "strict")}


@pytest.mark.parametrize("name", ["starter", "strict"])
def test_a_server_with_a_cap_leads_to_the_same_verdicts_and_findings(
    whole: dict[str, Report], name: str
) -> None:
    report = judged(name, cap=MAX_ROWS)
    assert not report.inconclusive
    assert any(query.truncated for query in report.queries)
    assert not any(query.truncated for query in whole[name].queries)
    assert len(report.findings) >= {"starter": 4, "strict": 100}[name]
    assert essence(report) == essence(whole[name])


LIES: list[tuple[int, Lie | None, set[str]]] = [
    (2_000, None, set()),
    (30, None, {"truncated"}),
    (MAX_ROWS, rows_dropped, {"control-mismatch"}),
    (MAX_ROWS, never_truncated, {"control-mismatch"}),
    (1_000, never_truncated, {"control-mismatch"}),
]
"""The cap, what the server says beside the truth, and why some policy is then not judged."""


@pytest.mark.parametrize(("cap", "lie", "caught"), LIES)
@pytest.mark.parametrize("name", ["starter", "strict"])
def test_a_lying_server_leads_to_the_same_verdicts_or_none(
    whole: dict[str, Report], name: str, cap: int, lie: Lie | None, caught: set[str]
) -> None:
    honest, report = essence(whole[name]), judged(name, cap=cap, lie=lie)
    said, told = dict(honest["policies"]), dict(essence(report)["policies"])
    assert {policy: told[policy] for policy in told if told[policy] != "inconclusive"}.items() <= said.items()
    open_policies = {item.policy for item in report.inconclusive}
    assert essence(report)["findings"] == [
        item for item in honest["findings"] if item[0] not in open_policies
    ]
    assert {item.reason.value for item in report.inconclusive} >= caught
