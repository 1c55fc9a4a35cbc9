"""A metric family in the text format of OpenMetrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from orpolicy.reporters._words import visible

if TYPE_CHECKING:
    from collections.abc import Callable

Labels = dict[str, str]


class Family:
    """Gauges of one name; a set of labels has one sample, whatever names from outside look like."""

    def __init__(
        self,
        name: str,
        meaning: str,
        unit: str = "",
        combine: Callable[[list[float]], float] = sum,
    ) -> None:
        """Begin an empty family.

        Args:
            name: ends in the unit, where there is one.
            meaning: one sentence without quotes or backslashes.
            unit: as OpenMetrics wants it, or "".
            combine: what becomes of several values under the same labels.
        """
        self._name = name
        self._meaning = meaning
        self._unit = unit
        self._combine = combine
        self._samples: dict[str, list[float]] = {}

    def put(self, labels: Labels, value: float) -> Self:
        """Add a sample."""
        inside = ",".join(f'{name}="{_escape(text)}"' for name, text in labels.items())
        self._samples.setdefault(f"{{{inside}}}" if labels else "", []).append(value)
        return self

    def text(self) -> str:
        """The family's lines, or "" without a sample."""
        if not self._samples:
            return ""
        head = [f"# HELP {self._name} {self._meaning}", f"# TYPE {self._name} gauge"]
        if self._unit:
            head.insert(1, f"# UNIT {self._name} {self._unit}")
        samples = [
            f"{self._name}{labels} {_number(values[0] if len(values) == 1 else self._combine(values))}"
            for labels, values in self._samples.items()
        ]
        return "\n".join([*head, *samples]) + "\n"


def _escape(text: str) -> str:
    """A label's value: visible, so that it has no line breaks."""
    return visible(text).replace("\\", r"\\").replace('"', r"\"")


def _number(value: float) -> str:
    return str(int(value)) if isinstance(value, int) else repr(value)
