"""Names that neither the vocabulary nor the account knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from orpolicy.location import Location
from orpolicy.policy.model import Policy, Selector, Waiver
from orpolicy.policy.names import unknown_names
from orpolicy.query.model import Meta

HERE = Location("f", 1, 1)


@dataclass(frozen=True)
class Asks:
    metrics: frozenset[str]


def policy(**values: object) -> Policy:
    return Policy(id="p", rule="metric", location=HERE, **values)  # type: ignore[arg-type]  # a case's own


def lines(
    policy: Policy, meta: Meta | None = None, *metrics: str, waivers: tuple[Waiver, ...] = ()
) -> list[str]:
    found = unknown_names([(policy, Asks(frozenset(metrics)))], meta, waivers)
    return [f"{problem.location}: {problem.said}" for problem in found]


def test_known_names_are_no_problem() -> None:
    known = policy(by=("api_key_id", "provider"), where=(Selector("app", ("x",), (), HERE),))
    assert lines(known, None, "total_usage", "p99_throughput") == []


def test_what_the_language_knows_and_the_account_does_not_list_is_no_problem_here() -> None:
    assert lines(policy(by=("model",)), Meta({}, frozenset()), "usage_web") == []


def test_what_the_account_lists_is_known() -> None:
    meta = Meta({"usage_video": False}, frozenset({"zzz"}))
    assert lines(policy(by=("zzz",)), meta, "usage_video") == []
    assert lines(policy(by=("zzz",)), None, "usage_video") == [
        "f:1:1: unknown dimension 'zzz'",
        "f:1:1: unknown metric 'usage_video' (did you mean usage_file?)",
    ]


def test_a_near_miss_is_looked_for_in_both() -> None:
    meta = Meta({"usage_video": False}, frozenset({"squad"}))
    unknown = policy(
        by=("modle", "squadd"),
        settings={"strict": True, "expression": "usage_vidio / total_usage"},
        places={
            "by[0]": Location("f", 2, 6),
            "by[1]": Location("f", 2, 12),
            "expression": Location("f", 3, 9),
        },
    )
    assert lines(unknown, meta, "usage_vidio") == [
        "f:2:6: unknown dimension 'modle' (did you mean model?)",
        "f:2:12: unknown dimension 'squadd' (did you mean squad?)",
        "f:3:9: unknown metric 'usage_vidio' (did you mean usage_video?)",
    ]


def test_a_metric_is_found_where_it_is_named_as_a_word() -> None:
    named = policy(settings={"expression": "x_usage_vid"}, places={"expression": Location("f", 3, 9)})
    (line,) = lines(named, None, "usage_vid")
    assert line.startswith("f:1:1: ")


def test_conditions_of_policies_and_waivers_are_looked_at() -> None:
    selector = Selector("wrkspace", ("x",), (), Location("f", 7, 8))
    waiver = Waiver("p", (selector,), date(2026, 1, 1), "why", "me", HERE)
    expected = "f:7:8: unknown dimension 'wrkspace' (did you mean workspace?)"
    assert lines(policy(where=(selector,))) == [expected]
    assert lines(policy(), waivers=(waiver,)) == [expected]
