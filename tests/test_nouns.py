"""Nouns are frozen, slotted dataclasses in everything but the time that making one takes."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, field
from typing import Any, ClassVar

import pytest

from orpolicy import nouns

Maker = Callable[..., Callable[[type], type]]


@nouns.dataclass(frozen=True, slots=True)
class Place:
    """Of a module, so that it can be pickled."""

    name: str
    rank: int = 1


def make(maker: Maker) -> type[Any]:
    """One class with every kind of field there is."""

    class Thing:
        """A thing."""

        kind: ClassVar[str] = "thing"
        name: str
        cells: tuple[int, ...] = ()
        rows: dict[str, int] = field(default_factory=dict)
        note: str = field(default="", compare=False, repr=False)
        count: int = field(default=3, init=False)
        kept: list[int] = field(default_factory=list, init=False, repr=False, compare=False)
        code: str = field(kw_only=True)
        more: str = field(default="m", kw_only=True)

        def __post_init__(self) -> None:
            if not self.name:
                raise ValueError("no name")

        @property
        def shout(self) -> str:
            return self.name.upper()

    Thing.__qualname__ = "Thing"
    return maker(frozen=True, slots=True)(Thing)


MADE = pytest.mark.parametrize("maker", [nouns.dataclass, dataclasses.dataclass], ids=["ours", "original"])


@MADE
def test_values_defaults_and_text(maker: Maker) -> None:
    thing = make(maker)("a", (1,), note="seen", code="x")
    assert (thing.name, thing.cells, thing.rows, thing.note, thing.count) == ("a", (1,), {}, "seen", 3)
    assert (thing.kept, thing.code, thing.more, thing.kind, thing.shout) == ([], "x", "m", "thing", "A")
    assert repr(thing) == "Thing(name='a', cells=(1,), rows={}, count=3, code='x', more='m')"
    assert not hasattr(thing, "__dict__")


@MADE
def test_each_has_containers_of_its_own(maker: Maker) -> None:
    cls = make(maker)
    one, other = cls("a", code="x"), cls("a", code="x")
    one.rows["b"] = 1
    one.kept.append(1)
    assert (other.rows, other.kept) == ({}, [])


@MADE
@pytest.mark.parametrize("arguments", [(), ("a",), ("a", (), {}, "", "x"), ("a", 1, 2, 3, 4, 5)])
def test_what_does_not_fit_is_a_type_error(maker: Maker, arguments: tuple[object, ...]) -> None:
    with pytest.raises(TypeError):
        make(maker)(*arguments)


@MADE
def test_it_checks_itself(maker: Maker) -> None:
    with pytest.raises(ValueError, match="no name"):
        make(maker)("", code="x")


@MADE
def test_equal_by_value_and_by_class(maker: Maker) -> None:
    cls, other = make(maker), make(maker)
    assert cls("a", code="x") == cls("a", note="ignored", code="x")
    assert cls("a", code="x") != cls("a", code="y")
    assert cls("a", code="x") != other("a", code="x")
    nan = float("nan")
    assert cls("a", (nan,), code="x") == cls("a", (nan,), code="x")
    assert hash(cls("a", rows=(), code="x")) == hash(cls("a", rows=(), note="ignored", code="x"))
    assert {cls("a", rows=(), code="x"): 1}[cls("a", rows=(), code="x")] == 1


@MADE
def test_nothing_can_be_set_or_deleted(maker: Maker) -> None:
    thing = make(maker)("a", code="x")
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'name'"):
        thing.name = "b"
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'name'"):
        del thing.name
    with pytest.raises((FrozenInstanceError, TypeError)):  # some versions of the original stumble here
        thing.new = 1


def test_a_subclass_may_have_attributes_of_its_own() -> None:
    more = type("More", (make(nouns.dataclass),), {})("a", code="x")
    more.other = 1
    assert more.other == 1
    del more.other
    assert not hasattr(more, "other")
    with pytest.raises(FrozenInstanceError):
        more.name = "b"


@MADE
def test_fields_that_are_inherited(maker: Maker) -> None:
    base = make(maker)
    namespace = {"__annotations__": {"last": "int"}, "last": 9, "__doc__": "Longer."}
    longer = maker(frozen=True, slots=True)(type("Longer", (base,), namespace))
    assert (longer("a", code="x").last, longer("a", code="x", last=2).name) == (9, "a")


@MADE
def test_methods_of_its_own_are_kept(maker: Maker) -> None:
    class Own:
        """Says itself."""

        name: str

        def __repr__(self) -> str:
            return "own"

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 7

    one = maker(frozen=True, slots=True)(Own)("a")
    assert (repr(one), one == 3, hash(one)) == ("own", True, 7)


@MADE
def test_one_field_and_none(maker: Maker) -> None:
    one = maker(frozen=True, slots=True)(type("One", (), {"__annotations__": {"a": "int"}, "__doc__": "."}))
    none = maker(frozen=True, slots=True)(type("Nothing", (), {"__annotations__": {}, "__doc__": "."}))
    assert one(1) == one(1) != one(2)
    assert (none() == none(), hash(none()) == hash(())) == (True, True)


def test_the_rest_of_dataclasses_works_on_them() -> None:
    place = Place("a")
    assert dataclasses.replace(place, rank=2) == Place("a", 2)
    assert dataclasses.asdict(place) == {"name": "a", "rank": 1}
    assert [one.name for one in dataclasses.fields(place)] == ["name", "rank"]
    assert Place.__match_args__ == ("name", "rank")
    match place:
        case Place(name, rank):
            assert (name, rank) == ("a", 1)


def test_copies_and_pickles() -> None:
    place = Place("a", 4)
    assert copy.copy(place) == copy.deepcopy(place) == pickle.loads(pickle.dumps(place)) == place  # noqa: S301 - our own


def test_other_options_are_left_to_the_original() -> None:
    @nouns.dataclass(slots=True)
    class Open:
        """Not frozen."""

        name: str

    one = Open("a")
    one.name = "b"
    assert one == Open("b")


@MADE
def test_an_order_by_the_fields_that_are_compared(maker: Maker) -> None:
    class Spot:
        """A spot."""

        file: str
        line: int
        note: str = field(default="", compare=False)

    cls: type[Any] = maker(frozen=True, slots=True, order=True)(Spot)
    one, same, after = cls("a", 2, "x"), cls("a", 2, "y"), cls("a", 10)
    assert (one < after, one <= same, after > one, after >= one) == (True, True, True, True)
    assert (one < same, after <= one, one > same, one >= after) == (False, False, False, False)
    assert sorted([after, cls("b", 1), one]) == [one, after, cls("b", 1)]
    with pytest.raises(TypeError):
        assert one < ("a", 3)
