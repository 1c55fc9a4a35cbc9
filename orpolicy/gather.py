"""From answers to each policy's own rows: slices united, keys told apart, selectors applied."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from orpolicy.binding import KEY, MODEL, VARIANT, Bound, Slice, filtered_by_key, key_member, resolve
from orpolicy.errors import Reason, SourceError
from orpolicy.fetch import CONTROL_SHARE, CONTROL_USD
from orpolicy.query.model import Context, Need
from orpolicy.query.vocabulary import SPEND
from orpolicy.table import DATE, Table, concatenate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from orpolicy.account import Account
    from orpolicy.fetch import Desk, Evidence
    from orpolicy.policy.patterns import Matcher
    from orpolicy.table import Member

MAX_SPLIT_KEYS = 40
"""How many keys that share their name with another are asked for one by one."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Gathered:
    """What was learnt for one policy.

    Attributes:
        everything: the rows before any selector, with every dimension that was asked.
        matched: how many of them the policy's ``where`` selected.
        selected: the rows that ``where`` and the kind's own scope selected.
        traffic: all traffic, by date where the policy looks at history.
        queries: ids of the queries behind it.
        missing_below_usd: rows may be missing that spend at most this each; None: none is missing.
        missing_usd: what they spend together.
    """

    everything: Table
    matched: int
    selected: Table
    traffic: Table
    queries: tuple[str, ...]
    missing_below_usd: float | None
    missing_usd: float


def gather(
    bounds: Sequence[Bound], desk: Desk, account: Account, also: Sequence[Need] = ()
) -> dict[str, Gathered | SourceError]:
    """Every policy's rows by its id, or why there are none; at most three rounds of questions.

    ``also`` is asked with the first round, for whoever wants it afterwards.
    """
    desk.ask([*also, *(need for bound in bounds for need in opening_needs(bound))])
    slices = {bound.policy.id: attempt(_resolved, bound, desk, account) for bound in bounds}
    desk.ask([part.need for parts in slices.values() if not isinstance(parts, SourceError) for part in parts])
    asked = [(bound, slices[bound.policy.id]) for bound in bounds]
    ask_for_namesakes(
        [part.need for _, parts in asked if not isinstance(parts, SourceError) for part in parts],
        frozenset().union(*(bound.hashes for bound in bounds)),
        desk,
        account,
    )
    return {
        bound.policy.id: parts
        if isinstance(parts, SourceError)
        else attempt(_gathered, bound, parts, desk, account)
        for bound, parts in asked
    }


def attempt(call: Callable[..., T], *arguments: object) -> T | SourceError:
    """The call's result, or the SourceError that it raised."""
    try:
        return call(*arguments)
    except SourceError as error:
        return error


def opening_needs(bound: Bound) -> list[Need]:
    """What can be asked at once: slices without pushed selectors, and what those need to be resolved."""
    needs = [bound.traffic]
    for part in bound.slices:
        if not part.pushed:
            needs.append(part.need)
        needs += [_members_need(part, dimension) for dimension in part.pushed]
    return needs


def _members_need(part: Slice, dimension: str) -> Need:
    return Need(part.need.policy, Context(part.need.context.window), (dimension,))


def _resolved(bound: Bound, desk: Desk, account: Account) -> tuple[Slice, ...]:
    return tuple(_resolved_slice(bound, part, desk, account) for part in bound.slices)


def _resolved_slice(bound: Bound, part: Slice, desk: Desk, account: Account) -> Slice:
    for dimension in part.pushed:
        column = desk.evidence(_members_need(part, dimension)).table.dimensions[dimension]
        matchers = _matchers(bound, dimension)
        chosen = [
            member for member in column if all(m.matches(account.names(dimension, member)) for m in matchers)
        ]
        if not chosen:
            raise SourceError(Reason.NOTHING_MATCHED, f"no {dimension} with usage in the window matches")
        named = tuple(member for member in chosen if member is not None)
        if len(named) < len(chosen):
            raise SourceError(
                Reason.NOT_ANSWERABLE,
                f"`where` also matches traffic without {dimension}, which has no filter",
            )
        part = resolve(part, dimension, named, account)
    return part


def _matchers(bound: Bound, dimension: str) -> list[Matcher]:
    matchers = [bound.where[dimension]] if dimension in bound.where else []
    return [*matchers, bound.scope] if dimension == MODEL and bound.scope else matchers


def ask_for_namesakes(needs: Sequence[Need], hashes: frozenset[str], desk: Desk, account: Account) -> None:
    """Ask again, key by key, where an answer holds a key name that stands for several keys."""
    lacking: dict[Need, None] = {}
    for need in needs:
        rows = attempt(desk.evidence, need)
        if not isinstance(rows, SourceError):
            for key_hash in _split_hashes(need, rows.table, hashes, account):
                lacking[filtered_by_key(need, key_hash)] = None
    if len({need.context for need in lacking}) <= MAX_SPLIT_KEYS:
        desk.ask(list(lacking))


def _split_hashes(need: Need, rows: Table, hashes: frozenset[str], account: Account) -> list[str]:
    """Hashes of the keys in the answer that must be asked one by one."""
    if KEY not in need.dimensions or any(condition.field == KEY for condition in need.context.filters):
        return []
    by_name = account.directory.by_name
    return [
        key.key_hash
        for name in dict.fromkeys(rows.dimensions[KEY])
        for key in by_name.get(name or "", ())
        if len(by_name[key.name]) > 1 or key.key_hash in hashes
    ]


