"""What holds where a policy says nothing else: shared by all files, and said once."""

from __future__ import annotations

from dataclasses import field
from itertools import pairwise
from typing import TYPE_CHECKING

from orpolicy.codes import Code
from orpolicy.location import Problem
from orpolicy.nouns import dataclass
from orpolicy.policy.claims import Claim, rule
from orpolicy.policy.model import Override
from orpolicy.policy.reading import window_fault

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from orpolicy.policy.model import Json
    from orpolicy.policy.policy_file import PolicyFile

SECTION = "defaults"

DEFAULT_WINDOW = "last-month"
"""The window where neither a policy nor a default nor the command line names one."""


@dataclass(slots=True, eq=False, repr=False)
class Defaults:
    """The defaults of all files.

    Attributes:
        claims: key -> what each file says of it.
        values: key -> what holds.
    """

    claims: dict[str, list[Claim]] = field(default_factory=dict)
    values: dict[str, Json] = field(default_factory=dict)

    def add(self, file: PolicyFile) -> None:
        """Take in what a file says."""
        for key, value in file.mapped(SECTION):
            self.claims.setdefault(key, []).append(Claim(file, (SECTION, key), value))

    def settle(self) -> Iterator[Problem | Override]:
        """Choose what holds: a file's own default replaces that of a file which it extends."""
        for key, claims in self.claims.items():
            ruling = rule(claims)
            winner = ruling.winner
            for rival in ruling.rivals:
                message, hint = f"the default {key} is already defined", f"first at {winner.place}"
                yield Problem(rival.place, message, hint, code=Code.DEFINED_TWICE)
            for inner, outer in pairwise((*ruling.replaced, winner)):
                yield Override("", f"{SECTION}.{key}", inner.value, outer.value, outer.place)
            if key == "window" and (fault := window_fault(winner.value)):
                place = winner.file.document.place(winner.trail)
                yield Problem(place, fault, code=Code.BAD_TIME)
            else:
                self.values[key] = winner.value

    def without(self, ignored: Collection[PolicyFile]) -> Mapping[str, Json]:
        """What holds for a locked policy, of which some files have no say."""
        found = {
            key: [claim for claim in claims if claim.file not in ignored]
            for key, claims in self.claims.items()
        }
        return {key: rule(claims).winner.value for key, claims in found.items() if claims}
