"""From tests as they are written to tests as values, or to everything that makes no sense in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from orpolicy.codes import Code
from orpolicy.errors import PolicyError
from orpolicy.location import Problem
from orpolicy.period import parse_day, parse_moment
from orpolicy.policy.case_schema import FIXTURE_METRICS
from orpolicy.policy.reading import number, text
from orpolicy.policy_tests.expectations import expectation_problems, read_expectation
from orpolicy.policy_tests.listings import entries, key_of, read_catalogue, read_directory, read_guardrails
from orpolicy.policy_tests.model import Case, Usage
from orpolicy.query.vocabulary import DIMENSIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orpolicy.account import Directory
    from orpolicy.location import Location
    from orpolicy.policy.model import Policy, PolicySet
    from orpolicy.policy.reading import Item, Mapped
    from orpolicy.table import Member, Number

KEY, MODEL, VARIANT, WORKSPACE = "api_key_id", "model", "variant", "workspace"


def read_cases(policies: PolicySet) -> tuple[Case, ...]:
    """The tests of all files, in file order.

    Raises:
        PolicyError: with everything that makes no sense in them.
    """
    reader = _Reader({policy.id: policy for policy in policies.policies})
    cases = tuple(reader.case(item) for item in policies.tests)
    if reader.problems:
        raise PolicyError(reader.problems)
    return cases


@dataclass(slots=True)
class _Reader:
    """Reads one test after the other and notes what makes no sense."""

    policies: Mapping[str, Policy]
    problems: list[Problem] = field(default_factory=list)
    names: dict[tuple[str, str], Location] = field(default_factory=dict)

    def case(self, item: Item) -> Case:
        """One test."""
        self._check_name(item)
        directory = read_directory(item, self.problems)
        expected = list(enumerate(entries(item, "expect")))
        for index, entry in expected:
            self._check_variant(item, ("expect", index), entry)
            if policy := self.policies.get(text(entry, "policy")):
                self.problems += expectation_problems(item, index, entry, policy)
            else:
                place = item.place("expect", index, "policy")
                self._refuse(place, Code.UNKNOWN_POLICY, f"{text(entry, 'policy')} is disabled")
        return Case(
            name=text(item.data, "name").strip(),
            location=item.place(),
            now=parse_moment(text(item.data, "now")),
            now_place=item.place("now"),
            rows=tuple(
                self._row(item, index, entry, directory) for index, entry in enumerate(entries(item, "rows"))
            ),
            expectations=tuple(read_expectation(item, index, entry) for index, entry in expected),
            directory=directory,
            guardrails=read_guardrails(item),
            catalogue=read_catalogue(item, self.problems),
            todo=item.data.get("todo") is True,
        )

    def _refuse(self, place: Location, code: Code, message: str, hint: str = "") -> None:
        self.problems.append(Problem(place, message, hint, code=code))

    def _check_name(self, item: Item) -> None:
        name, place = text(item.data, "name").strip(), item.place("name")
        first = self.names.setdefault((place.file, name), place)
        if first is not place:
            message = f"another test of this file is named {name!r}"
            self._refuse(place, Code.DEFINED_TWICE, message, f"first at {first}")

    def _check_variant(self, item: Item, trail: tuple[str | int, ...], entry: Mapped) -> None:
        model, colon, variant = text(entry, MODEL).partition(":")
        if colon:
            message = f"analytics shows no model with a variant in its name, as in {model}:{variant}"
            hint = f"write model: {model}, variant: {variant}"
            self._refuse(item.place(*trail, MODEL), Code.BAD_SETTING, message, hint)

    def _row(self, item: Item, index: int, entry: Mapped, directory: Directory) -> Usage:
        day = text(entry, "date")
        try:
            parse_day(day or "2000-01-01")
        except ValueError as error:
            self._refuse(item.place("rows", index, "date"), Code.BAD_TIME, f"date: {error}")
        self._check_variant(item, ("rows", index), entry)
        members: dict[str, Member] = {
            name: value if isinstance(value := entry[name], str) else None
            for name in DIMENSIONS
            if name in entry
        }
        key = key_of(entry, directory)
        if isinstance(key, str):
            self._refuse(item.place("rows", index, KEY), Code.BAD_SETTING, key)
            return Usage(day, members, {})
        if key is not None:
            members |= {KEY: key.name} | ({WORKSPACE: key.workspace} if key.workspace else {})
        return Usage(day, members, dict(_metrics(entry)), key.key_hash if key else None)


def _metrics(entry: Mapped) -> Iterator[tuple[str, Number | None]]:
    for metric in FIXTURE_METRICS:
        if metric.name in entry:
            value = number(entry, metric.name)
            yield metric.name, value if metric.is_money or value is None else int(value)
