"""The published schema is a schema, and its errors read as one sentence at the right place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from orpolicy.policy.schema import build
from orpolicy.policy_kinds import Kinds
from orpolicy.query.vocabulary import DIMENSIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orpolicy.policy.kinds import Kind


@pytest.fixture(scope="module")
def schema() -> Any:
    """The language with all its real kinds."""
    return build(kind.schema for kind in Kinds().values())


def test_it_is_a_schema_of_its_draft(schema: Any) -> None:
    Draft202012Validator.check_schema(schema)


def test_every_key_that_a_person_writes_is_described(schema: Any) -> None:
    def undescribed(value: Any, path: str) -> Iterator[str]:
        for name, inner in value.get("properties", {}).items() if isinstance(value, dict) else ():
            target = schema["$defs"][inner["$ref"].rpartition("/")[2]] if "$ref" in inner else inner
            if "description" not in inner and "description" not in target:
                yield f"{path}.{name}"

    definitions = {"": schema, **{name: schema["$defs"][name] for name in ("waiver", "floor", "window")}}
    missing = [found for name, value in definitions.items() for found in undescribed(value, name)]
    assert missing == []


def test_known_dimensions_are_offered_and_others_admitted(schema: Any) -> None:
    known, other = schema["$defs"]["dimension"]["anyOf"]
    assert known == {"enum": list(DIMENSIONS)}
    validator = Draft202012Validator(schema)
    for name in (*DIMENSIONS, "brand_new"):
        policy = {"id": "a", "rule": "spend-limit", "fail_above": 1, "by": [name], "where": {name: "x"}}
        assert validator.is_valid({"version": 1, "policies": [policy]})
    assert "pattern" in other


def test_an_editor_can_tell_the_kinds_apart(schema: Any) -> None:
    rule = schema["$defs"]["policy"]["properties"]["rule"]
    assert rule["enum"] == sorted(rule["enum"])
    assert len(rule["enumDescriptions"]) == len(rule["enum"])
    assert all(rule["enumDescriptions"])


def test_the_kinds_are_what_they_say(kinds: dict[str, Kind]) -> None:
    assert kinds["cost"].schema.thresholds == ("fail_above", "warn_above")
    assert kinds["rate"].schema.thresholds == ("fail_below", "warn_below")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("fail_abov: 1", "3:40: unknown key 'fail_abov' (did you mean fail_above?)"),
        ("zzz: 1", "3:40: unknown key 'zzz'"),
        ("models: x", "3:40: unknown key 'models'"),
        ("fail_below: 1", "3:40: fail_below does not fit this rule (it takes fail_above and warn_above)"),
        ("warn_above: high", "3:52: warn_above must be a number, not 'high'"),
        ("warn_above: true", "3:52: warn_above must be a number, not true"),
        ("warn_above: ", "3:52: warn_above must be a number, not nothing"),
        ("title: 5", "3:47: title must be text, not 5 (quote it)"),
        ("title: true", "3:47: title must be text, not true (quote it)"),
        ("title: [x]", "3:47: title must be text, not a list"),
        ("title: ''", "3:47: title is empty"),
        ("locked: yes", "3:48: locked must be true or false, not 'yes' (write true)"),
        ("locked: off", "3:48: locked must be true or false, not 'off' (write false)"),
        ("locked: 1", "3:48: locked must be true or false, not 1"),
        ("severity: warn", "3:50: severity cannot be 'warn' (did you mean warning?)"),
        ("severity: 3", "3:50: severity cannot be 3 (one of error, warning, note)"),
        ("link: 'javascript:x'", "3:46: link must be a link that begins with https:// or http://"),
        ("by: model", "3:44: by must be a list, not 'model' (write [model])"),
        ("by: {a: b}", "3:44: by must be a list, not a mapping"),
        ("by: [model, app, user]", "3:44: by takes at most 2"),
        ("by: [model, model]", "3:44: by names model twice"),
        ("by: ['A B']", "3:45: by[0] must be a dimension's name, such as api_key_id, not 'A B'"),
        ("by: [5]", "3:45: by[0] must be text, not 5 (quote it)"),
        ("where: {}", "3:47: where is empty"),
        ("where: {'A B': x}", "3:48: 'A B' is not a dimension's name, such as api_key_id"),
        ("where: {app: []}", "3:53: where.app is empty"),
        ("where: {app: ''}", "3:53: where.app is empty"),
        ("where: {app: 5}", "3:53: where.app must be text, a list or a mapping, not 5"),
        ("where: {app: [5]}", "3:54: where.app[0] must be text or a mapping, not 5"),
        ("where: {app: {nto: x}}", "3:54: unknown key 'nto' (did you mean not?)"),
        ("where: {app: {}}", "3:53: where.app.not is missing"),
        ("where: {app: {not: {}}}", "3:59: where.app.not must be text or a list, not a mapping"),
        ("window: 30", "3:48: window must be text or a mapping, not 30"),
        ("window: {start: 2026-01-01}", "3:48: window.end is missing"),
        ("window: {}", "3:48: window.start and window.end are missing"),
        ("floor: {spend: -1}", "3:55: floor.spend must be at least 0, not -1"),
        ("floor: {share: 2}", "3:55: floor.share must be at most 1, not 2"),
        ("floor: {requests: 1.5}", "3:58: floor.requests must be a whole number, not 1.5"),
        ("floor: {spent: 1}", "3:48: unknown key 'spent' (did you mean spend?)"),
        ("replacement: 'a/*'", "3:53: replacement must be one model id, without * or ?"),
        (f"title: {{{'a' * 5}: 1}}", "3:47: title must be text, not a mapping"),
        (f"severity: {'x' * 99}", f"3:50: severity cannot be '{'x' * 59}… (one of error, warning, note)"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence_at_its_place(
    refused_policy: Callable[[str], list[str]], line: str, expected: str
) -> None:
    (problem,) = refused_policy(line)
    assert problem.startswith(expected)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("{rule: cost, fail_above: 1}", "3:3: id is missing"),
        ("{id: a}", "3:3: rule is missing"),
        ("{}", "3:3: id and rule are missing"),
        ("{id: a, rule: cots}", "3:17: rule cannot be 'cots' (did you mean cost?)"),
        ("{id: a, rule: xyz}", "3:17: rule cannot be 'xyz' (one of cost, rate, ban)"),
        ("{id: A_b, rule: cost, fail_above: 1}", "3:8: id must be lower-case words joined by hyphens"),
        ("{id: a-, rule: cost, fail_above: 1}", "3:8: id must be lower-case words"),
        (f"{{id: {'a' * 101}, rule: cost, fail_above: 1}}", "3:8: id is longer than 100 characters"),
        ("{id: a, rule: cost}", "3:3: fail_above or warn_above is missing"),
        ("{id: a, rule: rate}", "3:3: fail_below or warn_below is missing"),
        ("{id: a, rule: rate, fail_above: 1}", "3:23: fail_above does not fit this rule (it takes fail_b"),
        ("{id: a, rule: cost, fail_abov: 1}", "3:23: unknown key 'fail_abov' (did you mean fail_above?)"),
        ("{id: a, rule: ban}", "3:3: models is missing"),
        ("{id: a, rule: ban, model: x}", "3:22: unknown key 'model' (did you mean models?)"),
        ("{id: a, rule: ban, models: x, level: 5}", "3:40: level must be at most 3, not 5"),
        ("{id: a, rule: ban, models: x, level: []}", "3:40: level cannot be a list (one of low, high)"),
        ("{id: a, rule: ban, models: x, either: x}", "3:41: either must be a whole number or a number"),
        ("{id: a, rule: ban, models: x, either: 1}", "3:41: either must be one of its forms, not 1"),
        ("{id: a, rule: ban, models: x, shape: abab}", "3:40: shape is longer than 3 characters"),
        ("{id: a, rule: ban, models: x, shape: c}", "3:40: shape must be of the form ^[ab]+$, not 'c'"),
        ("{id: a, rule: ban, models: x, size: 10}", "3:39: size must be below 9, not 10"),
        ("{id: a, rule: ban, models: x, size: 3}", "3:39: size: 3 is not a multiple of 2"),
        ("text", "3:3: policies[0] must be a mapping, not 'text'"),
    ],
)  # fmt: skip
def test_a_policy_must_be_whole(refused: Callable[..., list[str]], policy: str, expected: str) -> None:
    (problem,) = refused(f"version: 1\npolicies:\n- {policy}\n")
    assert problem.startswith(f"a.yaml:{expected}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[]", "1:1: the file must be a mapping, not a list"),
        ("just text", "1:1: the file must be a mapping, not 'just text'"),
        ("version: 1", "1:1: the file holds nothing but its version (it needs policies"),
        ("{}", "1:1: version is missing"),
        ("policies: [{id: a, rule: cost, fail_above: 1}]", "1:1: version is missing"),
        ("version: 2\npolicies: [{id: a, rule: cost, fail_above: 1}]", "1:10: version must be 1, not 2"),
        ("version: '1'\npolicies: [{id: a, rule: cost, fail_above: 1}]", "1:10: version must be 1, not '1'"),
        ("version: 1\npolicies: []", "2:11: policies is empty"),
        ("version: 1\npolicies:", "2:10: policies must be a list, not nothing"),
        ("version: 1\nkey_sets: {}", "2:11: key_sets is empty"),
        ("version: 1\nkey_sets: {A: [x]}", "2:12: 'A' is not a lower-case name, such as batch"),
        ("version: 1\nkey_sets: {a: []}", "2:15: key_sets.a is empty"),
        ("version: 1\nkey_sets: {a: x}", "2:15: key_sets.a must be a list, not 'x' (write [x])"),
        ("version: 1\ndefaults: {by: [model]}", "2:12: unknown key 'by' (known here: window, floor, owner"),
        ("version: 1\nwaiver: []", "2:1: unknown key 'waiver' (did you mean waivers?)"),
    ],
)  # fmt: skip
def test_a_file_must_be_whole(refused: Callable[..., list[str]], text: str, expected: str) -> None:
    (problem,) = refused(text)
    assert problem.startswith(f"a.yaml:{expected}")


def test_a_mistake_of_yaml_is_not_told_twice(refused: Callable[..., list[str]]) -> None:
    found = refused(
        "version: 1\npolicies:\n- id: a\n  rule: cost\n  fail_above: .nan\n  by: *x\n- {<<: *y, rule: cost}\n"
    )
    assert [line.split(": ")[0] for line in found] == [
        "a.yaml:5:15",
        "a.yaml:6:7",
        "a.yaml:7:4",
        "a.yaml:7:8",
    ]
