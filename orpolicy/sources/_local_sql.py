"""A query as SQL over the view ``records``: values always bound, identifiers quoted, aliases fixed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orpolicy.query.model import Granularity, Operator
from orpolicy.query.vocabulary import METRICS, SPEND
from orpolicy.sources._local_columns import CREATED, quoted
from orpolicy.sources._local_json import marked

if TYPE_CHECKING:
    from datetime import datetime

    from orpolicy.query.model import Query

Value = "datetime | list[str] | int"

_BUCKETS = {Granularity.DAY: "%Y-%m-%d", Granularity.MONTH: "%Y-%m-01"}


@dataclass(frozen=True, slots=True)
class Statement:
    """One SELECT; its columns are the bucket if there is one, then the dimensions, then the metrics.

    Attributes:
        sql: with ``$1``, ``$2``, ... for the values.
        values: in their order; moments are naive and UTC, texts marked.
    """

    sql: str
    values: tuple[datetime | list[str] | int, ...]


def compiled(query: Query) -> Statement:
    """The query as one statement that gives at most one row more than its limit."""
    groups = [quoted(name) for name in query.dimensions]
    if query.granularity:
        groups.insert(0, f"strftime({quoted(CREATED)}, '{_BUCKETS[query.granularity]}')")
    keys = [f"{group} AS k{index}" for index, group in enumerate(groups)]
    sums = [f"{_sum(name)} AS m{index}" for index, name in enumerate(query.metrics)]
    order = [f"m{query.metrics.index(SPEND)} DESC NULLS LAST"]
    order += [f"k{index} NULLS FIRST" for index in range(len(groups))]
    values: list[datetime | list[str] | int] = [
        query.window.start.replace(tzinfo=None),
        query.window.end.replace(tzinfo=None),
    ]
    conditions = [f"{quoted(CREATED)} >= $1", f"{quoted(CREATED)} < $2"]
    for item in query.filters:
        values.append([marked(value) for value in item.values])
        listed = f"coalesce({quoted(item.field)} = ANY(${len(values)}::VARCHAR[]), false)"
        conditions.append(listed if item.operator is Operator.IN else f"NOT {listed}")
    values.append(query.limit + 1)
    lines = [
        f"SELECT {', '.join([*keys, *sums])}",
        "FROM records",
        f"WHERE {' AND '.join(conditions)}",
        f"GROUP BY {', '.join(groups)}" if groups else "HAVING count(*) > 0",
        f"ORDER BY {', '.join(order)}",
        f"LIMIT ${len(values)}",
    ]
    return Statement("\n".join(lines), tuple(values))


def _sum(metric: str) -> str:
    """The sum of a metric, NULL where every record has none; the order of the records has no say.

    Counts are integers. Dollars are added up with compensation, in order of size: a float's sum depends on
    the order of its terms, and that of files and threads is an accident.
    """
    column = quoted(metric)
    return f"fsum({column} ORDER BY {column})" if METRICS[metric].is_money else f"sum({column})"
