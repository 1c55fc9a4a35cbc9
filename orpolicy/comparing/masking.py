"""Pseudonyms in a comparison: its subjects name keys and workspaces, and so may its sentences."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from orpolicy.redaction import KINDS, cleaned, pseudonym

if TYPE_CHECKING:
    from orpolicy.comparing.model import Change, Changes, Comparison
    from orpolicy.finding import Subject


def masked(found: Comparison) -> Comparison:
    """The comparison with pseudonyms for every name."""
    names = dict(found.names)
    every = chain(found.models.items, found.keys.items if found.keys else (), found.pairs or ())
    models = frozenset(
        text for item in every for name, text in item.subject.items() if name == "model" and text
    )
    unknown = zip(found.unknown, cleaned([item.detail for item in found.unknown], names, models), strict=True)
    return replace(
        found,
        models=_changes(found.models, names),
        keys=_changes(found.keys, names) if found.keys else None,
        pairs=None if found.pairs is None else tuple(_change(item, names) for item in found.pairs),
        unknown=tuple(replace(item, detail=detail) for item, detail in unknown),
        notices=cleaned(found.notices, names, models),
        names={},
    )


def _changes(changes: Changes, names: dict[str, str]) -> Changes:
    return replace(changes, items=tuple(_change(item, names) for item in changes.items))


def _change(change: Change, names: dict[str, str]) -> Change:
    subject: Subject = {
        dimension: names.get(member) or pseudonym(KINDS[dimension], member)
        if member and dimension in KINDS
        else member
        for dimension, member in change.subject.items()
    }
    return replace(change, subject=subject)
