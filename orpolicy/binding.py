"""Policies meet an account: sets resolved, windows fixed, needs stated."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta
from typing import TYPE_CHECKING

from orpolicy.account import HASH_PREFIX, PREVIEW_BY_NAME, Listing
from orpolicy.catalog.sets import BUILT_IN_SETS, members
from orpolicy.errors import Reason, SourceError
from orpolicy.nouns import dataclass
from orpolicy.period import Window, parse_window, stamp
from orpolicy.policy.defaults import DEFAULT_WINDOW as DEFAULT_WINDOW  # noqa: PLC0414 - exported
from orpolicy.policy.model import Floor, Selector, Thresholds
from orpolicy.policy.patterns import Matcher, Patterns
from orpolicy.pseudonyms import NAMED_DIMENSIONS
from orpolicy.query.model import Context, Filter, Granularity, Need, Operator
from orpolicy.query.vocabulary import CORE_METRICS, MAX_DIMENSIONS, METRICS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from orpolicy.account import Account
    from orpolicy.catalog.model import Catalog
    from orpolicy.policy.model import Policy, PolicySet, Waiver
    from orpolicy.pseudonyms import Pseudonyms
    from orpolicy.rules.base import Rule, View

MODEL = "model"
KEY = "api_key_id"
VARIANT = "variant"
WORKSPACE = "workspace"
OTHER_VARIANT = "(other)"

MAX_MEMBERS = 500
"""The most values that one filter is given; the API names no limit."""

ALONE_DIMENSIONS = frozenset({MODEL, "provider"})
"""The only dimensions that the API takes with metrics that travel alone."""

ID_ONLY_DIMENSIONS = frozenset({"app", "user"})
"""Dimensions whose filters take ids that no answer shows: they can only be selected here, on labels."""


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a policy's rows that one need answers.

    Attributes:
        need: what is asked; its filters may still be lacking.
        variant: the model variant that all its rows have, where the need is filtered to it, else "".
        pushed: dimensions whose matchers must become server-side filters before the need can be asked,
            as the answer has no room for them.
        expected_usd: what its rows must add up to, where that is known from another answer; else None,
            and they are held against a control total.
        date: the ISO day that its rows carry, where the need has no time bucket though the policy looks
            at history: the slice is one period; else "".
        is_empty: whether the kind's own scope left nothing to ask for.
    """

    need: Need
    variant: str = ""
    pushed: tuple[str, ...] = ()
    expected_usd: float | None = None
    date: str = ""
    is_empty: bool = False


@dataclass(frozen=True, slots=True)
class Bound:
    """A policy that is ready to be asked and judged.

    Attributes:
        policy: as written.
        rule: its kind, with its settings.
        window: the window that is judged.
        by: the dimensions of a subject, in the policy's order.
        thresholds: the policy's, or the kind's default.
        where: dimension -> matcher of the policy's own selectors.
        scope: the kind's own narrowing of models, or None.
        slices: needs whose rows together are the policy's traffic.
        traffic: the need for all traffic.
        periods: complete periods before the window that are asked as well, oldest first; or the complete
            days of a running month.
        catalogue: the models and prices, where the kind looks at them.
        now: the run's clock; None where a policy is bound outside a run.
        listing: keys and guardrails, for a kind that is about them.
        views: the policy by each of the kind's views, without a floor: small rows add up.
        is_vital: of a view, whether the policy is inconclusive without it.
    """

    policy: Policy
    rule: Rule
    window: Window
    by: tuple[str, ...]
    thresholds: Thresholds
    where: Mapping[str, Matcher]
    scope: Matcher | None
    slices: tuple[Slice, ...]
    traffic: Need
    periods: tuple[Window, ...] = ()
    catalogue: Catalog | None = None
    now: datetime | None = None
    listing: Listing | None = None
    views: tuple[Bound, ...] = ()
    is_vital: bool = True

    @property
    def hashes(self) -> frozenset[str]:
        """Key hashes that the policy names exactly."""
        matcher = self.where.get(KEY)
        return matcher.include.hashes | matcher.exclude.hashes if matcher else frozenset()

    @property
    def tells_keys_apart(self) -> bool:
        """Whether two keys of one name must stay two."""
        return KEY in self.by or bool(self.hashes)

    @property
    def is_by_day(self) -> bool:
        """Whether the periods are days of the window itself."""
        return bool(self.periods) and self.window.contains(self.periods[0].start)

    def matchers(self, dimension: str) -> tuple[Matcher, ...]:
        """Everything that narrows a dimension: the policy's selector, and the kind's own scope."""
        chosen = (self.where[dimension],) if dimension in self.where else ()
        return (*chosen, self.scope) if dimension == MODEL and self.scope else chosen


