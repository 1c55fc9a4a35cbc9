"""What a backtest asks, and what becomes of what is not answered."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from world import hash_of, memory, policies, row

from orpolicy.account import ApiKey
from orpolicy.backtest.replay import Replay
from orpolicy.backtest.study import past_weeks, study
from orpolicy.errors import Reason, SourceError, UsageError
from orpolicy.lint import lint
from orpolicy.query.vocabulary import max_days
from orpolicy.sources.base import Setting
from orpolicy.sources.memory import Memory
from orpolicy.staging import Choice
from orpolicy.table import DATE, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orpolicy.backtest.model import Study
    from orpolicy.query.model import Answer, Query

NOW = datetime(2026, 6, 10, tzinfo=UTC)
LAST_SUNDAY = date(2026, 6, 7)
KEYS = tuple(ApiKey(name, hash_of(number)) for number, name in enumerate("abcdef"))
MODELS = ("acme/large", "acme/small")


class Limited(Memory):
    """Records in memory behind an API's limits; what it is asked is noted.

    Attributes:
        asked: every query.
        most_rows: more are cut off.
        heavy_days: longer windows are too heavy; 0: none is.
        forgets: metric -> before which moment the source does not know it.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.asked: list[Query] = []
        self.most_rows = 10_000
        self.heavy_days = 0
        self.forgets: dict[str, datetime] = {}
        self.namesakes_doubled = False

    def answer(self, query: Query) -> Answer:
        self.asked.append(query)
        if query.window.days > max_days(query.metrics, query.dimensions):
            raise SourceError(Reason.API_ERROR, "the range is longer than the cap")
        for name, first in self.forgets.items():
            if name in query.metrics and query.window.start < first:
                raise SourceError(Reason.API_ERROR, f"{name} is not kept so long")
        if self.heavy_days and query.window.days > self.heavy_days:
            raise SourceError(Reason.API_ERROR, "too heavy", is_too_heavy=True)
        answer = super().answer(replace(query, limit=min(query.limit, self.most_rows)))
        return replace(answer, query=query)


def records(weeks: int, keys: Sequence[ApiKey] = KEYS, **metrics: Any) -> list[dict[str, Any]]:
    """A record a day, key and model: whole dollars that differ by key and by day of the week."""
    days = [LAST_SUNDAY - timedelta(days=number) for number in range(7 * weeks)]
    return [
        row(
            **{DATE: day.isoformat(), **metrics},
            api_key_id=key.name,
            api_key_hash=key.key_hash,
            model=name,
            total_usage=float(place + day.weekday() % 2 + (day.isocalendar().week % 3) * (name == MODELS[0])),
        )
        for day in days
        for place, key in enumerate(keys, 1)
        for name in MODELS
    ]


def limited(rows: Sequence[dict[str, Any]], keys: Sequence[ApiKey] = KEYS, now: datetime = NOW) -> Limited:
    plain = memory(rows, keys=keys, now=now)
    return Limited(plain._records, now=now, directory=plain.directory())  # noqa: SLF001 - the same, limited


LIMIT = "policies:\n  - {id: a, rule: spend-limit, window: last-week, fail_above: 100}\n"
SHAPES = (
    LIMIT
    + "  - {id: b, rule: blended-multiple, by: [api_key_id, model], window: last-week, fail_above: 2}\n"
    + "  - {id: c, rule: spend-limit, by: [model], fail_above: 1}\n"
    + "  - {id: d, rule: spend-limit, window: last-30d, fail_above: 1}\n"
    + "  - {id: e, rule: spend-growth, window: last-week, fail_above: 1.1}\n"
)


def verdicts(found: Study) -> dict[str, str]:
    return {policy.id: " ".join(week.mark.value for week in policy.weeks) for policy in found.policies}


def checked(text: str, source: Limited, weeks: int) -> dict[str, str]:
    """The verdicts of a check at the end of each week, on the same records without limits."""
    said: dict[str, list[str]] = {}
    for week in past_weeks(NOW, weeks):
        plain = Memory(source._records, now=week.end, directory=source.directory())  # noqa: SLF001 - as above
        for policy in lint(policies(text), plain, Choice()).policies:
            said.setdefault(policy.id, []).append("not-judged" if policy.reason else policy.verdict.value)
    return {name: " ".join(marks) for name, marks in said.items()}


