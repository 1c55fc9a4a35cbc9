"""What the schema finds wrong with a document, in the words of a person and at the right place."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, cast

from orpolicy.codes import Code
from orpolicy.location import Fault, Problem
from orpolicy.policy import schema
from orpolicy.policy.admission import Admission
from orpolicy.policy.document import Flaw, Trail
from orpolicy.policy.fragments import PATTERN_WORDS
from orpolicy.policy.kinds import DISABLED, THRESHOLD_KEYS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

    from orpolicy.policy.document import Document
    from orpolicy.policy.kinds import Kind
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
_CUTOFF = 0.6


def near_miss(word: str, known: Iterable[str]) -> str:
    """``did you mean ...?`` where a known word is close in whatever case, else ""."""
    from difflib import get_close_matches  # noqa: PLC0415 - only those who err pay for it

    folded: dict[str, str] = {}
    for name in known:
        folded.setdefault(name.casefold(), name)
    close = get_close_matches(word.casefold(), folded, n=1, cutoff=_CUTOFF)
    return f"did you mean {folded[close[0]]}?" if close else ""


class Validator:
    """The schema, ready to check documents."""

    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        """Take every rule kind by name; only those that documents name are looked at."""
        self._kinds = kinds
        self._admission = Admission(schema.outline(kinds), self._definition)

    @cached_property
    def _whole(self) -> dict[str, Json]:
        return schema.build(kind.schema for kind in self._kinds.values())

    def _definition(self, name: str) -> Json:
        """One that takes a kind, or all of them."""
        kind = name.removeprefix(schema.KIND_PREFIX)
        if kind != name and kind in self._kinds:
            return schema.kind_definition(self._kinds[kind].schema)
        return cast("dict[str, Json]", self._whole["$defs"]).get(name)

    @cached_property
    def _explains(self) -> Draft202012Validator:
        from jsonschema import Draft202012Validator  # noqa: PLC0415 - only those with a flaw pay for it

        return Draft202012Validator(self._whole)

    def flaws(self, document: Document) -> tuple[Flaw, ...]:
        """Everything the schema refuses, once each; nothing that follows from the document's own flaws."""
        if self._admission.admits(document.data):
            return ()
        known = {flaw.trail for flaw in document.flaws}
        found: dict[Flaw, None] = {}
        for error in self._explains.iter_errors(document.data):
            for flaw in _translate(document, error):
                if flaw.trail not in known:
                    found[flaw] = None
        return tuple(found)


def _translate(document: Document, error: ValidationError) -> Iterator[Flaw]:
    """The flaws that one error of jsonschema stands for."""
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
    return {close for key in unknown for close in get_close_matches(key, known, n=2, cutoff=_CUTOFF)}


def _unknown_key(key: str, known: list[str]) -> Fault:
    fitting = [name for name in THRESHOLD_KEYS if name in known]
    if key in THRESHOLD_KEYS:
        takes = f"it takes {' and '.join(fitting)}" if fitting else "it takes no threshold"
        return Fault(Code.UNFIT_THRESHOLD, f"{key} does not fit this rule", takes)
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
            yield from _translate(document, inner)
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
    hint = ""
    words = _type_words(expected)
    if expected == "string" and isinstance(instance, bool | int | float):
        hint = "quote it"
    elif expected == "boolean" and str(instance).lower() in {"yes", "on", "no", "off"}:
        hint = f"write {str(str(instance).lower() in {'yes', 'on'}).lower()}"
    elif expected == "array" and isinstance(instance, str):
        hint = f"write [{instance}]"
    return f"{name} must be {words}, not {_show(instance)}", hint


def _enum(name: str, instance: Json, expected: Json) -> tuple[str, str]:
    words = _strings(expected)
    hint = near_miss(instance, words) if isinstance(instance, str) else ""
    if not hint:
        hint = f"one of {', '.join(words)}"
    return f"{name} cannot be {_show(instance)}", hint


def _pattern(name: str, instance: Json, expected: Json) -> tuple[str, str]:
    words = PATTERN_WORDS.get(str(expected), f"of the form {expected}")
    return f"{name} must be {words}, not {_show(instance)}", ""


def _empty(name: str, _instance: Json, expected: Json) -> tuple[str, str]:
    if name == _ROOT:
        return "the file holds nothing but its version", "it needs policies, sets, waivers, defaults or tests"
    return f"{name} is empty" if expected == 1 else f"{name} needs at least {expected}", ""


def _unique(name: str, _instance: Json, _expected: Json) -> tuple[str, str]:
    return f"{name} names the same thing twice", ""


def _bound(words: str) -> Callable[[str, Json, Json], tuple[str, str]]:
    return lambda name, instance, expected: (f"{name} must {words} {expected}, not {_show(instance)}", "")


_DESCRIPTIONS: dict[str, Callable[[str, Json, Json], tuple[str, str]]] = {
    "type": _type,
    "enum": _enum,
    "const": _bound("be"),
    "pattern": _pattern,
    "minLength": _empty,
    "minItems": _empty,
    "minProperties": _empty,
    "uniqueItems": _unique,
    "minimum": _bound("be at least"),
    "maximum": _bound("be at most"),
    "exclusiveMinimum": _bound("be above"),
    "exclusiveMaximum": _bound("be below"),
    "maxItems": lambda name, _instance, expected: (f"{name} takes at most {expected}", ""),
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