@dataclass(frozen=True, slots=True)
class Sets:
    """Every named set, by the dimension it is for; built-in ones only where a catalogue defines them."""

    keys: Mapping[str, tuple[str, ...]]
    models: Mapping[str, tuple[str, ...]]
    pseudonyms: Pseudonyms | None = None

    def of(self, dimension: str) -> Mapping[str, tuple[str, ...]]:
        """The sets that a dimension's patterns may name."""
        return {KEY: self.keys, MODEL: self.models}.get(dimension, {})

    def matcher(self, selector: Selector) -> Matcher:
        """The matcher of a selector.

        Raises:
            SourceError: NO_CATALOGUE where it names a built-in set that is not defined here;
                NOT_ANSWERABLE where names are pseudonyms, and whom its patterns matched is not known.
        """
        try:
            matcher = Matcher.of(selector, self.of(selector.dimension))
        except KeyError as error:
            raise SourceError(
                Reason.NO_CATALOGUE,
                f"@{error.args[0]} is made from the model catalogue, and this source has none",
            ) from error
        if self.pseudonyms is None or selector.dimension not in NAMED_DIMENSIONS:
            return matcher
        return replace(
            matcher,
            include=_disguised(matcher.include, self.pseudonyms),
            exclude=_disguised(matcher.exclude, self.pseudonyms),
        )


def _disguised(patterns: Patterns, pseudonyms: Pseudonyms) -> Patterns:
    """Patterns of names as patterns of what stands for them.

    Raises:
        SourceError: NOT_ANSWERABLE, if that is not known of one of them.
    """
    dimension = patterns.dimension
    try:
        found = [name for text in patterns.texts for name in pseudonyms.patterns(dimension, text)]
    except KeyError:
        raise SourceError(
            Reason.NOT_ANSWERABLE,
            f"names are pseudonyms here, and whom this selector of {dimension} matches was not recorded",
        ) from None
    return Patterns(dimension, tuple(dict.fromkeys(found)))


def sets_of(policies: PolicySet, account: Account, now: datetime) -> Sets:
    """The sets of the files, with the built-in ones behind them."""
    built_in: dict[str, tuple[str, ...]] = {}
    if account.catalogue is not None:
        built_in = {name: members(name, account.catalogue, now) for name in BUILT_IN_SETS}
        built_in["preview"] = (*built_in["preview"], PREVIEW_BY_NAME)
    return Sets(policies.key_sets, built_in | dict(policies.model_sets), account.pseudonyms)


@dataclass(frozen=True, slots=True)
class Scene:
    """What every policy of a run is bound to.

    Attributes:
        sets: the named sets of the run's files and of the catalogue.
        now: the run's clock.
        window: the run's default window.
        fixed: whether it replaces the windows that policies name.
    """

    account: Account
    sets: Sets
    now: datetime
    window: Window
    fixed: bool


def set_scene(policies: PolicySet, account: Account, now: datetime, window: str | None) -> Scene:
    """The scene of a run; ``window`` is the command line's, or None."""
    return Scene(
        account=account,
        sets=sets_of(policies, account, now),
        now=now,
        window=closed_window(policies.window or DEFAULT_WINDOW if window is None else window, now),
        fixed=window is not None,
    )


