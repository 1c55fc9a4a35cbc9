"""Whether a policy is worth listening to, said only where the numbers say so."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from orpolicy.backtest.model import Dollars, Mark, PolicyLine, Study, SubjectLine, Verdict
from orpolicy.backtest.noise import noise_of
from orpolicy.backtest.text import as_text
from orpolicy.errors import Reason
from orpolicy.location import Location
from orpolicy.period import Window

MARKS = {".": Mark.PASS, "!": Mark.FAIL, "~": Mark.WARN, "?": Mark.NOT_JUDGED}
FIRST = datetime(2026, 5, 4, tzinfo=UTC)


def week(number: int) -> Window:
    return Window(FIRST + timedelta(days=7 * number), FIRST + timedelta(days=7 * number + 7))


def subject(strip: str, values: list[float | None], threshold: float = 5.0, key: str = "a") -> SubjectLine:
    marks = tuple(MARKS[sign] for sign in strip)
    return SubjectLine(key * 32, {"api_key_id": f"key-{key}"}, marks, tuple(values), threshold, 1.0)


def policy(strip: str, *subjects: SubjectLine, one_window: bool = False) -> PolicyLine:
    weeks = tuple(
        Verdict(MARKS[sign], week(0 if one_window else number), Reason.EMPTY_WINDOW, "nothing used")
        if sign == "?"
        else Verdict(MARKS[sign], week(0 if one_window else number))
        for number, sign in enumerate(strip)
    )
    place = Location("p.yaml", 1, 1)
    return PolicyLine(
        "p", "spend-limit", place, "", "", "growth_ratio", "x", weeks, subjects, Dollars(spend=9.0)
    )


def test_several_reasons_are_not_passed_off_as_one() -> None:
    line = policy("???.")
    first, second, third, last = line.weeks
    weeks = (first, replace(second, detail="cut off"), replace(third, detail="cut off"), last)
    assert noise_of(replace(line, weeks=weeks)) == (
        "quiet: it did not fire in 1 week; 3 weeks not judged: cut off (one of 2 reasons)"
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (policy("???"), "never judged: nothing used"),
        (policy("...."), "quiet: it did not fire in 4 weeks"),
        (policy("?..."), "quiet: it did not fire in 3 weeks; 1 week not judged: nothing used"),
        (
            policy("!!!!", subject("!!!!", [9, 9, 9, 9]), one_window=True),
            "4 weeks look at one and the same window: nothing is known of its noise yet",
        ),
        (policy("!!", subject("!!", [9, 9])), "fired in 2 of 2 weeks: too few to know its noise"),
        (
            policy("!!!", subject("!!!", [9, 9, 9])),
            "fires every week on key-a: fix it, or accept it with a baseline or waivers",
        ),
        (
            policy("!!!", subject("!..", [9, 1, 1]), subject(".!!", [1, 9, 9], key="b")),
            "fires every week, on 2 keys in turn: too often for an alarm",
        ),
        (
            policy("!.!.", subject("!.!.", [5.1, 4.8, 5.2, 4.7])),
            (
                "flaps: key-a stopped and fired again once; half of its weeks are within 4 % of the "
                "threshold 5x (usual: 4.95x): "
                "raise it to 5.5x, at which nothing else would have fired"
            ),
        ),
        (
            policy("!.!.", subject("!.!.", [4.9, 5.2, 4.8, 5.3])),
            (
                "flaps: key-a stopped and fired again once; half of its weeks are within 4 % of the "
                "threshold 5x (usual: 5.05x): "
                "lower it to 4.5x, at which nothing else would have fired"
            ),
        ),
        (
            policy("!!!!", subject("!.!.", [5.1, 4.8, 5.2, 4.7]), subject("!!!!", [8, 8, 8, 8], key="b")),
            (
                "flaps: key-a stopped and fired again once; half of its weeks are within 4 % of the "
                "threshold 5x (usual: 4.95x): "
                "raise it to 5.5x, at which 1 key would still have fired"
            ),
        ),
        (policy("!.!.", subject("!.!.", [50, 1, 60, 2])), "flaps: key-a stopped and fired again once"),
        (policy("!.!.", subject("!.!.", [None] * 4)), "flaps: key-a stopped and fired again once"),
        (policy("!.!.", subject("!.!.", [5.1, 6.0, 5.2, 4.7])), "flaps: key-a stopped and fired again once"),
        (
            policy("!.!.", subject("!.!.", [1.0, 0.0, 2.0, 0.0], threshold=0.5)),
            "flaps: key-a stopped and fired again once",
        ),
        (
            policy("!.!.", subject("!.!.", [9, 1, 9, 1]), subject("!.!.", [9, 1, 9, 1], key="b")),
            "flaps: subjects stopped and fired again 2 times",
        ),
    ],
)
def test_the_sentence(line: PolicyLine, expected: str) -> None:
    assert noise_of(line) == expected


@pytest.mark.parametrize(
    ("strip", "flaps"),
    [("!!!", 0), ("!.!", 1), ("!?!", 0), ("!.?!", 1), (".!.", 0), ("!.!.!", 2), ("???", 0)],
)
def test_a_flap_is_a_return_after_a_judged_week_without(strip: str, flaps: int) -> None:
    assert subject(strip, [None] * len(strip)).flaps == flaps


def test_the_text_counts_flaps_and_what_it_does_not_list() -> None:
    many = tuple(subject("!.!", [9, 1, 9], key=key) for key in "abcde")
    study = Study(FIRST, "demo", (week(0), week(1), week(2)), (policy("!.!", *many), policy("???")),
                  Dollars(), 3, ("prices are missing",))  # fmt: skip
    lines = as_text(study, 80).splitlines()
    assert lines[0] == "3 weeks, 2026-05-04 to 2026-05-24: 1 policy fired, 1 never judged"
    assert "No savings known in these weeks." in lines
    assert "note: prices are missing" in lines
    assert "p  !·!  2/3, 5 subjects, 5 flaps" in lines
    assert "p  ???  -" in lines
    assert "      key-a: 2 weeks, 9x against 5x" in lines
    assert "      and 2 more" in lines
    assert "Asked in 3 queries." in lines
