"""From files to a policy set: every problem of every file at once, or none at all."""

from __future__ import annotations

from dataclasses import field, replace
from itertools import chain
from typing import TYPE_CHECKING

from orpolicy.codes import Code
from orpolicy.errors import PolicyError
from orpolicy.location import Location, Problem
from orpolicy.nouns import dataclass
from orpolicy.policy import document
from orpolicy.policy.checks import (
    case_problems,
    dimension_problems,
    metric_problems,
    policy_problems,
    reference_problems,
    selector_problems,
    window_problems,
)
from orpolicy.policy.defaults import Defaults
from orpolicy.policy.files import policy_files, read_file
from orpolicy.policy.model import Override, Policy, PolicySet, Waiver
from orpolicy.policy.patterns import KEY_DIMENSION, MODEL_DIMENSION
from orpolicy.policy.policy_file import EXTENDS, OVERRIDE, PolicyFile, Written, around
from orpolicy.policy.reading import read_policy, read_waiver, text, window_text
from orpolicy.policy.sets import Sets
from orpolicy.policy.validation import Validator

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from orpolicy.policy.claims import Claim
    from orpolicy.policy.kinds import Kind
    from orpolicy.policy.library import Library
    from orpolicy.policy.lock import Lock
    from orpolicy.policy.reading import Item


def load(paths: Sequence[Path], kinds: Mapping[str, Kind]) -> PolicySet:
    """Read files, and the YAML files of folders.

    Args:
        paths: as the user gave them.
        kinds: every rule kind by name, such as ``policy_kinds.Kinds()``.

    Raises:
        UsageError: if a path is missing, cannot be read or holds no YAML file.
        PolicyError: with every problem of every file, also if there is no policy at all.
    """
    return load_texts({str(path): read_file(path) for path in policy_files(paths)}, kinds)


def load_texts(
    contents: Mapping[str, bytes],
    kinds: Mapping[str, Kind],
    *,
    library: Library | None = None,
    check_names: bool = False,
) -> PolicySet:
    """Read files that are in memory already, and those that they extend.

    Args:
        contents: what each file holds, by the name that problems show.
        kinds: as for ``load``.
        library: where the files that they extend come from; None: packs, and the disk.
        check_names: whether a metric or dimension that the language does not know is a problem, though
            an account might list it.

    Raises:
        PolicyError: as for ``load``.
    """
    run = _Run(kinds, check_names)
    roots = [file for name, content in contents.items() if (file := run.add(content, name))]
    run.pull(roots, library)
    run.finish(frozenset(roots))
    if not run.problems and not run.policies:
        run.problems.append(_no_policy(list(contents), has_disabled=bool(run.ids)))
    if run.problems:
        raise PolicyError(list(dict.fromkeys(run.problems)))
    return PolicySet(
        policies=tuple(run.policies),
        waivers=tuple(run.waivers),
        key_sets=run.sets[KEY_DIMENSION].expanded(),
        model_sets=run.sets[MODEL_DIMENSION].expanded(),
        window=window_text(run.defaults.values.get("window")),
        files=tuple(file.name for file in run.files),
        tests=tuple(run.tests),
        overrides=tuple(run.overrides),
    )


def _no_policy(files: Sequence[str], *, has_disabled: bool) -> Problem:
    where = "the file" if len(files) == 1 else f"any of {len(files)} files"
    message = "every policy is disabled" if has_disabled else f"no policy in {where}"
    hint = "" if has_disabled else "policies: is where they go"
    return Problem(Location(files[0] if files else ".", 1, 1), message, hint, code=Code.NOTHING_THERE)


