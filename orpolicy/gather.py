"""From answers to each policy's own rows: slices united, keys told apart, selectors applied."""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING, TypeVar

from orpolicy.binding import KEY, MODEL, VARIANT, Bound, Slice, filtered_by_keys, key_member, resolve
from orpolicy.errors import Reason, SourceError
from orpolicy.fetch import CONTROL_SHARE, CONTROL_USD
from orpolicy.narrow import Narrowing, check_expected, enough, floor_usd, members_need
from orpolicy.nouns import dataclass
from orpolicy.period import parse_moment
from orpolicy.query.vocabulary import SPEND
from orpolicy.selection import select
from orpolicy.table import DATE, Table, concatenate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from orpolicy.account import Account
    from orpolicy.fetch import Desk, Evidence
    from orpolicy.query.model import Filter, Need
    from orpolicy.rules.base import Covered
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
        views: the rows by other dimensions, by these; a vital one is always there.
        models: how many models ``where`` selected, where the kind finds its own in the catalogue.
        unlisted: those of them that the catalogue does not list.
        covered: what the other policies judged, once that is known.
        filters: under which the rows were asked, those of pushed selectors too; None where several queries
            with different ones were.
    """

    everything: Table
    matched: int
    selected: Table
    traffic: Table
    queries: tuple[str, ...]
    missing_below_usd: float | None
    missing_usd: float
    views: Mapping[tuple[str, ...], Gathered] = field(default_factory=dict)
    models: int = 0
    unlisted: tuple[str, ...] = ()
    covered: Covered | None = None
    filters: tuple[Filter, ...] | None = None


def gather(
    bounds: Sequence[Bound], desk: Desk, account: Account, also: Sequence[Need] = ()
) -> dict[str, Gathered | SourceError]:
    """Every policy's rows by its id, or why there are none.

    ``also`` is asked with the first round, for whoever wants it afterwards.
    """
    every = [one for bound in bounds for one in (bound, *bound.views)]
    desk.ask([*also, *(need for bound in bounds for need in opening_needs(bound))])
    slices = [attempt(_resolved, one, desk, account) for one in every]
    desk.ask(_needs(slices))
    for number, one in enumerate(every):
        if one.is_vital and not isinstance(parts := slices[number], SourceError):
            slices[number] = attempt(_narrowed, one, parts, desk, account)
    hashes = frozenset[str]().union(*(bound.hashes for bound in bounds))
    ask_for_namesakes(_needs(slices), hashes, desk, account)
    found = iter(
        parts if isinstance(parts, SourceError) else attempt(_gathered, one, parts, desk, account)
        for one, parts in zip(every, slices, strict=True)
    )
    return {
        bound.policy.id: _viewed(next(found), [(view, next(found)) for view in bound.views])
        for bound in bounds
    }


def _viewed(
    own: Gathered | SourceError, views: Sequence[tuple[Bound, Gathered | SourceError]]
) -> Gathered | SourceError:
    """What was learnt for a policy with its views, or why a vital one of them is not there."""
    lacking = [found for view, found in views if view.is_vital and isinstance(found, SourceError)]
    if isinstance(own, SourceError) or not views:
        return own
    if lacking:
        return lacking[0]
    seen = {view.by: found for view, found in views if isinstance(found, Gathered)}
    queries = dict.fromkeys([*own.queries, *(name for found in seen.values() for name in found.queries)])
    return replace(own, views=seen, queries=tuple(queries))


def _needs(slices: Sequence[tuple[Slice, ...] | SourceError]) -> list[Need]:
    return [
        part.need
        for parts in slices
        if not isinstance(parts, SourceError)
        for part in parts
        if not part.is_empty
    ]


def _narrowed(bound: Bound, parts: tuple[Slice, ...], desk: Desk, account: Account) -> tuple[Slice, ...]:
    return Narrowing(bound, desk, account, _resolved_slice).run(parts)


def attempt(call: Callable[..., T], *arguments: object) -> T | SourceError:
    """The call's result, or the SourceError that it raised."""
    try:
        return call(*arguments)
    except SourceError as error:
        return error


def opening_needs(bound: Bound) -> list[Need]:
    """What can be asked at once: slices without pushed selectors, and what those need to be resolved."""
    needs = [bound.traffic]
    for part in (part for one in (bound, *bound.views) for part in one.slices):
        if not part.pushed:
            needs.append(part.need)
        needs += [members_need(part, dimension) for dimension in part.pushed]
    return needs


def _resolved(bound: Bound, desk: Desk, account: Account) -> tuple[Slice, ...]:
    return tuple(_resolved_slice(bound, part, desk, account) for part in bound.slices)


