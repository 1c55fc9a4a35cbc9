"""The contract of a rule kind: what it needs, what it measures, what can be done about a breach.

A kind is one file: a frozen dataclass of its own settings that derives from ``Rule``. Its class
attributes and its docstring are its manual; the JSON Schema, ``explain``, the README table and the
tests derive from them. A kind never sees a connection, a file or a whole table: ``measure`` gets the
totals of one subject and of all traffic, and gives a number.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Self, TypeGuard

from orpolicy.nouns import dataclass
from orpolicy.policy.kinds import THRESHOLD_KEYS
from orpolicy.policy.model import Thresholds

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from orpolicy.account import Listing
    from orpolicy.catalog.model import Catalog
    from orpolicy.period import Window
    from orpolicy.policy.model import Json, Policy
    from orpolicy.savings.levers import Lever
    from orpolicy.table import Member, Table
    from orpolicy.totals import Totals


class Bound(StrEnum):
    """On which side of a threshold a breach lies."""

    ABOVE = "above"
    BELOW = "below"


class Skip(StrEnum):
    """Why a row is not judged; each is counted."""

    OUT_OF_SCOPE = "out of the rule's scope"
    NOT_APPLICABLE = "nothing to divide by"
    NEW = "new, without a history to compare with"
    IMPLAUSIBLE = "a part larger than its whole"
    """Figures that cannot be true: they make the whole policy inconclusive."""
    UNSAID = "the source does not say"
    UNLISTED = "not in the catalogue, or without what is looked up there"
    """Where nothing but such rows is left, the policy is inconclusive."""


class SettingError(ValueError):
    """A setting that the schema admits and the kind does not.

    Attributes:
        key: the setting's key.
    """

    def __init__(self, key: str, message: str, hint: str = "") -> None:
        self.key = key
        self.message = message
        self.hint = hint
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Row:
    """One subject in the window.

    Attributes:
        subject: dimension -> member, for the policy's ``by``.
        totals: of the window.
        window: the window.
        history: totals of the periods before the window, oldest first, or of the complete days of a running
            month; empty unless the kind asks.
        earlier: members of the dimension that the kind ``follows`` with usage before the window, each on its
            own, where all else is as in the subject; empty unless the kind asks.
        views: the subject's traffic by each of the kind's ``views``, by their dimensions.
    """

    subject: Mapping[str, Member]
    totals: Totals
    window: Window
    history: tuple[Totals, ...] = ()
    earlier: Mapping[Member, Totals] = field(default_factory=dict)
    views: Mapping[tuple[str, ...], Table] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Covered:
    """What the other policies of a run held against their thresholds, of the same window.

    Policies by key and model are laid over each other; where others are not, it is known as a range.

    Attributes:
        least_usd: at least so much spend was judged.
        most_usd: at most.
        judged: how many policies judged it.
        unjudged: how many are inconclusive, and do not count.
        gaps: subject and USD of what none of those that can be laid over each other judged, by key, the
            dearest first.
    """

    least_usd: float
    most_usd: float
    judged: int
    unjudged: int
    gaps: tuple[tuple[Mapping[str, Member], float], ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """Another grouping of the policy's rows.

    Attributes:
        by: its dimensions, at most two.
        is_vital: whether the policy is inconclusive without it; otherwise it is used where it is complete.
    """

    by: tuple[str, ...]
    is_vital: bool = True


@dataclass(frozen=True, slots=True)
class Traffic:
    """All traffic of the window, whatever the policy selects, and what is known beside it.

    Attributes:
        totals: of the window.
        history: as in ``Row``.
        catalogue: the models and their prices; None unless the kind ``needs_catalogue``.
        now: the run's clock, aware; None outside a run.
        listing: keys and guardrails; None unless the kind ``lists_keys`` or ``lists_guardrails``.
        covered: what the other policies judged; None unless the kind ``judges_policies``.
    """

    totals: Totals
    history: tuple[Totals, ...] = ()
    catalogue: Catalog | None = None
    now: datetime | None = None
    listing: Listing | None = None
    covered: Covered | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """A measure's value for one row.

    Attributes:
        value: finite.
        note: what explains it, or "".
        may_breach: False where the value alone must not fail the row.
        at_most_warns: whether the value is no certainty, so that it warns where it would fail.
        fix: the exact setting to change, which advice may name as ``{fix}``.
        behind: subject and USD of who is behind the value, the dearest first, where spend would not tell;
            None: spend does.
    """

    value: float
    note: str = ""
    may_breach: bool = True
    at_most_warns: bool = False
    fix: str = ""
    behind: tuple[tuple[Mapping[str, Member], float], ...] | None = None


@dataclass(frozen=True, slots=True)
class Heavy:
    """Which rows are in a kind's scope: those with ``of`` more than ``above`` times ``to``."""

    of: str
    to: str
    above: float


