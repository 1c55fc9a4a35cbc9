"""The replay: every policy judged at the end of every week, from as few questions as can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.backtest.library import Library
from orpolicy.backtest.model import Study
from orpolicy.backtest.replay import Replay
from orpolicy.backtest.timeline import Week, total, trace
from orpolicy.codes import Code
from orpolicy.errors import Reason, SourceError, UsageError
from orpolicy.lint import examine
from orpolicy.period import Window, parse_window, stamp
from orpolicy.reporting import make_report
from orpolicy.staging import choose

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from orpolicy.policy.model import PolicySet
    from orpolicy.reporting import Run
    from orpolicy.sources.base import Source
    from orpolicy.staging import Choice


def study(policies: PolicySet, source: Source, choice: Choice, count: int) -> Study:
    """Judge the policies as a check on each of the past Mondays, 00:00 UTC, would have.

    A policy looks at its own window from there: ``last-week`` at the week, ``last-month`` at the month
    before, which the weeks of a month share.

    Args:
        policies: what the files say.
        source: where figures come from; its clock says which weeks are past.
        choice: which of the policies; its window replaces theirs.
        count: how many weeks.

    Raises:
        UsageError: for an id or a window of the command line that makes no sense in any week.
        PolicyError: as ``lint``.
    """
    chosen = choose(policies, choice)
    weeks = past_weeks(source.now, count)
    library = Library(source)
    runs = _runs(policies, [Replay(library, week.end) for week in weeks], library, choice)
    judged = [
        Week(window, run if isinstance(run, SourceError) else make_report(run), run, replay.refused)
        for window, (replay, run) in zip(weeks, runs, strict=True)
    ]
    info = source.info()
    return Study(
        now=source.now,
        source=info.kind,
        weeks=weeks,
        policies=tuple(trace(policy, judged) for policy in chosen),
        net=total(judged),
        queries_asked=library.queries_asked,
        notices=_notices(runs, info.notes),
    )


def past_weeks(now: datetime, count: int) -> tuple[Window, ...]:
    """The last so many complete weeks, oldest first.

    Raises:
        UsageError: if they reach further back than a calendar does.
    """
    try:
        last = parse_window("last-week", now)
        return (*last.previous(count - 1), last)
    except OverflowError as error:
        raise UsageError(
            f"--weeks {count}: there are not so many weeks before {stamp(now)}", code=Code.BAD_CLOCK
        ) from error


def _runs(
    policies: PolicySet, replays: Sequence[Replay], library: Library, choice: Choice
) -> list[tuple[Replay, Run | SourceError]]:
    """Every week's run; all weeks ask in rounds, so that what they ask alike is asked once."""
    done: dict[int, Run | SourceError] = {}
    while len(done) < len(replays):
        waiting = [number for number in range(len(replays)) if number not in done]
        outcomes = {number: _run(policies, replays[number], choice) for number in waiting}
        if all(isinstance(run, UsageError) for run in outcomes.values()) and not done:
            raise next(run for run in outcomes.values() if isinstance(run, UsageError))
        for number, run in outcomes.items():
            if isinstance(run, UsageError):
                done[number] = SourceError(Reason.UNSUITABLE_WINDOW, str(run))
            elif replays[number].is_done:
                done[number] = run
            else:
                _require(library, run)
        library.ask(query for replay in replays for query in replay.wanted)
    return [(replay, done[number]) for number, replay in enumerate(replays)]


def _require(library: Library, run: Run) -> None:
    for bound in run.stage.bounds:
        for window in (bound.window, bound.traffic.context.window):
            library.require(window, bound.rule.metrics)


def _run(policies: PolicySet, replay: Replay, choice: Choice) -> Run | UsageError:
    replay.begin()
    try:
        return examine(policies, replay, choice)
    except UsageError as error:
        return error


def _notices(runs: Sequence[tuple[Replay, Run | SourceError]], notes: Sequence[str]) -> tuple[str, ...]:
    found = [run.stage.notices for _, run in runs if not isinstance(run, SourceError)]
    return tuple(dict.fromkeys([*(notice for group in found for notice in group), *notes]))
