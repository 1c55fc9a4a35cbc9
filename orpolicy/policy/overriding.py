"""A policy with what the files that extend it change: read as if it had been written so."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from orpolicy.codes import Code
from orpolicy.location import Fault, Problem
from orpolicy.policy.claims import Claim, inside_out, rule
from orpolicy.policy.document import Document
from orpolicy.policy.kinds import DISABLED, THRESHOLD_KEYS
from orpolicy.policy.lock import Lock, lock_of
from orpolicy.policy.locking import loosens
from orpolicy.policy.model import Override
from orpolicy.policy.policy_file import OVERRIDE
from orpolicy.policy.reading import Item
from orpolicy.policy.validation import near_miss

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from orpolicy.location import Location
    from orpolicy.policy.document import Trail
    from orpolicy.policy.model import Json
    from orpolicy.policy.policy_file import PolicyFile, Written

_HOME: Trail = ("policies", 0)
"""Where a changed policy stands in a document of its own."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A policy with everything that other files change of it.

    Attributes:
        item: what it says now, each value with the place at which that is said.
        overrides: each change, the innermost file's first.
        removed: key that is taken away -> where that is said.
        problems: changes that are not allowed.
        is_off: whether it is disabled.
        lock: what binds files around it, if it is locked.
    """

    item: Item
    overrides: tuple[Override, ...]
    removed: Mapping[str, Location]
    problems: tuple[Problem, ...]
    is_off: bool
    lock: Lock | None

    @property
    def checkable(self) -> Document:
        """The changed policy as a document whose faults as a whole are told at the last change."""
        document = self.item.document
        return replace(document, values={**document.values, _HOME: self.overrides[-1].location})


@dataclass(frozen=True, slots=True)
class Claims:
    """Everything that files change of what they extend.

    Attributes:
        claims: policy id -> the files' mappings, the innermost file's first.
        problems: changes of policies that no such file has.
    """

    claims: Mapping[str, Sequence[Claim]]
    problems: tuple[Problem, ...]


def claims_of(files: Sequence[PolicyFile], ids: Mapping[str, Written], *, is_whole: bool) -> Claims:
    """Collect the changes.

    Args:
        files: of the run.
        ids: every policy by its id.
        is_whole: whether these are all files; otherwise the others may have what is not found.
    """
    found: dict[str, list[Claim]] = {}
    problems: list[Problem] = []
    for file in files:
        changes = file.section(OVERRIDE)
        for policy, value in changes.items() if isinstance(changes, dict) else ():
            claim, written = Claim(file, (OVERRIDE, policy), value), ids.get(policy)
            if written is not None and written.file in file.reach:
                found.setdefault(policy, []).append(claim)
            elif written is not None or is_whole:
                problems.append(_nothing(claim, policy, ids).at(claim.place))
    return Claims({policy: inside_out(claims) for policy, claims in found.items()}, tuple(problems))


def _nothing(claim: Claim, policy: str, ids: Mapping[str, Written]) -> Fault:
    """That a file does not extend one with the policy that it would change."""
    message = f"nothing that this file extends has a policy {policy!r}"
    written = ids.get(policy)
    if written is None:
        extended = [name for name, other in ids.items() if other.file in claim.file.reach]
        hint = near_miss(policy, extended)
    elif written.file is claim.file:
        hint = f"change it where it is, at {written.place}"
    else:
        hint = f"it is at {written.place}: add that file to extends"
    return Fault(Code.OVERRIDES_NOTHING, message, hint)


def change(written: Written, policy: str, claims: Sequence[Claim]) -> Changed:
    """Apply what other files say of a policy.

    Args:
        written: as its own file has it.
        policy: its id.
        claims: the other files' mappings, the innermost file's first; at least one.
    """
    item = written.item
    lock = lock_of(written.file, item.data, claims)
    draft = _Draft(policy, dict(item.data), lock)
    draft.take_places(item.document, item.trail, _HOME, dict(item.data))
    for claim in claims:
        draft.apply(claim)
    is_off = draft.data.pop(DISABLED, False) is True
    root: dict[str, Json] = {"version": 1, "policies": [draft.data]}
    document = Document(item.document.file, root, draft.values, draft.keys)
    return Changed(
        item=Item(document, _HOME, draft.data),
        overrides=tuple(draft.overrides),
        removed=draft.removed,
        problems=(*draft.problems, *_conflicts(claims)),
        is_off=is_off,
        lock=lock,
    )


@dataclass(slots=True)
class _Draft:
    """A policy while it is being changed; the attributes are those of ``Changed`` and ``Document``."""

    policy: str
    data: dict[str, Json]
    lock: Lock | None
    values: dict[Trail, Location] = field(default_factory=dict)
    keys: dict[Trail, Location] = field(default_factory=dict)
    overrides: list[Override] = field(default_factory=list)
    removed: dict[str, Location] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def apply(self, claim: Claim) -> None:
        """Change what one file says is to be changed."""
        before = dict(self.data)
        for key, value in _changes(claim).items():
            place = _key_place(claim, key)
            self.overrides.append(Override(self.policy, key, before.get(key), value, place))
            if self.lock is not None and self.lock.binds(claim.file):
                self._check_lock(before, key, value, place)
            self._put(key, value, claim)

    def _put(self, key: str, value: Json, claim: Claim) -> None:
        document, source, target = claim.file.document, (*claim.trail, key), (*_HOME, key)
        self.take_places(document, source, target, value)
        if value is None:
            self.data.pop(key, None)
            self.removed[key] = _key_place(claim, key)
        else:
            self.data[key] = value
            self.removed.pop(key, None)

    def _check_lock(self, before: Mapping[str, Json], key: str, value: Json, place: Location) -> None:
        has_thresholds = not before.keys().isdisjoint(THRESHOLD_KEYS)
        if loosens(key, before.get(key), value, has_thresholds=has_thresholds):
            message = f"the policy {self.policy!r} is locked, and this change of {key} may loosen it"
            hint = "a locked policy may only be tightened: thresholds, severity"
            self.problems.append(Problem(place, message, hint, code=Code.OVERRIDE_OF_LOCKED))

    def take_places(self, document: Document, source: Trail, target: Trail, value: Json) -> None:
        """Note where a value and all below it stand."""
        self.values[target] = document.place(source)
        self.keys[target] = document.key_place(source)
        if isinstance(value, dict):
            for key, inner in value.items():
                self.take_places(document, (*source, key), (*target, key), inner)
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                self.take_places(document, (*source, index), (*target, index), inner)


def _changes(claim: Claim) -> Mapping[str, Json]:
    return claim.value if isinstance(claim.value, dict) else {}


def _conflicts(claims: Sequence[Claim]) -> Iterator[Problem]:
    """Keys of which files that do not extend one another say different things, or the same twice."""
    for key in dict.fromkeys(key for claim in claims for key in _changes(claim)):
        ruling = rule(claim for claim in claims if key in _changes(claim))
        first = _key_place(ruling.winner, key)
        for rival in ruling.rivals:
            message, hint = f"another file overrides {key} as well", f"first at {first}"
            yield Problem(_key_place(rival, key), message, hint, code=Code.OVERRIDE_CONFLICT)


def _key_place(claim: Claim, key: str) -> Location:
    return claim.file.document.key_place((*claim.trail, key))
