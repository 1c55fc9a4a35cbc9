"""YAML text as plain data, with the place of every key and value.

Built from parse events, one after the other, so that depth is bounded before anything recurses and
every scalar is read by the YAML 1.2 core schema instead of PyYAML's YAML 1.1.
"""

from __future__ import annotations

import re
from dataclasses import field
from typing import TYPE_CHECKING, NoReturn

import yaml

from orpolicy.codes import Code
from orpolicy.errors import PolicyError
from orpolicy.location import Fault, Location, Problem
from orpolicy.nouns import dataclass
from orpolicy.policy.scalars import MAPPING_TAG, SEQUENCE_TAG, ScalarError, is_core_scalar_tag, resolve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orpolicy.policy.model import Json

MAX_BYTES = 1 << 20
MAX_DEPTH = 64

Trail = tuple[str | int, ...]
"""The keys and indexes that lead from the root to a value."""

_BOM = b"\xef\xbb\xbf"
_PLAIN = bytes((*b"\t\n\r", *range(0x20, 0x7F)))
"""A text of these alone is not searched: the patterns below take 1 % of a run to compile."""

_CONTROL = "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]"
_CONTROL_IN_VALUE = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]"
_QUOTE = 'quote a text that begins with *, &, @ or !, such as "*-batch"'


_SYNTAX_HINTS = (
    ("cannot start any token", _QUOTE),
    ("scanning an a", _QUOTE),
    (
        "mapping values are not allowed",
        "a key takes a space after its colon, and a text that holds : needs quotes",
    ),
    ("parsing a flow", "a bracket or a quote that begins before here does not end"),
    ("parsing a block", "begin the line where those that it belongs with begin"),
)
"""Part of what the parser says -> what to do."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """A problem, and the value that is not to be used because of it."""

    trail: Trail
    problem: Problem


@dataclass(frozen=True, slots=True)
class Document:
    """One policy file as data.

    Attributes:
        file: the path as the user gave it.
        data: the root value.
        values: where each value begins.
        keys: where the key of each mapping's value begins, by the value's trail.
        flaws: what is wrong, apart from what made reading impossible.
    """

    file: str
    data: Json
    values: Mapping[Trail, Location]
    keys: Mapping[Trail, Location]
    flaws: tuple[Flaw, ...] = ()

    def place(self, trail: Trail) -> Location:
        """Where a value begins, or the nearest thing around it that is there."""
        while trail not in self.values and trail:
            trail = trail[:-1]
        return self.values.get(trail, Location(self.file, 1, 1))

    def key_place(self, trail: Trail) -> Location:
        """Where the key of a mapping's value begins; for anything else, where the value does."""
        return self.keys.get(trail) or self.place(trail)


def parse(content: bytes, file: str) -> Document:
    """Read one file's content.

    Raises:
        PolicyError: if the content is no single YAML document of bounded size and depth; with every
            problem found up to there.
    """
    builder = _Builder(file)
    text = _decode(content, file)
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        for event in yaml.parse(text, Loader=loader):
            builder.feed(event)
    except yaml.MarkedYAMLError as error:
        builder.stop(*_syntax_problem(error, text, file), code=Code.NOT_YAML)
    return builder.document()


def _decode(content: bytes, file: str) -> str:
    if len(content) > MAX_BYTES:
        message = f"the file is larger than {MAX_BYTES >> 20} MiB"
        raise PolicyError([Problem(Location(file, 1, 1), message, code=Code.TOO_LARGE)])
    content = content.removeprefix(_BOM)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        place = _place_after(content[: error.start].decode("utf-8"), file)
        message = "the file is not UTF-8 from here on"
        raise PolicyError([Problem(place, message, code=Code.NOT_TEXT)]) from None
    if content.translate(None, _PLAIN) and (control := re.search(_CONTROL, text)):
        place = _place_after(text[: control.start()], file)
        message = f"the control character U+{ord(control[0]):04X} is not allowed"
        raise PolicyError([Problem(place, message, code=Code.NOT_TEXT)])
    return text


