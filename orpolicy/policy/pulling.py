"""The files that others extend: each read once, no circle, and no end of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from orpolicy.codes import Code
from orpolicy.location import Fault
from orpolicy.policy.policy_file import EXTENDS, PolicyFile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from orpolicy.location import Problem
    from orpolicy.policy.document import Trail
    from orpolicy.policy.library import Library

MAX_CHAIN = 16
"""Files from one that the command line names to the last that it pulls in."""

MAX_PULLED = 200
"""Files that a run pulls in."""

Chain = tuple[tuple[str, str], ...]
"""Identity and name of each file on the way to one."""


@dataclass(slots=True)
class Pull:
    """A walk along ``extends``.

    Attributes:
        library: where files come from.
        read: takes in content under a name; None where it could not be read, which it says itself.
        problems: what went wrong on the way.
        is_whole: whether every file that is named was found.
    """

    library: Library
    read: Callable[[bytes, str], PolicyFile | None]
    problems: list[Problem] = field(default_factory=list)
    is_whole: bool = True
    _known: dict[str, PolicyFile | None] = field(default_factory=dict)
    _walked: set[str] = field(default_factory=set)
    _said: set[tuple[Code, str]] = field(default_factory=set)
    _pulled: int = 0

    def walk(self, roots: Sequence[PolicyFile]) -> None:
        """Read everything that the files pull in."""
        named = {self.library.identity(file.name): file for file in roots}
        self._known.update(named)
        for identity, file in named.items():
            self._follow(file, ((identity, file.name),))

    def _follow(self, file: PolicyFile, chain: Chain) -> None:
        identity = chain[-1][0]
        if identity in self._walked:
            return
        self._walked.add(identity)
        self.is_whole &= (EXTENDS,) not in file.flawed
        for trail, entry in file.extends():
            found = self._found(entry, file, chain)
            if isinstance(found, Fault):
                self._says(found, file, trail)
            elif found is not None:
                file.pulls.append(found)

    def _found(self, entry: str, file: PolicyFile, chain: Chain) -> PolicyFile | Fault | None:
        """What an entry stands for, itself followed; None where its file says what is wrong."""
        name = self.library.named(entry, file.name)
        identity = self.library.identity(name)
        if fault := _cycle(identity, name, chain) or self._bound(identity, chain):
            return fault
        if identity not in self._known:
            content = self.library.read(name)
            if isinstance(content, Fault):
                return content
            self._pulled += 1
            self._known[identity] = self.read(content, name)
        found = self._known[identity]
        if found is not None:
            self._follow(found, (*chain, (identity, found.name)))
        return found

    def _bound(self, identity: str, chain: Chain) -> Fault | None:
        if len(chain) >= MAX_CHAIN:
            message = f"more than {MAX_CHAIN} files extend one another"
            return Fault(Code.EXTENDS_TOO_FAR, message, f"{chain[0][1]} is the first of them")
        if identity not in self._known and self._pulled >= MAX_PULLED:
            return Fault(Code.EXTENDS_TOO_FAR, f"a run pulls in at most {MAX_PULLED} files")
        return None

    def _says(self, fault: Fault, file: PolicyFile, trail: Trail) -> None:
        """Note what is wrong: of many circles one for each file, of too many files one for all."""
        where = {Code.EXTENDS_CYCLE: file.name, Code.EXTENDS_TOO_FAR: ""}.get(
            fault.code, f"{file.name} {trail}"
        )
        if (fault.code, where) not in self._said:
            self._said.add((fault.code, where))
            self.problems.append(fault.at(file.document.place(trail)))
        self.is_whole = False


def _cycle(identity: str, name: str, chain: Chain) -> Fault | None:
    """That a file would extend itself, with the whole way round."""
    identities = [known for known, _ in chain]
    if identity not in identities:
        return None
    around = [shown for _, shown in chain[identities.index(identity) :]]
    return Fault(Code.EXTENDS_CYCLE, f"this file extends itself: {' -> '.join((*around, name))}")
