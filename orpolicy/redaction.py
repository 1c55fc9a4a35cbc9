"""Pseudonyms for the names of keys, users, apps and workspaces, put into a report before any format sees it.

A pseudonym is a hash of the name, so that it stays the same from run to run without a secret to keep. It
hides names from readers; it does not stop somebody who guesses a name from checking the guess. Models,
policies, owners and files keep their names, except for e-mail addresses. In sentences a name is replaced
wherever it stands as words of its own, also where something else was meant by them; one of fewer than
three characters or without a letter only within quotes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any, cast

from orpolicy.finding import Finding, Inconclusive, Measure, Recommendation
from orpolicy.nouns import dataclass
from orpolicy.report import OverrideResult, PolicyResult, QueryRecord, Report, ReportSource, WaiverResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orpolicy.account import Directory

KINDS = {
    "key_hash": "hash",
    "api_key_id": "key",
    "workspace": "workspace",
    "app": "app",
    "user": "user",
    "user_email": "user",
    "external_user": "user",
}
"""Dimension -> what its pseudonyms begin with; where one name means several, the last one's stands."""

_DIGITS = 10
_HASH_PREFIX = "hash:"
_KEY_SETS = "key_sets."
_KEPT: Mapping[type, tuple[str, ...]] = {
    Report: ("version",),
    ReportSource: ("kind", "host"),
    PolicyResult: ("id", "rule", "location", "queries"),
    WaiverResult: ("policy", "location"),
    OverrideResult: ("policy", "key", "location"),
    QueryRecord: ("id", "policies"),
    Finding: ("fingerprint", "policy", "rule", "locations"),
    Measure: ("name", "unit"),
    Recommendation: ("action", "replacement"),
    Inconclusive: ("policy", "location"),
}
"""Fields that hold no names: identifiers, closed words, models and files; all others are looked at."""

_HASH = re.compile(r"(?:hash:)?[0-9a-fA-F]{64}")
_MASKED = re.compile(
    rf"\b(?P<hash>{_HASH.pattern}|[0-9a-fA-F]{{12}}(?=…))\b|(?P<mail>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)"
)
_USER = re.compile(r"(.*) <([^<>]+)>", re.DOTALL)
_WORD = re.compile(r"\w+")
_QUOTES = ("'", '"', "`")
_SHORT = 3

Names = Mapping[str, str]
"""Name -> pseudonym."""


def pseudonym(kind: str, name: str) -> str:
    """What stands for a name: its kind and 10 hex digits, such as ``key-3f9a2c017b``."""
    digest = hashlib.sha256(json.dumps(["orpolicy pseudonym", kind, name]).encode()).hexdigest()
    return f"{kind}-{digest[:_DIGITS]}"


def names_of(directory: Directory, members: Mapping[str, frozenset[str]]) -> dict[str, str]:
    """Every name that the account or an answer is known to hold, with its pseudonym.

    Args:
        directory: the account's keys and workspaces.
        members: dimension -> the members that answers named.
    """
    found: dict[str, str] = {}
    for key in directory.keys:
        found |= _pseudonyms("key_hash", key.key_hash)
        found |= _pseudonyms("workspace", key.workspace) | _pseudonyms("workspace", key.workspace_id)
    for name, uuids in directory.workspaces.items():
        found |= {uuid: pseudonym(KINDS["workspace"], uuid) for uuid in (name, *uuids)}
    for key in directory.keys:
        found |= _pseudonyms("api_key_id", key.name)
    for dimension in KINDS:
        for member in sorted(members.get(dimension, ())):
            found |= _pseudonyms(dimension, member)
    return found


def redacted(report: Report, names: Names | None = None) -> Report:
    """The report with pseudonyms for every name, in its subjects, its queries and its sentences.

    Args:
        report: as the run made it.
        names: names that sentences may quote beside those of the report's own subjects and filters.
    """
    known = dict(names or {})
    for dimension, member in _named(report):
        known |= _pseudonyms(dimension, member)
    models = {member for _, member in _named(report, ("model",))}
    models |= {finding.recommendation.replacement or "" for finding in report.findings}
    return cast("Report", _Redactor(_Sentences(known, frozenset(models))).value(report))