def bind(policy: Policy, rule: Rule, scene: Scene) -> Bound:
    """One policy, ready to be asked.

    Raises:
        SourceError: where this account or source cannot answer what the policy asks.
    """
    account, sets = scene.account, scene.sets
    own = policy.window if not scene.fixed else None
    window = _window(own, scene.now) if own else scene.window
    by = rule.default_by if policy.by is None else policy.by
    where = {selector.dimension: sets.matcher(selector) for selector in policy.where}
    views = rule.views(by)
    vital = {dimension for view in views if view.is_vital for dimension in view.by}
    _check_known(rule.metrics, {*by, *where, *vital}, account)
    _check_hashes(where, account)
    catalogue = _catalogue(rule, account)
    scope = _scope(policy, rule, scene, catalogue)
    periods = _periods(rule, window)
    context = _context(rule, window, periods)
    metrics = rule.metrics
    bound = Bound(
        policy=policy,
        rule=rule,
        window=window,
        by=by,
        thresholds=policy.thresholds if policy.thresholds != Thresholds() else rule.default_thresholds,
        where=where,
        scope=scope,
        slices=(),
        traffic=Need(policy.id, context, (), metrics),
        periods=periods,
        catalogue=catalogue,
        now=scene.now,
        listing=_listing(rule, where, account) if rule.lists_keys or rule.lists_guardrails else None,
    )
    return replace(
        bound,
        slices=tuple(part for one in _spans(bound, context) for part in _slices(bound, one, metrics)),
        views=tuple(
            _view(bound, view, context) for view in views if account.meta.dimensions.issuperset(view.by)
        ),
    )


def _view(bound: Bound, view: View, context: Context) -> Bound:
    """The policy by other dimensions."""
    policy = replace(bound.policy, floor=Floor())
    viewed = replace(bound, policy=policy, by=view.by, is_vital=view.is_vital)
    return replace(viewed, slices=_slices(viewed, context, bound.rule.metrics))


def _scope(policy: Policy, rule: Rule, scene: Scene, catalogue: Catalog | None) -> Matcher | None:
    """The models that the kind is about, or None where it is about all."""
    if rule.looks_models_up and catalogue is not None:
        return Matcher(Patterns(MODEL, rule.listed_models(catalogue, scene.now)), Patterns(MODEL, ()))
    return (
        scene.sets.matcher(Selector(MODEL, rule.models, (), policy.place("models"))) if rule.models else None
    )


def closed_window(text: str, now: datetime) -> Window:
    """The window that a text stands for; of a running one, a part would be judged as the whole.

    Raises:
        ValueError: if it is no window, or it is empty.
        SourceError: UNSUITABLE_WINDOW, if it is not over yet.
    """
    window = parse_window(text, now)
    if window.end > now:
        raise SourceError(
            Reason.UNSUITABLE_WINDOW,
            f"the window {text} ends after {stamp(now)}: judge it once it is over, or use this-month",
        )
    return window


def _window(text: str, now: datetime) -> Window:
    try:
        return closed_window(text, now)
    except ValueError as error:
        raise SourceError(Reason.EMPTY_WINDOW, str(error)) from error


def _listing(rule: Rule, where: Mapping[str, Matcher], account: Account) -> Listing:
    """The keys that every selector admits, used or not."""
    keys = tuple(
        key
        for key in account.directory.keys
        if all(
            test.matches(account.names(name, key_member(key.key_hash) if name == KEY else key.workspace))
            for name, test in where.items()
        )
    )
    return Listing(account.directory, keys if rule.lists_keys else (), account.guardrails)


def _catalogue(rule: Rule, account: Account) -> Catalog | None:
    if not rule.needs_catalogue:
        return account.catalogue if rule.follows else None
    if account.catalogue is None:
        raise SourceError(
            Reason.NO_CATALOGUE, "what is compared stands in the model catalogue, and this source has none"
        )
    return account.catalogue


