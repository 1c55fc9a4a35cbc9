"""A record as a line of JSON, and back."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, cast

from orpolicy.fields import Fields
from orpolicy.history.record import Net, PolicyRecord, Record
from orpolicy.period import stamp
from orpolicy.verdict import Status, Verdict

if TYPE_CHECKING:
    from orpolicy.period import Window
    from orpolicy.sources._json import Json

VERSION = 1


class NoRecord(ValueError):  # noqa: N818 - a state of a line
    """A line that holds no record of this version."""


def line_of(record: Record) -> str:
    """The record on one line without its end; equal records give equal lines."""
    net = record.net
    value: Json = {
        "v": VERSION,
        "at": stamp(record.at),
        "verdict": record.verdict.value,
        "source": {"kind": record.source[0], "host": record.source[1]},
        "window": _window(record.window) if record.window else None,
        "spend_usd": _float(record.spend_usd),
        "blended_usd_per_mtok": _float(record.blended_usd_per_mtok),
        "net_usd_per_month": {
            "low": float(net.low),
            "expected": float(net.expected),
            "high": float(net.high),
        },
        "findings": {status.value: number for status, number in record.findings.items()},
        "policies": {name: _policy(policy) for name, policy in record.policies.items()},
    }
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _float(number: float | None) -> float | None:
    return None if number is None else float(number)


def _window(window: Window) -> dict[str, Json]:
    return {"start": stamp(window.start), "end": stamp(window.end), "to_date": window.to_date}


def _policy(policy: PolicyRecord) -> dict[str, Json]:
    return {
        "verdict": policy.verdict.value,
        "findings": policy.findings,
        "measure": policy.measure,
        "value": _float(policy.value),
        "threshold": _float(policy.threshold),
    }


def record_of(line: str) -> Record:
    """The record on a line.

    Raises:
        NoRecord: if there is none.
    """
    try:
        return _record(Fields(_object(json.loads(line))))
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise NoRecord(f"{type(error).__name__}: {error}") from None


def _record(line: Fields) -> Record:
    if line.members["v"] != VERSION:
        raise ValueError("another version")
    source, net, window = _at(line, "source"), _at(line, "net_usd_per_month"), line.members["window"]
    findings, policies = _at(line, "findings"), _at(line, "policies")
    return Record(
        at=line.moment("at"),
        verdict=Verdict(_text(line, "verdict")),
        source=(_text(source, "kind"), _text(source, "host")),
        window=None if window is None else Fields(_object(window)).window(),
        spend_usd=_perhaps(line, "spend_usd"),
        blended_usd_per_mtok=_perhaps(line, "blended_usd_per_mtok"),
        net=Net(_number(net, "low"), _number(net, "expected"), _number(net, "high")),
        findings={status: _count(findings, status.value) for status in Status},
        policies={name: _read_policy(_at(policies, name)) for name in policies.members},
    )


def _read_policy(policy: Fields) -> PolicyRecord:
    return PolicyRecord(
        Verdict(_text(policy, "verdict")),
        _count(policy, "findings"),
        _text(policy, "measure"),
        _perhaps(policy, "value"),
        _perhaps(policy, "threshold"),
    )


def _object(value: object) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise TypeError("no object")
    return cast("dict[str, Json]", value)


def _at(line: Fields, name: str) -> Fields:
    return Fields(_object(line.members[name]))


def _text(line: Fields, name: str) -> str:
    value = line.members[name]
    if not isinstance(value, str):
        raise TypeError(f"{name} is no text")
    return value


def _number(line: Fields, name: str) -> float:
    value = line.members[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(f"{name} is no number")
    return float(value)


def _perhaps(line: Fields, name: str) -> float | None:
    return None if line.members[name] is None else _number(line, name)


def _count(line: Fields, name: str) -> int:
    value = line.members[name]
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise TypeError(f"{name} is no count")
    return value
