"""From the rows of two windows to what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.binding import KEY
from orpolicy.comparing.model import Change, Changes, Presence
from orpolicy.divisia import Level, divisia
from orpolicy.errors import SourceError
from orpolicy.query.vocabulary import SPEND
from orpolicy.totals import Totals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orpolicy.account import Account
    from orpolicy.finding import Subject
    from orpolicy.gather import Gathered
    from orpolicy.table import Member

_NOTHING = Level(0.0, 0.0, 0.0)


def changes_of(
    before: Gathered | SourceError,
    after: Gathered | SourceError,
    by: Sequence[str],
    scales: tuple[float, float],
    account: Account,
) -> Changes:
    """Every subject of two windows.

    Args:
        before: rows of the earlier window.
        after: rows of the later one.
        by: the dimensions of a subject.
        scales: what dollars, requests and tokens of each window are multiplied by.
        account: what names keys and models.

    Raises:
        SourceError: if the rows of either are not known.
    """
    if isinstance(before, SourceError):
        raise before
    if isinstance(after, SourceError):
        raise after
    early, late = (
        _levels(rows, by, scale, account) for rows, scale in zip((before, after), scales, strict=True)
    )
    items = [
        _change(account.display(members), late.get(identity, (members, _NOTHING))[1], level)
        for identity, (members, level) in early.items()
    ]
    items += [
        _change(account.display(members), level, _NOTHING)
        for identity, (members, level) in late.items()
        if identity not in early
    ]
    used = [item for item in items if item.before.is_used or item.after.is_used]
    used.sort(key=lambda item: (-abs(item.change_usd), *(name or "" for name in item.subject.values())))
    rest_usd = _unlisted_usd(after) * scales[1] - _unlisted_usd(before) * scales[0]
    return Changes(tuple(used), rest_usd, before.missing_below_usd, after.missing_below_usd)


def pairs_of(cells: Changes, keys: Changes) -> tuple[Change, ...]:
    """Models that came to a key, or left it, while the key had usage in both windows."""
    staying = {_key(item) for item in keys.items if item.presence is Presence.BOTH}
    return tuple(item for item in cells.items if item.presence is not Presence.BOTH and _key(item) in staying)


def _key(item: Change) -> tuple[tuple[str, str | None], ...]:
    """What a subject shows of its key; two keys of one name show more than the name."""
    return tuple((name, text) for name, text in item.subject.items() if name != "model")


def _levels(
    rows: Gathered, by: Sequence[str], scale: float, account: Account
) -> dict[tuple[str | None, ...], tuple[Mapping[str, Member], Level]]:
    """Identity -> members and level; a key is known by its hash where it has but one name."""
    table = rows.everything.rollup(tuple(by))
    found: dict[tuple[str | None, ...], tuple[Mapping[str, Member], Level]] = {}
    for row in range(len(table)):
        members = dict(zip(by, table.row_key(row), strict=True))
        identity = tuple(
            account.identity(name, member) if name == KEY and member is not None else member
            for name, member in members.items()
        )
        found[identity] = members, Level.of(Totals.of_row(table, row)).times(scale)
    return found


def _unlisted_usd(rows: Gathered) -> float:
    """Spend of all traffic that no row has."""
    return float(rows.traffic.total(SPEND) or 0.0) - float(rows.everything.total(SPEND) or 0.0)


def _change(subject: Subject, after: Level, before: Level) -> Change:
    if not before.is_used:
        return Change(subject, Presence.NEW, before, after, None)
    if not after.is_used:
        return Change(subject, Presence.VANISHED, before, after, None)
    return Change(subject, Presence.BOTH, before, after, divisia(after, before))
