"""Random accounts for laws: a month of usage by key and model, policies of every kind, and what a run says.

Dollars are whole 64ths, so that no order of adding them up rounds anything.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from hypothesis import settings
from hypothesis import strategies as st
from world import catalog, hash_of, memory, model, policies, row

from orpolicy.account import ApiKey
from orpolicy.lint import lint
from orpolicy.staging import Choice
from orpolicy.table import DATE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orpolicy.catalog.model import Catalog
    from orpolicy.finding import Finding
    from orpolicy.policy.model import PolicySet
    from orpolicy.report import Report
    from orpolicy.sources.base import Source
    from orpolicy.sources.memory import Memory

LAW = settings(max_examples=int(os.environ.get("LAW_EXAMPLES", "40")), deadline=None)
"""A law is held against whole runs: fewer examples, each with as much time as it takes.

``LAW_EXAMPLES`` in the environment asks for more of them.
"""

KEYS = tuple(
    ApiKey(name, hash_of(number)) for number, name in enumerate(("batch-a", "batch-b", "prod", "web"))
)
MODELS = ("acme/large", "acme/medium", "acme/small", "acme/tiny-preview")
PRICES = ((8.0, 32.0, 0.8), (2.0, 8.0, 0.2), (0.5, 2.0, 0.05), (4.0, 16.0, 0.4))
"""USD a million tokens: prompt, completion, cache read."""

RELATIVE = {
    "outlier": "rule: blended-multiple, warn_above: 1.5, fail_above: 3",
    "cached": "rule: cache-hit-rate, prompt_heavy: {prompt_per_completion_above: 2}, fail_below: 0.4",
    "cached-by-key": "rule: cache-hit-rate, by: [api_key_id], fail_below: 0.5, "
    "prompt_heavy: {prompt_per_completion_above: 2}",
    "reasoning": "rule: reasoning-share, fail_above: 0.25",
    "talkative": "rule: prompt-ratio, warn_above: 6, fail_above: 12",
    "web": "rule: surcharge-share, components: [web], fail_above: 0.05",
    "web-by-key": "rule: metric, by: [api_key_id], expression: usage_web / total_usage, fail_above: 0.1",
    "unlabelled": "rule: unattributed-spend, without: [api_key_id], fail_above: 0.1",
    "no-preview": "rule: model-ban, where: {api_key_id: 'batch-*'}, models: ['@preview'], "
    "replacement: acme/small, allow_empty: true",
}
"""Policies about shares, ratios and use, which no currency changes."""

ABSOLUTE = {
    "budget": "rule: spend-limit, warn_above: 20, fail_above: 40",
    "budget-of-batch": "rule: spend-limit, by: [model], where: {api_key_id: 'batch-*'}, fail_above: 16, "
    "allow_empty: true",
    "rate": "rule: usd-per-mtok, floor: {spend: 2}, fail_above: 12",
    "cache-loss": "rule: cache-net-loss, warn_above: 0, fail_above: 2",
    "cache-loss-by-pair": "rule: cache-net-loss, by: [api_key_id, model], fail_above: 1",
    "cheaper": "rule: cheaper-model, warn_above: 0.5, fail_above: 4",
    "cheaper-models": "rule: cheaper-model, by: [model], replacement: acme/tiny-preview, fail_above: 2",
    "per-request": "rule: cost-per-request, floor: {requests: 3}, fail_above: 0.05",
}
ALL = RELATIVE | ABSOLUTE


@dataclass(frozen=True, slots=True)
class Usage:
    """Usage of one day, by one key on one model.

    Attributes:
        day: of May 2026.
        key: index of ``KEYS``; ``model`` likewise.
        sixty_fourths: of a dollar; so many of them are for web search in ``web``, and so many
            were lost by caching in ``cache``, saved where it is negative.
    """

    day: int
    key: int
    model: int
    sixty_fourths: int
    prompt: int
    completion: int
    cached: int
    reasoning: int
    requests: int
    web: int
    cache: int = 0

    def record(self, keys: Sequence[ApiKey] = KEYS, dollars: float = 1.0) -> dict[str, Any]:
        """As a record of the memory source."""
        key = keys[self.key]
        return row(
            **{DATE: f"2026-05-{self.day:02d}"},
            api_key_id=key.name,
            api_key_hash=key.key_hash,
            model=MODELS[self.model],
            total_usage=self.sixty_fourths / 64 * dollars,
            usage_web=self.web / 64 * dollars,
            usage_cache=self.cache / 64 * dollars,
            request_count=self.requests,
            tokens_total=self.prompt + self.completion,
            tokens_prompt=self.prompt,
            tokens_completion=self.completion,
            cached_tokens=self.cached,
            reasoning_tokens=self.reasoning,
        )


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """Any usage whose counts fit together."""
    prompt, completion = draw(st.integers(0, 4_000_000)), draw(st.integers(0, 1_000_000))
    sixty_fourths = draw(st.integers(0, 64 * 30))
    return Usage(
        day=draw(st.integers(1, 31)),
        key=draw(st.integers(0, len(KEYS) - 1)),
        model=draw(st.integers(0, len(MODELS) - 1)),
        sixty_fourths=sixty_fourths,
        prompt=prompt,
        completion=completion,
        cached=draw(st.integers(0, prompt)),
        reasoning=draw(st.integers(0, completion)),
        requests=draw(st.integers(1, 500)),
        web=draw(st.integers(0, sixty_fourths)),
        cache=draw(st.integers(-sixty_fourths, sixty_fourths)),
    )


accounts = st.lists(usages(), min_size=1, max_size=14)
plain_accounts = accounts.map(lambda found: [replace(usage, web=0) for usage in found])
"""Accounts that pay for no extras."""


def models(factor: float = 1.0) -> list[dict[str, Any]]:
    """The catalogue's rows, each price so many times its own."""
    return [
        model(
            name,
            prompt * factor,
            completion * factor,
            pricing={"input_cache_read": str(read * factor / 1e6)},
            benchmarks={"artificial_analysis": {"intelligence_index": 50}},
        )
        for name, (prompt, completion, read) in zip(MODELS, PRICES, strict=True)
    ]


