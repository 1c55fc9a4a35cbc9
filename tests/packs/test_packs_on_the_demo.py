"""What each pack finds in the demo account, held against the account added up by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from demo_figures import (
    BLENDED,
    DEMO,
    MAY,
    MEASURES,
    MTOK,
    Usage,
    demo_prices,
    monthly_growth,
    weekly_growth,
)
from pack_runs import PACKS, Run, Subject, check, pack_arguments

from orpolicy.cli.main import run
from orpolicy.policy.packs import pack_path

if TYPE_CHECKING:
    from pathlib import Path

PREVIEW = "northwind/atlas-3-pro-preview"
PRO = "northwind/atlas-3-pro"
FLASH = "northwind/atlas-3-flash"
FORGE = "cobalt/forge-5"
BATCH = ("batch-pipeline", PREVIEW)
NIGHTLY = ("nightly-evals", PREVIEW)
SUPPORT = ("support-bot", FORGE)
SCIENCE = ("data-science", PREVIEW)
THINKER = ("code-review", "larkspur/ponder-2")

EXPECTED: dict[str, dict[tuple[str, Subject], str]] = {
    "starter": {
        ("blended-outlier", (PREVIEW,)): "fail",
        ("no-preview-on-batch", BATCH): "fail",
        ("cache-prompt-heavy", SUPPORT): "fail",
        ("sudden-growth", ("lead-scoring",)): "fail",
    },
    "cost-review": {
        ("review-top-models", (PREVIEW,)): "warn",
        ("review-top-models", (PRO,)): "warn",
        ("review-blended-outlier", (PREVIEW,)): "warn",
        ("review-blended-outlier", (PRO,)): "warn",
        ("review-outlier-keys", BATCH): "warn",
        ("review-extras", ()): "warn",
        ("review-extras-by-key", ("search-api",)): "warn",
        ("review-extras-by-key", ("docs-indexer",)): "warn",
        ("review-uncached-prompts", SUPPORT): "warn",
        ("review-thinking", THINKER): "warn",
        ("review-growth", ("lead-scoring",)): "warn",
        ("review-preview-on-batch", BATCH): "warn",
        ("review-preview-on-batch", NIGHTLY): "warn",
        ("review-expiring", (PREVIEW,)): "warn",
        ("review-expiring", ("cobalt/forge-4",)): "warn",
        ("review-dear-requests", BATCH): "warn",
        ("review-prompt-bloat", SUPPORT): "warn",
        ("review-prompt-bloat", SCIENCE): "warn",
        **{
            ("review-cheaper-model", subject): "warn"
            for subject in (
                BATCH,
                SUPPORT,
                THINKER,
                ("prod-api", PRO),
                ("prod-api", FORGE),
                ("data-science", PRO),
                ("mobile-app", "cobalt/forge-4"),
                ("internal-tools", PRO),
                ("release-notes", PRO),
            )
        },
        ("review-keys", ("batch-pipeline",)): "warn",
        ("review-keys", ("nightly-evals",)): "warn",
    },
    "strict": {
        ("strict-blended-outlier", BATCH): "fail",
        ("strict-rate-cap", (PREVIEW,)): "fail",
        ("strict-no-preview", BATCH): "fail",
        ("strict-no-preview", SCIENCE): "fail",
        ("strict-no-preview", NIGHTLY): "fail",
        ("strict-no-expiring", (PREVIEW,)): "fail",
        ("strict-no-expiring", ("cobalt/forge-4",)): "fail",
        ("strict-no-frontier-on-batch", BATCH): "fail",
        ("strict-no-frontier-on-batch", NIGHTLY): "fail",
        ("strict-caching", SUPPORT): "fail",
        ("strict-paid-extras", ("prod-api",)): "warn",
        ("strict-paid-extras", ("search-api",)): "fail",
        ("strict-paid-extras", ("docs-indexer",)): "fail",
        ("strict-thinking", THINKER): "fail",
        ("strict-growth", ("lead-scoring",)): "fail",
        ("strict-dear-requests", BATCH): "fail",
        ("strict-prompt-bloat", SCIENCE): "fail",
        ("strict-prompt-bloat", NIGHTLY): "fail",
        ("strict-key-budget", ("batch-pipeline",)): "fail",
        ("strict-key-budget", ("prod-api",)): "warn",
    },
}
PASSING = {
    "starter": {"paid-extras"},
    "cost-review": {
        "review-batch-tier",
        "review-blended-rate",
        "review-cache-loss",
        "review-coverage",
        "review-frontier-on-batch",
        "review-new-models",
        "review-retired-on-batch",
        "review-unattributed",
    },
    "strict": set(),
}
PROBLEMS = {"batch-pipeline": 1, "nightly-evals": 1}
"""No limit; a limit that never resets."""

EXIT = {"starter": 1, "cost-review": 0, "strict": 1}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """Each pack's run on the demo."""
    folder = tmp_path_factory.mktemp("reports")
    return {name: check(folder, "--pack", name, "--source", "demo") for name in PACKS}


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_finds_what_is_there_and_nothing_else(runs: dict[str, Run], name: str) -> None:
    assert runs[name].found == EXPECTED[name]


@pytest.mark.parametrize("name", PACKS)
def test_what_has_no_finding_passes(runs: dict[str, Run], name: str) -> None:
    passed = {policy for policy, verdict in runs[name].verdicts.items() if verdict == "pass"}
    assert passed == PASSING[name]
    assert runs[name].reasons == set()


@pytest.mark.parametrize("name", PACKS)
def test_the_exit_code_is_that_of_a_review_or_a_gate(runs: dict[str, Run], name: str) -> None:
    assert runs[name].code == EXIT[name]


