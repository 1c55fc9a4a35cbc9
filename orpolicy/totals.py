"""What some traffic adds up to: the row that rules judge and savings price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from orpolicy.nouns import dataclass
from orpolicy.query.vocabulary import CACHED, COMPLETION, PROMPT, REASONING, REQUESTS, SPEND, TOKENS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orpolicy.table import Member, Number, Table


class RowFigures(Mapping[str, "Number | None"]):
    """The metrics of one row of a table; a column that nobody looks at is not worked out."""

    __slots__ = ("_metrics", "_row")

    def __init__(self, table: Table, row: int) -> None:
        self._metrics = table.metrics
        self._row = row

    def __getitem__(self, metric: str) -> Number | None:
        return self._metrics[metric][self._row]

    def get(self, metric: str, default: object = None) -> Any:  # noqa: ANN401 - as ``Mapping`` has it
        """The metric, or the default where the table lacks it: what rows are asked most."""
        column = self._metrics.get(metric)
        return default if column is None else column[self._row]

    def __iter__(self) -> Iterator[str]:
        return iter(self._metrics)

    def __len__(self) -> int:
        return len(self._metrics)

    def __repr__(self) -> str:
        return repr(dict(self))


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums of additive metrics over some traffic in one window.

    Attributes:
        values: metric name -> sum, None where the source has none.
    """

    values: Mapping[str, Number | None] = field(default_factory=dict)

    @classmethod
    def of_row(cls, table: Table, row: int) -> Totals:
        """The metrics of one row of a table."""
        return cls(RowFigures(table, row))

    @classmethod
    def of_table(cls, table: Table) -> Totals:
        """The metrics summed over all rows of a table."""
        return cls({name: table.total(name) for name in table.metrics})

    def get(self, metric: str) -> Number:
        """A metric's sum; an absent or null one counts as 0, as unused components are null."""
        return self.values.get(metric) or 0

    @property
    def spend_usd(self) -> float:
        """USD, BYOK inference included."""
        return float(self.values.get(SPEND) or 0)

    @property
    def requests(self) -> int:
        """Requests."""
        return int(self.get(REQUESTS))

    @property
    def tokens(self) -> int:
        """Prompt and completion tokens."""
        return int(self.get(TOKENS))

    @property
    def prompt_tokens(self) -> int:
        """Input tokens, cached and written ones included."""
        return int(self.get(PROMPT))

    @property
    def completion_tokens(self) -> int:
        """Output tokens, reasoning included."""
        return int(self.get(COMPLETION))

    @property
    def cached_tokens(self) -> int:
        """Input tokens read from cache."""
        return int(self.get(CACHED))

    @property
    def reasoning_tokens(self) -> int:
        """Output tokens spent on reasoning."""
        return int(self.get(REASONING))

    @property
    def usd_per_mtok(self) -> float | None:
        """``total_usage / tokens_total * 1e6``; None without tokens."""
        return self.spend_usd / self.tokens * 1e6 if self.tokens > 0 else None

    @property
    def cache_hit_rate(self) -> float | None:
        """``cached_tokens / tokens_prompt``; None without prompt tokens."""
        return self.cached_tokens / self.prompt_tokens if self.prompt_tokens > 0 else None


@dataclass(frozen=True, slots=True)
class Cell:
    """The traffic of one key on one model: the unit in which no dollar counts twice.

    Attributes:
        key: the key's member, or None.
        model: the model's member, or None.
    """

    key: Member
    model: Member
    totals: Totals