@lru_cache
def prices(factor: float = 1.0) -> Catalog:
    """The catalogue of these models."""
    return catalog(*models(factor))


def in_memory(
    records: Sequence[dict[str, Any]], *, keys: Sequence[ApiKey] = KEYS, factor: float = 1.0
) -> Memory:
    """A source of these records, with prices."""
    return memory(records, keys=keys, catalogue=prices(factor))


def written(named: dict[str, str]) -> str:
    """A policy file of some policies."""
    return "policies:\n" + "".join(f"  - {{id: {name}, {body}}}\n" for name, body in named.items())


@lru_cache(maxsize=256)
def _read(text: str) -> PolicySet:
    return policies(text)


def judge(source: Source, named: dict[str, str] | None = None, extra: str = "") -> Report:
    """The report on a source by some policies, or by all of them."""
    return lint(_read(written(ALL if named is None else named) + extra), source, Choice())


Line = tuple[Any, ...]


def verdicts(report: Report) -> dict[str, str]:
    """Policy -> verdict."""
    return {policy.id: policy.verdict.value for policy in report.policies}


def lines(report: Report) -> set[Line]:
    """What every finding says, apart from its share of the net."""
    return {line(finding) for finding in report.findings}


def line(finding: Finding) -> Line:
    """Who breaks what, by how much, and what that is worth."""
    savings = finding.savings
    return (
        finding.policy,
        tuple(sorted(finding.subject.items())),
        finding.verdict,
        finding.measure.value,
        finding.spend_usd,
        finding.exposure_usd_per_month,
        (savings.low, savings.expected, savings.high, savings.confidence),
    )