def cleaned(texts: Iterable[str], names: Names, models: frozenset[str]) -> tuple[str, ...]:
    """Sentences with pseudonyms for names.

    Args:
        texts: the sentences.
        names: name -> pseudonym.
        models: names that stay, though a part of them may also be somebody's.
    """
    sentences = _Sentences(names, models)
    return tuple(map(sentences.clean, texts))


def _pseudonyms(dimension: str, member: str) -> dict[str, str]:
    """A member with its pseudonym; so have the two halves of ``Name <mail>``."""
    if not member:
        return {}
    kind = KINDS[dimension]
    if _HASH.fullmatch(member):
        digits = member.removeprefix(_HASH_PREFIX)
        return dict.fromkeys((digits, _HASH_PREFIX + digits), pseudonym(KINDS["key_hash"], digits))
    shown = pseudonym(kind, member)
    parts = _USER.fullmatch(member) if kind == KINDS["user"] else None
    return {part: shown for part in (parts[1], parts[2], member) if part} if parts else {member: shown}


def _named(value: object, dimensions: tuple[str, ...] = tuple(KINDS)) -> Iterator[tuple[str, str]]:
    """Every member of some dimensions in a report's subjects and filters."""
    if is_dataclass(value):
        for field in fields(value):
            yield from _named(getattr(value, field.name), dimensions)
    elif isinstance(value, Mapping):
        yield from _named_in(value, dimensions)
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _named(item, dimensions)


