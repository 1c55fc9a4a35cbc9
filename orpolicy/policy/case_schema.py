"""The part of the schema that unit tests of policies are written in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.errors import Reason
from orpolicy.policy.fragments import DAY, KEY_HASH, TEXT, closed, ref
from orpolicy.query.vocabulary import DIMENSIONS, METRICS
from orpolicy.verdict import Status, Verdict

if TYPE_CHECKING:
    from orpolicy.policy.model import Json

FIXTURE_METRICS = tuple(metric for metric in METRICS.values() if metric.additive)
"""What a row may hold: rates follow from it."""

PRICE_KEYS = {
    "prompt": "An uncached input token.",
    "completion": "An output token.",
    "input_cache_read": "An input token read from cache.",
    "input_cache_write": "An input token written to cache.",
}
"""Prices of a catalogue row in USD per million tokens, by the API's names, with what each is the price of."""

_MEMBER: dict[str, Json] = {"type": ["string", "null"], "minLength": 1}
_UNREAD = (
    "default_parameters", "description", "hugging_face_id", "knowledge_cutoff", "links", "per_request_limits",
    "reasoning", "supported_voices", "top_provider",
)  # fmt: skip


def case_definitions() -> dict[str, Json]:
    """What a test and its parts look like, by name."""
    return {
        "test": _test(),
        "test-row": _row(),
        "test-key": _key(),
        "test-guardrail": _guardrail(),
        "test-model": _model(),
        "test-expectation": _expectation(),
        "test-amount": _amount(),
    }


def _test() -> dict[str, Json]:
    return {
        **closed(
            {
                "name": {**TEXT, "description": "What the test shows."},
                "now": {**TEXT, "description": "The clock: a UTC day or time, such as 2026-06-10."},
                "rows": {
                    "type": "array",
                    "items": ref("test-row"),
                    "description": "Usage: dimensions and metrics by the API's names.",
                },
                "keys": {
                    "type": "array",
                    "minItems": 1,
                    "items": ref("test-key"),
                    "description": "The account's API keys; needed where hashes or namesakes matter.",
                },
                "guardrails": {
                    "type": "array",
                    "items": ref("test-guardrail"),
                    "description": "The account's guardrails; not known if absent.",
                },
                "catalog": {
                    "type": "array",
                    "minItems": 1,
                    "items": ref("test-model"),
                    "description": "Models as GET /models lists them. Without it nothing is priced, and of "
                    "the built-in sets only @preview is known, by the models' names.",
                },
                "expect": {
                    "type": "array",
                    "items": ref("test-expectation"),
                    "description": "Every finding there should be, and what should pass or be inconclusive.",
                },
                "todo": {
                    "type": "boolean",
                    "description": "true: known to fail, so that it fails the run only once it passes.",
                },
            },
            "A unit test of the policies.",
        ),
        "required": ["name", "now", "rows", "expect"],
    }


def _row() -> dict[str, Json]:
    date: dict[str, Json] = {
        "type": "string",
        "pattern": DAY,
        "description": "The UTC day; the last one of the default window, if absent.",
    }
    members: dict[str, Json] = {
        name: {**_MEMBER, "description": f"The {name}, as analytics shows it; null: none."}
        for name in DIMENSIONS
    }
    money: dict[str, Json] = {"type": ["number", "null"], "description": "USD."}
    count: dict[str, Json] = {"type": ["integer", "null"], "minimum": 0, "description": "A count."}
    metrics: dict[str, Json] = {item.name: money if item.is_money else count for item in FIXTURE_METRICS}
    return closed({"date": date, **members, **metrics}, "Some usage on one day.")


def _key() -> dict[str, Json]:
    properties: dict[str, Json] = {
        "name": {**TEXT, "description": "What people see."},
        "hash": {"type": "string", "pattern": KEY_HASH, "description": "64 hex digits; made up if absent."},
        "workspace": {**TEXT, "description": "The workspace's name; rows of the key take it over."},
        "limit": {"type": ["number", "null"], "minimum": 0, "description": "USD; none if absent."},
        "limit_reset": {
            "enum": ["daily", "weekly", "monthly"],
            "description": "After what the limit begins anew; never if absent.",
        },
        "created_at": {"type": "string", "pattern": DAY, "description": "2020-01-01 if absent."},
        "expires_at": {
            "type": ["string", "null"],
            "pattern": DAY,
            "description": "The day of its end; none if absent.",
        },
        "disabled": {"type": "boolean", "description": "Whether it is switched off."},
        "byok_usage": {"type": "number", "minimum": 0, "description": "USD with provider keys of one's own."},
        "include_byok_in_limit": {"type": "boolean", "description": "Whether that counts toward the limit."},
    }
    return {**closed(properties, "An API key."), "required": ["name"]}


