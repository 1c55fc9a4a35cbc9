"""What is wrong with a document, in the words of a person and at the right place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from orpolicy.codes import Code
from orpolicy.location import Fault, Problem
from orpolicy.policy.document import Flaw, Trail
from orpolicy.policy.fragments import EXTENDED, KEBAB_CASE, PATTERN_WORDS
from orpolicy.policy.kinds import DISABLED, THRESHOLD_KEYS
from orpolicy.policy.validation import CUTOFF, near_miss

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jsonschema.exceptions import ValidationError

    from orpolicy.policy.document import Document
    from orpolicy.policy.model import Json

_TYPE_WORDS = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}
_MAX_SHOWN = 60
_NUMBER = re.compile(r"\s*\$?\s*(-?(?:\d{1,3}(?:[,_]\d{3}){1,4}|\d{1,15})(?:\.\d{1,15})?)\s*(%?)\s*")
_TRUTH = {"yes": "true", "on": "true", "true": "true", "no": "false", "off": "false", "false": "false"}
_SHAPES = {
    "policies": "policies: [{id: ..., rule: ...}]",
    "waivers": "waivers: [{policy: ..., until: ...}]",
    "tests": "tests: [{name: ..., rows: [...]}]",
    "rows": "rows: [{model: ..., total_usage: 9}]",
    "expect": "expect: [{policy: ..., verdict: fail}]",
    "key_sets": 'key_sets: {batch: ["batch-*"]}',
    "model_sets": 'model_sets: {retired: ["openai/gpt-4-*"]}',
    "defaults": "defaults: {window: last-month}",
    "override": "override: {some-policy: {fail_above: 8}}",
    "where": "where: {model: openai/*}",
    "floor": "floor: {spend: 10}",
}
"""The form of what is often written in another."""


def flaws_of(document: Document, error: ValidationError) -> Iterator[Flaw]:
    """The flaws that one error of jsonschema stands for, in the words of a person and at the right place."""
    trail = tuple(error.absolute_path)
    if "propertyNames" in error.schema_path:
        name = str(error.instance)
        message = f"{_show(name)} is not {PATTERN_WORDS[str(error.validator_value)]}"
        inner = (*trail, name)
        yield Flaw(inner, Problem(document.key_place(inner), message, code=Code.WRONG_FORM))
    elif error.validator == "additionalProperties":
        yield from _unknown_keys(document, trail, error)
    elif error.validator in {"anyOf", "oneOf"}:
        yield from _alternatives(document, trail, error)
    elif error.validator == "required":
        instance = cast("dict[str, Json]", error.instance)
        missing = [name for name in _strings(cast("Json", error.validator_value)) if name not in instance]
        if unnamed := [name for name in missing if name not in _misspelt(error)]:
            inside = f"{_name(trail)}." if trail and isinstance(trail[-1], str) else ""
            unnamed = [f"{inside}{name}" for name in unnamed]
            message = f"{' and '.join(unnamed)} {'is' if len(unnamed) == 1 else 'are'} missing"
            yield Flaw(trail, Problem(document.place(trail), message, code=Code.MISSING_KEY))
    elif trail or error.validator != "minProperties" or "version" in cast("dict[str, Json]", error.instance):
        message, hint = _describe(trail, error)
        code = _CODES.get(str(error.validator), Code.WRONG_VALUE)
        if not trail and code is Code.EMPTY_VALUE:
            code = Code.NOTHING_THERE
        yield Flaw(trail, Problem(document.place(trail), message, hint, code=code))


def _unknown_keys(document: Document, trail: Trail, error: ValidationError) -> Iterator[Flaw]:
    around = error.schema if isinstance(error.schema, Mapping) else {}
    known = around.get("properties", {})
    for key in cast("dict[str, Json]", error.instance):
        if key in known:
            continue
        inner = (*trail, key)
        yield Flaw(inner, _unknown_key(key, list(known)).at(document.key_place(inner)))


def _misspelt(error: ValidationError) -> set[str]:
    """Known keys for which an unknown one is a near miss: one cause, told once."""
    from difflib import get_close_matches  # noqa: PLC0415 - as in near_miss

    around = error.schema if isinstance(error.schema, Mapping) else {}
    if around.get("additionalProperties") is not False:
        return set()
    known = list(around.get("properties", {}))
    unknown = [key for key in cast("dict[str, Json]", error.instance) if key not in known]
    return {close for key in unknown for close in get_close_matches(key, known, n=2, cutoff=CUTOFF)}


def _unknown_key(key: str, known: list[str]) -> Fault:
    fitting = [name for name in THRESHOLD_KEYS if name in known]
    if key in THRESHOLD_KEYS:
        takes = f"it takes {' and '.join(fitting)}" if fitting else "it takes no threshold"
        return Fault(Code.UNFIT_THRESHOLD, f"{key} does not fit this rule", takes)
    if key == DISABLED:
        return Fault(Code.UNKNOWN_KEY, f"unknown key {key!r}", "only override: takes it")
    if key in {"id", "rule"} and DISABLED in known:
        return Fault(Code.UNKNOWN_KEY, f"{key} cannot be overridden", "another one is another policy")
    short = f"known here: {', '.join(known)}" if len(known) <= len(_TYPE_WORDS) else ""
    return Fault(Code.UNKNOWN_KEY, f"unknown key {key!r}", near_miss(key, known) or short)


def _alternatives(document: Document, trail: Trail, error: ValidationError) -> Iterator[Flaw]:
    """One message for alternatives: the ones whose type fits say what is wrong, none of the others does."""
    branches = cast("list[dict[str, Json]]", error.validator_value)
    if all(set(branch) == {"required"} for branch in branches):
        if not _misspelt(error) & {name for branch in branches for name in _strings(branch["required"])}:
            names = " or ".join(_words(branch["required"]) for branch in branches)
            missing = Fault(Code.MISSING_KEY, f"{names} is missing")
            yield Flaw(trail, missing.at(document.place(trail)))
        return
    by_branch: dict[object, list[ValidationError]] = {}
    for inner in error.context or ():
        by_branch.setdefault(inner.schema_path[0], []).append(inner)
    mistyped = [
        inner
        for errors in by_branch.values()
        for inner in errors
        if inner.validator == "type" and not inner.path
    ]
    fitting = [errors for errors in by_branch.values() if not any(inner in mistyped for inner in errors)]
    if fitting:
        ranged = (errors for errors in fitting if all(inner.validator != "enum" for inner in errors))
        for inner in next(ranged, fitting[-1]):
            yield from flaws_of(document, inner)
        return
    expected = " or ".join(
        dict.fromkeys(_type_words(cast("Json", inner.validator_value)) for inner in mistyped)
    )
    message = (
        f"{_name(trail)} must be {expected or 'one of its forms'}, not {_show(cast('Json', error.instance))}"
    )
    yield Flaw(trail, Problem(document.place(trail), message, code=Code.WRONG_TYPE))


def _describe(trail: Trail, error: ValidationError) -> tuple[str, str]:
    """Message and hint."""
    describe = _DESCRIPTIONS.get(str(error.validator))
    if describe is None:
        return f"{_name(trail)}: {error.message}", ""
    return describe(_name(trail), cast("Json", error.instance), cast("Json", error.validator_value))


def _type(name: str, instance: Json, expected: Json) -> tuple[str, str]:
    message = f"{name} must be {_type_words(expected)}, not {_show(instance)}"
    shape = _SHAPES.get(name.rpartition(".")[2])
    if shape:
        return message, f"as in {shape}"
    return message, next(
        filter(None, (_MEANT[kind](instance) for kind in _strings(expected) if kind in _MEANT)), ""
    )


def _as_text(instance: Json) -> str:
    return "quote it" if isinstance(instance, bool | int | float) else ""


def _as_list(instance: Json) -> str:
    return f"write [{instance}]" if isinstance(instance, str) else ""


def _as_boolean(instance: Json) -> str:
    word = str(instance).lower()
    return f"write {_TRUTH[word]}" if word in _TRUTH else ""


def _as_number(instance: Json) -> str:
    """A number that was quoted, or written as people do: ``1,000``, ``$5``, ``5%``."""
    found = _NUMBER.fullmatch(instance) if isinstance(instance, str) else None
    if found is None:
        return ""
    value = float(found[1].replace(",", "").replace("_", "")) / (100 if found[2] else 1)
    return f"write {value:.12g}"


def _enum(name: str, instance: Json, expected: Json) -> tuple[str, str]:
    words = _strings(expected)
    hint = near_miss(instance, words) if isinstance(instance, str) else ""
    if not hint:
        hint = f"one of {', '.join(words)}"
    return f"{name} cannot be {_show(instance)}", hint


def _pattern(name: str, instance: Json, expected: Json) -> tuple[str, str]:
    words = PATTERN_WORDS.get(str(expected), f"of the form {expected}")
    return f"{name} must be {words}, not {_show(instance)}", _nearest_form(str(instance), expected)


def _nearest_form(word: str, expected: Json) -> str:
    """What was probably meant, or ""."""
    if expected == KEBAB_CASE:
        name = re.sub("[^a-z0-9]+", "-", word.lower()).strip("-")
        return f"write {name}" if name else ""
    if expected == EXTENDED:
        from orpolicy.policy.packs import find_pack  # noqa: PLC0415 - it needs near misses itself

        return f"did you mean pack:{word}?" if find_pack(word) else ""
    return ""


def _const(name: str, instance: Json, expected: Json) -> tuple[str, str]:
    hint = "without quotes" if instance == str(expected) else ""
    return f"{name} must be {expected}, not {_show(instance)}", hint


def _empty(name: str, _instance: Json, expected: Json) -> tuple[str, str]:
    if name == _ROOT:
        return "the file holds nothing but its version", "it needs policies, sets, waivers, defaults or tests"
    return f"{name} is empty" if expected == 1 else f"{name} needs at least {expected}", ""


def _unique(name: str, instance: Json, _expected: Json) -> tuple[str, str]:
    entries = _strings(instance)
    twice = next((entry for entry in entries if entries.count(entry) > 1), "the same thing")
    return f"{name} names {twice} twice", ""


def _bound(words: str) -> Callable[[str, Json, Json], tuple[str, str]]:
    return lambda name, instance, expected: (f"{name} must {words} {expected}, not {_show(instance)}", "")


_DESCRIPTIONS: dict[str, Callable[[str, Json, Json], tuple[str, str]]] = {
    "type": _type,
    "enum": _enum,
    "const": _const,
    "pattern": _pattern,
    "minLength": _empty,
    "minItems": _empty,
    "minProperties": _empty,
    "uniqueItems": _unique,
    "minimum": _bound("be at least"),
    "maximum": _bound("be at most"),
    "exclusiveMinimum": _bound("be above"),
    "exclusiveMaximum": _bound("be below"),
    "maxItems": lambda name, instance, expected: (
        f"{name} takes at most {expected}, not {len(_strings(instance))}",
        "",
    ),
    "maxLength": lambda name, _instance, expected: (f"{name} is longer than {expected} characters", ""),
}

_CODES = {
    "type": Code.WRONG_TYPE,
    "pattern": Code.WRONG_FORM,
    "maxLength": Code.WRONG_FORM,
    **dict.fromkeys(("minLength", "minItems", "minProperties"), Code.EMPTY_VALUE),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), Code.OUT_OF_RANGE),
}
"""Keyword of the schema -> what breaking it is; of the others it is a wrong value."""

_ROOT = "the file"


def _name(trail: Trail) -> str:
    """The last part of a trail as a person writes it: ``floor.spend``, ``by[0]``."""
    start = next((index + 1 for index, step in enumerate(trail) if isinstance(step, int)), 0)
    steps = trail[start:] if len(trail) > start else trail
    text = ""
    for step in steps:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text or _ROOT


def _type_words(expected: Json) -> str:
    words = [_TYPE_WORDS.get(name, name) for name in _strings(expected)]
    return " or ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else words[0]


def _words(value: Json) -> str:
    return " and ".join(_strings(value))


def _strings(value: Json) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def _show(value: Json) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


_MEANT: dict[str, Callable[[Json], str]] = {
    "string": _as_text,
    "array": _as_list,
    "boolean": _as_boolean,
    "number": _as_number,
    "integer": _as_number,
}
"""Type -> what was probably meant by a value of another, or ""."""
