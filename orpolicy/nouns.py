"""Frozen, slotted dataclasses, made in a quarter of the time that ``dataclasses`` takes.

A run imports more than a hundred of them, and Python compiles six methods for each: a quarter of its time.
Here only ``__init__`` is compiled; the others are the same for every class but for the names of its fields.
``dataclasses.fields``, ``replace`` and ``asdict`` work as ever, and type checkers see the original.
"""

from __future__ import annotations

import dataclasses
import operator
from dataclasses import MISSING, Field, FrozenInstanceError, fields
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 - exported
    from types import CodeType, FunctionType
else:

    def dataclass(**options: bool) -> Callable[[type], type]:
        """``dataclasses.dataclass``: quicker for ``frozen=True, slots=True``, itself for the rest."""
        if options == _MADE_HERE:
            return _made
        if options == {**_MADE_HERE, "order": True}:
            return _made_with_order
        return dataclasses.dataclass(**options)


_MADE_HERE = {"frozen": True, "slots": True}


def _made(cls: type) -> type:
    cls = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    every = fields(cls)
    methods = {
        "__init__": _init(cls, every),
        "__repr__": _repr([field.name for field in every if field.repr]),
        "__setattr__": _refusal(cls, "assign to", {field.name for field in every}),
        "__delattr__": _refusal(cls, "delete", {field.name for field in every}),
        "__getstate__": _getstate,
        "__setstate__": _setstate,
        **_comparison([field.name for field in every if field.compare]),
    }
    for name, method in methods.items():
        if cls.__dict__.get(name) is None:
            setattr(cls, name, method)
    return cls


def _made_with_order(cls: type) -> type:
    cls = _made(cls)
    values = _values([field.name for field in fields(cls) if field.compare])
    for compare in (operator.lt, operator.le, operator.gt, operator.ge):
        setattr(cls, f"__{compare.__name__}__", _ordering(compare, values))
    return cls


def _ordering(compare: Callable[[Any, Any], bool], values: Callable[[object], object]) -> Callable[..., bool]:
    def method(self: object, other: object) -> bool:
        return compare(values(self), values(other)) if other.__class__ is self.__class__ else NotImplemented

    return method


def _init(cls: type, every: Sequence[Field[Any]]) -> Callable[..., None]:
    """The one method that is compiled; it sets the slots themselves, as nobody may set attributes.

    It is written with numbers for names, so that classes of one shape share what is compiled.
    """
    scope: dict[str, Any] = {"_MISSING": MISSING}
    plain, named, lines = list[str](), list[str](), list[str]()
    names: dict[str, str] = {}
    for number, field in enumerate(every):
        scope[f"_set_{number}"] = getattr(cls, field.name).__set__
        value, default = _value(number, field, scope)
        if field.init:
            (named if field.kw_only else plain).append(f"_{number}{default}")
            names[f"_{number}"] = field.name
        lines.append(f"    _set_{number}(self, {value})\n")
    if hasattr(cls, "__post_init__"):
        lines.append("    self.__post_init__()\n")
    parameters = ", ".join(["self", *plain, *(["*", *named] if named else [])])
    exec(_compiled(f"def __init__({parameters}):\n{''.join(lines) or '    pass'}"), scope)  # noqa: S102 - numbers alone
    made: FunctionType = scope["__init__"]
    code = made.__code__
    made.__code__ = code.replace(co_varnames=tuple(names.get(name, name) for name in code.co_varnames))
    if made.__kwdefaults__:
        made.__kwdefaults__ = {names[name]: value for name, value in made.__kwdefaults__.items()}
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    return made


def _value(number: int, field: Field[Any], scope: dict[str, Any]) -> tuple[str, str]:
    """What a field is set to, and what follows the name of its parameter; ``scope`` learns what both need."""
    if field.default_factory is not MISSING:
        scope[f"_make_{number}"] = field.default_factory
        made = f"_make_{number}()"
        return (f"{made} if _{number} is _MISSING else _{number}" if field.init else made), "=_MISSING"
    if field.default is not MISSING:
        scope[f"_default_{number}"] = field.default
        return f"_{number}" if field.init else f"_default_{number}", f"=_default_{number}"
    return f"_{number}", ""


@cache
def _compiled(text: str) -> CodeType:
    return compile(text, "<noun>", "exec")


def _repr(names: Sequence[str]) -> Callable[[object], str]:
    def method(self: object) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__qualname__}({shown})"

    return method


def _comparison(names: Sequence[str]) -> dict[str, Callable[..., Any]]:
    """``__eq__`` and ``__hash__`` by the values of these fields."""
    values = _values(names)

    def equal(self: object, other: object) -> bool:
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    return {"__eq__": equal, "__hash__": lambda self: hash(values(self))}


def _values(names: Sequence[str]) -> Callable[[object], tuple[object, ...]]:
    if len(names) > 1:
        return operator.attrgetter(*names)
    return lambda self: tuple(getattr(self, name) for name in names)


def _refusal(cls: type, verb: str, names: set[str]) -> Callable[..., None]:
    """``__setattr__`` or ``__delattr__``; a subclass may have attributes of its own."""
    method = object.__setattr__ if verb == "assign to" else object.__delattr__

    def refuse(self: object, name: str, *value: object) -> None:
        if type(self) is cls or name in names:
            raise FrozenInstanceError(f"cannot {verb} field {name!r}")
        method(self, name, *value)

    return refuse


def _getstate(self: Any) -> list[object]:  # noqa: ANN401 - any of these classes
    return [getattr(self, field.name) for field in fields(self)]


def _setstate(self: Any, state: Sequence[object]) -> None:  # noqa: ANN401 - as above
    for field, value in zip(fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)