def _check_known(metrics: frozenset[str], dimensions: set[str], account: Account) -> None:
    lacking = sorted(metrics.union(CORE_METRICS[:1]) - set(account.meta.metrics))
    if lacking:
        raise SourceError(
            Reason.UNKNOWN_METRIC, f"the account's analytics does not list the metric {', '.join(lacking)}"
        )
    rates = sorted(name for name in metrics if account.meta.metrics[name])
    if rates:
        raise SourceError(
            Reason.UNKNOWN_METRIC, f"{', '.join(rates)} is a rate: it cannot be summed over several rows"
        )
    absent = sorted(dimensions - account.meta.dimensions)
    if absent:
        raise SourceError(
            Reason.UNKNOWN_DIMENSION,
            f"the account's analytics does not list the dimension {', '.join(absent)}",
        )


def _check_hashes(where: Mapping[str, Matcher], account: Account) -> None:
    if KEY not in where:
        return
    known = account.directory.by_hash
    unknown = sorted(key_hash for key_hash in where[KEY].include.hashes if key_hash not in known)
    if unknown:
        raise SourceError(
            Reason.UNRESOLVED_FILTER,
            f"no key of the account has the hash {', '.join(name[:12] + '…' for name in unknown)}",
        )


def _periods(rule: Rule, window: Window) -> tuple[Window, ...]:
    if rule.by_day and window.to_date:
        return tuple(day for day in window.chunks(1) if day.days == 1)
    if rule.lookback_days:
        return (_before(window, rule.lookback_days),)
    if not rule.history_periods:
        return ()
    try:
        return window.previous(rule.history_periods)
    except ValueError as error:
        raise SourceError(
            Reason.UNSUITABLE_WINDOW,
            f"{window} is neither a calendar month nor a week from Monday to Sunday: "
            "only complete periods are compared",
        ) from error


def _before(window: Window, days: int) -> Window:
    """So many days before a window, which are told apart from it by day."""
    if window.start.time() != time():
        raise SourceError(
            Reason.UNSUITABLE_WINDOW,
            f"{window} starts within a day, which cannot be told from what was before",
        )
    return Window(window.start - timedelta(days=days), window.start)


def _context(rule: Rule, window: Window, periods: tuple[Window, ...]) -> Context:
    if rule.lookback_days:
        return Context(Window(periods[0].start, window.end, window.to_date), granularity=Granularity.DAY)
    if not periods:
        return Context(window)
    if window.contains(periods[0].start):
        return Context(window, granularity=Granularity.DAY)
    granularity = Granularity.MONTH if window.is_calendar_month else Granularity.DAY
    return Context(Window(periods[0].start, window.end), granularity=granularity)


def _spans(bound: Bound, context: Context) -> tuple[Context, ...]:
    """What is asked in one go: a kind that looks back asks for each period as a whole, not by day."""
    if not bound.rule.lookback_days:
        return (context,)
    return tuple(Context(span) for span in (*bound.periods, bound.window))


def _slices(bound: Bound, context: Context, metrics: frozenset[str]) -> tuple[Slice, ...]:
    """How the policy's rows can be asked with at most two dimensions a query."""
    matchers = [*bound.where.items(), *([(MODEL, bound.scope)] if bound.scope else [])]
    wanted = {*bound.by, *(dimension for dimension, _ in matchers)}
    variants = sorted(
        {name for dimension, matcher in matchers if dimension == MODEL for name in variants_named(matcher)}
    )
    if variants and VARIANT not in wanted and len(wanted) < MAX_DIMENSIONS:
        wanted.add(VARIANT)
    pushed = _pushed(bound.by, wanted)
    dimensions = tuple(sorted(wanted - set(pushed)))
    _check_alone(metrics, dimensions)
    need = Need(bound.policy.id, context, dimensions, metrics)
    date = f"{context.window.start:%Y-%m-%d}" if bound.rule.lookback_days else ""
    if not variants or VARIANT in dimensions:
        return (Slice(replace(need, checked=not date or bool(pushed)), pushed=pushed, date=date),)
    named = [
        Slice(_filtered(need, Filter(VARIANT, Operator.IN, (name,))), variant=name, pushed=pushed, date=date)
        for name in variants
    ]
    rest = Filter(VARIANT, Operator.NOT_IN, tuple(variants))
    return (*named, Slice(_filtered(need, rest), variant=OTHER_VARIANT, pushed=pushed, date=date))


