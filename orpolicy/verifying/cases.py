"""What is asked for each finding, and what the answers make of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from orpolicy.account import Listing
from orpolicy.binding import KEY, MODEL, key_member
from orpolicy.errors import Reason, SourceError
from orpolicy.fetch import CONTROL_USD
from orpolicy.gather import attempt, told_apart
from orpolicy.nouns import dataclass
from orpolicy.query.model import Context, Filter, Need, Operator
from orpolicy.rules.base import Traffic
from orpolicy.totals import Totals
from orpolicy.verifying.identity import identities, is_redacted, rows_of
from orpolicy.verifying.model import Checked, Standing
from orpolicy.verifying.realised import Neighbour, can_move, realised
from orpolicy.verifying.rule import value_of
from orpolicy.verifying.standing import breaches, standing

if TYPE_CHECKING:
    from orpolicy.account import Account
    from orpolicy.fetch import Desk, Evidence
    from orpolicy.finding import Finding
    from orpolicy.period import Window
    from orpolicy.rules.base import Rule
    from orpolicy.table import Table
    from orpolicy.verifying.question import Question

REPRODUCED_SHARE = 0.01
"""The recorded query must give the report's own spend again, within 1 % or a cent."""


@dataclass(frozen=True, slots=True)
class Case:
    """One finding that can be asked about.

    Attributes:
        finding: of the report.
        question: its own query.
        rule: its kind.
        later: the window that is looked at.
    """

    finding: Finding
    question: Question
    rule: Rule
    later: Window

    @property
    def windows(self) -> tuple[Window, Window]:
        """The report's and the later one."""
        return self.question.window, self.later

    def need(self, window: Window) -> Need:
        """The subject's traffic in a window, among all that is alike: findings share the answer."""
        context = Context(window, self.question.filters)
        return Need(self.finding.policy, context, self.question.dimensions, self.rule.metrics)

    def traffic_need(self) -> Need:
        """All traffic of the later window."""
        return Need(self.finding.policy, Context(self.later), (), self.rule.metrics)

    def narrow_need(self, window: Window, account: Account) -> Need | None:
        """The subject's traffic alone; None where the source cannot filter by it."""
        need = self.need(window)
        values = [(item.dimension, item.filter_value(account)) for item in identities(self.question)]
        if not values or not all(value for _, value in values):
            return None
        own = (Filter(name, Operator.IN, (value,)) for name, value in values)
        filters = tuple(sorted({*need.context.filters, *own}))
        return replace(need, context=replace(need.context, filters=filters))


@dataclass(frozen=True, slots=True)
class _Seen:
    """A subject in one window.

    Attributes:
        totals: its own.
        everything: the rows that they are among; None where only the subject was asked for.
    """

    totals: Totals
    everything: Table | None


