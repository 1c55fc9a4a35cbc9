"""Pseudonyms in a comparison: selectors and waivers name keys, users, apps and workspaces."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from orpolicy.policy.patterns import KEY_DIMENSION, SET_PREFIX
from orpolicy.policy_diff.scope import ALL
from orpolicy.redaction import KINDS, cleaned, pseudonym

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orpolicy.policy.model import PolicySet
    from orpolicy.policy_diff.model import Change


def masked(changes: Sequence[Change], sides: Sequence[PolicySet]) -> tuple[Change, ...]:
    """The changes with pseudonyms for whatever the files of both sides name.

    A pattern has a pseudonym as well, as a part of a name may tell it; the name of a set stays.
    """
    names = {
        text: pseudonym(KINDS[dimension], text)
        for side in sides
        for dimension, text in _named(side)
        if text.strip(ALL) and not text.startswith(SET_PREFIX)
    }
    texts = cleaned(
        [text for change in changes for text in (change.before, change.after, change.note)],
        names,
        frozenset(),
    )
    return tuple(
        replace(change, before=before, after=after, note=note)
        for change, before, after, note in zip(changes, texts[::3], texts[1::3], texts[2::3], strict=True)
    )


def _named(policies: PolicySet) -> Iterator[tuple[str, str]]:
    """Every pattern of a dimension whose members are names."""
    of_policies = (item.where for item in policies.policies)
    of_waivers = (item.where for item in policies.waivers)
    for selector in chain.from_iterable((*of_policies, *of_waivers)):
        if selector.dimension in KINDS:
            yield from ((selector.dimension, text) for text in (*selector.include, *selector.exclude))
    for members in policies.key_sets.values():
        yield from ((KEY_DIMENSION, text) for text in members)