def _guardrail() -> dict[str, Json]:
    properties: dict[str, Json] = {
        "name": {**TEXT, "description": "What people see."},
        "assigned": {"type": "boolean", "description": "Whether it holds for anybody; not, if absent."},
        "limit_usd": {"type": ["number", "null"], "minimum": 0, "description": "Its budget; none if absent."},
        "include_byok_in_budgets": {"type": "boolean", "description": "Whether BYOK spend counts toward it."},
    }
    return {**closed(properties, "A guardrail."), "required": ["name"]}


def _model() -> dict[str, Json]:
    prices: dict[str, Json] = {
        key: {"type": "number", "minimum": 0, "description": f"{words} USD per million tokens."}
        for key, words in PRICE_KEYS.items()
    }
    raw: dict[str, Json] = {
        "pricing": {"type": "object", "description": "Prices as the API writes them: USD per token, quoted."},
        "architecture": {"type": "object", "description": "Modalities; text to text if absent."},
        "benchmarks": {"type": "object", "description": "{artificial_analysis: {intelligence_index: 57}}."},
        "alias_target": {"type": "object", "description": "Of an alias: {slug: ...}."},
        "supported_parameters": {"type": "array", "description": "What requests may say."},
        "canonical_slug": {**TEXT, "description": "The dated permaslug; the id if absent."},
        "name": {**TEXT, "description": "For people."},
        "expiration_date": {"type": ["string", "null"], "description": "The day of its removal."},
        "context_length": {"type": ["integer", "null"], "minimum": 0, "description": "Tokens."},
        "created": {"type": ["number", "null"], "description": "Unix seconds."},
    }
    unread: dict[str, Json] = dict.fromkeys(_UNREAD, True)
    model_id: dict[str, Json] = {"id": {**TEXT, "description": "What callers send."}}
    return {
        **closed({**model_id, **prices, **raw, **unread}, "A model of the catalogue."),
        "required": ["id"],
    }


def _expectation() -> dict[str, Json]:
    members: dict[str, Json] = {
        name: {**_MEMBER, "description": f"The subject's {name}."} for name in DIMENSIONS
    }
    savings = {key: ref("test-amount") for key in ("low", "expected", "high")}
    properties: dict[str, Json] = {
        "policy": {**TEXT, "description": "The policy's id."},
        "verdict": {
            "enum": [verdict.value for verdict in Verdict],
            "description": "fail and warn: a finding; pass: none, of the named subject or at all.",
        },
        "status": {
            "enum": [Status.OPEN.value, Status.WAIVED.value],
            "description": "Of a finding: open (the default), or waived.",
        },
        "reason": {
            "enum": [reason.value for reason in Reason],
            "description": "Why the policy is inconclusive.",
        },
        "measure": {**_amount(), "description": "What was measured: a number, or {min, max}."},
        "savings": {
            "type": ["number", "object"],
            "minProperties": 1,
            "properties": {**savings, **_limits()},
            "additionalProperties": False,
            "description": "USD a month: a number or {min, max} as expected, or {low, expected, high}.",
        },
        "key_hash": {"type": "string", "pattern": KEY_HASH, "description": "Of a key with namesakes."},
    }
    found = closed({**properties, **members}, "What one policy should say.")
    return {**found, "required": ["policy", "verdict"]}


def _amount() -> dict[str, Json]:
    return {
        "type": ["number", "object"],
        "minProperties": 1,
        "properties": _limits(),
        "additionalProperties": False,
        "description": "A number, or {min, max}.",
    }


def _limits() -> dict[str, Json]:
    return {
        "min": {"type": "number", "description": "At least this."},
        "max": {"type": "number", "description": "At most this."},
    }