def _resolved_slice(bound: Bound, part: Slice, desk: Desk, account: Account) -> Slice:
    """The slice with its pushed selectors as filters, or an empty one where the kind's scope has no member.

    Raises:
        SourceError: where ``where`` matches nothing, or what it matches cannot be filtered.
    """
    for dimension in part.pushed:
        evidence = desk.evidence(members_need(part, dimension))
        if evidence.missing_below_usd is not None:
            raise SourceError(Reason.TRUNCATED, f"not even the members of {dimension} could be listed")
        column = evidence.table.rows_by(dimension)
        test = bound.where.get(dimension)
        matched = [member for member in column if not test or test.matches(account.names(dimension, member))]
        if not matched and not bound.policy.allow_empty:
            raise SourceError(Reason.NOTHING_MATCHED, f"no {dimension} with usage in the window matches")
        chosen = _chosen(bound, dimension, matched, account)
        if not chosen:
            return replace(part, is_empty=True)
        is_first = not part.need.context.filters
        part = resolve(_held(part, desk), dimension, chosen, account)
        if is_first:
            part = replace(part, expected_usd=_spend_usd(evidence.table, dimension, chosen))
    return part


def _held(part: Slice, desk: Desk) -> Slice:
    """A slice that is about to get another filter, after which nothing is known that it must add up to.

    Raises:
        SourceError: CONTROL_MISMATCH, if it does not add up to that now.
    """
    if part.expected_usd is None:
        return part
    whole = replace(part, need=replace(part.need, dimensions=(), metrics=frozenset(), checked=False))
    desk.ask([whole.need])
    check_expected(whole, desk.evidence(whole.need))
    return replace(part, expected_usd=None)


def _chosen(bound: Bound, dimension: str, matched: Sequence[Member], account: Account) -> tuple[str, ...]:
    chosen = [
        member
        for member in matched
        if all(test.matches(account.names(dimension, member)) for test in bound.matchers(dimension))
    ]
    named = tuple(member for member in chosen if member is not None)
    if len(named) < len(chosen):
        raise SourceError(
            Reason.NOT_ANSWERABLE, f"`where` also matches traffic without {dimension}, which has no filter"
        )
    return named


def _spend_usd(members: Table, dimension: str, chosen: Sequence[str]) -> float:
    """What members spend under their names; filters take ids, and those of deleted keys are not listed."""
    rows = members.rows_by(dimension)
    return float(members.keep([row for member in chosen for row in rows[member]]).total(SPEND) or 0.0)


def ask_for_namesakes(needs: Sequence[Need], hashes: frozenset[str], desk: Desk, account: Account) -> None:
    """Ask again, key by key, where an answer holds a key name that stands for several keys."""
    lacking: dict[Need, None] = {}
    for need in needs:
        rows = attempt(desk.evidence, need)
        if not isinstance(rows, SourceError):
            for key_hash in _split_hashes(need, rows.table, hashes | _doubled(need, desk, account), account):
                lacking[filtered_by_keys(need, (key_hash,))] = None
    if len({need.context for need in lacking}) <= MAX_SPLIT_KEYS:
        desk.ask(list(lacking))


def _doubled(need: Need, desk: Desk, account: Account) -> frozenset[str]:
    """Hashes of listed keys whose name stands in two rows of one group: a deleted key has it as well."""
    names = desk.doubled(need, KEY) if KEY in need.dimensions else frozenset()
    return frozenset(key.key_hash for name in names for key in account.directory.by_name.get(name, ()))


def _split_hashes(need: Need, rows: Table, hashes: frozenset[str], account: Account) -> list[str]:
    """Hashes of the keys in the answer that must be asked one by one."""
    asked = [condition.values for condition in need.context.filters if condition.field == KEY]
    if KEY not in need.dimensions or any(len(values) == 1 for values in asked):
        return []
    directory, rows_by_name = account.directory, rows.rows_by(KEY)
    named = {directory.by_hash[key_hash].name for key_hash in hashes if key_hash in directory.by_hash}
    found = [name for name in directory.shared_names | named if name in rows_by_name]
    return [
        key.key_hash
        for name in sorted(found, key=lambda name: rows_by_name[name][0])
        for key in directory.by_name[name]
        if (name in directory.shared_names or key.key_hash in hashes)
        and all(key.key_hash in values for values in asked)
    ]


def told_apart(need: Need, hashes: frozenset[str], desk: Desk, account: Account) -> tuple[Table, Evidence]:
    """The need's rows with namesakes told apart by their hash, and the evidence they came from.

    Raises:
        SourceError: AMBIGUOUS_KEY where the keys of a name do not add up to the name's rows.
    """
    evidence = desk.evidence(need)
    split = _split_hashes(need, evidence.table, hashes | _doubled(need, desk, account), account)
    if not split:
        return evidence.table, evidence
    table = evidence.table.once(
        ("told_apart", need.context, need.metrics, tuple(split)),
        lambda: _split_by_hash(need, evidence, split, desk, account),
    )
    return table, evidence


def _split_by_hash(
    need: Need, evidence: Evidence, split: Sequence[str], desk: Desk, account: Account
) -> Table:
    names = {account.directory.by_hash[key_hash].name for key_hash in split}
    parts = [
        desk.evidence(filtered_by_keys(need, (key_hash,))).table.tagged(KEY, key_member(key_hash))
        for key_hash in split
    ]
    shared = evidence.table.matching({KEY: lambda member: member in names})
    _reconcile(shared, parts, names, is_cut=evidence.missing_below_usd is not None)
    others = evidence.table.matching({KEY: lambda member: member not in names})
    return concatenate([others, *parts], list(evidence.table.dimensions))


