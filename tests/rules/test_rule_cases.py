"""Every case of every rule kind, run through the whole path of ``check`` on records in memory."""

from __future__ import annotations

import pytest
from rule_cases import CASES, Case, every_case, items, mapping, mismatches, outcome, text

from orpolicy.errors import PolicyError
from orpolicy.plugins import RULES
from orpolicy.verdict import Verdict

EVERY_CASE = every_case()
JUDGED = [case for case in EVERY_CASE if "expect" in case.fields]
REFUSED = [case for case in EVERY_CASE if "refused" in case.fields]


@pytest.mark.parametrize("case", JUDGED, ids=str)
def test_case(case: Case) -> None:
    report = case.run()
    expected = mapping(case.fields["expect"])
    assert [policy.id for policy in report.policies] == list(expected)
    for policy in report.policies:
        nothing = {"seen": 0, "judged": 0, "under_floor": 0, "not_applicable": 0}
        wanted = {"rows": {}, "findings": [], "reason": None, **mapping(expected[policy.id])}
        wanted["rows"] = {**nothing, **mapping(wanted["rows"])}
        assert "verdict" in wanted
        assert mismatches(outcome(report, policy), wanted, policy.id) == []


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_refused_case(case: Case) -> None:
    with pytest.raises(PolicyError) as error:
        case.policies()
    problems = [f"{problem.location}: {problem.said}" for problem in error.value.problems]
    parts = [text(part) for part in items(case.fields["refused"])]
    assert len(problems) == len(parts), problems
    for problem, part in zip(problems, parts, strict=True):
        assert part in problem


def test_every_kind_has_a_case_file_and_every_file_a_kind() -> None:
    assert {path.stem for path in CASES.iterdir()} == set(RULES)
    assert {path.suffix for path in CASES.iterdir()} == {".yaml"}


def test_names_of_cases_are_unique() -> None:
    assert len({str(case) for case in EVERY_CASE}) == len(EVERY_CASE)


@pytest.mark.parametrize("kind", RULES.names)
def test_every_kind_has_cases_of_every_sort(kind: str) -> None:
    judged = [case for case in JUDGED if case.kind == kind]
    beside = RULES[kind].judges_policies
    found = [(case, policy) for case in judged for policy in case.policies().policies]
    policies = [policy for _, policy in found if policy.rule == kind or not beside]
    verdicts = {
        text(mapping(mapping(case.fields["expect"])[policy.id])["verdict"])
        for case, policy in found
        if policy in policies
    }
    assert {policy.rule for policy in policies} == {kind}
    assert verdicts == {verdict.value for verdict in Verdict}
    assert any(policy.floor.spend_usd for policy in policies)
    assert any(policy.floor.requests for policy in policies)
    assert any(policy.floor.share for policy in policies)
    assert any(policy.allow_empty for policy in policies)
