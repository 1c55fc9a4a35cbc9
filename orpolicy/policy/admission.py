"""Whether a document fits a schema, yes or no, many times faster than saying why not.

The schema's keywords become nested functions. A document of which this module is not sure is not admitted,
and jsonschema, which judges and explains whatever is not admitted here, has the last word: only a wrong yes
could do harm.
"""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from orpolicy.policy.model import Json

    Check = Callable[[Json], bool]
    Fragment = dict[str, Json]
    Builder = Callable[["Admission", Fragment], Check]

_ANNOTATIONS = frozenset(
    ("$schema", "$defs", "title", "description", "examples", "enumDescriptions", "default", "then")
)
"""What says nothing about a document; ``then`` is read together with ``if``."""

_TYPES: dict[str, Check] = {
    "string": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: (
        (isinstance(value, int) and not isinstance(value, bool))
        or (isinstance(value, float) and value.is_integer())
    ),
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "null": lambda value: value is None,
}


class _Unsure(Exception):  # noqa: N818 - no error: somebody else is asked
    """A keyword or value that this module does not know; a plain no would be a yes under ``if``."""


class Admission:
    """A schema as a test of documents: draft 2020-12, as far as the policy language uses it."""

    def __init__(self, schema: Fragment, further: Callable[[str], Json] = lambda _name: None) -> None:
        """Take a schema.

        Args:
            schema: with its definitions.
            further: makes a definition that the schema lacks, when a document first needs it.
        """
        self._definitions = {"#": schema, **_mapping(schema.get("$defs", {}))}
        self._further = further
        self._made: dict[str, Check] = {}

    def admits(self, value: Json) -> bool:
        """True only if the schema admits the value; False also where that is not sure."""
        try:
            return self.definition("#")(value)
        except (_Unsure, RecursionError):
            return False

    def definition(self, name: str) -> Check:
        """A definition as a function, made when it is first needed."""
        if name not in self._made:
            found = self._definitions[name] if name in self._definitions else self._further(name)
            self._made[name] = self.check(found)
        return self._made[name]

    def check(self, fragment: Json) -> Check:
        """One fragment as a function."""
        if isinstance(fragment, bool):
            return _always if fragment else _never
        keywords = _mapping(fragment).keys() - _ANNOTATIONS if isinstance(fragment, dict) else {""}
        if not keywords <= _BUILDERS.keys():
            raise _Unsure
        return _all([_BUILDERS[keyword](self, _mapping(fragment)) for keyword in sorted(keywords)])


def _always(_value: Json) -> bool:
    return True


def _never(_value: Json) -> bool:
    return False


def _all(checks: list[Check]) -> Check:
    if not checks:
        return _always
    if len(checks) == 1:
        return checks[0]

    def check_all(value: Json) -> bool:
        for check in checks:  # noqa: SIM110 - all() of a generator takes twice as long
            if not check(value):
                return False
        return True

    return check_all


def _mapping(value: Json) -> dict[str, Json]:
    return cast("dict[str, Json]", value)


def _list(value: Json) -> list[Json]:
    return cast("list[Json]", value)


def _reference(admission: Admission, fragment: Fragment) -> Check:
    name = str(fragment["$ref"]).removeprefix("#/$defs/")
    return lambda value: admission.definition(name)(value)  # noqa: PLW0108 - made on use: it may refer to itself


def _properties(admission: Admission, fragment: Fragment) -> Check:
    checks = {name: admission.check(inner) for name, inner in _mapping(fragment["properties"]).items()}
    checks = {name: check for name, check in checks.items() if check is not _always}

    def check(value: Json) -> bool:
        if isinstance(value, dict):
            for key, inner in value.items():
                if key in checks and not checks[key](inner):
                    return False
        return True

    return check


def _additional(admission: Admission, fragment: Fragment) -> Check:
    known = frozenset(_mapping(fragment.get("properties", {})))
    other = admission.check(fragment["additionalProperties"])
    if other is _never:
        return lambda value: not isinstance(value, dict) or value.keys() <= known
    return lambda value: (
        not isinstance(value, dict) or all(other(inner) for key, inner in value.items() if key not in known)
    )