def _reconcile(shared: Table, parts: list[Table], names: set[str], *, is_cut: bool) -> None:
    """Hold the keys of some names, one by one, against the names; a cut answer may know less than they."""
    whole_usd = float(shared.total(SPEND) or 0.0)
    parts_usd = sum(float(part.total(SPEND) or 0.0) for part in parts)
    tolerance_usd = max(CONTROL_SHARE * whole_usd, CONTROL_USD)
    if whole_usd - parts_usd > tolerance_usd or (parts_usd - whole_usd > tolerance_usd and not is_cut):
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
    traffic_usd = float(traffic.table.total(SPEND) or 0.0)
    everything, matched, selected, found = [], [], [], []
    for part in slices:
        if part.is_empty:
            continue
        rows, evidence = _rows_of(bound, part, desk, account)
        if not enough(bound, _held_by_days(part, traffic.table), evidence, traffic_usd):
            raise SourceError(Reason.TRUNCATED, "rows are missing that may matter")
        found.append(evidence)
        rows = rows.tagged(DATE, part.date) if part.date else rows
        everything.append(rows.tagged(VARIANT, part.variant) if part.variant else rows)
        matched.append(select(everything[-1], bound.where, account))
        selected.append(select(matched[-1], {MODEL: bound.scope} if bound.scope else {}, account))
        _check_named(bound, matched[-1], floor_usd(bound, traffic_usd))
    _check_whole(slices, everything, traffic.table)
    models = _models(bound, matched)
    queries = dict.fromkeys([*traffic.queries, *(name for evidence in found for name in evidence.queries)])
    missing = [evidence.missing_below_usd for evidence in found if evidence.missing_below_usd is not None]
    return Gathered(
        everything=_united(bound, everything),
        matched=sum(len(table) for table in matched) + any(part.is_empty for part in slices),
        selected=_united(bound, selected),
        traffic=traffic.table,
        queries=tuple(queries),
        missing_below_usd=max(missing, default=None),
        missing_usd=sum(evidence.missing_usd for evidence in found),
        filters=slices[0].need.context.filters if len(slices) == 1 else None,
        models=len(models),
        unlisted=tuple(name for name in models if bound.catalogue and not bound.catalogue.lists(name)),
    )


def _held_by_days(part: Slice, traffic: Table) -> Slice:
    """A period that has no control total of its own, held against all traffic by day."""
    if not part.date or part.need.checked or part.expected_usd is not None:
        return part
    window = part.need.context.window
    days = {day for day in traffic.rows_by(DATE) if day is not None and window.contains(parse_moment(day))}
    return replace(part, expected_usd=float(traffic.matching({DATE: days.__contains__}).total(SPEND) or 0.0))


def _models(bound: Bound, tables: Sequence[Table]) -> tuple[str, ...]:
    """The models that were used, where the kind finds its own among them in the catalogue."""
    if not bound.rule.looks_models_up:
        return ()
    columns = [table.rows_by(MODEL) for table in tables if MODEL in table.dimensions]
    return tuple(dict.fromkeys(member for column in columns for member in column if member is not None))


def _check_named(bound: Bound, matched: Table, least_usd: float) -> None:
    """Usage without a model may be of any model: a rule about some models cannot judge it."""
    if bound.scope is None or MODEL not in matched.dimensions:
        return
    nameless = matched.keep(matched.rows_by(MODEL).get(None, ()))
    usd = float(nameless.total(SPEND) or 0.0)
    if usd > CONTROL_USD and usd >= least_usd:
        raise SourceError(Reason.NOT_ANSWERABLE, f"{usd:,.2f} USD of usage names no model")


def _united(bound: Bound, tables: Sequence[Table]) -> Table:
    """All rows with the dimensions that every part has; slices that were narrowed lost some."""
    if not tables:
        return Table(dict.fromkeys((DATE, *bound.by), ()), {SPEND: ()})
    if len(tables) == 1:
        return tables[0]
    shared = [name for name in tables[0].dimensions if all(name in table.dimensions for table in tables)]
    return concatenate(tables, shared)


def _check_whole(slices: Sequence[Slice], tables: Sequence[Table], traffic: Table) -> None:
    """Variants asked one by one must be all traffic together: a row without one fits no filter."""
    by_variant = all(part.variant and len(part.need.context.filters) == 1 for part in slices)
    if not by_variant:
        return
    parts_usd = sum(float(table.total(SPEND) or 0.0) for table in tables)
    whole_usd = float(traffic.total(SPEND) or 0.0)
    if abs(parts_usd - whole_usd) > max(CONTROL_SHARE * whole_usd, CONTROL_USD):
        raise SourceError(
            Reason.CONTROL_MISMATCH,
            f"the variants one by one spend {parts_usd:,.2f} USD, all traffic {whole_usd:,.2f} USD",
        )