@dataclass(slots=True, eq=False, repr=False)
class _Run:
    """What is known of the files so far; the attributes without a word here are those of ``PolicySet``.

    Attributes:
        ids: id -> the policy, the first of that id.
        roots: the files that the command line names.
    """

    kinds: Mapping[str, Kind]
    check_names: bool
    problems: list[Problem] = field(default_factory=list)
    files: list[PolicyFile] = field(default_factory=list)
    policies: list[Policy] = field(default_factory=list)
    waivers: list[Waiver] = field(default_factory=list)
    tests: list[Item] = field(default_factory=list)
    overrides: list[Override] = field(default_factory=list)
    defaults: Defaults = field(default_factory=Defaults)
    ids: dict[str, Written] = field(default_factory=dict)
    roots: frozenset[PolicyFile] = frozenset()
    sets: dict[str, Sets] = field(
        default_factory=lambda: {name: Sets(name) for name in (KEY_DIMENSION, MODEL_DIMENSION)}
    )
    validator: Validator = field(init=False)

    def __post_init__(self) -> None:
        self.validator = Validator(self.kinds)

    def add(self, content: bytes, file: str) -> PolicyFile | None:
        """Read one file and hold it against the schema; None where it cannot be read."""
        try:
            read = document.parse(content, file)
        except PolicyError as error:
            self.problems += error.problems
            self._miss_some()
            return None
        flaws = (*read.flaws, *self.validator.flaws(read))
        self.problems += [flaw.problem for flaw in flaws]
        self.files.append(PolicyFile(read, around(flaws), len(self.files)))
        return self.files[-1]

    def pull(self, roots: Sequence[PolicyFile], library: Library | None) -> None:
        """Read what the files extend."""
        if all(file.section(EXTENDS) is None for file in roots):
            return
        from orpolicy.policy.library import Disk  # noqa: PLC0415 - most runs extend nothing
        from orpolicy.policy.pulling import Pull  # noqa: PLC0415 - as above

        pull = Pull(library or Disk(), self.add)
        pull.walk(roots)
        self.problems += pull.problems
        if not pull.is_whole:
            self._miss_some()

    def finish(self, roots: frozenset[PolicyFile]) -> None:
        """Everything that takes more than the schema, and what it takes all files for."""
        self.roots = roots
        for file in self.files:
            self._name(file)
        settled = [self.defaults.settle(), *(sets.settle() for sets in self.sets.values())]
        self._note(chain.from_iterable(settled))
        for sets in self.sets.values():
            self.problems += sets.problems()
        changes = self._changes()
        for file in self.files:
            self._policies(file, changes)
            self._rest(file, is_root=file in roots)

    def _name(self, file: PolicyFile) -> None:
        """Ids, sets and defaults: what may be said once."""
        for item in file.items("policies"):
            policy_id, place = text(item.data, "id"), item.place("id")
            first = self.ids.setdefault(policy_id, Written(file, item)) if policy_id else None
            if first is not None and first.item is not item:
                message, hint = f"the policy id {policy_id!r} is already used", f"first at {first.place}"
                if file in first.file.reach:  # whoever extends the other can be told what to do
                    place, hint = first.place, f"first at {place}"
                if file in first.file.reach or first.file in file.reach:
                    hint += "; to change it, use override:"
                self.problems.append(Problem(place, message, hint, code=Code.DEFINED_TWICE))
        for sets in self.sets.values():
            sets.add(file)
        self.defaults.add(file)

    def _note(self, found: Iterable[Problem | Override]) -> None:
        for each in found:
            if isinstance(each, Problem):
                self.problems.append(each)
            else:
                self.overrides.append(each)

    def _changes(self) -> Mapping[str, Sequence[Claim]]:
        """Policy id -> what files that extend its own change, the innermost file's first."""
        if all(file.section(OVERRIDE) is None for file in self.files):
            return {}
        from orpolicy.policy.overriding import claims_of  # noqa: PLC0415 - most runs change nothing

        found = claims_of(self.files, self.ids, is_whole=self._ids() is not None)
        self.problems += found.problems
        return found.claims

    def _policies(self, file: PolicyFile, changes: Mapping[str, Sequence[Claim]]) -> None:
        for item in file.items("policies"):
            self._values(file, item)
            claims = changes.get(text(item.data, "id"), ())
            if claims and file.is_sound(item):
                self._changed(file, item, claims)
            elif file.is_sound(item):
                self._policy(item, self._lock(file, item))

    def _changed(self, file: PolicyFile, item: Item, claims: Sequence[Claim]) -> None:
        """A policy that other files change."""
        from orpolicy.policy.overriding import change  # noqa: PLC0415 - as above

        if any(not claim.is_sound for claim in claims):
            return
        changed = change(Written(file, item), text(item.data, "id"), claims)
        self.problems += changed.problems
        self.overrides += changed.overrides
        if changed.is_off:
            return
        if flaws := self.validator.flaws(changed.checkable):
            self.problems += [flaw.problem for flaw in flaws]
            return
        self._values(PolicyFile(changed.item.document, set(), file.number), changed.item)
        self._policy(changed.item, changed.lock, changed.removed)

    def _values(self, file: PolicyFile, item: Item) -> None:
        """What can be said of single values even where others are wrong."""
        if file.is_sound(item, "where"):
            self.problems += selector_problems(item, self.sets)
        if "window" in item.data and file.is_sound(item, "window"):
            self.problems += window_problems(item)
        if "policy" in item.data and file.is_sound(item, "policy"):
            self.problems += reference_problems(text(item.data, "policy"), item.place("policy"), self._ids())
        if self.check_names:
            sound = [key for key in ("by", "where") if file.is_sound(item, key)]
            self.problems += dimension_problems(item, sound)

    def _lock(self, file: PolicyFile, item: Item) -> Lock | None:
        """What binds other files around a policy that none of them changes; None where none could."""
        if item.data.get("locked") is not True or not any(other.pulls for other in self.files):
            return None
        from orpolicy.policy.lock import Lock  # noqa: PLC0415 - as above

        return Lock((file,))

    def _policy(self, item: Item, lock: Lock | None, removed: Mapping[str, Location] | None = None) -> None:
        kind = self.kinds[text(item.data, "rule")]
        ignored = [file for file in self.files if lock is not None and lock.ignores(file, self.roots)]
        defaults = self.defaults.without(ignored) if ignored else self.defaults.values
        policy = read_policy(item, kind.schema, defaults)
        if removed:
            policy = replace(policy, places={**policy.places, **removed})
        if ignored:
            from orpolicy.policy import lock as locks  # noqa: PLC0415 - as above

            policy = locks.kept_to_itself(policy, self.defaults.values.get("window"), defaults)
            patterns = locks.patterns_of(policy, kind)
            self.problems += locks.replaced_sets(policy, patterns, self.sets, ignored)
        self.policies.append(policy)
        self.problems += policy_problems(policy, kind, self.sets[MODEL_DIMENSION])
        if self.check_names:
            self.problems += metric_problems(policy, kind)

    def _rest(self, file: PolicyFile, *, is_root: bool) -> None:
        """Waivers, and tests; those of a file that another extends are not run, as it may have changed."""
        for item in file.items("waivers"):
            self._values(file, item)
            if file.is_sound(item):
                self._waiver(item)
        for item in file.items("tests"):
            if file.is_sound(item):
                self.problems += case_problems(item, self._ids())
                self.tests += [item] if is_root else []

    def _waiver(self, item: Item) -> None:
        waiver = read_waiver(item)
        if isinstance(waiver, Problem):
            self.problems.append(waiver)
        else:
            self.waivers.append(waiver)

    def _miss_some(self) -> None:
        """A file that is not there may define any name."""
        for sets in self.sets.values():
            sets.complete = False

    def _ids(self) -> Mapping[str, object] | None:
        """The id of every policy; None where a file that could not be read may hold others."""
        return self.ids if all(sets.complete for sets in self.sets.values()) else None
