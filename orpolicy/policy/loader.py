"""From files to a policy set: every problem of every file at once, or none at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from orpolicy.errors import PolicyError
from orpolicy.location import Location, Problem
from orpolicy.policy import document, schema
from orpolicy.policy.checks import (
    case_problems,
    policy_problems,
    reference_problems,
    selector_problems,
    window_problems,
)
from orpolicy.policy.files import policy_files, read_file
from orpolicy.policy.model import Policy, PolicySet, Waiver
from orpolicy.policy.patterns import KEY_DIMENSION, MODEL_DIMENSION
from orpolicy.policy.reading import Item, read_policy, read_waiver, text, window_fault, window_text
from orpolicy.policy.sets import Sets
from orpolicy.policy.validation import Validator

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from orpolicy.policy.document import Document, Flaw, Trail
    from orpolicy.policy.kinds import Kind
    from orpolicy.policy.model import Json


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


def load_texts(contents: Mapping[str, bytes], kinds: Mapping[str, Kind]) -> PolicySet:
    """Read files that are in memory already.

    Args:
        contents: what each file holds, by the name that problems show.
        kinds: as for ``load``.

    Raises:
        PolicyError: as for ``load``.
    """
    run = _Run(kinds)
    for file, content in contents.items():
        run.add(content, file)
    run.finish()
    if not run.problems and not run.policies:
        where = Location(next(iter(contents), "."), 1, 1)
        files = "the file" if len(contents) == 1 else f"any of {len(contents)} files"
        run.problems.append(Problem(where, f"no policy in {files}", "policies: is where they go"))
    if run.problems:
        raise PolicyError(list(dict.fromkeys(run.problems)))
    return PolicySet(
        policies=tuple(run.policies),
        waivers=tuple(run.waivers),
        key_sets=run.sets[KEY_DIMENSION].expanded(),
        model_sets=run.sets[MODEL_DIMENSION].expanded(),
        window=window_text(run.defaults.get("window")),
        files=tuple(contents),
        tests=tuple(run.tests),
    )


@dataclass(slots=True)
class _File:
    """A file that could be read, and the trails around everything that is wrong in it."""

    document: Document
    flawed: set[Trail]

    def items(self, section: str) -> Iterator[Item]:
        """The entries of a list, whatever is wrong inside them."""
        entries = self._section(section)
        for index, entry in enumerate(entries if isinstance(entries, list) else []):
            if isinstance(entry, dict):
                yield Item(self.document, (section, index), entry)

    def is_sound(self, item: Item, *steps: str) -> bool:
        """Whether nothing is wrong in an entry, or in a value inside it."""
        return (*item.trail, *steps) not in self.flawed

    def defaults(self) -> Iterator[tuple[str, Json]]:
        """The defaults of this file that have the right shape."""
        entries = self._section("defaults")
        for key, value in entries.items() if isinstance(entries, dict) else ():
            if ("defaults", key) not in self.flawed:
                yield key, value

    def _section(self, name: str) -> Json:
        data = self.document.data
        return data.get(name) if isinstance(data, dict) else None


@dataclass(slots=True)
class _Run:
    """What is known of the files so far."""

    kinds: Mapping[str, Kind]
    problems: list[Problem] = field(default_factory=list)
    files: list[_File] = field(default_factory=list)
    policies: list[Policy] = field(default_factory=list)
    waivers: list[Waiver] = field(default_factory=list)
    tests: list[Item] = field(default_factory=list)
    defaults: dict[str, Json] = field(default_factory=dict)
    default_places: dict[str, Location] = field(default_factory=dict)
    ids: dict[str, Location] = field(default_factory=dict)
    sets: dict[str, Sets] = field(
        default_factory=lambda: {name: Sets(name) for name in (KEY_DIMENSION, MODEL_DIMENSION)}
    )
    validator: Validator = field(init=False)

    def __post_init__(self) -> None:
        self.validator = Validator(schema.build(kind.schema for kind in self.kinds.values()))

    def add(self, content: bytes, file: str) -> None:
        """Read one file and hold it against the schema."""
        try:
            read = document.parse(content, file)
        except PolicyError as error:
            self.problems += error.problems
            for names in self.sets.values():
                names.complete = False
            return
        flaws = (*read.flaws, *self.validator.flaws(read))
        self.problems += [flaw.problem for flaw in flaws]
        self.files.append(_File(read, _around(flaws)))

    def finish(self) -> None:
        """Everything that takes more than the schema, and what it takes all files for."""
        for file in self.files:
            self._name(file)
        for sets in self.sets.values():
            self.problems += sets.problems()
        for file in self.files:
            for section, check in (
                ("policies", self._policy),
                ("waivers", self._waiver),
                ("tests", self._test),
            ):
                for item in file.items(section):
                    self._values(file, item)
                    if file.is_sound(item):
                        check(item)

    def _values(self, file: _File, item: Item) -> None:
        """What can be said of single values even where others are wrong."""
        if file.is_sound(item, "where"):
            self.problems += selector_problems(item, self.sets)
        if "window" in item.data and file.is_sound(item, "window"):
            self.problems += window_problems(item)
        if "policy" in item.data and file.is_sound(item, "policy"):
            self.problems += reference_problems(text(item.data, "policy"), item.place("policy"), self._ids())

    def _name(self, file: _File) -> None:
        """Ids, sets and defaults: what may be said once."""
        for item in file.items("policies"):
            policy_id, place = text(item.data, "id"), item.place("id")
            first = self.ids.setdefault(policy_id, place) if policy_id else place
            if first is not place:
                message = f"the policy id {policy_id!r} is already used"
                self.problems.append(Problem(place, message, f"first at {first}"))
        for sets in self.sets.values():
            self.problems += sets.add(file.document)
        for key, value in file.defaults():
            self._default(key, value, file.document)

    def _default(self, key: str, value: Json, read: Document) -> None:
        place = read.key_place(("defaults", key))
        first = self.default_places.setdefault(key, place)
        if first is not place:
            message = f"the default {key} is already defined"
            self.problems.append(Problem(place, message, f"first at {first}"))
        elif key == "window" and (fault := window_fault(value)):
            self.problems.append(Problem(read.place(("defaults", key)), fault))
        else:
            self.defaults[key] = value

    def _policy(self, item: Item) -> None:
        kind = self.kinds[text(item.data, "rule")]
        policy = read_policy(item, kind.schema, self.defaults)
        self.policies.append(policy)
        self.problems += policy_problems(policy, kind, self.sets[MODEL_DIMENSION])

    def _waiver(self, item: Item) -> None:
        waiver = read_waiver(item)
        if isinstance(waiver, Problem):
            self.problems.append(waiver)
        else:
            self.waivers.append(waiver)

    def _test(self, item: Item) -> None:
        self.tests.append(item)
        self.problems += case_problems(item, self._ids())

    def _ids(self) -> Mapping[str, Location] | None:
        """The id of every policy; None where a file that could not be read may hold others."""
        return self.ids if all(sets.complete for sets in self.sets.values()) else None


def _around(flaws: Sequence[Flaw]) -> set[Trail]:
    """Every trail at or above a flaw."""
    return {flaw.trail[:length] for flaw in flaws for length in range(len(flaw.trail) + 1)}
