"""Policies as values: what the YAML says, validated, with the place of every key."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from orpolicy.nouns import dataclass
from orpolicy.verdict import Severity, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from orpolicy.location import Location
    from orpolicy.policy.reading import Item

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


@dataclass(frozen=True, slots=True)
class Floor:
    """Rows under any of these are counted, not judged.

    Attributes:
        spend_usd: USD in the window.
        requests: requests in the window.
        share: of all traffic's spend in the window, 0 to 1.
    """

    spend_usd: float = 0.0
    requests: int = 0
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The values whose crossing is a breach; None where the policy sets none."""

    fail_above: float | None = None
    warn_above: float | None = None
    fail_below: float | None = None
    warn_below: float | None = None

    def crossed(self, value: float, *, reaching: bool = False) -> tuple[Verdict, float] | None:
        """The worse verdict that a value earns, and the threshold it crossed; None for a pass.

        Args:
            value: finite.
            reaching: whether a value equal to a threshold crosses it.
        """
        for verdict, above, below in (
            (Verdict.FAIL, self.fail_above, self.fail_below),
            (Verdict.WARN, self.warn_above, self.warn_below),
        ):
            if above is not None and (value > above or (reaching and value == above)):
                return verdict, above
            if below is not None and (value < below or (reaching and value == below)):
                return verdict, below
        return None


@dataclass(frozen=True, slots=True)
class Selector:
    """Which members of one dimension are meant.

    A pattern is a glob (``*``, ``?``, case-insensitive), ``@set``, or ``hash:<64 hex>``.

    Attributes:
        dimension: the API's name.
        include: patterns of which one must match; empty means all.
        exclude: patterns of which none may match.
        location: of the selector's value.
    """

    dimension: str
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    location: Location


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy as written.

    Attributes:
        id: unique over all files.
        rule: the kind's name.
        location: of the policy in its file.
        window: a window's text (see ``period.parse_window``), or None for the run's default.
        by: dimension names, or None for the kind's default.
        where: selectors, ANDed.
        settings: the kind's own keys, as the schema admitted them.
        places: the location of each key's value, by key (``"fail_above"``), for later problems.
    """

    id: str
    rule: str
    location: Location
    title: str = ""
    why: str = ""
    owner: str = ""
    link: str = ""
    severity: Severity = Severity.ERROR
    window: str | None = None
    by: tuple[str, ...] | None = None
    where: tuple[Selector, ...] = ()
    floor: Floor = Floor()
    thresholds: Thresholds = Thresholds()
    allow_empty: bool = False
    locked: bool = False
    replacement: str = ""
    settings: Mapping[str, Json] = field(default_factory=dict)
    places: Mapping[str, Location] = field(default_factory=dict)

    def place(self, key: str) -> Location:
        """Where a key's value stands, or where the policy does if the key is absent."""
        return self.places.get(key, self.location)

    def overridden(self, key: str) -> Location | None:
        """Where a file that extends the policy's own says what a key is; None where no other file does."""
        place = self.place(key)
        return place if place.file != self.location.file else None


@dataclass(frozen=True, slots=True)
class Waiver:
    """An agreed exception.

    Attributes:
        policy: the policy's id.
        where: which subjects; empty means all of the policy's.
        until: the last UTC day on which it holds.
        max_spend_usd_per_month: above it the finding is open again; None: no bound.
    """

    policy: str
    where: tuple[Selector, ...]
    until: date
    reason: str
    owner: str
    location: Location
    max_spend_usd_per_month: float | None = None


@dataclass(frozen=True, slots=True)
class Override:
    """One thing that a file changes of what it extends.

    Attributes:
        policy: the id, or "" for a set or a default.
        key: as a person writes it: ``fail_above``, ``disabled``, ``key_sets.batch``, ``defaults.owner``.
        before: what the files that it extends say; None where they say nothing.
        after: what holds instead; None where a key is taken away.
        location: of the change.
    """

    policy: str
    key: str
    before: Json
    after: Json
    location: Location


@dataclass(frozen=True, slots=True)
class PolicySet:
    """Everything that the files of one run say.

    Attributes:
        policies: in file order, ids unique.
        waivers: in file order.
        key_sets: name -> patterns, without the ``@``; references to other sets already expanded.
        model_sets: as above; a name of a built-in set replaces it.
        window: the default window's text, or None.
        files: every file read, in order; those that others extend come last.
        overrides: by the file order of what they change, the innermost of each first.
        tests: unit tests of policies as they are written, in file order; only those who run them read them.
    """

    policies: tuple[Policy, ...]
    waivers: tuple[Waiver, ...] = ()
    key_sets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    model_sets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    window: str | None = None
    files: tuple[str, ...] = ()
    overrides: tuple[Override, ...] = ()
    tests: tuple[Item, ...] = ()
