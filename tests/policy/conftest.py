"""Three rule kinds that exist for these tests alone, and short ways to load text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orpolicy.codes import Code
from orpolicy.errors import PolicyError
from orpolicy.location import Problem
from orpolicy.policy.kinds import Kind, KindSchema
from orpolicy.policy.loader import load_texts

if TYPE_CHECKING:
    from collections.abc import Callable

    from orpolicy.policy.model import Policy, PolicySet


def _nothing(_policy: Policy) -> tuple[str, ...]:
    return ()


def _models(policy: Policy) -> tuple[str, ...]:
    models = policy.settings["models"]
    if models == "sour":
        place = policy.place("models")
        raise PolicyError([Problem(place, "sour models", "sweeten them", code=Code.BAD_SETTING)])
    return tuple(str(model) for model in models) if isinstance(models, list) else (str(models),)


@pytest.fixture(scope="session")
def kinds() -> dict[str, Kind]:
    """`cost` takes *_above, `rate` *_below, `ban` has a default and own keys."""
    schemas = [
        (KindSchema("cost", "What it costs."), _nothing),
        (KindSchema("rate", "A rate.", bounds=frozenset({"below"})), _nothing),
        (
            KindSchema(
                "ban",
                "A ban.",
                keys={
                    "models": {"$ref": "#/$defs/patterns"},
                    "strict": {"type": "boolean"},
                    "level": {"oneOf": [{"type": "integer", "maximum": 3}, {"enum": ["low", "high"]}]},
                    "either": {"oneOf": [{"type": "integer"}, {"type": "number"}]},
                    "shape": {"type": "string", "pattern": "^[ab]+$", "maxLength": 3},
                    "size": {"type": "number", "exclusiveMaximum": 9, "multipleOf": 2},
                },
                required=("models",),
                has_default=True,
                default_by=("api_key_id", "model"),
            ),
            _models,
        ),
    ]
    return {schema.name: Kind(schema, read) for schema, read in schemas}


@pytest.fixture
def load(kinds: dict[str, Kind]) -> Callable[..., PolicySet]:
    """Load texts: the first is a.yaml, then b.yaml and so on."""

    def load(*texts: str) -> PolicySet:
        names = [f"{letter}.yaml" for letter in "abcdef"]
        return load_texts({name: text.encode() for name, text in zip(names, texts, strict=False)}, kinds)

    return load


@pytest.fixture
def refused(load: Callable[..., PolicySet]) -> Callable[..., list[str]]:
    """Load texts that must be refused; the problems as lines."""

    def refused(*texts: str) -> list[str]:
        with pytest.raises(PolicyError) as error:
            load(*texts)
        return [f"{problem.location}: {problem.said}" for problem in error.value.problems]

    return refused


@pytest.fixture
def refused_policy(refused: Callable[..., list[str]]) -> Callable[[str], list[str]]:
    """Load one `cost` policy with a line of its own, on line 3; the problems without their file."""

    def refused_policy(line: str) -> list[str]:
        found = refused(f"version: 1\npolicies:\n- {{id: abc, rule: cost, fail_above: 1, {line}}}\n")
        return [problem.removeprefix("a.yaml:") for problem in found]

    return refused_policy