class Judge:
    """Findings against answers."""

    def __init__(self, desk: Desk, account: Account) -> None:
        """Look at what was asked at this desk."""
        self._desk = desk
        self._account = account

    def _value(self, case: Case, totals: Totals, traffic: Totals) -> float:
        """The measure in the later window; of settings, as they are today."""
        beside = Traffic(traffic, catalogue=self._account.catalogue, now=case.later.end)
        if not case.rule.lists_keys:
            return value_of(case.finding, case.rule, totals, beside, case.windows)
        finding = replace(case.finding, subject={KEY: self._listed(case)})
        used = Totals({name: totals.get(name) for name in case.rule.metrics})
        beside = replace(beside, listing=Listing(self._account.directory, ()))
        return value_of(finding, case.rule, used, beside, case.windows)

    def _listed(self, case: Case) -> str:
        """The member of the finding's key.

        Raises:
            SourceError: if it is not listed any more, or the report does not say which it is.
        """
        hashes = [item.filter_value(self._account) for item in identities(case.question)]
        key = self._account.directory.by_hash.get(hashes[0]) if len(hashes) == 1 else None
        if key is None:
            raise SourceError(
                Reason.NOT_ANSWERABLE, "the key is not listed any more, so that it has no settings"
            )
        if key.facts is None:
            raise SourceError(Reason.NOT_ANSWERABLE, "the settings of the key are not known here")
        return key_member(key.key_hash)

    def lacking(self, case: Case) -> list[Need]:
        """What must still be asked: the subject alone, where rows are missing among which it may be."""
        needs = []
        for window in case.windows:
            seen = attempt(self._among_all, case, window)
            narrow = case.narrow_need(window, self._account)
            if narrow and isinstance(seen, SourceError) and seen.reason is Reason.TRUNCATED:
                needs.append(narrow)
        return needs

    def checked(self, case: Case) -> Checked:
        """The finding looked at again.

        Raises:
            SourceError: where nothing can be said.
        """
        traffic = Totals.of_table(self._desk.evidence(case.traffic_need()).table)
        if traffic.requests <= 0 and traffic.spend_usd <= 0:
            raise SourceError(Reason.EMPTY_WINDOW, f"the account has no usage at all in {case.later}")
        before = self._seen(case, case.question.window)
        self._check_reproduced(case, before.totals)
        seen = self._seen(case, case.later)
        now = seen.totals
        is_deleted = any(item.is_deleted(self._account) for item in identities(case.question))
        is_idle = now.spend_usd <= 0 and now.requests <= 0
        is_gone = is_idle and (is_deleted or not case.rule.lists_keys)
        if not is_gone and is_deleted:
            raise SourceError(
                Reason.AMBIGUOUS_KEY,
                "the key is not listed any more, and there is usage under its name: of it or of another",
            )
        value = None if is_gone else self._value(case, now, traffic)
        return Checked(
            finding=case.finding,
            window=case.question.window,
            later=case.later,
            standing=_standing(case, value),
            value=value,
            spend_usd=now.spend_usd,
            tokens=now.tokens,
            requests=now.requests,
            realised=realised(
                case.finding, value, now, self._neighbours(case, before, seen), case.windows
            ),
        )  # fmt: skip

    def _check_reproduced(self, case: Case, before: Totals) -> None:
        finding = case.finding
        tolerance_usd = max(REPRODUCED_SHARE * abs(finding.spend_usd), CONTROL_USD)
        if abs(before.spend_usd - finding.spend_usd) <= tolerance_usd:
            return
        if before.spend_usd == 0 and is_redacted(case.question):
            detail = (
                "the report is redacted, and nobody in the account has this pseudonym: use one with names"
            )
        else:
            detail = (
                f"the report's query gives {before.spend_usd:,.2f} USD for the report's own window, the "
                f"finding says {finding.spend_usd:,.2f}: another account, figures that are gone or were "
                "corrected, or a policy that selects more narrowly than its query"
            )
        raise SourceError(Reason.NOT_ANSWERABLE, detail)

    def _seen(self, case: Case, window: Window) -> _Seen:
        seen = attempt(self._among_all, case, window)
        if not isinstance(seen, SourceError):
            return seen
        narrow = case.narrow_need(window, self._account)
        if seen.reason is not Reason.TRUNCATED or narrow is None:
            raise seen
        rows = rows_of(self._desk.evidence(narrow).table, identities(case.question), self._account)
        return _Seen(Totals.of_table(rows), None)

    def _among_all(self, case: Case, window: Window) -> _Seen:
        """The subject among all that is alike.

        Raises:
            SourceError: TRUNCATED, where it may be among rows that are missing.
        """
        table, evidence = self._told_apart(case.need(window))
        rows = rows_of(table, identities(case.question), self._account)
        if evidence.missing_below_usd is not None and not len(rows):
            raise SourceError(Reason.TRUNCATED, "rows are missing, and the subject may be among them")
        everything = table if evidence.missing_below_usd is None else None
        return _Seen(Totals.of_table(rows), everything)

    def _told_apart(self, need: Need) -> tuple[Table, Evidence]:
        return told_apart(need, frozenset(), self._desk, self._account)

    def _neighbours(self, case: Case, before: _Seen, later: _Seen) -> list[Neighbour]:
        """The models that the subject's traffic may have moved to.

        Any other on the same key (or user, app, ...); for a subject that is a model alone only the
        replacement that was recommended, as whatever else grew may have grown by itself.
        """
        if not can_move(case.finding) or before.everything is None or later.everything is None:
            return []
        own = identities(case.question)
        others = tuple(item for item in own if item.dimension != MODEL)
        model = next(item for item in own if item.dimension == MODEL)
        tables = [
            rows_of(seen.everything, others, self._account) for seen in (before, later) if seen.everything
        ]
        by_model = [table.rollup((MODEL,)) for table in tables]
        own_models = {member for table in tables for member in model.members(table, self._account)}
        replacement = case.finding.recommendation.replacement
        found: list[Neighbour] = []
        for member in by_model[1].dimensions[MODEL]:
            is_replacement = bool(replacement) and replacement in self._account.names(MODEL, member)
            if member not in own_models and (others or is_replacement):
                was, now = (
                    Totals.of_table(table.matching({MODEL: {member}.__contains__})) for table in by_model
                )
                found.append(Neighbour(was, now))
        return found


def _standing(case: Case, value: float | None) -> Standing:
    if value is None:
        return Standing.GONE
    measure = case.finding.measure
    still = breaches(measure, value, reaching=case.rule.reaching)
    return standing(measure, value, breaches=still)
