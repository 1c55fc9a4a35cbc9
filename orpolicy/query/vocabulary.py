"""The metrics and dimensions that the language knows, with the limits that planning must respect.

The meta answer of the account is the authority for what can be asked; this table adds what that
answer does not say: which metrics add up, how rates are rebuilt, and how long a window may be.
Source: OpenRouter's analytics documentation and schema notes of 2026-08 to 2026-10.
"""

from __future__ import annotations

from orpolicy.nouns import dataclass

ROLLUP_MAX_DAYS = 365
RAW_MAX_DAYS = 31
"""The longest window for what only raw generations hold."""

MAX_DIMENSIONS = 2
MAX_FILTERS = 20
MAX_ROWS = 10_000

SPEND = "total_usage"
REQUESTS = "request_count"
TOKENS = "tokens_total"
PROMPT = "tokens_prompt"
COMPLETION = "tokens_completion"
REASONING = "reasoning_tokens"
CACHED = "cached_tokens"

BASE_METRICS = (SPEND, REQUESTS, TOKENS, PROMPT, COMPLETION, REASONING, CACHED)
"""Asked in every grouped query: no cap binds them, and savings need them."""

SURCHARGES = ("usage_web", "usage_web_fetch", "usage_file")
"""Paid extras in USD, asked beside the base metrics where they reach: no other model saves them."""

CORE_METRICS = (SPEND, REQUESTS, TOKENS)
"""The three without which nothing can be judged."""


@dataclass(frozen=True, slots=True)
class Metric:
    """What planning knows of a metric.

    Attributes:
        name: the API's name.
        additive: whether values of disjoint rows may be summed.
        is_money: whether the unit is USD; otherwise a count, or, for rates, what the name says.
        max_days: the longest window that the API answers.
        rebuilt_as: for a rate, the expression over additive metrics that equals it, or "" if none does.
        alone: whether the API refuses it beside token metrics and most dimensions.
    """

    name: str
    additive: bool = True
    is_money: bool = False
    max_days: int = ROLLUP_MAX_DAYS
    rebuilt_as: str = ""
    alone: bool = False


def _known() -> dict[str, Metric]:
    metrics = [Metric(name, is_money=name == SPEND) for name in BASE_METRICS]
    metrics += [
        Metric(name, is_money=True)
        for name in (
            "byok_usage", "credits_usage", "usage_upstream", "usage_cache", "usage_data", "usage_web",
            "usage_upstream_web",
        )
    ]  # fmt: skip
    metrics += [
        Metric(name, is_money=True, max_days=RAW_MAX_DAYS)
        for name in (
            "openrouter_usage", "byok_fees", "usage_file", "usage_upstream_file", "usage_web_fetch",
            "usage_upstream_web_fetch",
        )
    ]  # fmt: skip
    metrics += [
        Metric("byok_request_count"),
        Metric("guardrail_invoked_count", max_days=RAW_MAX_DAYS),
        Metric("response_cached_count", max_days=RAW_MAX_DAYS),
        Metric("possible_cached_tokens", max_days=RAW_MAX_DAYS, alone=True),
    ]
    rates = {
        "cache_hit_rate": "cached_tokens / tokens_prompt",
        "blended_cost_per_million_tokens": "total_usage / tokens_total * 1000000",
        "guardrail_invoked_rate": "guardrail_invoked_count / request_count",
        "response_cached_rate": "response_cached_count / request_count",
        "possible_cache_hit_rate": "possible_cached_tokens / tokens_prompt",
        "cache_capture_rate": "cached_tokens / possible_cached_tokens",
    }
    families = (
        "latency", "router_latency", "total_time_to_first_token", "generation_time", "inter_token_latency",
        "throughput",
    )  # fmt: skip
    rates |= {f"{form}_{name}": "" for name in families for form in ("avg", "p50", "p90", "p95", "p99")}
    metrics += [
        Metric(name, additive=False, rebuilt_as=rebuilt, max_days=RAW_MAX_DAYS)
        for name, rebuilt in rates.items()
    ]
    return {metric.name: metric for metric in metrics}


METRICS = _known()

ROLLUP_DIMENSIONS = ("model", "variant", "api_key_id", "workspace", "app", "user")
RAW_DIMENSIONS = (
    "provider", "origin", "country", "data_region", "skin", "finish_reason", "external_user",
    "context_length_bucket", "generation_id", "session_id", "streamed",
)  # fmt: skip
DIMENSIONS = (*ROLLUP_DIMENSIONS, *RAW_DIMENSIONS)


def max_days(metrics: tuple[str, ...], dimensions: tuple[str, ...]) -> int:
    """The longest window in days that one query with these metrics and dimensions may have."""
    limits = [METRICS[name].max_days if name in METRICS else RAW_MAX_DAYS for name in metrics]
    limits += [RAW_MAX_DAYS for name in dimensions if name not in ROLLUP_DIMENSIONS]
    return min(limits, default=ROLLUP_MAX_DAYS)