def _named_in(mapping: Mapping[str, object], dimensions: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if "field" in mapping and "value" in mapping:
        yield from _members(str(mapping["field"]), mapping["value"], dimensions)
    for name, item in mapping.items():
        yield from _members(name, item, dimensions)
        yield from _named(item, dimensions)


def _members(dimension: str, value: object, dimensions: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if dimension in dimensions:
        values = value if isinstance(value, tuple | list) else (value,)
        yield from ((dimension, item) for item in values if isinstance(item, str))


@dataclass(frozen=True)
class _Sentences:
    """Text in, text without names out.

    Attributes:
        names: name -> pseudonym.
        models: names that stay, though a part of them may also be somebody's.
    """

    names: Names
    models: frozenset[str]

    @cached_property
    def _spelt(self) -> dict[str, str]:
        """Every way in which a name may be written -> what stands in its place."""
        found: dict[str, str] = {}
        for name, shown in self.names.items():
            if _is_weak(name):
                found |= {f"{quote}{name}{quote}": f"{quote}{shown}{quote}" for quote in _QUOTES}
            else:
                found |= dict.fromkeys(_spellings(name), shown)
        return found | {model: model for model in self.models if model}

    @cached_property
    def _index(self) -> dict[str, tuple[str, ...]]:
        """Word -> spellings, each under the rarest of its words; "" -> those without any word."""
        words = {text: set(_WORD.findall(text)) for text in self._spelt}
        uses = Counter(chain.from_iterable(words.values()))
        found: dict[str, list[str]] = {}
        for text, own in words.items():
            found.setdefault(min(own, key=lambda word: (uses[word], word), default=""), []).append(text)
        return {word: tuple(texts) for word, texts in found.items()}

    def clean(self, text: str) -> str:
        """The text with pseudonyms for names, key hashes and e-mail addresses."""
        if text not in self._cleaned:
            self._cleaned[text] = self._clean(text)
        return self._cleaned[text]

    @cached_property
    def _cleaned(self) -> dict[str, str]:
        """Texts seen before; most sentences of a report are many findings' own."""
        return {}

    def _clean(self, text: str) -> str:
        words = {"", *_WORD.findall(text)}
        candidates = [
            spelling for word in words for spelling in self._index.get(word, ()) if spelling in text
        ]
        if candidates:
            ranked = sorted(candidates, key=lambda spelling: (-len(spelling), spelling))
            text = re.sub("|".join(map(_bounded, ranked)), lambda found: self._spelt[found[0]], text)
        return _MASKED.sub(self._masked, text)

    def _masked(self, found: re.Match[str]) -> str:
        return (
            pseudonym("hash", found["hash"].removeprefix(_HASH_PREFIX))
            if found["hash"]
            else pseudonym("user", found[0])
        )


def _is_weak(name: str) -> bool:
    """Whether a name would be found all over any text."""
    return len(name) < _SHORT or not any(map(str.isalpha, name))


def _spellings(name: str) -> set[str]:
    """The name as it is, within quotes of Python or JSON, and in either on a command line."""
    plain = {name, repr(name)[1:-1], json.dumps(name)[1:-1], json.dumps(name, ensure_ascii=False)[1:-1]}
    return plain | {text.replace("'", "'\"'\"'") for text in plain}


def _bounded(text: str) -> str:
    """A pattern for the text where it is not a part of a longer word."""
    before = r"(?<![\w-])" if re.match(r"\w", text) else ""
    after = r"(?![\w-])" if re.match(r"\w", text[-1]) else ""
    return before + re.escape(text) + after


@dataclass(frozen=True, slots=True)
class _Redactor:
    """Values in, values of the same types without names out."""

    sentences: _Sentences

    def value(self, value: object) -> object:
        """Any value of a report; what is not text or made of it stays."""
        if isinstance(value, Enum):
            return value
        if isinstance(value, str):
            return self.sentences.clean(value)
        if isinstance(value, tuple | list):
            return type(value)(map(self.value, value))
        if isinstance(value, Mapping):
            return self._mapping(value)
        return self._dataclass(value) if is_dataclass(value) and not isinstance(value, type) else value

    def _dataclass(self, value: Any) -> object:  # noqa: ANN401 - any value of a report
        changed: dict[str, object] = {}
        for field in fields(value):
            if field.name == "subject":
                changed[field.name] = self._subject(getattr(value, field.name))
            elif isinstance(value, OverrideResult) and field.name in {"before", "after"}:
                changed[field.name] = self._said(value.key, getattr(value, field.name))
            elif field.name not in _KEPT.get(type(value), ()):
                changed[field.name] = self.value(getattr(value, field.name))
        return replace(value, **changed)

    def _said(self, key: str, value: object) -> object:
        """What a policy file says of a key: its patterns may name whom no figures name."""
        if key.startswith(_KEY_SETS):
            return _patterns("api_key_id", value)
        if key == "where" and isinstance(value, Mapping):
            return {dimension: _patterns(dimension, said) for dimension, said in value.items()}
        return self.value(value)

    def _subject(self, subject: Mapping[str, object]) -> dict[str, object]:
        return {name: _member(name, member) for name, member in subject.items()}

    def _mapping(self, mapping: Mapping[str, object]) -> dict[str, object]:
        """A query's body, or a part of it; a condition's members are of the dimension that it names."""
        changed = {name: self.value(item) for name, item in mapping.items()}
        if "field" in mapping and "value" in mapping:
            changed |= {"field": mapping["field"], "value": _member(str(mapping["field"]), mapping["value"])}
        return changed


def _patterns(dimension: str, said: object) -> object:
    """Patterns as pseudonyms, since a part of a name may tell it; sets and lone stars stay."""
    if isinstance(said, Mapping):
        return {word: _patterns(dimension, inner) for word, inner in said.items()}
    if isinstance(said, tuple | list):
        return type(said)(_patterns(dimension, each) for each in said)
    is_plain = isinstance(said, str) and (said.startswith("@") or not said.strip("*"))
    return said if is_plain else _member(dimension, said)


def _member(dimension: str, member: object) -> object:
    """A member, or each of several, as a pseudonym where the dimension has names."""
    if isinstance(member, tuple | list):
        return type(member)(_member(dimension, each) for each in member)
    if dimension not in KINDS or not isinstance(member, str):
        return member
    return _pseudonyms(dimension, member).get(member, member)
