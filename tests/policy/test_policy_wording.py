"""What a person probably meant: the hints of messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("warn_above: '3'", "warn_above must be a number, not '3' (write 3)"),
        ("warn_above: 5%", "warn_above must be a number, not '5%' (write 0.05)"),
        ("warn_above: $1_000.5", "warn_above must be a number, not '$1_000.5' (write 1000.5)"),
        ("warn_above: '1,234,567'", "warn_above must be a number, not '1,234,567' (write 1234567)"),
        ("warn_above: 1;5", "warn_above must be a number, not '1;5'"),
        ("warn_above: [3]", "warn_above must be a number, not a list"),
        ("floor: {requests: many}", "floor.requests must be a whole number, not 'many'"),
        ("locked: 'true'", "locked must be true or false, not 'true' (write true)"),
        ("locked: off", "locked must be true or false, not 'off' (write false)"),
        ("locked: 1", "locked must be true or false, not 1"),
        ("title: 5", "title must be text, not 5 (quote it)"),
        ("title: [a]", "title must be text, not a list"),
        ("by: {a: b}", "by must be a list, not a mapping"),
        ("where: {app: 5}", "where.app must be text, a list or a mapping, not 5 (quote it)"),
        ("where: [app]", "where must be a mapping, not a list (as in where: {model: openai/*})"),
        ("by: [model, app, model]", "by takes at most 2, not 3"),
        ("by: [app, app]", "by names app twice"),
        ("disabled: true", "unknown key 'disabled' (only override: takes it)"),
        ("Title: x", "unknown key 'Title' (did you mean title?)"),
        ("window: {start: 2026-01-01}", "window.end is missing"),
    ],
)
def test_a_hint_says_what_was_meant(
    refused_policy: Callable[[str], list[str]], line: str, expected: str
) -> None:
    assert expected in [problem.partition(": ")[2] for problem in refused_policy(line)]


def test_numbers_that_are_equal_are_twice_the_same(refused_policy: Callable[[str], list[str]]) -> None:
    assert any(
        problem.endswith("by names the same thing twice") for problem in refused_policy("by: [1, 1.0]")
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("version: '1'\nkey_sets: {a: [b]}\n", "1:10: version must be 1, not '1' (without quotes)"),
        ("version: 2\nkey_sets: {a: [b]}\n", "1:10: version must be 1, not 2"),
        ("version: 1\npolicies:\n", "2:10: policies must be a list, not nothing (as in policies: [{id: ..."),
        ("version: 1\nextends: starter\n", "not 'starter' (did you mean pack:starter?)"),
        ("version: 1\nextends: nobody\n", "such as ../shared/costs.yaml, not 'nobody'"),
        ("version: 1\nextends: pack:Starter\n", "there is no pack 'Starter' (did you mean starter?)"),
        ("version: 1\nkey_sets:\n\ta: [b]\n", "3:1: this is not YAML: a tab indents the line (indent with"),
        ("version: 1\nkey_sets:\n  a: [b]\n  \tc: [d]\n", "4:3: this is not YAML: a tab indents the line"),
        ("version: 1\nkey_sets: {a: [b]\n", "(a bracket or a quote that begins before here does not end)"),
        ("version: 1\ndefaults:\n  owner: a: b\n", "(a key takes a space after its colon, and a text that"),
        (
            "version: 1\ndefaults:\n  owner: a\n window: b\n",
            "(begin the line where those that it belongs with",
        ),
    ],
)
def test_a_file_that_went_wrong_as_files_do(
    refused: Callable[..., list[str]], text: str, expected: str
) -> None:
    assert any(expected in problem for problem in refused(text))


@pytest.mark.parametrize(
    ("name", "hint"),
    [("My Policy", " (write my-policy)"), ("a__b", " (write a-b)"), ("'-'", ""), ("größe", " (write gr-e)")],
)
def test_an_id_is_offered_in_kebab_case(refused: Callable[..., list[str]], name: str, hint: str) -> None:
    (problem,) = refused(f"version: 1\npolicies: [{{id: {name}, rule: cost, fail_above: 1}}]\n")
    shown = name.strip("'")
    assert problem.endswith(f"such as cache-prompt-heavy, not '{shown}'{hint}")


def test_a_waiver_for_nobody_is_told_who_there_is(refused: Callable[..., list[str]]) -> None:
    waiver = "waivers: [{policy: zzz, until: 2027-01-01, reason: r, owner: o}]\n"
    policies = "\n".join(f"- {{id: p{number}, rule: cost, fail_above: 1}}" for number in range(9))
    assert refused(f"version: 1\npolicies:\n{policies}\n{waiver}") == [
        "a.yaml:12:20: there is no policy 'zzz'"
    ]
    few = "policies: [{id: a, rule: cost, fail_above: 1}, {id: b, rule: cost, fail_above: 1}]\n"
    assert refused(f"version: 1\n{few}{waiver}")[0].endswith("there is no policy 'zzz' (there are: a, b)")


def test_a_policy_that_is_pulled_in_already_is_told_at_the_file_that_pulls(
    refused: Callable[..., list[str]],
) -> None:
    text = "version: 1\nextends: pack:starter\npolicies: [{id: blended-outlier, rule: cost, fail_above: 5}]\n"
    problems = [problem for problem in refused(text) if "already used" in problem]
    assert len(problems) == 1
    assert problems[0].startswith(
        "a.yaml:3:17: the policy id 'blended-outlier' is already used (first at pack:st"
    )
    assert problems[0].endswith("; to change it, use override:)")
