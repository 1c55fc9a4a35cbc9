"""The rule kind ``metric``."""

from __future__ import annotations

import ast
import math
import operator
import warnings
from dataclasses import field
from typing import TYPE_CHECKING, Self

from orpolicy.nouns import dataclass
from orpolicy.query.vocabulary import METRICS, SPEND, TOKENS
from orpolicy.rules._unit import unit_of
from orpolicy.rules.base import Advice, Bound, Measured, Row, Rule, SettingError, Skip, Traffic
from orpolicy.savings.levers import Exposure, Lever

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orpolicy.policy.model import Policy

    Formula = Callable[[Mapping[str, float]], float]

BLENDED = "blended_usd_per_mtok"
"""The one name that is no metric: the blended $/Mtok of all traffic in the window."""

MAX_LENGTH = 500
MAX_DEPTH = 40
MAX_LABEL = 60

_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


@dataclass(frozen=True, slots=True)
class Metric(Rule):
    """An arithmetic expression over metrics, where no other kind fits.

    Names are additive metrics of the analytics API, summed over the row's traffic, and
    ``blended_usd_per_mtok``; numbers, ``+ - * /`` and parentheses join them. A rate is written out
    from counts: ``cached_tokens / tokens_prompt``. A row for which the expression divides by zero is
    left out and counted. The figure is shown in the unit that comes of its names, where one does, and
    under the ``label``.

    Good example:
        id: web-search-by-key
        rule: metric
        expression: usage_web / total_usage
        by: [api_key_id]
        floor: {spend: 20}
        label: web search
        warn_above: 0.02

    Bad example:
        id: cache-rate
        rule: metric
        expression: cache_hit_rate
        fail_below: 0.3
    """

    measures = "an arithmetic expression over metrics, e.g. `usage_web / total_usage`"
    measure_name = "metric"
    unit = ""
    default_by = ()
    bounds = frozenset({Bound.ABOVE, Bound.BELOW})
    keys = {
        "expression": {
            "description": "Names of additive metrics and blended_usd_per_mtok, numbers, + - * / and ().",
            "type": "string",
            "minLength": 1,
            "maxLength": MAX_LENGTH,
            "examples": ["usage_web / total_usage"],
        },
        "label": {
            "description": "What people call the figure, in a few words; 'metric' otherwise.",
            "type": "string",
            "minLength": 1,
            "maxLength": MAX_LABEL,
            "examples": ["web search"],
        },
    }
    required = ("expression",)

    expression: str
    formula: Formula = field(compare=False, repr=False)
    names: frozenset[str]
    own_unit: str
    called: str

    @classmethod
    def read(cls, policy: Policy) -> Self:
        """Parse the expression.

        Raises:
            SettingError: where it is no arithmetic over additive metrics.
        """
        text = " ".join(str(policy.settings["expression"]).split())
        tree = _parse(text)
        names = frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
        for name in sorted(names - {BLENDED}):
            _check_additive(name)
        if not names - {BLENDED}:
            raise SettingError("expression", "the expression names no metric", "e.g. usage_web / total_usage")
        formula = _compiled(tree, text, 0)
        return cls(text, formula, names, unit_of(tree, {BLENDED: 1e6}), _label(policy))

    @property
    def value_unit(self) -> str:
        """The unit that comes of the names in the expression, or ""."""
        return self.own_unit

    @property
    def label(self) -> str:
        """The policy's."""
        return self.called

    @property
    def metrics(self) -> frozenset[str]:
        """The metrics that the expression names."""
        extra = {SPEND, TOKENS} if BLENDED in self.names else set()
        return (self.names - {BLENDED}) | extra

    def measure(self, row: Row, traffic: Traffic) -> Measured | Skip:
        """The expression's value."""
        blended = traffic.totals.usd_per_mtok
        if BLENDED in self.names and blended is None:
            return Skip.NOT_APPLICABLE
        try:
            values = {name: float(row.totals.get(name)) for name in self.names} | {BLENDED: blended or 0.0}
            return Measured(self.formula(values), self.expression)
        except (ZeroDivisionError, OverflowError):
            return Skip.NOT_APPLICABLE

    def lever(self, row: Row, traffic: Traffic, value: float, threshold: float) -> Lever:
        """An expression has no dollar value that orpolicy could know."""
        return Exposure(None)

    def advice(self, row: Row, threshold: float) -> Advice:
        """Nothing is known of what the expression means."""
        return Advice(
            action="review",
            text=f"Look at what drives {self.expression}; the policy's `why` says what it is for.",
            risk="None known.",
            expect=f"{self.expression} moves back across {threshold:g}",
        )


def _label(policy: Policy) -> str:
    label = " ".join(str(policy.settings.get("label", "")).split())
    if not label and "label" in policy.settings:
        raise SettingError("label", "the label is blank", "e.g. web search")
    return label


def _parse(text: str) -> ast.expr:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on what is refused below: `1if`, invalid escapes
            tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise SettingError(
            "expression", f"{text[:80]!r} is no arithmetic expression", "e.g. usage_web / total_usage"
        ) from error
    return tree


def _compiled(node: ast.expr, text: str, depth: int) -> Formula:
    """What gives the value of an expression.

    It raises ZeroDivisionError where it divides by zero, and OverflowError where any step of it is too
    large, as dividing by infinity would look like 0.

    Raises:
        SettingError: for anything but names, numbers and ``+ - * /``.
    """
    if depth > MAX_DEPTH:
        raise SettingError("expression", f"the expression nests deeper than {MAX_DEPTH}", "split the policy")
    match node:
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _joined(
                _OPERATORS[type(op)], _compiled(left, text, depth + 1), _compiled(right, text, depth + 1)
            )
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            inner = _compiled(operand, text, depth + 1)
            return lambda values: -inner(values)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _compiled(operand, text, depth + 1)
        case ast.Name(id=name):
            return operator.itemgetter(name)
        case ast.Constant(value=int() | float() as constant) if not isinstance(constant, bool):
            number = _finite(constant)
            return lambda _values: number
    raise SettingError(
        "expression",
        f"{(ast.get_source_segment(text, node) or text)[:60]!r} is not allowed in an expression",
        "use metric names, numbers, + - * / and parentheses",
    )


def _joined(join: Callable[[float, float], float], left: Formula, right: Formula) -> Formula:
    def formula(values: Mapping[str, float]) -> float:
        value = join(left(values), right(values))
        if not math.isfinite(value):
            raise OverflowError
        return value

    return formula


def _finite(constant: float) -> float:
    try:
        number = float(constant)
    except OverflowError:
        number = math.inf
    if math.isinf(number):
        raise SettingError("expression", "a number in the expression is too large", "use a smaller one")
    return number


def _check_additive(name: str) -> None:
    metric = METRICS.get(name)
    if metric is None or metric.additive:
        return
    raise SettingError(
        "expression",
        f"{name!r} is a rate: rates of several rows cannot be summed or averaged",
        f"write {metric.rebuilt_as} instead" if metric.rebuilt_as else "it cannot be rebuilt from counts",
    )