def _names(admission: Admission, fragment: Fragment) -> Check:
    check = admission.check(fragment["propertyNames"])
    return lambda value: not isinstance(value, dict) or all(map(check, value))


def _items(admission: Admission, fragment: Fragment) -> Check:
    check = admission.check(fragment["items"])
    return lambda value: not isinstance(value, list) or all(map(check, value))


def _all_of(admission: Admission, fragment: Fragment) -> Check:
    return _all([admission.check(inner) for inner in _list(fragment["allOf"])])


def _any_of(admission: Admission, fragment: Fragment) -> Check:
    checks = [admission.check(inner) for inner in _list(fragment["anyOf"])]
    return lambda value: any(check(value) for check in checks)


def _if(admission: Admission, fragment: Fragment) -> Check:
    """``if`` with ``then``; ``else`` is not known here."""
    condition, then = admission.check(fragment["if"]), admission.check(fragment.get("then", True))
    return lambda value: not condition(value) or then(value)


def _type(_admission: Admission, fragment: Fragment) -> Check:
    names = fragment["type"]
    checks = [_TYPES.get(str(name), _never) for name in (names if isinstance(names, list) else [names])]
    return checks[0] if len(checks) == 1 else lambda value: any(check(value) for check in checks)


def _equals(value: Json) -> Check:
    """Equality of JSON for single values: 1 is 1.0, and true is neither."""
    if isinstance(value, list | dict):
        raise _Unsure
    return lambda other: other == value and isinstance(other, bool) is isinstance(value, bool)


def _enum(_admission: Admission, fragment: Fragment) -> Check:
    checks = [_equals(value) for value in _list(fragment["enum"])]
    return lambda value: any(check(value) for check in checks)


def _pattern(_admission: Admission, fragment: Fragment) -> Check:
    search = re.compile(str(fragment["pattern"])).search
    return lambda value: not isinstance(value, str) or search(value) is not None


def _required(_admission: Admission, fragment: Fragment) -> Check:
    names = frozenset(map(str, _list(fragment["required"])))
    return lambda value: not isinstance(value, dict) or value.keys() >= names


def _unique(_admission: Admission, fragment: Fragment) -> Check:
    return _is_unique if fragment["uniqueItems"] is True else _always


def _is_unique(value: Json) -> bool:
    """Whether a list of texts names none twice; what else may be equal is left to others."""
    if not isinstance(value, list):
        return True
    texts = [item for item in value if isinstance(item, str)]
    if len(texts) < len(value):
        raise _Unsure
    return len(set(texts)) == len(texts)


def _sized(keyword: str, kind: type, fits: Callable[[int, int], bool]) -> Builder:
    def build(_admission: Admission, fragment: Fragment) -> Check:
        limit = cast("int", fragment[keyword])
        return lambda value: not isinstance(value, kind) or fits(len(cast("str", value)), limit)

    return build


def _bounded(keyword: str, fits: Callable[[float, float], bool]) -> Builder:
    is_number = _TYPES["number"]

    def build(_admission: Admission, fragment: Fragment) -> Check:
        limit = cast("float", fragment[keyword])
        return lambda value: not is_number(value) or fits(cast("float", value), limit)

    return build


_BUILDERS: dict[str, Builder] = {
    "$ref": _reference,
    "type": _type,
    "enum": _enum,
    "const": lambda _admission, fragment: _equals(fragment["const"]),
    "pattern": _pattern,
    "required": _required,
    "properties": _properties,
    "additionalProperties": _additional,
    "propertyNames": _names,
    "items": _items,
    "allOf": _all_of,
    "anyOf": _any_of,
    "if": _if,
    "uniqueItems": _unique,
    "minLength": _sized("minLength", str, operator.ge),
    "maxLength": _sized("maxLength", str, operator.le),
    "minItems": _sized("minItems", list, operator.ge),
    "maxItems": _sized("maxItems", list, operator.le),
    "minProperties": _sized("minProperties", dict, operator.ge),
    "minimum": _bounded("minimum", operator.ge),
    "maximum": _bounded("maximum", operator.le),
    "exclusiveMinimum": _bounded("exclusiveMinimum", operator.gt),
    "exclusiveMaximum": _bounded("exclusiveMaximum", operator.lt),
}
