"""What packs say of accounts with nothing or one key in them: never a green that was not earned."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from loopback.server import LoopbackServer  # noqa: TC002 - the fixtures' annotations
from pack_accounts import NOW, PREVIEW, lead_to, use, with_models
from pack_runs import PACKS, Run, check

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from loopback.account import LoopbackAccount


@pytest.fixture
def account(loopback: LoopbackServer) -> LoopbackAccount:
    """An account with a catalogue and no usage."""
    with_models(loopback.account)
    return loopback.account


@pytest.fixture
def judge(loopback: LoopbackServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Run]:
    """Run one pack on the loopback account."""
    lead_to(loopback, tmp_path, monkeypatch)
    return lambda pack: check(tmp_path, "--pack", pack, "--now", NOW, "--no-cache")


@pytest.mark.parametrize("pack", PACKS)
def test_an_empty_account_is_never_green(
    account: LoopbackAccount, judge: Callable[[str], Run], pack: str
) -> None:
    assert account.records == []
    empty = judge(pack)
    assert empty.code == 3
    assert set(empty.verdicts.values()) == {"inconclusive"}
    assert empty.reasons == {"empty-window"}


@pytest.mark.parametrize("pack", PACKS)
def test_one_healthy_key_passes(account: LoopbackAccount, judge: Callable[[str], Run], pack: str) -> None:
    use(account, "my-app")
    healthy = judge(pack)
    assert healthy.code == 0
    # A review lists what burns the most, and here that is all there is.
    found = {("review-top-models", ("acme/steady",)): "warn"} if pack == "cost-review" else {}
    assert healthy.found == found
    assert set(healthy.verdicts.values()) <= {"pass", "warn"}


@pytest.mark.parametrize("pack", PACKS)
def test_pocket_money_passes_whatever_it_is_spent_on(
    account: LoopbackAccount, judge: Callable[[str], Run], pack: str
) -> None:
    """Six dollars of uncached, thinking, growing traffic in May lie under every floor."""
    use(account, "my-app", since=date(2026, 5, 1), usd=0.2, requests=2, prompt=90_000, completion=1_000)
    assert judge(pack).code == 0


@pytest.mark.parametrize(
    ("pack", "code", "expected"),
    [
        ("starter", 1, {"cache-prompt-heavy"}),
        ("cost-review", 0, {"review-uncached-prompts", "review-prompt-bloat", "review-top-models"}),
        ("strict", 1, {"strict-caching"}),
    ],
)
def test_one_key_that_sends_long_prompts_uncached(
    account: LoopbackAccount, judge: Callable[[str], Run], pack: str, code: int, expected: set[str]
) -> None:
    use(account, "my-app", prompt=40_000_000, completion=1_000_000, usd=44.0)
    run = judge(pack)
    assert (run.code, {policy for policy, _ in run.found}) == (code, expected)


@pytest.mark.parametrize(
    ("pack", "code", "expected"),
    [
        ("starter", 1, {"no-preview-on-batch"}),
        ("cost-review", 0, {"review-preview-on-batch", "review-top-models", "review-blended-rate"}),
        ("strict", 1, {"strict-no-preview", "strict-no-frontier-on-batch"}),
    ],
)
def test_one_batch_key_on_a_preview_model(
    account: LoopbackAccount, judge: Callable[[str], Run], pack: str, code: int, expected: set[str]
) -> None:
    use(account, "nightly-report", model=PREVIEW, usd=64.0)
    run = judge(pack)
    assert (run.code, {policy for policy, _ in run.found}) == (code, expected)


@pytest.mark.parametrize(
    ("pack", "looking_back"),
    [
        ("starter", {"sudden-growth"}),
        ("cost-review", {"review-growth", "review-new-models"}),
        ("strict", {"strict-growth"}),
    ],
)
def test_what_is_new_in_a_new_account_is_not_known_yet(
    account: LoopbackAccount, judge: Callable[[str], Run], pack: str, looking_back: set[str]
) -> None:
    """Spending began in May: no month and only a few weeks to compare with."""
    use(account, "my-app", since=date(2026, 5, 18))
    new = judge(pack)
    assert new.code == 3
    assert {name for name, verdict in new.verdicts.items() if verdict == "inconclusive"} == looking_back
    assert new.reasons == {"too-little-history"}


def test_the_starter_knows_growth_after_five_weeks(
    account: LoopbackAccount, judge: Callable[[str], Run]
) -> None:
    """Four whole weeks lie before the last one, which began on 1 June."""
    use(account, "my-app", since=date(2026, 5, 4))
    assert judge("starter").code == 0


def test_the_starter_sees_a_key_that_doubled_within_a_week(
    account: LoopbackAccount, judge: Callable[[str], Run]
) -> None:
    use(account, "my-app")
    key = account.keys[0]
    account.spend_daily(date(2026, 6, 1), 7, key=key, model=account.records[0].members["model"], usd=9.0)
    doubled = judge("starter")
    assert doubled.found == {("sudden-growth", ("my-app",)): "fail"}
    (finding,) = doubled.report["findings"]
    assert finding["measure"]["value"] == pytest.approx(17 / 8)


@pytest.mark.parametrize("pack", PACKS)
def test_an_account_that_only_makes_images_is_not_judged_by_tokens(
    account: LoopbackAccount, judge: Callable[[str], Run], pack: str
) -> None:
    use(account, "my-app", prompt=0, completion=0)
    images = judge(pack)
    assert images.code == 3
    assert images.reasons == {"nothing-judged"}


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("openai/gpt-4", True),
        ("openai/gpt-4-turbo", True),
        ("openai/gpt-3.5-turbo", True),
        ("anthropic/claude-3-haiku", True),
        ("google/gemini-pro-1.5", True),
        ("openai/gpt-4o-mini", False),
        ("openai/gpt-4.1", False),
        ("anthropic/claude-3.7-sonnet", False),
        ("google/gemini-2.5-pro", False),
    ],
)
def test_the_review_knows_retired_models(
    account: LoopbackAccount, judge: Callable[[str], Run], model: str, expected: bool
) -> None:
    account.add_model(model)
    use(account, "nightly-report", model=model)
    use(account, "web-app", model=model)
    found = [subject for policy, subject in judge("cost-review").found if policy == "review-retired-on-batch"]
    assert found == ([("nightly-report", model)] if expected else [])


@pytest.mark.parametrize(("usd", "expected"), [(0.5, True), (0.0, False), (-0.5, False)])
def test_the_review_sees_caching_that_costs_more_than_it_saves(
    account: LoopbackAccount, judge: Callable[[str], Run], usd: float, expected: bool
) -> None:
    """``usage_cache`` is signed: above 0, writing to the cache cost more than reading from it saved."""
    use(account, "my-app", usage_cache=usd)
    found = {policy for policy, _ in judge("cost-review").found}
    assert ("review-cache-loss" in found) is expected
