"""What the modelled API knows: its words, and how far back each may be asked.

Written from OpenRouter's documentation and OpenAPI file alone; it shares nothing with ``orpolicy``.
"""

from __future__ import annotations

ROLLUP_COUNTS = (
    "request_count", "tokens_total", "tokens_prompt", "tokens_completion", "reasoning_tokens",
    "cached_tokens", "byok_request_count",
)  # fmt: skip
RAW_COUNTS = ("guardrail_invoked_count", "response_cached_count")
POSSIBLE_COUNTS = ("possible_cached_tokens",)
ROLLUP_DOLLARS = (
    "total_usage", "byok_usage", "credits_usage", "usage_upstream", "usage_cache", "usage_data", "usage_web",
    "usage_upstream_web",
)  # fmt: skip
RAW_DOLLARS = (
    "openrouter_usage", "byok_fees", "usage_file", "usage_upstream_file", "usage_web_fetch",
    "usage_upstream_web_fetch",
)  # fmt: skip
RATIOS = {
    "cache_hit_rate": ("cached_tokens", "tokens_prompt"),
    "guardrail_invoked_rate": ("guardrail_invoked_count", "request_count"),
    "response_cached_rate": ("response_cached_count", "request_count"),
    "possible_cache_hit_rate": ("possible_cached_tokens", "tokens_prompt"),
    "cache_capture_rate": ("cached_tokens", "possible_cached_tokens"),
}
"""Rate -> the counts that it divides."""

ALWAYS_ZERO = "blended_cost_per_million_tokens"
"""Listed by meta, and 0 in every row that was ever seen."""

COUNTS = frozenset((*ROLLUP_COUNTS, *RAW_COUNTS, *POSSIBLE_COUNTS))
DOLLARS = frozenset((*ROLLUP_DOLLARS, *RAW_DOLLARS))
RATES = frozenset((*RATIOS, ALWAYS_ZERO))
METRICS = (*ROLLUP_COUNTS, *ROLLUP_DOLLARS, *RAW_COUNTS, *RAW_DOLLARS, *POSSIBLE_COUNTS, *RATIOS, ALWAYS_ZERO)

POSSIBLE = frozenset(("possible_cached_tokens", "possible_cache_hit_rate", "cache_capture_rate"))
NOT_BESIDE_POSSIBLE = frozenset(("tokens_total", "tokens_completion", "reasoning_tokens"))
RAW_METRICS = frozenset(
    (*RAW_COUNTS, *RAW_DOLLARS, *POSSIBLE, ALWAYS_ZERO, "guardrail_invoked_rate", "response_cached_rate")
)

ROLLUP_DIMENSIONS = ("model", "variant", "api_key_id", "workspace", "app", "user")
RAW_DIMENSIONS = (
    "provider", "origin", "country", "data_region", "finish_reason", "external_user", "context_length_bucket",
    "generation_id", "session_id", "streamed",
)  # fmt: skip
DIMENSIONS = (*ROLLUP_DIMENSIONS, *RAW_DIMENSIONS)

OPERATORS = {
    "eq": "scalar", "neq": "scalar", "in": "array", "not_in": "array",
    "gt": "scalar", "gte": "scalar", "lt": "scalar", "lte": "scalar",
}  # fmt: skip
GRANULARITIES = ("minute", "hour", "day", "week", "month")

ROLLUP_DAYS = 367
RAW_DAYS = 31
MINUTE_HOURS = 3
DEFAULT_DAYS = 7
DEFAULT_ROWS = 1_000
MAX_ROWS = 10_000
MAX_DIMENSIONS = 2
MAX_FILTERS = 20
PAGE = 100