@dataclass(frozen=True, slots=True)
class Ratio:
    """A measure in terms of columns, by which rows are screened before any of them is measured.

    Attributes:
        of: the metric above the line.
        to: the metric below it, whose rows at 0 are ``Skip.NOT_APPLICABLE``; None: nothing is below it, and
            every row is measured.
        times: what the ratio is multiplied by, positive.
        is_share: whether rows whose ratio is above 1 are ``Skip.IMPLAUSIBLE``.
        heavy: which of the other rows are judged, the rest being ``Skip.OUT_OF_SCOPE``; None: all of them.
    """

    of: str
    to: str | None = None
    times: float = 1.0
    is_share: bool = False
    heavy: Heavy | None = None


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do about a breach.

    Attributes:
        action: a closed word for machines.
        text: for people; ``{replacement}`` stands for the model that the savings chose, ``{fix}`` for what
            was measured to be changed.
        risk: what may be worse afterwards.
        expect: what the figure should do once it is fixed.
    """

    action: str
    text: str
    risk: str
    expect: str


class Rule(ABC):
    """A rule kind, with one policy's settings.

    Class attributes:
        measures: one line for the README's table.
        measure_name: the name of the value in reports.
        unit: its unit, for people.
        default_by: dimensions where the policy names none.
        bounds: which thresholds fit; at least one must be set unless there is a default.
        default_thresholds: what holds where the policy sets none at all.
        keys: JSON Schema of each key of the kind's own.
        required: which of them must be there.
        compares_keys: whether savings look at what other keys do on the same models.
        needs_catalogue: whether nothing can be measured without the model catalogue: a source that has
            none makes the policy inconclusive.
        follows: the dimension whose members are looked for before the window, under any of their names, or
            ""; goes with ``lookback_days``.
        judges_spend: whether a dollar that the kind has judged counts as judged; not where it looks at the
            books or at the other policies.
        judges_policies: whether it is measured after all others, from what they judged.
    """

    measures: ClassVar[str]
    measure_name: ClassVar[str]
    unit: ClassVar[str]
    default_by: ClassVar[tuple[str, ...]] = ("model",)
    bounds: ClassVar[frozenset[Bound]] = frozenset({Bound.ABOVE})
    default_thresholds: ClassVar[Thresholds] = Thresholds()
    keys: ClassVar[Mapping[str, Json]] = {}
    required: ClassVar[tuple[str, ...]] = ()
    compares_keys: ClassVar[bool] = False
    needs_catalogue: ClassVar[bool] = False
    follows: ClassVar[str] = ""
    judges_spend: ClassVar[bool] = True
    judges_policies: ClassVar[bool] = False

    @classmethod
    @abstractmethod
    def read(cls, policy: Policy) -> Self:
        """The kind with a policy's settings, which the schema has already admitted.

        Raises:
            SettingError: where a setting makes no sense to the kind.
        """

    @property
    @abstractmethod
    def metrics(self) -> frozenset[str]:
        """Every metric that the measure reads; a row where one of them is null is not judged.

        Surcharge components (``usage_*``) are the exception: unused ones are null, and count as 0.
        """

    @property
    def value_unit(self) -> str:
        """The unit of what these settings measure, where that is more than the kind knows."""
        return self.unit

    @property
    def label(self) -> str:
        """What people call the measure, where its name says too little; "" otherwise."""
        return ""

    @property
    def history_periods(self) -> int:
        """How many calendar weeks or months before the window are asked as well."""
        return 0

    @property
    def lookback_days(self) -> int:
        """How many days before the window are asked as well, as one period; the window may be any."""
        return 0

    @property
    def by_day(self) -> bool:
        """Whether a running month is asked by day: its complete days are then the history."""
        return False

    @property
    def lists_keys(self) -> bool:
        """Whether the subjects are the listed keys of the account, used or not."""
        return False

    @property
    def lists_guardrails(self) -> bool:
        """Whether the account's guardrails are asked for."""
        return False

    @property
    def reaching(self) -> bool:
        """Whether a value equal to a threshold is a breach."""
        return False

    @property
    def models(self) -> tuple[str, ...]:
        """Model patterns that narrow the rows to what the kind is about; empty: all.

        Unlike ``where``, matching nothing here is a pass.
        """
        return ()

    def listed_models(self, catalogue: Catalog, now: datetime) -> tuple[str, ...]:
        """As ``models``, for a kind that finds them in the catalogue; empty there: no model at all."""
        return ()

    @property
    def looks_models_up(self) -> bool:
        """Whether ``listed_models`` says what the kind is about."""
        return type(self).listed_models is not Rule.listed_models

    def views(self, by: tuple[str, ...]) -> tuple[View, ...]:
        """Other groupings of the policy's rows that the measure looks at; none for kinds that look back."""
        return ()

    def counts(self, by: tuple[str, ...]) -> bool:
        """Whether a policy by these dimensions counts, for a kind that ``judges_policies``."""
        return True

    def ratio(self, window: Window, traffic: Traffic) -> Ratio | None:
        """The measure of every row as a ratio, equal to ``measure`` but for rounding; None: it is none.

        It only saves time: ``measure`` has the last word on every row that may cross a threshold.
        """
        return None

    @abstractmethod
    def measure(self, row: Row, traffic: Traffic) -> Measured | Skip:
        """The value to hold against the thresholds.

        Raises:
            SourceError: where what is known leaves it open whether a threshold is crossed.
        """

    @abstractmethod
    def lever(self, row: Row, traffic: Traffic, value: float, threshold: float) -> Lever:
        """What could be done about a breach, for the savings."""

    @abstractmethod
    def advice(self, row: Row, threshold: float) -> Advice:
        """What to tell people about a breach."""


def excess_usd(spend_usd: float, value: float, threshold: float) -> float:
    """Spend above the threshold of a measure that is proportional to spend: ``S (1 - threshold / value)``."""
    return spend_usd * (1 - threshold / value) if value > 0 else 0.0


def check_thresholds(policy: Policy, most: float = math.inf) -> None:
    """Refuse thresholds that lie outside of what a kind can measure: 0 to ``most``.

    Raises:
        SettingError: for the first of them.
    """
    for key in THRESHOLD_KEYS:
        limit: float | None = getattr(policy.thresholds, key)
        if limit is None or 0 <= limit <= most:
            continue
        if limit < 0:
            raise SettingError(key, f"{key} {limit:g}: what {policy.rule} measures is never negative")
        hint = f"{limit / 100:g} is {limit:g} %" if limit <= 100 * most else ""
        raise SettingError(key, f"{key} {limit:g}: what {policy.rule} measures is never above {most:g}", hint)


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a value is a finite number and no bool."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