def told_apart(need: Need, hashes: frozenset[str], desk: Desk, account: Account) -> tuple[Table, Evidence]:
    """The need's rows with namesakes told apart by their hash, and the evidence they came from.

    Raises:
        SourceError: AMBIGUOUS_KEY where the keys of a name do not add up to the name's rows.
    """
    evidence = desk.evidence(need)
    split = _split_hashes(need, evidence.table, hashes, account)
    if not split:
        return evidence.table, evidence
    names = {account.directory.by_hash[key_hash].name for key_hash in split}
    parts = []
    for key_hash in split:
        rows = desk.evidence(filtered_by_key(need, key_hash)).table
        parts.append(replace(rows, dimensions={**rows.dimensions, KEY: [key_member(key_hash)] * len(rows)}))
    shared = evidence.table.matching({KEY: lambda member: member in names})
    _reconcile(shared, parts, names)
    others = evidence.table.matching({KEY: lambda member: member not in names})
    return concatenate([others, *parts], list(evidence.table.dimensions)), evidence


def _reconcile(shared: Table, parts: list[Table], names: set[str]) -> None:
    whole_usd = float(shared.total(SPEND) or 0.0)
    parts_usd = sum(float(part.total(SPEND) or 0.0) for part in parts)
    if abs(whole_usd - parts_usd) > max(CONTROL_SHARE * whole_usd, CONTROL_USD):
        raise SourceError(
            Reason.AMBIGUOUS_KEY,
            f"the keys named {', '.join(sorted(names))} spend {parts_usd:,.2f} USD one by one, but "
            f"{whole_usd:,.2f} USD under that name: a deleted key may have had it too",
        )


def _rows_of(bound: Bound, part: Slice, desk: Desk, account: Account) -> tuple[Table, Evidence]:
    outcome = attempt(told_apart, part.need, bound.hashes, desk, account)
    if isinstance(outcome, SourceError):
        if bound.tells_keys_apart:
            raise outcome
        evidence = desk.evidence(part.need)
        return evidence.table, evidence
    return outcome


def _gathered(bound: Bound, slices: tuple[Slice, ...], desk: Desk, account: Account) -> Gathered:
    traffic = desk.evidence(bound.traffic)
    tables, found = [], []
    for part in slices:
        rows, evidence = _rows_of(bound, part, desk, account)
        tables.append(rows.tagged(VARIANT, part.variant) if part.variant else rows)
        found.append(evidence)
    everything = concatenate(tables, list(tables[0].dimensions)) if len(tables) > 1 else tables[0]
    matched = select(everything, bound.where, account)
    selected = select(matched, {MODEL: bound.scope} if bound.scope else {}, account)
    _check_whole(slices, everything, traffic.table)
    queries = dict.fromkeys([*traffic.queries, *(name for evidence in found for name in evidence.queries)])
    _check_missing(bound, found)
    return Gathered(
        everything=everything,
        matched=len(matched),
        selected=selected,
        traffic=traffic.table,
        queries=tuple(queries),
        missing_below_usd=found[0].missing_below_usd,
        missing_usd=found[0].missing_usd,
    )


def _check_whole(slices: Sequence[Slice], everything: Table, traffic: Table) -> None:
    """Variants asked one by one must be all traffic together: a row without one fits no filter."""
    if len(slices) == 1 or _is_pushed(slices):
        return
    parts_usd, whole_usd = float(everything.total(SPEND) or 0.0), float(traffic.total(SPEND) or 0.0)
    if abs(parts_usd - whole_usd) > max(CONTROL_SHARE * whole_usd, CONTROL_USD):
        raise SourceError(
            Reason.CONTROL_MISMATCH,
            f"the variants one by one spend {parts_usd:,.2f} USD, all traffic {whole_usd:,.2f} USD",
        )


def _is_pushed(slices: Sequence[Slice]) -> bool:
    """Whether the slices are filtered by more than their variant."""
    return any(len(part.need.context.filters) > 1 for part in slices)


def _check_missing(bound: Bound, found: Sequence[Evidence]) -> None:
    """Missing rows cannot matter where each is a subject of its own and below the policy's floor."""
    missing = [e.missing_below_usd for e in found if e.missing_below_usd is not None]
    if not missing:
        return
    dimensions = set(found[0].table.dimensions) - {DATE}
    if len(found) > 1 or dimensions != set(bound.by) or max(missing) >= bound.policy.floor.spend_usd:
        raise SourceError(
            Reason.TRUNCATED,
            f"the source sent {len(found[0].table):,} rows and left out others that spend up to "
            f"{max(missing):,.2f} USD each",
        )


def select(table: Table, matchers: Mapping[str, Matcher], account: Account) -> Table:
    """The rows that every matcher admits; matchers of dimensions that the table lacks were pushed."""
    for dimension, matcher in matchers.items():
        if dimension not in table.dimensions:
            continue
        if dimension == MODEL and VARIANT in table.dimensions:
            table = _select_models(table, matcher, account)
        else:
            table = table.matching({dimension: _test(dimension, matcher, account)})
    return table


def _test(dimension: str, matcher: Matcher, account: Account) -> Callable[[Member], bool]:
    return lambda member: matcher.matches(account.names(dimension, member))


def _select_models(table: Table, matcher: Matcher, account: Account) -> Table:
    pairs = list(zip(table.dimensions[MODEL], table.dimensions[VARIANT], strict=True))
    verdicts = {
        (model, variant): matcher.matches(account.names(MODEL, model), variant)
        for model, variant in set(pairs)
    }
    return table.keep([row for row, pair in enumerate(pairs) if verdicts[pair]])
