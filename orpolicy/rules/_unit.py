"""The unit of an expression over metrics, worked out from the units of its names."""

from __future__ import annotations

import ast
import math
from dataclasses import replace
from typing import TYPE_CHECKING

from orpolicy.nouns import dataclass
from orpolicy.query.vocabulary import METRICS

if TYPE_CHECKING:
    from collections.abc import Mapping

_MTOK = 1e6
_PERCENT = 100.0

_PARTS = {
    "tokens_prompt": frozenset({"cached_tokens", "possible_cached_tokens"}),
    "tokens_completion": frozenset({"reasoning_tokens"}),
}
_WHOLES = frozenset({"total_usage", "tokens_total", "request_count"})
"""Metrics that all others of their unit are parts of."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """What a quantity is counted in, as powers, and by how much its number is larger than that.

    Attributes:
        usd: the power of dollars; likewise ``tokens`` and ``requests``.
        times: 1e6 for dollars per million tokens; never 0.
        is_number: whether it is a number that was written out, which takes the unit of what it is added to.
    """

    usd: int = 0
    tokens: int = 0
    requests: int = 0
    times: float = 1.0
    is_number: bool = False

    @property
    def powers(self) -> tuple[int, int, int]:
        """All three."""
        return self.usd, self.tokens, self.requests


def unit_of(expression: ast.expr, rates: Mapping[str, float]) -> str:
    """The unit as in ``Measure.unit``: USD, tokens, requests, USD/Mtok, share, x; "" where none is known.

    Args:
        expression: names, numbers, + - * and /.
        rates: names that are no metrics but dollars for so many tokens, such as 1e6.
    """
    found = _dimension(expression, rates)
    return "" if found is None else _named(found, is_part=_is_part(expression))


def _named(found: Dimension, *, is_part: bool) -> str:
    plain = {(1, 0, 0): "USD", (0, 1, 0): "tokens", (0, 0, 1): "requests"}
    if found.powers in plain:  # twice as many dollars are dollars
        return plain[found.powers]
    ratio = "share" if is_part else "x"
    scaled = {
        ((1, -1, 0), 1.0): "USD/token",
        ((1, -1, 0), _MTOK): "USD/Mtok",
        ((1, 0, -1), 1.0): "USD/request",
        ((0, 1, -1), 1.0): "tokens/request",
        ((0, 0, 0), 1.0): ratio,
        ((0, 0, 0), _PERCENT): "%",
    }
    return next(
        (
            unit
            for (powers, times), unit in scaled.items()
            if powers == found.powers and math.isclose(times, found.times)
        ),
        "",
    )


def _is_part(node: ast.expr) -> bool:
    """Whether it is a part, or a sum of parts, divided by their whole."""
    match node:
        case ast.BinOp(left=part, op=ast.Div(), right=ast.Name(id=whole)):
            names = _summands(part)
            return ("" not in names and whole in _WHOLES) or names <= _PARTS.get(whole, frozenset())
    return False


def _summands(node: ast.expr) -> frozenset[str]:
    """The names that are added; "" for what is no name."""
    match node:
        case ast.Name(id=name):
            return frozenset({name})
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _summands(left) | _summands(right)
    return frozenset({""})


def _dimension(node: ast.expr, rates: Mapping[str, float]) -> Dimension | None:
    """None where units do not go together, or one is not known."""
    match node:
        case ast.Constant(value=int() | float() as number):
            return Dimension(times=abs(number), is_number=True) if number else None
        case ast.Name(id=name) if name in rates:
            return Dimension(usd=1, tokens=-1, times=rates[name])
        case ast.Name(id=name) if name in METRICS:
            return _of(name)
        case ast.UnaryOp(operand=operand):
            return _dimension(operand, rates)
        case ast.BinOp(left=left, op=op, right=right):
            sides = _dimension(left, rates), _dimension(right, rates)
            return None if None in sides else _joined(op, *sides)  # type: ignore[arg-type]  # None is ruled out
    return None


def _of(name: str) -> Dimension:
    """An additive metric's."""
    if METRICS[name].is_money:
        return Dimension(usd=1)
    return Dimension(tokens=1) if "tokens" in name else Dimension(requests=1)


def _joined(op: ast.operator, left: Dimension, right: Dimension) -> Dimension | None:
    if isinstance(op, ast.Add | ast.Sub):
        return _added(left, right)
    sign = -1 if isinstance(op, ast.Div) else 1
    times = left.times * right.times**sign
    if not 0 < times < math.inf:
        return None
    return Dimension(
        left.usd + sign * right.usd,
        left.tokens + sign * right.tokens,
        left.requests + sign * right.requests,
        times,
        left.is_number and right.is_number,
    )


def _added(left: Dimension, right: Dimension) -> Dimension | None:
    if left.is_number or right.is_number:
        return left if right.is_number else right
    if left.powers != right.powers:
        return None
    if math.isclose(left.times, right.times):
        return left
    is_amount = sorted(left.powers) == [0, 0, 1]
    return replace(left, times=1.0) if is_amount else None