def test_four_weeks_and_twenty_six_ask_equally_often() -> None:
    asked = {}
    for weeks in (4, 26):
        source = limited(records(40))
        found = study(policies(SHAPES), source, Choice(), weeks)
        asked[weeks] = len(source.asked)
        assert found.queries_asked == len(source.asked)
        assert verdicts(found) == checked(SHAPES, source, weeks)
    assert asked[4] == asked[26]
    assert asked[4] <= 8
    (check,) = [limited(records(40))]
    lint(policies(SHAPES), check, Choice())
    assert asked[26] <= len(check.asked)


def test_one_week_asks_no_more_than_a_check() -> None:
    source, check = limited(records(12)), limited(records(12), now=datetime(2026, 6, 8, tzinfo=UTC))
    study(policies(SHAPES), source, Choice(), 1)
    lint(policies(SHAPES), check, Choice())
    assert len(source.asked) <= len(check.asked)


@pytest.mark.parametrize("rows", [50, 90, 200])
def test_answers_by_day_that_are_cut_off_are_asked_in_halves(rows: int) -> None:
    source = limited(records(8))
    source.most_rows = rows
    found = study(policies(SHAPES), source, Choice(), 6)
    assert verdicts(found) == checked(SHAPES, source, 6)


def test_what_is_too_heavy_is_asked_in_halves() -> None:
    source = limited(records(8))
    source.heavy_days = 31
    found = study(policies(LIMIT), source, Choice(), 6)
    assert verdicts(found) == checked(LIMIT, source, 6)
    assert [int(query.window.days) for query in source.asked if query.dimensions] == [42, 21, 21] * 2


def test_past_its_queries_a_study_judges_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orpolicy.backtest.library.MOST_QUERIES", 1)
    source = limited(records(8))
    found = study(policies(LIMIT), source, Choice(), 6)
    assert len(source.asked) == 1
    assert verdicts(found) == {"a": " ".join(["not-judged"] * 6)}
    assert {week.detail for week in found.policies[0].weeks} == {"more than 1 queries would be needed"}
    assert not found.is_judged


SURCHARGES = (
    LIMIT
    + "  - {id: extras, rule: surcharge-share, components: [web_fetch], window: last-week, fail_above: 0.5}\n"
)


def test_what_reaches_too_far_back_is_not_judged_and_the_rest_is() -> None:
    source = limited(records(12, usage_web_fetch=0.0, usage_web=0.0))
    source.forgets = {"usage_web_fetch": datetime(2026, 5, 4, tzinfo=UTC)}
    found = study(policies(SURCHARGES), source, Choice(), 10)
    limit, extras = found.policies
    assert limit.judged == 10
    assert [week.mark.value for week in extras.weeks] == ["not-judged"] * 6 + ["pass"] * 4
    assert (extras.weeks[0].reason, extras.weeks[0].detail) == (
        Reason.API_ERROR,
        "usage_web_fetch is not kept so long",
    )


def test_a_source_that_refuses_leaves_nothing_judged() -> None:
    source = limited(records(8))
    source.forgets = {"total_usage": NOW}
    found = study(policies(SHAPES), source, Choice(), 4)
    assert not found.is_judged
    assert {week.reason for policy in found.policies for week in policy.weeks} == {Reason.API_ERROR}


NAMESAKES = (*KEYS[:2], ApiKey("twin", hash_of(10), "w1", "one"), ApiKey("twin", hash_of(11), "w2", "two"))


def test_keys_of_one_name_stay_two() -> None:
    rows = records(6, NAMESAKES)
    text = "policies:\n  - {id: a, rule: spend-limit, window: last-week, fail_above: 110}\n"
    source = limited(rows, NAMESAKES)
    found = study(policies(text), source, Choice(), 5)
    assert verdicts(found) == checked(text, source, 5)
    twins = [item for item in found.policies[0].subjects if item.subject["api_key_id"] == "twin"]
    assert {item.subject["workspace"] for item in twins} <= {"one", "two"}
    by_one = {
        week: sum(
            item["total_usage"]
            for item in rows
            if item["api_key_hash"] == hash_of(11)
            and week.contains(datetime.fromisoformat(f"{item[DATE]}T00:00Z"))
        )
        for week in found.weeks
    }
    (second,) = [item for item in twins if item.subject["workspace"] == "two"]
    assert [value * 7 / 30.4375 for value in second.values if value] == pytest.approx(list(by_one.values()))


