"""Named sets of patterns over all files: defined once, without cycles, every reference known."""

from __future__ import annotations

from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from orpolicy.location import Problem
from orpolicy.policy.patterns import (
    BUILT_IN_MODEL_SETS,
    KEY_DIMENSION,
    MODEL_DIMENSION,
    SET_PREFIX,
    expand,
    pattern_fault,
)
from orpolicy.policy.validation import near_miss

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orpolicy.location import Location
    from orpolicy.policy.document import Document

SECTIONS = {KEY_DIMENSION: "key_sets", MODEL_DIMENSION: "model_sets"}


@dataclass(slots=True)
class Sets:
    """The sets of one dimension while the files are read.

    Attributes:
        dimension: ``api_key_id`` or ``model``.
        patterns: name -> its patterns as written, with the place of each.
        places: name -> where it is defined.
        complete: whether every file could be read; otherwise unknown names may be defined there.
    """

    dimension: str
    patterns: dict[str, tuple[tuple[str, Location], ...]] = field(default_factory=dict)
    places: dict[str, Location] = field(default_factory=dict)
    complete: bool = True

    def add(self, document: Document) -> Iterator[Problem]:
        """Take in a file's sets; names that are defined twice are problems."""
        section = SECTIONS[self.dimension]
        data = document.data.get(section) if isinstance(document.data, dict) else None
        for name, patterns in data.items() if isinstance(data, dict) else ():
            place = document.key_place((section, name))
            if name in self.places:
                yield Problem(place, f"the set {name!r} is already defined", f"first at {self.places[name]}")
                continue
            self.places[name] = place
            self.patterns[name] = tuple(
                (pattern, document.place((section, name, index)))
                for index, pattern in enumerate(patterns if isinstance(patterns, list) else [])
                if isinstance(pattern, str) and pattern
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that a reference may have."""
        built_in = BUILT_IN_MODEL_SETS if self.dimension == MODEL_DIMENSION else ()
        return tuple(dict.fromkeys((*self.places, *built_in)))

    def fault(self, pattern: str) -> tuple[str, str]:
        """What is wrong with a pattern of this dimension, with a hint; two empty texts if nothing is."""
        name = pattern.removeprefix(SET_PREFIX)
        if name != pattern and self.complete and name not in self.names:
            known = (
                f"sets: {', '.join(self.names)}" if self.names else f"define it in {SECTIONS[self.dimension]}"
            )
            return f"there is no set {pattern!r}", near_miss(name, self.names) or known
        return pattern_fault(self.dimension, pattern), ""

    def problems(self) -> Iterator[Problem]:
        """What is wrong inside the sets."""
        for patterns in self.patterns.values():
            for pattern, place in patterns:
                message, hint = self.fault(pattern)
                if message:
                    yield Problem(place, message, hint)
        yield from self._cycles()

    def expanded(self) -> Mapping[str, tuple[str, ...]]:
        """Name -> patterns without references, but for those to built-in sets that nothing replaces."""
        plain = {name: tuple(pattern for pattern, _ in patterns) for name, patterns in self.patterns.items()}
        return {name: expand(patterns, plain, keep=self.names) for name, patterns in plain.items()}

    def _references(self) -> dict[str, set[str]]:
        return {
            name: {pattern[1:] for pattern, _ in patterns if pattern.startswith(SET_PREFIX)}
            for name, patterns in self.patterns.items()
        }

    def _cycles(self) -> Iterator[Problem]:
        """Each cycle of references, at the set that comes first in the files."""
        graph = self._references()
        while True:
            try:
                TopologicalSorter(graph).prepare()
            except CycleError as error:
                nodes: list[str] = error.args[1][:0:-1]
                first = min(nodes, key=lambda name: self.places[name])
                start = nodes.index(first)
                around = [*nodes[start:], *nodes[:start], first]
                path = " -> ".join(f"@{name}" for name in around)
                yield Problem(self.places[first], f"the set {first!r} holds itself: {path}")
                graph = {name: others for name, others in graph.items() if name not in nodes}
            else:
                return
