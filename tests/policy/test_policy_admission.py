"""The quick test of documents says what jsonschema says."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from orpolicy.errors import PolicyError
from orpolicy.manual import example_file, manual_of
from orpolicy.plugins import RULES
from orpolicy.policy.admission import Admission
from orpolicy.policy.document import parse
from orpolicy.policy.packs import pack_names, pack_path
from orpolicy.policy.schema import build
from orpolicy.policy_kinds import Kinds

SCHEMA = build(kind.schema for kind in Kinds().values())
ADMISSION, VALIDATOR = Admission(SCHEMA), Draft202012Validator(SCHEMA)
TESTS = Path(__file__).parent.parent

EVERYTHING = """
version: 1
extends: [pack:strict, ../shared/costs.yaml]
override:
  cap: {fail_above: 3, warn_above: null, severity: warning, where: {model: x}, by: null, models: [a/b]}
  web: {disabled: true}
defaults: {window: {start: 2026-05-01, end: 2026-06-01}, floor: {spend: 10}, owner: a, severity: note}
key_sets: {batch: ["batch-*", "@other"], other: [x]}
model_sets: {old: ["a/*"]}
policies:
  - {id: a-1, rule: metric, expression: usage_web / total_usage, by: [], fail_above: 0.5, warn_above: 0.1}
  - id: b
    rule: model-ban
    models: ["@preview", a/b]
    where: {api_key_id: [a, {not: [b, c]}], model: {not: x}, app: y}
    replacement: a/b
    title: t
    why: w
    link: https://example.com/
    allow_empty: true
    locked: false
  - {id: c, rule: cache-hit-rate, prompt_heavy: {prompt_per_completion_above: 10}, fail_below: 0.3}
  - {id: d, rule: spend-growth, baseline_periods: 8, by: [api_key_id, model], window: last-week}
  - {id: e, rule: surcharge-share, components: [web, file], fail_above: 0.05, severity: warning}
  - {id: f, rule: spend-limit, fail_above: 5, floor: {spend: 1.5, requests: 3, share: 0.5}}
waivers:
  - {policy: b, where: {model: x}, until: 2027-01-31, max_spend: 500, reason: r, owner: o}
tests:
  - name: n
    now: 2026-06-10
    rows: [{api_key_id: a, model: b, total_usage: 1.5, request_count: 2, variant: null}]
    expect: [{policy: b, verdict: fail, model: b}]
    todo: true
"""


def data(text: str) -> Any:
    return parse(text.encode(), "policies.yaml").data


WHOLE = data(EVERYTHING)


def trails(value: Any, trail: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [trail, *(found for key, item in inner for found in trails(item, (*trail, key)))]


TRAILS = [trail for trail in trails(WHOLE) if trail]
WORDS = sorted({str(step) for trail in TRAILS for step in trail} | set(RULES))
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-3, 30)
    | st.sampled_from([0.0, 1.0, 0.5, -0.5, 1e300])
    | st.sampled_from(WORDS)
    | st.sampled_from(["", "a b", "A", "a\n", "@x", "https://x", "http://", "x*", "error", "fail", "é"])
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=8,
)


def same(value: Any) -> bool:
    expected = VALIDATOR.is_valid(value)
    assert ADMISSION.admits(value) is expected
    return expected


def test_a_document_with_everything_is_admitted() -> None:
    assert same(WHOLE)


@pytest.mark.parametrize("trail", TRAILS, ids=repr)
def test_without_any_one_part_it_is_what_jsonschema_says(trail: tuple[Any, ...]) -> None:
    document, last = copy.deepcopy(WHOLE), trail[-1]
    del inside(document, trail[:-1])[last]
    same(document)


def inside(value: Any, trail: tuple[Any, ...]) -> Any:
    for step in trail:
        value = value[step]
    return value


@settings(max_examples=200)
@given(st.lists(st.tuples(st.sampled_from(TRAILS), values), min_size=1, max_size=3))
def test_with_anything_changed_it_is_what_jsonschema_says(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    document = copy.deepcopy(WHOLE)
    for trail, value in changes:
        try:
            inside(document, trail[:-1])[trail[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took the place away
    same(document)


@settings(max_examples=150)
@given(st.sampled_from(list(RULES)), st.dictionaries(st.sampled_from(WORDS), values, max_size=6))
def test_any_policy_is_what_jsonschema_says(rule: str, keys: dict[str, Any]) -> None:
    same({"version": 1, "policies": [{"id": "a", "rule": rule, **keys}]})


@given(values)
def test_any_value_is_what_jsonschema_says(value: Any) -> None:
    same(value)
    same({"version": 1, "policies": value})


def texts() -> list[str]:
    """Every policy text of the packs, the manuals and the tests' own files."""
    found = [pack_path(name).read_text(encoding="utf-8") for name in pack_names()]
    manuals = [manual_of(RULES[name].__doc__ or "") for name in RULES]
    found += [example_file(text) for manual in manuals for text in (manual.good, manual.bad)]
    files = [path for path in sorted(TESTS.rglob("*.yaml")) if path.is_file()]
    return found + [path.read_text(encoding="utf-8", errors="replace") for path in files]


