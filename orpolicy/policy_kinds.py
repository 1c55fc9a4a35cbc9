"""The rule kinds as the policy language sees them: the one bridge from the registry to the loader."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from orpolicy.codes import Code
from orpolicy.errors import PolicyError
from orpolicy.location import Problem
from orpolicy.plugins import RULES
from orpolicy.policy.kinds import Kind, KindSchema
from orpolicy.policy.model import Thresholds
from orpolicy.rules.base import SettingError

if TYPE_CHECKING:
    from orpolicy.policy.model import Policy
    from orpolicy.registry import Registry
    from orpolicy.rules.base import Rule


class Kinds(Mapping[str, Kind]):
    """Every kind of a registry, by name; made when it is first asked for."""

    def __init__(self, registry: Registry[Rule] = RULES) -> None:
        self._registry = registry
        self._made: dict[str, Kind] = {}

    def __getitem__(self, name: str) -> Kind:
        if name not in self._made:
            self._made[name] = kind_of(name, self._registry[name])
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._registry)

    def __len__(self) -> int:
        return len(self._registry.names)


def kind_of(name: str, rule: type[Rule]) -> Kind:
    """What a rule class says of itself."""
    schema = KindSchema(
        name=name,
        description=inspect.cleandoc(rule.__doc__ or "").partition("\n")[0].replace("``", "`"),
        keys=rule.keys,
        required=rule.required,
        bounds=frozenset(bound.value for bound in rule.bounds),
        has_default=rule.default_thresholds != Thresholds(),
        default_by=rule.default_by,
    )
    return Kind(schema, lambda policy: _read(rule, policy).models, lambda policy: _read(rule, policy).metrics)


def _read(rule: type[Rule], policy: Policy) -> Rule:
    try:
        return rule.read(policy)
    except SettingError as error:
        place = policy.place(error.key)
        problem = Problem(place, error.message, error.hint, code=Code.BAD_SETTING)
        raise PolicyError([problem]) from error
