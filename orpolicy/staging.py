"""Before the first figure: policies chosen, the account met, everything bound that can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.account import Account, Directory
from orpolicy.binding import KEY, WORKSPACE, Bound, Scene, bind, set_scene
from orpolicy.codes import Code
from orpolicy.errors import PolicyError, SourceError, UsageError
from orpolicy.gather import attempt
from orpolicy.nouns import dataclass
from orpolicy.plugins import RULES
from orpolicy.policy.names import unknown_names
from orpolicy.query.model import Context, Meta, Need
from orpolicy.query.vocabulary import BASE_METRICS, DIMENSIONS, METRICS, SURCHARGES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orpolicy.policy.model import Policy, PolicySet, Waiver
    from orpolicy.rules.base import Rule
    from orpolicy.sources.base import Source


RUN = "(run)"
"""Stands for the run itself among the policies that share a query."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What of the policies is run, and when.

    Attributes:
        window: replaces every policy's window, or None.
        select: policy ids to run; empty means all.
        ignore: policy ids to leave out.
    """

    window: str | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stage:
    """What a run knows before it asks for figures.

    Attributes:
        written: every file's content.
        policies: the chosen ones, in file order.
        bounds: those that can be asked.
        failed: why the others cannot, by policy id.
        notices: what the reader should know.
    """

    written: PolicySet
    policies: tuple[Policy, ...]
    scene: Scene
    bounds: tuple[Bound, ...]
    failed: Mapping[str, SourceError]
    notices: tuple[str, ...] = ()

    @property
    def total(self) -> Need:
        """All traffic of the run's window, which the report begins with."""
        return Need(RUN, Context(self.scene.window), ())

    @property
    def names_keys(self) -> bool:
        """Whether any chosen policy is about keys or workspaces, so that the account's are asked for."""
        return any(_names_keys(policy, RULES[policy.rule].read(policy)) for policy in self.policies)

    @property
    def lists_guardrails(self) -> bool:
        """Whether any chosen policy is about guardrails, so that the account's are asked for."""
        return any(RULES[policy.rule].read(policy).lists_guardrails for policy in self.policies)

    @property
    def base_metrics(self) -> tuple[str, ...]:
        """What is asked beside all else, as far as this account lists it."""
        listed = self.scene.account.meta.metrics
        return tuple(name for name in (*BASE_METRICS, *SURCHARGES) if name in listed)


def choose(policies: PolicySet, choice: Choice) -> tuple[Policy, ...]:
    """The chosen policies, in file order.

    Raises:
        UsageError: for an id that no policy has, or if none is left.
    """
    known = [policy.id for policy in policies.policies]
    for policy_id in (*choice.select, *choice.ignore):
        if policy_id not in known:
            from difflib import get_close_matches  # noqa: PLC0415 - only those who err pay for it

            near = get_close_matches(policy_id, known, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise UsageError(f"no policy has the id {policy_id!r}{hint}", code=Code.UNKNOWN_NAME)
    chosen = tuple(
        policy
        for policy in policies.policies
        if policy.id not in choice.ignore and (not choice.select or policy.id in choice.select)
    )
    if not chosen:
        raise UsageError("--select and --ignore leave no policy to run", code=Code.NO_POLICIES)
    return chosen


def set_stage(written: PolicySet, source: Source, choice: Choice) -> Stage:
    """Meet the account and bind the chosen policies to it.

    Raises:
        UsageError: for a policy id or a window of the command line that makes no sense.
        PolicyError: for metrics and dimensions that neither orpolicy nor the account knows.
    """
    chosen = choose(written, choice)
    rules = {policy.id: RULES[policy.rule].read(policy) for policy in chosen}
    met = _meet(source, [(policy, rules[policy.id]) for policy in chosen])
    _check_names([(policy, rules[policy.id]) for policy in chosen], written.waivers, met)
    try:
        scene = set_scene(written, met.account, source.now, choice.window)
    except (ValueError, SourceError) as error:
        raise UsageError(
            error.detail if isinstance(error, SourceError) else str(error), code=Code.BAD_CLOCK
        ) from error
    bounds: list[Bound] = []
    failed: dict[str, SourceError] = {}
    for policy in chosen:
        bound = met.hindrance(policy, rules[policy.id]) or _bind(policy, rules[policy.id], scene)
        if isinstance(bound, SourceError):
            failed[policy.id] = bound
        else:
            bounds.append(bound)
    return Stage(written, chosen, scene, tuple(bounds), failed, met.notices)


def _bind(policy: Policy, rule: Rule, scene: Scene) -> Bound | SourceError:
    return attempt(bind, policy, rule, scene)


@dataclass(frozen=True, slots=True)
class _Met:
    """The account, with what could not be learnt of it."""

    account: Account
    no_meta: SourceError | None
    no_directory: SourceError | None
    notices: tuple[str, ...]
    no_guardrails: SourceError | None = None

    def hindrance(self, policy: Policy, rule: Rule) -> SourceError | None:
        """Why a policy cannot be asked at all, or None."""
        if self.no_meta is not None:
            return self.no_meta
        if rule.lists_guardrails and self.no_guardrails is not None:
            return self.no_guardrails
        return self.no_directory if _names_keys(policy, rule) else None


def _names_keys(policy: Policy, rule: Rule) -> bool:
    by = rule.default_by if policy.by is None else policy.by
    named = {*by, *(selector.dimension for selector in policy.where)}
    return rule.lists_guardrails or not named.isdisjoint({KEY, WORKSPACE})


def _meet(source: Source, policies: Sequence[tuple[Policy, Rule]]) -> _Met:
    """Ask what the account is; only meta is vital."""
    meta = attempt(source.meta)
    if isinstance(meta, SourceError):
        assumed = Meta({name: not METRICS[name].additive for name in METRICS}, frozenset(DIMENSIONS))
        return _Met(Account(assumed, Directory()), meta, None, ())
    keys_matter = any(_names_keys(policy, rule) for policy, rule in policies)
    directory = attempt(source.directory) if keys_matter else Directory()
    no_directory = directory if isinstance(directory, SourceError) else None
    catalogue = attempt(source.catalogue)
    notices = []
    if isinstance(catalogue, SourceError):
        notices.append(f"no model catalogue, so nothing is priced: {catalogue.detail}")
        catalogue = None
    elif catalogue is not None and catalogue.skipped:
        notices.append(
            f"{len(catalogue.skipped)} catalogue rows could not be read: {'; '.join(catalogue.skipped[:3])}"
        )
    known = Directory() if isinstance(directory, SourceError) else directory
    guardrails = attempt(source.guardrails) if any(rule.lists_guardrails for _, rule in policies) else None
    no_guardrails = guardrails if isinstance(guardrails, SourceError) else None
    listed = None if isinstance(guardrails, SourceError) else guardrails
    account = Account(meta, known, catalogue, source.pseudonyms, listed)
    return _Met(account, None, no_directory, tuple(notices), no_guardrails)


def _check_names(policies: Sequence[tuple[Policy, Rule]], waivers: Sequence[Waiver], met: _Met) -> None:
    """Names that nobody knows are the files' fault, unless the account could not say."""
    if met.no_meta is None and (problems := unknown_names(policies, met.account.meta, waivers)):
        raise PolicyError(problems)