def variants_named(matcher: Matcher) -> set[str]:
    """The variants that a model matcher tells apart."""
    return {*matcher.include.variants, *matcher.exclude.variants}


def _pushed(by: tuple[str, ...], wanted: set[str]) -> tuple[str, ...]:
    """Which selected dimensions must be filtered by the source, so that at most two remain."""
    excess = len(wanted) - MAX_DIMENSIONS
    if excess <= 0:
        return ()
    candidates = sorted(wanted - set(by) - ID_ONLY_DIMENSIONS)
    if len(candidates) < excess:
        raise SourceError(
            Reason.NOT_ANSWERABLE,
            f"{', '.join(sorted(wanted))} are more than {MAX_DIMENSIONS} dimensions, and "
            f"{' and '.join(sorted(wanted - set(by) - set(candidates)))} cannot be filtered by name",
        )
    return tuple(candidates[:excess])


def _check_alone(metrics: frozenset[str], dimensions: tuple[str, ...]) -> None:
    alone = sorted(name for name in metrics if name in METRICS and METRICS[name].alone)
    if alone and not ALONE_DIMENSIONS.issuperset(dimensions):
        raise SourceError(
            Reason.NOT_ANSWERABLE, f"{', '.join(alone)} can only be asked by model and provider"
        )


def _filtered(need: Need, condition: Filter) -> Need:
    context = replace(need.context, filters=tuple(sorted({*need.context.filters, condition})))
    return replace(need, context=context)


def filtered_by_keys(need: Need, hashes: tuple[str, ...]) -> Need:
    """The same need for these keys alone; its rows are held against their names, not a control total."""
    others = tuple(condition for condition in need.context.filters if condition.field != KEY)
    context = replace(need.context, filters=others)
    need = replace(need, context=context, checked=False)
    return _filtered(need, Filter(KEY, Operator.IN, hashes))


def filtered_to(need: Need, dimension: str, chosen: Sequence[str], account: Account) -> Need:
    """The same need for some members of a dimension alone.

    Raises:
        SourceError: where a member has no identifier to filter by, or there are too many.
    """
    values = sorted({value for member in chosen for value in filter_values(dimension, member, account)})
    if len(values) > MAX_MEMBERS:
        raise SourceError(
            Reason.NOT_ANSWERABLE, f"{len(values)} members of {dimension} are too many for one filter"
        )
    return _filtered(need, Filter(dimension, Operator.IN, tuple(values)))


def resolve(part: Slice, dimension: str, matching: tuple[str, ...], account: Account) -> Slice:
    """The slice with one pushed dimension turned into a filter on the members that matched.

    Raises:
        SourceError: as ``filtered_to``.
    """
    need = filtered_to(part.need, dimension, matching, account)
    return replace(part, need=need, pushed=tuple(name for name in part.pushed if name != dimension))


def filter_values(dimension: str, member: str, account: Account) -> tuple[str, ...]:
    """What the source filters a member by.

    Raises:
        SourceError: where that is not known.
    """
    directory = account.directory
    if dimension == KEY and directory.keys:
        values = tuple(key.key_hash for key in directory.by_name.get(member, ()))
    elif dimension == WORKSPACE and directory.workspaces:
        values = directory.workspaces.get(member, ())
    else:
        values = (member,)
    if not values:
        raise SourceError(
            Reason.UNRESOLVED_FILTER,
            f"{dimension} {member!r} has usage but is not listed by the account (deleted?), "
            "so that it cannot be filtered",
        )
    return values


def waived_subjects(waiver: Waiver, sets: Sets) -> dict[str, Matcher]:
    """The matchers of a waiver's ``where``.

    Raises:
        SourceError: NO_CATALOGUE, as in ``Sets.matcher``.
    """
    return {selector.dimension: sets.matcher(selector) for selector in waiver.where}


def key_member(key_hash: str) -> str:
    """The member that stands for a key known by its hash."""
    return HASH_PREFIX + key_hash
