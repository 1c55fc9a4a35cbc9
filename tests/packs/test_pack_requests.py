"""What packs and policies cost in requests, counted where they arrive."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from loopback.server import LoopbackServer  # noqa: TC002 - the fixture's annotation
from pack_accounts import NOW, PREVIEW, lead_to, use, with_models
from pack_runs import PACKS, check, pack_arguments

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNT_PATHS = ["/analytics/meta", "/keys", "/models", "/workspaces"]
KEY, MODEL = "api_key_id", "model"
TWENTY: list[dict[str, Any]] = [
    {"rule": "blended-multiple", "fail_above": 15},
    {"rule": "blended-multiple", "by": [KEY], "fail_above": 15},
    {"rule": "blended-multiple", "by": [KEY, MODEL], "fail_above": 15},
    {"rule": "usd-per-mtok", "fail_above": 20},
    {"rule": "usd-per-mtok", "by": [], "fail_above": 20},
    {"rule": "usd-per-mtok", "where": {KEY: "*-app"}, "fail_above": 20},
    {"rule": "model-ban", "models": ["@preview"]},
    {"rule": "model-ban", "models": ["@frontier"], "where": {KEY: "nightly-*"}},
    {"rule": "model-ban", "models": ["@expiring", "acme/*"], "by": [MODEL], "fail_above": 1e6},
    {"rule": "cache-hit-rate", "fail_below": 0.3},
    {"rule": "cache-hit-rate", "by": [KEY, MODEL], "fail_below": 0.3},
    {"rule": "surcharge-share", "components": ["web", "web_fetch", "file"], "fail_above": 0.05},
    {"rule": "surcharge-share", "components": ["web"], "by": [KEY], "fail_above": 0.05},
    {"rule": "reasoning-share", "fail_above": 0.6},
    {"rule": "reasoning-share", "by": [KEY], "fail_above": 0.6},
    {"rule": "prompt-ratio", "by": [KEY, MODEL], "fail_above": 100},
    {"rule": "spend-limit", "fail_above": 1e6},
    {"rule": "spend-limit", "by": [], "fail_above": 1e6},
    {"rule": "cost-per-request", "fail_above": 0.5},
    {"rule": "metric", "expression": "usage_cache / total_usage", "by": [MODEL], "fail_above": 0.1},
]


@pytest.fixture
def server(loopback: LoopbackServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LoopbackServer:
    """An account of one workspace with four keys, one of them in breach of much."""
    with_models(loopback.account)
    for name in ("web-app", "mobile-app", "search"):
        use(loopback.account, name)
    use(loopback.account, "nightly-report", model=PREVIEW, usd=640.0)
    lead_to(loopback, tmp_path, monkeypatch)
    return loopback


def written(folder: Path, policies: list[dict[str, Any]]) -> str:
    """A policy file in YAML's flow style, which JSON is."""
    entries = [{"id": f"policy-{number}", **policy} for number, policy in enumerate(policies)]
    file = folder / "policies.yaml"
    file.write_text(json.dumps({"version": 1, "policies": entries}), encoding="utf-8")
    return str(file)


def test_twenty_policies_over_one_window_take_six_requests(server: LoopbackServer, tmp_path: Path) -> None:
    run = check(tmp_path, written(tmp_path, TWENTY), "--now", NOW, "--no-cache")
    assert run.reasons == set()
    assert len(run.verdicts) == 20
    assert run.code == 1
    assert len(server.requests) <= 6
    assert sorted(set(server.paths()) - {"/analytics/query"}) == ACCOUNT_PATHS
    assert run.report["source"]["requests"] == len(server.requests)


def test_two_thousand_policies_of_the_same_shapes_take_no_more(
    server: LoopbackServer, tmp_path: Path
) -> None:
    check(tmp_path, written(tmp_path, TWENTY), "--now", NOW, "--no-cache")
    for_twenty = len(server.requests)
    many = check(tmp_path, written(tmp_path, TWENTY * 100), "--now", NOW, "--no-cache")
    assert len(many.verdicts) == 2_000
    assert many.reasons == set()
    assert len(server.requests) - for_twenty <= for_twenty


def test_policies_in_breach_share_the_question_for_what_is_behind_them(
    server: LoopbackServer, tmp_path: Path
) -> None:
    """Four limits, each broken by one key more than the last: one follow-up tells their models."""
    for extra in range(4):
        use(server.account, f"job-{extra}", usd=10.0 + extra)
    limits = [{"rule": "spend-limit", "fail_above": 31 * (9.5 + number)} for number in range(4)]
    run = check(tmp_path, written(tmp_path, limits), "--now", NOW, "--no-cache")
    assert [policy["findings"] for policy in run.report["policies"]] == [5, 4, 3, 2]
    assert server.paths().count("/analytics/query") <= 3


@pytest.mark.parametrize(
    ("packs", "queries"),
    [
        (("starter",), 4),  # all traffic and keys by model, once for May and once by day for growth
        # The same, by month for growth; both again for each side of the batch tier; and for new models all
        # traffic by day and the pairs of the days before.
        (("cost-review",), 10),
        pytest.param(("strict",), 4),
        (PACKS, 12),
    ],
)
def test_packs_share_their_queries(
    server: LoopbackServer, tmp_path: Path, packs: tuple[str, ...], queries: int
) -> None:
    run = check(tmp_path, *pack_arguments(packs), "--now", NOW, "--no-cache")
    assert run.reasons == set()
    assert server.paths().count("/analytics/query") <= queries
    assert len(server.requests) <= queries + len(ACCOUNT_PATHS)


def test_a_second_run_asks_for_no_figure_again(server: LoopbackServer, tmp_path: Path) -> None:
    arguments = (*pack_arguments(PACKS), "--now", "2026-06-12")
    first = check(tmp_path, *arguments)
    queries = server.paths().count("/analytics/query")
    again = check(tmp_path, *arguments)
    assert server.paths().count("/analytics/query") == queries
    assert again.report["source"]["cached_requests"] == queries
    assert again.report["findings"] == first.report["findings"]