def _place_after(text: str, file: str) -> Location:
    lines = re.split(r"\r\n|\r|\n", text)
    return Location(file, len(lines), len(lines[-1]) + 1)


def _syntax_problem(error: yaml.MarkedYAMLError, text: str, file: str) -> tuple[Location, str, str]:
    mark = error.problem_mark or error.context_mark
    place = Location(file, mark.line + 1, mark.column + 1) if mark else Location(file, 1, 1)
    context = f" {error.context}" if error.context else ""
    message = f"this is not YAML: {error.problem}{context}"
    line = text.splitlines()[place.line - 1 : place.line]
    if line and line[0][: place.column].lstrip(" ").startswith("\t"):
        return place, "this is not YAML: a tab indents the line", "indent with spaces"
    return place, message, next((hint for part, hint in _SYNTAX_HINTS if part in message), "")


@dataclass(slots=True, eq=False, repr=False)
class _Frame:
    """A collection whose end has not been seen; ``key`` is the one whose value comes next."""

    trail: Trail
    value: dict[str, Json] | list[Json]
    kept: bool
    at_key: bool
    key: str | None = None

    def attach(self, value: Json) -> tuple[Trail, bool]:
        """Take in the next value; its trail, and whether it is kept."""
        if isinstance(self.value, list):
            self.value.append(value)
            return (*self.trail, len(self.value) - 1), self.kept
        self.at_key = True
        if self.key is None:
            return self.trail, False
        self.value[self.key] = value
        return (*self.trail, self.key), self.kept