@pytest.mark.parametrize("name", PACKS)
def test_every_figure_of_every_finding_is_the_accounts_own(runs: dict[str, Run], name: str) -> None:
    for finding in runs[name].report["findings"]:
        usage = MAY.where(**finding["subject"])
        measure = finding["measure"]
        if measure["name"] == "growth_ratio":
            growth = weekly_growth if finding["policy"] == "sudden-growth" else monthly_growth
            expected = growth(DEMO.where(**finding["subject"]))
        elif measure["name"] == "problems":
            expected = PROBLEMS[finding["subject"]["api_key_id"]]
        elif measure["name"] == "possible_saving":
            expected = swap_usd(usage, finding["recommendation"]["replacement"])
        else:
            expected = MEASURES[measure["name"]](usage)
            assert finding["spend_usd"] == pytest.approx(usage["total_usage"], rel=1e-12)
            assert finding["tokens_total"] == usage["tokens_total"]
            assert finding["request_count"] == usage["request_count"]
        assert measure["value"] == pytest.approx(expected, rel=1e-12), finding["policy"]


@pytest.mark.parametrize("name", PACKS)
def test_the_baseline_is_all_of_may(runs: dict[str, Run], name: str) -> None:
    baseline = runs[name].report["baseline"]
    assert baseline["spend_usd"] == pytest.approx(MAY["total_usage"], rel=1e-12)
    assert baseline["tokens_total"] == MAY["tokens_total"]
    assert baseline["request_count"] == MAY["request_count"]
    assert baseline["blended_usd_per_mtok"] == pytest.approx(BLENDED, rel=1e-12)


def test_together_they_find_what_each_finds_alone(runs: dict[str, Run], tmp_path: Path) -> None:
    together = check(tmp_path, *pack_arguments(PACKS), "--source", "demo")
    assert together.code == 1
    assert together.found == {key: verdict for name in PACKS for key, verdict in runs[name].found.items()}


def test_they_are_what_judges_in_the_folder_that_holds_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(pack_path("starter").parent.parent)
    together = check(tmp_path, "--source", "demo")
    assert together.found == {key: verdict for name in PACKS for key, verdict in EXPECTED[name].items()}
    assert {policy["file"] for policy in together.report["policies"]} == {
        f"policies/{name}.yaml" for name in PACKS
    }


def swap_usd(usage: Usage, to: str = FLASH) -> float:
    """What moving some May traffic to another model saves, with 15 % more tokens there; extras stay."""
    price = demo_prices(to)
    fresh = usage["tokens_prompt"] - usage["cached_tokens"]
    cost = (
        fresh * price["prompt"]
        + usage["cached_tokens"] * price["input_cache_read"]
        + usage["tokens_completion"] * price["completion"]
    )
    extras = sum(usage[name] for name in ("usage_web", "usage_web_fetch", "usage_file"))
    return usage["total_usage"] - extras - 1.15 * cost


def caching_usd(usage: Usage) -> float:
    """What caching 30 % of the prompts saves, at five reads per write."""
    price = demo_prices(FORGE)
    gain = price["prompt"] - price["input_cache_read"]
    writing = (price["input_cache_write"] - price["prompt"]) / 5
    return usage["tokens_prompt"] * 0.30 * (gain - writing)


def test_the_starters_savings_are_the_swap_and_the_caching(runs: dict[str, Run]) -> None:
    preview = MAY.where(model=PREVIEW)
    support = MAY.where(api_key_id="support-bot", model=FORGE)
    assert support["cached_tokens"] == 0
    net = runs["starter"].report["savings_usd_per_month"]["net"]["expected"]
    assert net == pytest.approx(swap_usd(preview) + caching_usd(support), rel=1e-9)
    saved = {item["policy"]: item["savings_usd_per_month"] for item in runs["starter"].report["findings"]}
    assert saved["blended-outlier"]["expected"] == pytest.approx(swap_usd(preview), rel=1e-9)
    assert saved["cache-prompt-heavy"]["expected"] == pytest.approx(caching_usd(support), rel=1e-9)
    assert saved["no-preview-on-batch"]["net"] == 0  # the outlier claims the same dollars


def test_the_starter_tells_the_story_of_the_demo(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    assert run(["check", "--pack", "starter", "--source", "demo"]) == 1
    text = capsys.readouterr().out
    preview = MAY.where(model=PREVIEW)
    batch = preview.where(api_key_id="batch-pipeline")
    support = MAY.where(api_key_id="support-bot", model=FORGE)
    for expected in (
        f"${preview['total_usage']:,.0f}  {PREVIEW}",
        f"{preview.usd_per_mtok:.1f} $/Mtok",
        f"{preview.usd_per_mtok / BLENDED:.0f}x",
        f"batch-pipeline {batch['total_usage'] / preview['total_usage']:.0%}".replace("%", " %"),
        f"${swap_usd(preview) + caching_usd(support):,.0f} a month",
    ):
        assert expected in text
    assert len(text.splitlines()) < 90


def test_the_story_is_the_one_that_is_told() -> None:
    """The figures above are computed; these are the ones that readers of the story know."""
    preview = MAY.where(model=PREVIEW)
    assert preview["total_usage"] == pytest.approx(6185.00, abs=0.005)
    assert preview.usd_per_mtok == pytest.approx(24.74, abs=0.005)
    assert preview.usd_per_mtok / BLENDED == pytest.approx(25.2, abs=0.05)
    batch = preview.where(api_key_id="batch-pipeline")
    assert batch["total_usage"] / preview["total_usage"] == pytest.approx(0.981, abs=0.0005)
    assert swap_usd(preview) == pytest.approx(5907.72, abs=0.005)
    assert preview["tokens_total"] / MTOK == 250
