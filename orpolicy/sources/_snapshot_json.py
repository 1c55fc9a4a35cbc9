"""A recording as lines of JSON, version 2.

The first line holds everything but tables, each of which has a line of its own, in the order of the answers:
whoever asks little reads little. Tables are columns. What a dimension's column holds are positions in a list
of the dimension's members, which all tables share: names repeat from row to row and from table to table. Text
is UTF-8, in which a lone surrogate stands as it is.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from orpolicy.account import KeyFacts
from orpolicy.errors import Reason, SourceError
from orpolicy.period import stamp
from orpolicy.query.model import Answer
from orpolicy.sources._json import Json
from orpolicy.sources._snapshot_catalog import encode_catalog
from orpolicy.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orpolicy.account import ApiKey, Directory, Guardrail
    from orpolicy.catalog.model import Catalog
    from orpolicy.query.model import Query
    from orpolicy.sources._snapshot_model import Asked, Recording
    from orpolicy.table import Member, Table

    Object = dict[str, Json]


def encode(recording: Recording) -> bytes:
    """The content of a snapshot's file; the same recording gives the same bytes.

    Raises:
        SourceError: MALFORMED_ANSWER, if a figure is not finite.
    """
    members = _Members()
    outcomes = [asked.outcome for asked in recording.answers]
    tables = [_table(outcome.table, members) for outcome in outcomes if isinstance(outcome, Answer)]
    info = recording.info
    document: Object = {
        "written_by": f"orpolicy {__version__}",
        "now": stamp(recording.now),
        "source": {
            "kind": info.kind,
            "host": info.host,
            "requests": info.requests,
            "cached_requests": info.cached_requests,
            "notes": [*info.notes],
        },
        "meta": {"metrics": dict(recording.meta.metrics), "dimensions": [*sorted(recording.meta.dimensions)]},
        "directory": _directory(recording.directory),
        "catalogue": _catalogue(recording.catalogue),
        "guardrails": _guardrails(recording.guardrails),
        "pseudonyms": {name: [*found] for name, found in recording.pseudonyms.matched.items()}
        if recording.pseudonyms
        else None,
        "answers": [_asked(asked) for asked in recording.answers],
        "members": members.lists(),
    }
    return b"\n".join(map(_line, (document, *tables)))


def _line(value: Object) -> bytes:
    """One line, as JSON has no line breaks but between its words.

    Raises:
        SourceError: as ``encode``.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError:
        raise SourceError(Reason.MALFORMED_ANSWER, "a figure is not finite: it cannot be recorded") from None
    return text.encode("utf-8", "surrogatepass")


class _Members:
    """The members of every dimension, numbered in the order in which they come."""

    def __init__(self) -> None:
        self._numbers: dict[str, dict[Member, int]] = {}

    def codes(self, dimension: str, column: Sequence[Member]) -> list[Json]:
        """The number of each row's member."""
        numbers = self._numbers.setdefault(dimension, {})
        return [numbers.setdefault(member, len(numbers)) for member in column]

    def lists(self) -> Object:
        """Dimension -> its members by number."""
        return {dimension: list[Json](numbers) for dimension, numbers in self._numbers.items()}


def _error(error: SourceError) -> Object:
    return {"error": error.reason.value, "detail": error.detail, "too_heavy": error.is_too_heavy}


def _directory(directory: Directory | SourceError | None) -> Json:
    if directory is None:
        return None
    if isinstance(directory, SourceError):
        return _error(directory)
    return {
        "keys": [_key(key) for key in directory.keys],
        "workspaces": [[name, [*uuids]] for name, uuids in directory.workspaces.items()],
    }


def _key(key: ApiKey) -> Json:
    facts = key.facts or KeyFacts()
    return {
        "name": key.name,
        "hash": key.key_hash,
        "workspace_id": key.workspace_id,
        "workspace": key.workspace,
        "disabled": key.disabled,
        "limit_usd": facts.limit_usd,
        "limit_reset": facts.limit_reset,
        "usage_usd": facts.usage_usd,
        "created_at": facts.created_at,
        "expires_at": facts.expires_at,
        "byok_usage_usd": facts.byok_usage_usd,
        "counts_byok": facts.counts_byok,
        "has_facts": key.facts is not None,
    }


def _guardrails(guardrails: tuple[Guardrail, ...] | SourceError | None) -> Json:
    if guardrails is None:
        return None
    if isinstance(guardrails, SourceError):
        return _error(guardrails)
    return {
        "list": [
            {
                "name": item.name,
                "is_assigned": item.is_assigned,
                "limit_usd": item.limit_usd,
                "counts_byok": item.counts_byok,
            }
            for item in guardrails
        ]
    }


def _catalogue(catalogue: Catalog | SourceError | None) -> Json:
    if catalogue is None:
        return None
    return _error(catalogue) if isinstance(catalogue, SourceError) else encode_catalog(catalogue)


def _asked(asked: Asked) -> Object:
    outcome = asked.outcome
    return {
        "query": _query(asked.query),
        **(_answer(outcome) if isinstance(outcome, Answer) else _error(outcome)),
    }


def _query(query: Query) -> Object:
    return {
        "metrics": [*query.metrics],
        "dimensions": [*query.dimensions],
        "start": stamp(query.window.start),
        "end": stamp(query.window.end),
        "to_date": query.window.to_date,
        "filters": [[item.field, item.operator.value, [*item.values]] for item in query.filters],
        "granularity": query.granularity.value if query.granularity else None,
        "limit": query.limit,
    }


def _answer(answer: Answer) -> Object:
    return {
        "rows": len(answer.table),
        "truncated": answer.truncated,
        "warnings": [*answer.warnings],
        "cached_at": answer.cached_at.isoformat() if answer.cached_at else None,
        "from_cache": answer.from_cache,
        "ms": answer.elapsed_ms,
        "dropped": answer.rows_dropped,
    }


def _table(table: Table, members: _Members) -> Object:
    return {
        "by": {name: members.codes(name, column) for name, column in table.dimensions.items()},
        "figures": {name: [*column] for name, column in table.metrics.items()},
    }
