"""A part of a comparison: the policies that a command line chooses, on both sides."""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from orpolicy.codes import Code
from orpolicy.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from orpolicy.policy.model import PolicySet
    from orpolicy.policy_diff.model import PolicyDiff


@dataclass(frozen=True, slots=True)
class Compared:
    """Two sides and what is different between them."""

    old: PolicySet
    new: PolicySet
    diff: PolicyDiff

    def chosen(self, select: Sequence[str], ignore: Sequence[str]) -> Compared:
        """The part about some policies; one that was renamed goes by either id.

        Args:
            select: policy ids; none: all.
            ignore: policy ids to leave out.

        Raises:
            UsageError: for an id that neither side has, and if nothing is left.
        """
        if not select and not ignore:
            return self
        ids = {item.id for side in (self.old, self.new) for item in side.policies}
        for name in (*select, *ignore):
            if name not in ids:
                near = get_close_matches(name, sorted(ids), 1)
                hint = f" (did you mean {near[0]}?)" if near else ""
                raise UsageError(f"there is no policy {name!r} on either side{hint}", code=Code.UNKNOWN_NAME)
        kept = {name for name in ids if name not in ignore and (not select or name in select)}
        pairs = self.diff.renamed.items()
        kept |= {name for pair in pairs if kept & set(pair) for name in pair}
        if not kept:
            raise UsageError("--select and --ignore leave no policy to compare", code=Code.NO_POLICIES)
        return Compared(_only(self.old, kept), _only(self.new, kept), self.diff.only(kept))


def _only(policies: PolicySet, kept: Collection[str]) -> PolicySet:
    return replace(
        policies,
        policies=tuple(item for item in policies.policies if item.id in kept),
        waivers=tuple(item for item in policies.waivers if item.policy in kept),
    )
