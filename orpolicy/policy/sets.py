"""Named sets of patterns over all files: defined once, without cycles, every reference known."""

from __future__ import annotations

from dataclasses import field
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import TYPE_CHECKING

from orpolicy.codes import Code
from orpolicy.location import Fault, Problem
from orpolicy.nouns import dataclass
from orpolicy.policy.claims import Claim, rule
from orpolicy.policy.model import Override
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
    from collections.abc import Iterable, Iterator, Mapping

    from orpolicy.location import Location
    from orpolicy.policy.policy_file import PolicyFile

SECTIONS = {KEY_DIMENSION: "key_sets", MODEL_DIMENSION: "model_sets"}


@dataclass(slots=True, eq=False, repr=False)
class Sets:
    """The sets of one dimension while the files are read.

    Attributes:
        dimension: ``api_key_id`` or ``model``.
        claims: name -> what each file says of it.
        patterns: name -> its patterns as written, with the place of each.
        places: name -> where it is defined.
        complete: whether every file could be read; otherwise unknown names may be defined there.
    """

    dimension: str
    claims: dict[str, list[Claim]] = field(default_factory=dict)
    patterns: dict[str, tuple[tuple[str, Location], ...]] = field(default_factory=dict)
    places: dict[str, Location] = field(default_factory=dict)
    complete: bool = True

    def add(self, file: PolicyFile) -> None:
        """Take in what a file says of sets."""
        entries = file.section(self.section)
        for name, patterns in entries.items() if isinstance(entries, dict) else ():
            self.claims.setdefault(name, []).append(Claim(file, (self.section, name), patterns))

    def settle(self) -> Iterator[Problem | Override]:
        """Choose what each name stands for; two files of which neither extends the other cannot both say.

        A file's own set replaces the one of a file that it extends.
        """
        for name, claims in self.claims.items():
            ruling = rule(claims)
            winner = ruling.winner
            for rival in ruling.rivals:
                message = f"the set {name!r} is already defined"
                hint = f"first at {winner.place}"
                yield Problem(rival.place, message, hint, code=Code.DEFINED_TWICE)
            chain = (*ruling.replaced, winner)
            for inner, outer in pairwise(chain):
                yield Override("", f"{self.section}.{name}", inner.value, outer.value, outer.place)
            self.places[name] = winner.place
            self.patterns[name] = tuple(
                (pattern, winner.file.document.place((*winner.trail, index)))
                for index, pattern in enumerate(winner.value if isinstance(winner.value, list) else [])
                if isinstance(pattern, str) and pattern
            )

    @property
    def section(self) -> str:
        """The part of a file in which they stand."""
        return SECTIONS[self.dimension]

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that a reference may have."""
        return tuple(dict.fromkeys((*self.places, *self._built_in)))

    @property
    def _built_in(self) -> tuple[str, ...]:
        return BUILT_IN_MODEL_SETS if self.dimension == MODEL_DIMENSION else ()

    def is_built_in(self, name: str) -> bool:
        """Whether a name stands for something where no file defines it."""
        return name in self._built_in

    def behind(self, patterns: Iterable[str]) -> tuple[str, ...]:
        """The names of all sets that patterns refer to, directly or through others."""
        found: dict[str, None] = {}
        waiting = list(patterns)
        while waiting:
            name = (pattern := waiting.pop()).removeprefix(SET_PREFIX)
            if name != pattern and name not in found:
                found[name] = None
                waiting += (inner for inner, _ in self.patterns.get(name, ()))
        return tuple(found)

    def fault(self, pattern: str) -> Fault | None:
        """What is wrong with a pattern of this dimension."""
        name = pattern.removeprefix(SET_PREFIX)
        if name != pattern and self.complete and name not in self.names:
            known = f"sets: {', '.join(self.names)}" if self.names else f"define it in {self.section}"
            message = f"there is no set {pattern!r}"
            return Fault(Code.UNKNOWN_SET, message, near_miss(name, self.names) or known)
        message = pattern_fault(self.dimension, pattern)
        return Fault(Code.BAD_PATTERN, message) if message else None

    def problems(self) -> Iterator[Problem]:
        """What is wrong inside the sets."""
        for patterns in self.patterns.values():
            for pattern, place in patterns:
                if fault := self.fault(pattern):
                    yield fault.at(place)
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
                message = f"the set {first!r} holds itself: {path}"
                yield Problem(self.places[first], message, code=Code.SET_CYCLE)
                graph = {name: others for name, others in graph.items() if name not in nodes}
            else:
                return