@dataclass(slots=True, eq=False, repr=False)
class _Builder:
    """Turns events into data."""

    file: str
    root: Json = None
    documents: int = 0
    stack: list[_Frame] = field(default_factory=list)
    values: dict[Trail, Location] = field(default_factory=dict)
    keys: dict[Trail, Location] = field(default_factory=dict)
    flaws: list[Flaw] = field(default_factory=list)

    def document(self) -> Document:
        """What was built; an error if that is nothing."""
        if self.root is None and not self.flaws:
            place, hint = Location(self.file, 1, 1), "it needs version: 1 and policies"
            self.stop(place, "the file holds nothing", hint, code=Code.NOTHING_THERE)
        return Document(self.file, self.root, self.values, self.keys, tuple(self.flaws))

    def feed(self, event: yaml.Event) -> None:
        """Take in the next event."""
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.MappingStartEvent):
            self._open(event, {}, MAPPING_TAG)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._open(event, [], SEQUENCE_TAG)
        elif isinstance(event, yaml.CollectionEndEvent):
            self.stack.pop()
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._start(event)

    def stop(self, place: Location, message: str, hint: str = "", *, code: Code) -> NoReturn:
        """Give up on the file with everything that is known to be wrong."""
        raise PolicyError([*(flaw.problem for flaw in self.flaws), Problem(place, message, hint, code=code)])

    def _start(self, event: yaml.DocumentStartEvent) -> None:
        self.documents += 1
        if self.documents > 1:
            hint = "one file holds one document"
            self.stop(self._location(event), "a second document begins here", hint, code=Code.NOT_YAML)

    def _open(self, event: yaml.CollectionStartEvent, value: dict[str, Json] | list[Json], tag: str) -> None:
        if len(self.stack) >= MAX_DEPTH:
            message = f"more than {MAX_DEPTH} levels of nesting"
            self.stop(self._location(event), message, code=Code.TOO_LARGE)
        if self._awaits_key():
            trail, kept = self._refuse_key(event, Fault(Code.KEY_NOT_TEXT, "a key must be text")), False
        else:
            trail, kept = self._attach(value, event)
        self._refuse_anchor(event, trail)
        if event.tag not in {None, tag}:
            self._flaw(trail, event, Fault(Code.YAML_SHORTCUT, f"the tag {event.tag} is not allowed here"))
        self.stack.append(_Frame(trail, value, kept, at_key=isinstance(value, dict)))

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        if self._awaits_key():
            self._key(event)
            return
        value, fault = _value(event)
        trail, _ = self._attach(value, event)
        self._refuse_anchor(event, trail)
        if fault:
            self._flaw(trail, event, fault)

    def _key(self, event: yaml.ScalarEvent) -> None:
        frame = self.stack[-1]
        self._refuse_anchor(event, frame.trail)
        key, fault = _value(event)
        if fault:
            self._refuse_key(event, fault)
        elif key == "<<" and event.implicit[0]:
            message, hint = "merge keys (<<) are not allowed", "write the keys out"
            self._refuse_key(event, Fault(Code.YAML_SHORTCUT, message, hint))
        elif not isinstance(key, str):
            message = f"a key must be text, and {event.value or 'nothing'} is not"
            self._refuse_key(event, Fault(Code.KEY_NOT_TEXT, message, "quote it"))
        elif key in frame.value:
            first = f"first at {self.keys[*frame.trail, key]}" if frame.kept else ""
            self._refuse_key(event, Fault(Code.DUPLICATE_KEY, f"duplicate key {key!r}", first), key)
        else:
            frame.key, frame.at_key = key, False
            if frame.kept:
                self.keys[*frame.trail, key] = self._location(event)

    def _alias(self, event: yaml.AliasEvent) -> None:
        fault = Fault(
            Code.YAML_SHORTCUT,
            f"aliases (*{event.anchor}) are not allowed",
            f"write the value out, or {_QUOTE}",
        )
        if self._awaits_key():
            self._refuse_key(event, fault)
        else:
            trail, _ = self._attach(None, event)
            self._flaw(trail, event, fault)

    def _awaits_key(self) -> bool:
        return bool(self.stack) and self.stack[-1].at_key

    def _refuse_key(self, event: yaml.Event, fault: Fault, key: str | None = None) -> Trail:
        frame = self.stack[-1]
        frame.key, frame.at_key = None, False
        self._flaw(frame.trail if key is None else (*frame.trail, key), event, fault)
        return frame.trail

    def _refuse_anchor(self, event: yaml.NodeEvent, trail: Trail) -> None:
        if event.anchor is not None:
            message, hint = f"anchors (&{event.anchor}) are not allowed", "write the value out"
            self._flaw(trail, event, Fault(Code.YAML_SHORTCUT, message, hint))

    def _attach(self, value: Json, event: yaml.Event) -> tuple[Trail, bool]:
        if self.stack:
            trail, kept = self.stack[-1].attach(value)
        else:
            self.root = value
            trail, kept = (), True
        if kept:
            self.values[trail] = self._location(event)
        return trail, kept

    def _flaw(self, trail: Trail, event: yaml.Event, fault: Fault) -> None:
        self.flaws.append(Flaw(trail, fault.at(self._location(event))))

    def _location(self, event: yaml.Event) -> Location:
        mark = event.start_mark
        return Location(self.file, mark.line + 1, mark.column + 1) if mark else Location(self.file, 1, 1)


def _value(event: yaml.ScalarEvent) -> tuple[Json, Fault | None]:
    """A scalar's value, and what is wrong with it."""
    if event.tag is not None and not is_core_scalar_tag(event.tag):
        return None, Fault(Code.YAML_SHORTCUT, f"the tag {event.tag} is not allowed: {_QUOTE}")
    if not event.value.isprintable() and (control := re.search(_CONTROL_IN_VALUE, event.value)):
        return None, Fault(Code.NOT_TEXT, f"the control character U+{ord(control[0]):04X} is not allowed")
    if event.tag is None and not event.implicit[0]:
        return str(event.value), None
    try:
        return resolve(event.value, event.tag), None
    except ScalarError as error:
        return None, Fault(Code.BAD_SCALAR, str(error))