def test_selectors_that_no_answer_has_room_for_are_asked_week_by_week() -> None:
    rows = [item | {"app": "shop" if number % 3 else "lab"} for number, item in enumerate(records(4))]
    text = (
        "policies:\n  - {id: a, rule: spend-limit, by: [api_key_id, model], where: {app: shop}, "
        "window: last-week, fail_above: 60}\n"
        "  - {id: b, rule: spend-limit, by: [app, model], where: {api_key_id: [a, b]}, "
        "window: last-week, fail_above: 60}\n"
        "  - {id: c, rule: spend-limit, by: [api_key_id], where: {'model': '*:batch'}, window: last-week, "
        "allow_empty: true, fail_above: 1}\n"
    )
    source = limited(rows)
    found = study(policies(text), source, Choice(), 3)
    assert verdicts(found) == checked(text, source, 3)


def test_a_window_of_hours_is_asked_as_it_is() -> None:
    text = LIMIT.replace("last-week", "2026-05-20T06:00..2026-05-21T00:00")
    source = limited(records(6))
    found = study(policies(text), source, Choice(), 5)
    assert [query.granularity for query in source.asked if query.window.start.hour == 6] == [None, None]
    assert [week.reason for week in found.policies[0].weeks] == [Reason.UNSUITABLE_WINDOW] * 2 + [
        Reason.EMPTY_WINDOW
    ] * 3


def test_a_default_window_that_is_not_over_leaves_its_weeks_unjudged() -> None:
    text = "defaults: {window: 2026-05-18..2026-05-25}\n" + LIMIT.replace("window: last-week, ", "")
    found = study(policies(text), limited(records(6)), Choice(), 3)
    (policy,) = found.policies
    assert [week.mark.value for week in policy.weeks] == ["fail"] * 3
    found = study(policies(text), limited(records(6)), Choice(), 5)
    (policy,) = found.policies
    assert [week.reason for week in policy.weeks] == [Reason.UNSUITABLE_WINDOW] * 2 + [None] * 3
    assert "ends after" in policy.weeks[0].detail


def test_a_window_that_no_week_has_is_wrong() -> None:
    with pytest.raises(UsageError, match="is not a window"):
        study(policies(LIMIT), limited(records(2)), Choice("yesterday"), 3)
    with pytest.raises(UsageError, match="ends after"):
        study(policies(LIMIT), limited(records(2)), Choice("2026-06-01..2026-06-09"), 3)


def test_before_there_was_any_usage_nothing_is_judged() -> None:
    found = study(policies(LIMIT), limited(records(2)), Choice(), 4)
    assert [week.reason for week in found.policies[0].weeks] == [Reason.EMPTY_WINDOW] * 2 + [None] * 2


def test_weeks_before_the_calendar_are_refused() -> None:
    with pytest.raises(UsageError, match="there are not so many weeks"):
        past_weeks(datetime(1, 1, 20, tzinfo=UTC), 5)


def test_a_replay_is_no_source_to_open() -> None:
    with pytest.raises(UsageError, match="is not a source that can be opened"):
        Replay.open(Setting("backtest", {}))


def test_the_account_is_asked_once_whatever_it_says() -> None:
    class Silent(Limited):
        times = 0

        def meta(self) -> Any:
            Silent.times += 1
            raise SourceError(Reason.ACCESS_DENIED, "no")

    plain = memory(records(2), keys=KEYS)
    source = Silent(plain._records, now=NOW)  # noqa: SLF001 - as above
    found = study(policies(LIMIT), source, Choice(), 4)
    assert Silent.times == 1
    assert {week.reason for week in found.policies[0].weeks} == {Reason.ACCESS_DENIED}


def test_a_deleted_namesake_is_seen_on_its_day() -> None:
    class Doubled(Limited):
        """Its answers have a row for the deleted key of a name as well."""

        def answer(self, query: Query) -> Answer:
            answer = super().answer(query)
            if query.filters or query.dimensions != ("api_key_id",):
                return answer
            halved = {
                name: [None if value is None else value / 2 for value in column]
                for name, column in answer.table.metrics.items()
            }
            rows = [*range(len(answer.table))] * 2
            table = Table(answer.table.dimensions, halved).keep(rows)
            return replace(answer, table=table)

    plain = memory(records(4), keys=KEYS)
    text = LIMIT

    def source(now: datetime) -> Doubled:
        return Doubled(plain._records, now=now, directory=plain.directory())  # noqa: SLF001 - as above

    found = study(policies(text), source(NOW), Choice(), 3)
    said = [lint(policies(text), source(week.end), Choice()) for week in found.weeks]
    assert [week.reason for week in found.policies[0].weeks] == [report.policies[0].reason for report in said]
