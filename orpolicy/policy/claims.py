"""What several files say of one name: a file that extends another has the last word, and else nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.nouns import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orpolicy.location import Location
    from orpolicy.policy.document import Trail
    from orpolicy.policy.model import Json
    from orpolicy.policy.policy_file import PolicyFile


@dataclass(frozen=True, slots=True)
class Claim:
    """What one file says of a name.

    Attributes:
        trail: of the value in the file.
        value: what the name is to stand for.
    """

    file: PolicyFile
    trail: Trail
    value: Json

    @property
    def place(self) -> Location:
        """Where the name stands."""
        return self.file.document.key_place(self.trail)

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong in the value."""
        return self.trail not in self.file.flawed


@dataclass(frozen=True, slots=True)
class Ruling:
    """What holds of a name.

    Attributes:
        winner: the claim that holds.
        replaced: those of files that the winner's file extends, the innermost first.
        rivals: those of files that neither extend the winner's nor are extended by it.
    """

    winner: Claim
    replaced: tuple[Claim, ...]
    rivals: tuple[Claim, ...]


def rule(claims: Iterable[Claim]) -> Ruling:
    """Settle what several files say of one name; at least one does.

    An outer file is one that pulls in the other, directly or not.
    """
    ordered = sorted(claims, key=lambda claim: claim.file.number)
    outermost = [claim for claim in ordered if not any(claim.file in other.file.reach for other in ordered)]
    winner, *rivals = outermost
    inner = (claim for claim in ordered if claim.file in winner.file.reach)
    return Ruling(winner, tuple(inside_out(inner)), tuple(rivals))


def inside_out(claims: Iterable[Claim]) -> list[Claim]:
    """Claims so that one of a file that pulls in another's comes after it."""
    return sorted(claims, key=lambda claim: (len(claim.file.reach), claim.file.number))
