"""Reports as values, one for each kind of run that a format must show well."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from orpolicy.errors import Reason
from orpolicy.finding import (
    Confidence,
    Driver,
    Finding,
    Inconclusive,
    Measure,
    Recommendation,
    Savings,
    Verify,
)
from orpolicy.location import Location
from orpolicy.period import Window
from orpolicy.plugins import REPORTERS
from orpolicy.report import (
    Baseline,
    Coverage,
    OverrideResult,
    PeriodSpend,
    PolicyResult,
    QueryRecord,
    Report,
    ReportSource,
    SavingsTotal,
    SpendBreakdown,
    SubjectSpend,
    WaiverResult,
    WaiverState,
)
from orpolicy.reporters.base import Style
from orpolicy.verdict import Severity, Status, Verdict

NOW = datetime(2026, 6, 10, tzinfo=UTC)
MAY = Window(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC))
LAST_WEEK = Window(datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 8, tzinfo=UTC))
JUNE_TO_DATE = Window(datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 9, 12, tzinfo=UTC), to_date=True)
FILE = "policies/cost.yaml"
NO_SAVINGS = SavingsTotal(0.0, 0.0, 0.0, 0.0, 0.0)
NOTHING_KNOWN = Savings(None, None, None, None, Confidence.UNKNOWN, "")

HOSTILE = "evil\x1b[31m\r\n::error::\u202egnp.exe\x00\x07\x9b2J"
LONG_NAME = "k" * 5_000 + "MIDDLE" + "z" * 5_000
SURROGATE = "file-\udce9-\ud83d"
WIDE = "批处理流水线-データ処理-e\u0301te\u0301"


def policy(
    name: str,
    verdict: Verdict = Verdict.PASS,
    *,
    rule: str = "usd-per-mtok",
    line: int = 10,
    findings: int = 0,
    owner: str = "",
    title: str = "",
    window: Window | None = MAY,
    reason: Reason | None = None,
    queries: tuple[str, ...] = ("q1",),
    notes: tuple[str, ...] = (),
    seen: int = 12,
    severity: Severity = Severity.ERROR,
) -> PolicyResult:
    judged = max(seen - 4, 0)
    return PolicyResult(
        id=name,
        rule=rule,
        verdict=verdict,
        severity=severity,
        location=Location(FILE, line, 5),
        owner=owner,
        title=title,
        window=window,
        rows_seen=seen,
        rows_judged=judged,
        rows_under_floor=min(seen, 3),
        rows_not_applicable=min(seen, 1),
        judged_spend_usd=6180.25 if judged else 0.0,
        spend_under_floor_usd=4.75 if seen else 0.0,
        findings=findings,
        reason=reason,
        queries=queries,
        notes=notes,
    )


def finding(number: int = 1, **changes: object) -> Finding:
    base = Finding(
        fingerprint=f"{number:032x}",
        policy="no-preview-on-batch",
        rule="model-ban",
        verdict=Verdict.FAIL,
        severity=Severity.ERROR,
        subject={"api_key_id": "batch-pipeline", "model": "google/gemini-3-flash-preview"},
        measure=Measure("spend_usd", 6067.0, 0.0, "USD"),
        spend_usd=6067.0,
        tokens_total=127_000_000,
        request_count=37_000,
        usd_per_mtok=47.7716535433,
        savings=Savings(
            2480.4,
            3120.9,
            4010.6,
            3120.9,
            Confidence.PRICED,
            "6067.00 - (121.0M x $0.30 + 6.0M x $2.50) x 1.15 = 3120.90",
        ),
        recommendation=Recommendation(
            "swap-model",
            "google/gemini-3-flash",
            "Change the model id to google/gemini-3-flash, or allow the model here with a waiver.",
            "Another model may answer differently: compare quality on your own task first.",
        ),
        drivers=(),
        locations=(Location("jobs/nightly/pipeline.py", 88, 17), Location(FILE, 20, 5)),
        verify=Verify(
            {
                "metrics": ["total_usage"],
                "dimensions": ["api_key_id", "model"],
                "time_range": {"start": "2026-05-01T00:00:00Z", "end": "2026-06-01T00:00:00Z"},
                "limit": 10_000,
            },
            'curl -sS https://openrouter.ai/api/v1/analytics/query -H "Authorization: Bearer '
            '$OPENROUTER_MANAGEMENT_KEY" -d \'{"metrics":["total_usage"],"limit":10000}\'',
            "spend_usd falls to 0",
        ),
        owner="data-platform",
        title="Preview models have no place on batch keys",
        why="Preview models change price and behaviour without notice, and nobody watches a batch job.",
        link="https://wiki.example.com/llm/preview-models",
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # a case varies what it needs


def query(name: str = "q1", **changes: object) -> QueryRecord:
    base = QueryRecord(
        id=name,
        policies=("blended-outlier", "cache-prompt-heavy"),
        request={"metrics": ["total_usage"], "dimensions": ["model"], "limit": 10_000},
        rows=12,
        truncated=False,
        complete_because="not truncated",
        cached_at=datetime(2026, 6, 9, 23, 58, tzinfo=UTC),
        from_cache=False,
        elapsed_ms=1_830,
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # a case varies what it needs


def report(**changes: object) -> Report:
    base = Report(
        version="0.1.0",
        verdict=Verdict.PASS,
        source=ReportSource("openrouter", "openrouter.ai", 5, 0),
        generated_at=NOW,
        baseline=Baseline(MAY, 6185.0, 6_250_000_000, 61_200, 0.9896),
        savings=NO_SAVINGS,
        coverage=Coverage(6180.25, 6180.25 / 6185.0),
        policies=(),
        findings=(),
        inconclusive=(),
        waivers=(),
        queries=(query(),),
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # a case varies what it needs


def all_pass() -> Report:
    ids = (
        "blended-outlier",
        "cache-prompt-heavy",
        "key-budget",
        "no-preview-on-batch",
        "no-retired-models",
        "reasoning-share",
        "web-search-cap",
    )
    return report(policies=tuple(policy(name, line=10 * (at + 1)) for at, name in enumerate(ids)))


def weeks(*spend_usd: float) -> tuple[PeriodSpend, ...]:
    """Weeks of a hundred million tokens up to the last one before the clock."""
    first = LAST_WEEK.start - timedelta(weeks=len(spend_usd) - 1)
    return tuple(
        PeriodSpend(
            Window(first + timedelta(weeks=at), first + timedelta(weeks=at + 1)), usd, 100_000_000, usd / 100
        )
        for at, usd in enumerate(spend_usd)
    )


def spend() -> SpendBreakdown:
    """A small account: its dearest model is 25 times as dear as the blend, images have no tokens."""
    return SpendBreakdown(
        by_model=(
            SubjectSpend({"model": "google/gemini-3-flash-preview"}, 4390.8, 177_738_000, 24.70391),
            SubjectSpend({"model": "anthropic/claude-sonnet-4.6"}, 812.4, 201_400_000, 4.0338),
            SubjectSpend({"model": "openai/gpt-5-mini"}, 501.3, 5_870_862_000, 0.085388),
            SubjectSpend({"model": "google/imagen-5"}, 30.5, 0, None),
        ),
        by_key=(
            SubjectSpend({"api_key_id": "batch-pipeline"}, 4210.0, 1_000_000_000, 4.21),
            SubjectSpend({"api_key_id": "support-bot"}, 1200.0, 2_250_000_000, 0.533333),
            SubjectSpend({"api_key_id": None}, 325.0, 3_000_000_000, 0.108333),
        ),
        by_period=weeks(1180.0, 1216.5, 0.0, 1302.25, 1291.0, 1410.75),
        models=7,
        keys=3,
    )


def story() -> Report:
    """The account of the contract: a preview model on a batch key, and what else there is."""
    swap = finding()
    blended = finding(
        2,
        policy="blended-outlier",
        rule="blended-multiple",
        subject={"model": "google/gemini-3-flash-preview"},
        measure=Measure("blended_multiple", 24.96, 15.0, "x", "24.70 $/Mtok against a blended 0.99"),
        spend_usd=6190.8,
        tokens_total=250_600_000,
        request_count=38_112,
        usd_per_mtok=24.70391,
        savings=Savings(2490.0, 3131.2, 4022.5, 0.0, Confidence.PRICED, "6190.80 - 3059.60 = 3131.20"),
        drivers=(
            Driver({"api_key_id": "batch-pipeline"}, 6067.0, 0.98),
            Driver({"api_key_id": "batch-eval"}, 61.9, 0.01),
            Driver({"api_key_id": None}, 37.1, 0.006),
            Driver({"api_key_id": "web"}, 24.8, 0.004),
        ),
        locations=(Location(FILE, 12, 5),),
        owner="",
        title="",
        why="A model far above our blended rate is the first place to look for waste.",
        link="",
    )
    cache = finding(
        3,
        policy="cache-prompt-heavy",
        rule="cache-hit-rate",
        verdict=Verdict.WARN,
        severity=Severity.WARNING,
        subject={"model": "anthropic/claude-sonnet-4.6"},
        measure=Measure("cache_hit_rate", 0.042, 0.30, "share"),
        spend_usd=812.4,
        tokens_total=201_400_000,
        request_count=9_120,
        usd_per_mtok=4.0338,
        savings=Savings(120.0, 188.2, 410.9, 188.2, Confidence.PRICED, "190.1M x (0.30 - 0.042) x $2.70"),
        recommendation=Recommendation(
            "enable-caching",
            None,
            "Put what stays the same first in the prompt and mark it with cache_control.",
            "Cache writes cost more than plain input: short-lived prompts may not pay back.",
        ),
        drivers=(Driver({"api_key_id": "support-bot"}, 790.0, 0.972),),
        locations=(Location(FILE, 31, 5),),
        owner="support",
        title="Prompt-heavy traffic is cached",
        why="",
        link="",
    )
    growth = finding(
        4,
        policy="weekly-growth",
        rule="spend-growth",
        subject={"api_key_id": "web"},
        measure=Measure(
            "growth_ratio",
            2.004,
            2.0,
            "x",
            "410.20 USD against a median of 204.69 (z 4.1); requests +190.11, tokens per request +3.20, "
            "price per token +12.20 USD",
        ),
        spend_usd=410.2,
        tokens_total=98_000_000,
        request_count=14_876,
        usd_per_mtok=4.1857,
        savings=NOTHING_KNOWN,
        exposure_usd_per_month=893.6,
        recommendation=Recommendation(
            "investigate-growth",
            None,
            "Find the release, job or user behind the increase; give the key a limit if nobody meant it.",
            "Growth that is meant only needs a new baseline.",
        ),
        drivers=(Driver({"model": "openai/gpt-5"}, 400.0, 0.975),),
        locations=(Location(FILE, 52, 5),),
        owner="web",
        title="",
        why="",
        link="",
    )
    waived = finding(
        5,
        status=Status.WAIVED,
        subject={"api_key_id": "batch-eval", "model": "google/gemini-3-flash-preview"},
        measure=Measure("spend_usd", 61.9, 0.0, "USD"),
        spend_usd=61.9,
        savings=Savings(30.0, 40.2, 50.1, 0.0, Confidence.PRICED, "61.90 - 21.70 = 40.20"),
    )
    return report(
        verdict=Verdict.FAIL,
        savings=SavingsTotal(6440.3, 2600.4, 3309.1, 4421.5, 40.2),
        policies=(
            policy("blended-outlier", Verdict.FAIL, rule="blended-multiple", line=12, findings=1),
            policy(
                "no-preview-on-batch", Verdict.FAIL, rule="model-ban", line=20, findings=2, queries=("q2",)
            ),
            policy("cache-prompt-heavy", Verdict.WARN, rule="cache-hit-rate", line=31, findings=1),
            policy("web-search-cap", rule="surcharge-share", line=40, queries=("q1",), seen=1),
            policy("key-budget", rule="spend-limit", line=45, queries=("q2",)),
            policy("weekly-growth", Verdict.FAIL, rule="spend-growth", line=52, findings=1, window=LAST_WEEK),
            policy(
                "no-retired-models",
                Verdict.INCONCLUSIVE,
                rule="model-ban",
                line=60,
                reason=Reason.TRUNCATED,
                queries=("q3",),
                seen=0,
            ),
        ),
        findings=(swap, cache, blended, growth, waived),
        inconclusive=(
            Inconclusive(
                "no-retired-models",
                Reason.TRUNCATED,
                "q3 stayed truncated at 10,000 rows, and its last row ($14.20) is above the floor ($10).",
                "Narrow the policy with `where`, or raise `floor.spend` above $14.20.",
                Location(FILE, 60, 5),
            ),
        ),
        waivers=(
            WaiverResult(
                "no-preview-on-batch",
                WaiverState.ACTIVE,
                date(2027, 1, 31),
                "Evaluation run, agreed with finance.",
                "data-platform",
                1,
                61.9,
                Location(FILE, 71, 5),
            ),
        ),
        queries=(
            query(),
            query("q2", policies=("no-preview-on-batch", "key-budget"), rows=212, cached_at=None),
            query(
                "q3",
                policies=("no-retired-models",),
                rows=10_000,
                truncated=True,
                complete_because="the tail may matter",
                from_cache=True,
            ),
        ),
        catalogue_taken_at=datetime(2026, 8, 8, 6, 30, tzinfo=UTC),
        catalogue_models=421,
        notices=("1 row outside the window was dropped from q2.",),
        spend=spend(),
    )


def hostile() -> Report:
    """Names that try to move the cursor, forge lines, hide text or flood the screen."""
    bad = finding(
        1,
        policy=HOSTILE,
        subject={"api_key_id": LONG_NAME, "user": HOSTILE},
        title=HOSTILE,
        why=HOSTILE + LONG_NAME,
        owner=SURROGATE,
        link="javascript:alert(1)\n\x1b]8;;http://x\x07",
        measure=Measure("spend_usd", 6067.0, 0.0, "USD", HOSTILE),
        drivers=(Driver({"api_key_id": WIDE}, 1.0, 0.5), Driver({}, 0.0, 0.0)),
        locations=(Location(HOSTILE, 1, 1), Location(FILE, 20, 5)),
        recommendation=Recommendation("swap-model", HOSTILE, WIDE * 20, "e" + "\u0301" * 9_000),
        verify=Verify({"metrics": [HOSTILE]}, HOSTILE, HOSTILE),
    )
    return report(
        verdict=Verdict.FAIL,
        source=ReportSource("local", SURROGATE, 0, 0),
        savings=SavingsTotal(3120.9, 2480.4, 3120.9, 4010.6, 0.0),
        policies=(policy(HOSTILE, Verdict.FAIL, findings=1, notes=(HOSTILE,)),),
        findings=(bad, replace(bad, fingerprint="2" * 32, status=Status.WAIVED, subject={"model": WIDE})),
        inconclusive=(Inconclusive(WIDE, Reason.API_ERROR, HOSTILE, HOSTILE, Location(SURROGATE, 3, 1)),),
        waivers=(
            WaiverResult(
                HOSTILE,
                WaiverState.ACTIVE,
                date(2027, 1, 31),
                HOSTILE,
                HOSTILE,
                1,
                61.9,
                Location(HOSTILE, 71, 5),
            ),
        ),
        queries=(query(HOSTILE, policies=(HOSTILE,), error=HOSTILE), query("q2", complete_because=HOSTILE)),
        notices=(HOSTILE, SURROGATE),
        spend=SpendBreakdown(
            by_model=(SubjectSpend({"model": HOSTILE}, 6067.0, 127_000_000, 47.77),),
            by_key=(
                SubjectSpend({"api_key_id": LONG_NAME}, 6000.0, 127_000_000, 47.24),
                SubjectSpend({"api_key_id": SURROGATE, "workspace": HOSTILE}, 67.0, 0, None),
            ),
            by_period=weeks(0.0),
            models=1,
            keys=2,
        ),
    )


def two_hundred() -> Report:
    """Two policies with a hundred findings each; some claim what others claim already."""
    findings = tuple(
        finding(
            number,
            policy="no-preview-on-batch" if number % 2 else "blended-outlier",
            subject={"api_key_id": f"batch-{number:03}", "model": "google/gemini-3-flash-preview"},
            measure=Measure("spend_usd", 5000.0 / number, 0.0, "USD"),
            spend_usd=5000.0 / number,
            savings=Savings(
                1000.0 / number,
                2000.0 / number,
                3000.0 / number,
                0.0 if number % 7 == 0 else 2000.0 / number,
                Confidence.PRICED,
                "a - b = c",
            )
            if number % 11
            else NOTHING_KNOWN,
        )
        for number in range(1, 201)
    )
    return report(
        verdict=Verdict.FAIL,
        savings=SavingsTotal(11_000.0, 5_000.0, 10_000.0, 15_000.0, 0.0),
        policies=(
            policy("blended-outlier", Verdict.FAIL, findings=100, line=12),
            policy("no-preview-on-batch", Verdict.FAIL, findings=100, line=20),
        ),
        findings=findings,
        catalogue_taken_at=datetime(2026, 8, 8, 6, 30, tzinfo=UTC),
        catalogue_models=421,
    )


def everything_inconclusive() -> Report:
    reasons = tuple(Reason)
    return report(
        verdict=Verdict.INCONCLUSIVE,
        coverage=Coverage(0.0, 0.0),
        policies=tuple(
            policy(f"policy-{at}", Verdict.INCONCLUSIVE, reason=reason, line=at + 1, seen=0, queries=())
            for at, reason in enumerate(reasons)
        ),
        inconclusive=tuple(
            Inconclusive(
                f"policy-{at}",
                reason,
                f"The server said: {reason}.",
                "Ask again, or change the policy.",
                Location(FILE, at + 1, 5),
            )
            for at, reason in enumerate(reasons)
        ),
        queries=(query(error="api-error: HTTP 503 after 4 tries", rows=0),),
    )


def no_baseline() -> Report:
    """A source that answered nothing at all."""
    return report(
        verdict=Verdict.INCONCLUSIVE,
        source=ReportSource("openrouter", "openrouter.ai", 1, 0),
        baseline=None,
        coverage=Coverage(0.0, None),
        policies=(
            policy(
                "blended-outlier",
                Verdict.INCONCLUSIVE,
                reason=Reason.ACCESS_DENIED,
                window=None,
                seen=0,
                queries=(),
            ),
        ),
        inconclusive=(
            Inconclusive(
                "blended-outlier",
                Reason.ACCESS_DENIED,
                "HTTP 403: Only management keys can perform this operation",
                "Set OPENROUTER_MANAGEMENT_KEY to a management key.",
                Location(FILE, 10, 5),
            ),
        ),
        queries=(),
    )


def waivers_of_all_states() -> Report:
    """One finding is waived, one is baselined, one is open again as its waiver is exceeded."""
    waivers = tuple(
        WaiverResult(
            "no-preview-on-batch",
            state,
            date(2026, 6, 20),
            f"Agreed with finance ({state}).",
            "data-platform",
            0 if state is WaiverState.UNUSED else 1,
            0.0 if state is WaiverState.UNUSED else 750.5,
            Location(FILE, 70 + at, 5),
        )
        for at, state in enumerate(WaiverState)
    )
    unused = Savings(0.0, 0.0, 750.5, 0.0, Confidence.BOUNDED, "0 to 750.50")
    return report(
        verdict=Verdict.FAIL,
        savings=SavingsTotal(0.0, 0.0, 0.0, 750.5, 6241.8),
        policies=(
            policy("no-preview-on-batch", Verdict.FAIL, line=20, findings=2, window=JUNE_TO_DATE),
            policy("blended-outlier", Verdict.PASS, line=12, findings=1),
        ),
        findings=(
            finding(1, savings=unused, spend_usd=750.5, measure=Measure("spend_usd", 750.5, 0.0, "USD")),
            finding(2, status=Status.WAIVED, subject={"api_key_id": "batch-eval", "model": "x/y-preview"}),
            finding(3, status=Status.BASELINED, policy="blended-outlier", subject={"model": "x/y-preview"}),
        ),
        waivers=waivers,
        overrides=(
            OverrideResult("", "key_sets.batch", ["batch-*"], ["batch-*", "|nightly"], Location(FILE, 3, 1)),
            OverrideResult("blended-outlier", "fail_above", 15, 30.5, Location(FILE, 6, 20)),
            OverrideResult("blended-outlier", "warn_above", 5, None, Location(FILE, 6, 36)),
        ),
    )


def partial() -> Report:
    """What little a foreign or future report may hold: no policy results, no tokens, no names."""
    return report(
        verdict=Verdict.WARN,
        source=ReportSource("local", "", 0, 2),
        baseline=Baseline(LAST_WEEK, 0.42, 0, 3, None),
        savings=SavingsTotal(0.30, 0.1, 0.1, 0.1, 0.0),
        findings=(
            finding(
                1,
                verdict=Verdict.WARN,
                subject={},
                measure=Measure("usd_per_request", 0.1401, 0.14, "USD/request"),
                spend_usd=0.42,
                tokens_total=0,
                request_count=3,
                usd_per_mtok=None,
                savings=Savings(0.3, 0.3, 0.3, 0.1, Confidence.EXACT, "0.42 - 0.12"),
                owner="",
                title="",
                why="",
                link="",
            ),
        ),
        queries=(),
        catalogue_taken_at=None,
        catalogue_models=0,
    )


SAMPLES = {
    "all-pass": all_pass,
    "story": story,
    "hostile": hostile,
    "two-hundred": two_hundred,
    "everything-inconclusive": everything_inconclusive,
    "no-baseline": no_baseline,
    "waivers": waivers_of_all_states,
    "partial": partial,
}

GOLDEN = Path(__file__).parent / "golden"
"""What was looked at and found good; `python tests/reporters/samples.py` writes it anew, to be looked at."""


def golden_cases() -> dict[str, tuple[str, Style]]:
    """File name -> the sample and the terminal."""
    cases: dict[str, tuple[str, Style]] = {}
    for name in SAMPLES:
        for width in (80, 140):
            cases[f"{name}-{width}.txt"] = (name, Style(width))
    for width in (80, 140):
        cases[f"story-{width}.ansi"] = ("story", Style(width, color=True))
        cases[f"waivers-{width}.ansi"] = ("waivers", Style(width, color=True))
        cases[f"story-{width}-verbose.txt"] = ("story", Style(width, verbosity=1))
        cases[f"all-pass-{width}-verbose.txt"] = ("all-pass", Style(width, verbosity=1))
    return cases


def main() -> None:
    GOLDEN.mkdir(exist_ok=True)
    for name, (sample, style) in golden_cases().items():
        text = REPORTERS["text"]().render(SAMPLES[sample](), style)
        (GOLDEN / name).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
