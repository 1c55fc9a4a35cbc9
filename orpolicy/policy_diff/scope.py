"""Which of two selectors means more: decided by their patterns alone, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Self

from orpolicy.policy.patterns import (
    BUILT_IN_MODEL_SETS,
    HASH_PREFIX,
    KEY_DIMENSION,
    MODEL_DIMENSION,
    SET_PREFIX,
    expand,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orpolicy.policy.model import PolicySet, Selector

ALL = "*"


class Relation(Enum):
    """How what is meant now relates to what was meant before."""

    SAME = "same"
    WIDER = "wider"
    NARROWER = "narrower"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Scope:
    """Which members of a dimension are meant, with the sets of its files expanded.

    Attributes:
        include: patterns of which one must match; none: nobody is meant.
        exclude: patterns of which none may match.
    """

    dimension: str
    include: tuple[str, ...]
    exclude: tuple[str, ...] = ()

    @classmethod
    def of(cls, selector: Selector, policies: PolicySet) -> Self:
        """The scope of a selector among the sets of its own side."""
        include = patterns(selector.dimension, selector.include, policies) if selector.include else (ALL,)
        return cls(selector.dimension, include, patterns(selector.dimension, selector.exclude, policies))

    def covers(self, other: Scope) -> bool:
        """Whether every member that the other means is surely meant here."""
        return _all_covered(other.include, self.include, self.dimension) and _all_covered(
            self.exclude, other.exclude, self.dimension
        )

    @property
    def tells_variants(self) -> bool:
        """Whether a pattern names a variant, so that only a part of a model may be meant."""
        return self.dimension == MODEL_DIMENSION and any(":" in text for text in self.include + self.exclude)

    def __str__(self) -> str:
        without = f" without {', '.join(self.exclude)}" if self.exclude else ""
        return (", ".join(self.include) or "nothing") + without


def patterns(dimension: str, texts: Iterable[str], policies: PolicySet) -> tuple[str, ...]:
    """The patterns with the files' sets expanded; built-in sets that nothing replaces stay names."""
    sets = {KEY_DIMENSION: policies.key_sets, MODEL_DIMENSION: policies.model_sets}.get(dimension, {})
    return expand(texts, sets, keep=BUILT_IN_MODEL_SETS)


def relation(old: Scope, new: Scope) -> Relation:
    """How the newer scope relates to the older one, as far as patterns tell."""
    wider, narrower = new.covers(old), old.covers(new)
    if wider:
        return Relation.SAME if narrower else Relation.WIDER
    return Relation.NARROWER if narrower else Relation.UNKNOWN


def _all_covered(texts: Iterable[str], by: Iterable[str], dimension: str) -> bool:
    return all(any(pattern_covers(cover, text, dimension) for cover in by) for text in texts)


def pattern_covers(cover: str, text: str, dimension: str) -> bool:
    """Whether every name that a pattern matches is surely matched by another."""
    cover, text = cover.lower(), text.lower()
    if cover == text or not cover.strip(ALL):
        return True
    if SET_PREFIX in (cover[:1], text[:1]) and dimension in {KEY_DIMENSION, MODEL_DIMENSION}:
        return False
    if dimension == KEY_DIMENSION and text.startswith(HASH_PREFIX):
        return False
    if dimension != MODEL_DIMENSION:
        return glob_covers(cover, text)
    base, _, variant = cover.partition(":")
    other_base, _, other_variant = text.partition(":")
    return variant in {"", other_variant} and glob_covers(base, other_base)


def glob_covers(cover: str, text: str) -> bool:
    """Whether a glob matches all that another one does, each wildcard of it by a wildcard."""
    reached = _past_stars(cover, {0})
    for character in text:
        reached = _past_stars(cover, {after for at in reached for after in _step(cover, at, character)})
    return len(cover) in reached


def _step(cover: str, at: int, character: str) -> tuple[int, ...]:
    """Where a glob may stand after one more character, or wildcard, of the other."""
    here = cover[at : at + 1]
    if here == ALL:
        return (at,)
    takes = character != ALL and here in {"?", character}
    return (at + 1,) if takes else ()


def _past_stars(cover: str, reached: set[int]) -> set[int]:
    found = set(reached)
    for at in reached:
        while cover[at : at + 1] == ALL:
            at += 1  # noqa: PLW2901 - a walk from each place
            found.add(at)
    return found
