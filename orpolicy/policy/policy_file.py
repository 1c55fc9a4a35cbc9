"""A policy file that could be read: its sections, what is wrong in them, and which files it pulls in."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from orpolicy.nouns import dataclass
from orpolicy.policy.reading import Item

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orpolicy.location import Location
    from orpolicy.policy.document import Document, Flaw, Trail
    from orpolicy.policy.model import Json

EXTENDS, OVERRIDE = "extends", "override"


@dataclass(slots=True, eq=False, repr=False)
class PolicyFile:
    """A file, the trails around everything that is wrong in it, and the files that it extends.

    Attributes:
        flawed: every trail at or above a flaw.
        pulls: the files that its ``extends`` names, as far as they could be read.
        number: its place among the files of the run.
    """

    document: Document
    flawed: set[Trail]
    number: int
    pulls: list[PolicyFile] = field(default_factory=list)
    _reach: frozenset[PolicyFile] | None = None

    @property
    def name(self) -> str:
        """As problems show it."""
        return self.document.file

    @property
    def reach(self) -> frozenset[PolicyFile]:
        """Every file that it pulls in, directly or not; to be asked once all are read and none is its own."""
        if self._reach is None:
            self._reach = frozenset(self.pulls).union(*(file.reach for file in self.pulls))
        return self._reach

    def section(self, name: str) -> Json:
        """A value at the top of the file, None where there is none."""
        data = self.document.data
        return data.get(name) if isinstance(data, dict) else None

    def items(self, section: str) -> Iterator[Item]:
        """The entries of a list, whatever is wrong inside them."""
        entries = self.section(section)
        for index, entry in enumerate(entries if isinstance(entries, list) else []):
            if isinstance(entry, dict):
                yield Item(self.document, (section, index), entry)

    def is_sound(self, item: Item, *steps: str) -> bool:
        """Whether nothing is wrong in an entry, or in a value inside it."""
        return (*item.trail, *steps) not in self.flawed

    def mapped(self, section: str) -> Iterator[tuple[str, Json]]:
        """The entries of a mapping that have the right shape."""
        entries = self.section(section)
        for key, value in entries.items() if isinstance(entries, dict) else ():
            if (section, key) not in self.flawed:
                yield key, value

    def extends(self) -> Iterator[tuple[Trail, str]]:
        """What it extends, with the trail of each entry, as far as that has the right shape."""
        value = self.section(EXTENDS)
        if isinstance(value, str) and (EXTENDS,) not in self.flawed:
            yield (EXTENDS,), value
        for index, entry in enumerate(value if isinstance(value, list) else ()):
            trail = (EXTENDS, index)
            if isinstance(entry, str) and trail not in self.flawed:
                yield trail, entry


@dataclass(frozen=True, slots=True)
class Written:
    """A policy as its own file has it."""

    file: PolicyFile
    item: Item

    @property
    def place(self) -> Location:
        """Where its id stands."""
        return self.item.place("id")


def around(flaws: Sequence[Flaw]) -> set[Trail]:
    """Every trail at or above a flaw."""
    return {flaw.trail[:length] for flaw in flaws for length in range(len(flaw.trail) + 1)}
