"""Who keeps a policy locked, and which files therefore have no say: through overrides, sets or defaults."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from orpolicy.codes import Code
from orpolicy.errors import PolicyError
from orpolicy.location import Problem
from orpolicy.nouns import dataclass
from orpolicy.policy.claims import rule
from orpolicy.policy.defaults import DEFAULT_WINDOW
from orpolicy.policy.patterns import KEY_DIMENSION, MODEL_DIMENSION
from orpolicy.policy.reading import window_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from orpolicy.policy.claims import Claim
    from orpolicy.policy.kinds import Kind
    from orpolicy.policy.model import Json, Policy
    from orpolicy.policy.policy_file import PolicyFile
    from orpolicy.policy.sets import Sets


@dataclass(frozen=True, slots=True)
class Lock:
    """What binds the files around a locked policy.

    Attributes:
        holders: the files that say that it is locked, at least one; each is bound by the others.
    """

    holders: tuple[PolicyFile, ...]

    def binds(self, file: PolicyFile) -> bool:
        """Whether a file's overrides may only tighten: a holder neither is it nor extends it."""
        return not all(_has(holder, file) for holder in self.holders)

    def ignores(self, file: PolicyFile, roots: Iterable[PolicyFile]) -> bool:
        """Whether the sets and defaults of a file have no say.

        What is beside a holder on the command line has one: the files of a run share sets and defaults.

        Args:
            file: the one that says something.
            roots: the files that the command line names.
        """
        from_roots = [root for root in roots if _has(root, file)]
        return not all(
            _has(holder, file) or (holder in roots and any(holder not in root.reach for root in from_roots))
            for holder in self.holders
        )


def _has(outer: PolicyFile, file: PolicyFile) -> bool:
    return file is outer or file in outer.reach


def lock_of(home: PolicyFile, policy: Mapping[str, Json], claims: Sequence[Claim] = ()) -> Lock | None:
    """The lock of a policy, None where nobody says that it is locked.

    Args:
        home: the policy's own file.
        policy: as that file has it.
        claims: what other files change of it.
    """
    says = [(home, policy), *((claim.file, claim.value) for claim in claims)]
    holders = [file for file, value in says if isinstance(value, dict) and value.get("locked") is True]
    return Lock(tuple(holders)) if holders else None


def kept_to_itself(policy: Policy, window: Json, defaults: Mapping[str, Json]) -> Policy:
    """A locked policy that takes no window from files without a say.

    Args:
        policy: the locked one.
        window: the default of the run.
        defaults: those that hold for it.
    """
    own = window_text(defaults.get("window"))
    if policy.window is not None or own == window_text(window):
        return policy
    return replace(policy, window=own or DEFAULT_WINDOW)


def patterns_of(policy: Policy, kind: Kind) -> Mapping[str, Sequence[str]]:
    """Every pattern of a policy by dimension, as far as its settings make sense."""
    found: dict[str, list[str]] = {KEY_DIMENSION: [], MODEL_DIMENSION: []}
    for selector in policy.where:
        if selector.dimension in found:
            found[selector.dimension] += (*selector.include, *selector.exclude)
    with suppress(PolicyError):  # whoever reads the policy next says so
        found[MODEL_DIMENSION] += kind.read(policy)
    return found


def replaced_sets(
    policy: Policy,
    patterns: Mapping[str, Iterable[str]],
    sets: Mapping[str, Sets],
    ignored: Collection[PolicyFile],
) -> Iterator[Problem]:
    """Every set that a locked policy uses and that a file without a say replaces: it may catch less then.

    Args:
        policy: the locked one.
        patterns: its patterns by dimension.
        sets: by dimension.
        ignored: the files without a say.
    """
    for dimension, texts in patterns.items():
        for name in sets[dimension].behind(texts):
            for inner, outer in _replacements(sets[dimension], name):
                if outer.file in ignored:
                    where = f"the policy is at {policy.location}, "
                    where += f"the set at {inner.place}" if inner else f"and @{name} is built in"
                    message = (
                        f"the locked policy {policy.id!r} uses the set {name!r}, which nobody may replace"
                    )
                    yield Problem(outer.place, message, where, code=Code.OVERRIDE_OF_LOCKED)


def _replacements(sets: Sets, name: str) -> Iterator[tuple[Claim | None, Claim]]:
    """Each definition of a set that takes the place of another, after that; None: of a built-in one."""
    claims = sets.claims.get(name)
    if claims:
        ruling = rule(claims)
        chain = (*ruling.replaced, ruling.winner)
        if sets.is_built_in(name):
            yield None, chain[0]
        yield from pairwise(chain)