def test_every_policy_file_here_is_what_jsonschema_says() -> None:
    admitted = refused = 0
    for text in texts():
        try:
            document = data(text)
        except PolicyError:
            continue
        parts = [document, *embedded(document)]
        verdicts = [same(part) for part in parts]
        admitted += sum(verdicts)
        refused += len(verdicts) - sum(verdicts)
    assert admitted > 20
    assert refused > 20


def embedded(value: Any) -> list[Any]:
    """What may be a policy file, or its policies, inside a case of a test."""
    if not isinstance(value, dict):
        return []
    found = []
    for inner in value.values():
        if isinstance(inner, str) and "\n" in inner:
            try:
                found.append(data(inner))
            except PolicyError:
                continue
        elif isinstance(inner, list):
            found.append({"version": 1, "policies": inner})
    return found


SCHEMAS: list[tuple[Any, Any]] = [
    ({"not": {}}, 1),
    ({"if": {"minContains": 1}, "then": False}, 1),
    ({"properties": {"a": {"$ref": "#/$defs/none"}}}, {"a": 1}),
    ({"type": "thing"}, 1),
    ({"uniqueItems": True}, [1, 2]),
    ({"if": {"uniqueItems": True}, "then": False}, [1, 1.0]),
    ({"const": [1]}, [1]),
]


@pytest.mark.parametrize(("schema", "value"), SCHEMAS)
def test_what_it_does_not_know_it_does_not_admit(schema: Any, value: Any) -> None:
    assert not Admission(schema).admits(value)


def test_a_definition_may_refer_to_itself() -> None:
    tree: Any = {
        "$ref": "#/$defs/tree",
        "$defs": {"tree": {"type": "array", "items": {"$ref": "#/$defs/tree"}}},
    }
    deep: list[Any] = []
    for _ in range(20_000):
        deep = [deep]
    assert Admission(tree).admits([[], [[]]])
    assert not Admission(tree).admits([[], [1]])
    assert not Admission(tree).admits(deep)


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"uniqueItems": True}, ["a", "b"], ["a", "a"]),
        ({"uniqueItems": True}, "aa", ["b", "b"]),
        ({"properties": {"a": False}}, {"b": 1}, {"a": 1}),
        ({"anyOf": [{"required": ["a"]}, {"uniqueItems": False, "type": "array"}]}, ["a", "a"], {}),
        ({"enum": [1, "a", None, True]}, 1.0, False),
        ({"const": 1}, 1, True),
        ({"type": "integer"}, 2.0, 2.5),
        ({"type": ["number", "null"]}, None, True),
        ({"if": {"const": 1}, "then": False}, 2, 1),
        ({"minimum": 1, "exclusiveMaximum": 2}, 1, 2),
        ({"maximum": 1, "exclusiveMinimum": 0}, 1, 0),
        ({"minLength": 2, "maxLength": 3}, "abc", "abcd"),
        ({"minItems": 1, "maxItems": 1}, [0], []),
        ({"minProperties": 1}, {"a": 1}, {}),
        ({"propertyNames": {"pattern": "^a"}}, {"ab": 1}, {"ba": 1}),
        ({"additionalProperties": {"type": "string"}, "properties": {"a": True}}, {"a": 1}, {"b": 1}),
        ({"allOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"a": 1, "b": 1}, {"a": 1}),
        ({"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"b": 1}, {}),
    ],
)
def test_each_keyword(schema: Any, good: Any, bad: Any) -> None:
    for value in (good, bad):
        assert Draft202012Validator(schema).is_valid(value) is (value is good)
        assert Admission(schema).admits(value) is (value is good)
