"""Patterns of names: globs, sets, key hashes and model variants."""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import cached_property, lru_cache
from itertools import chain
from typing import TYPE_CHECKING

from orpolicy.nouns import dataclass

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence

    from orpolicy.policy.model import Selector

KEY_DIMENSION = "api_key_id"
MODEL_DIMENSION = "model"
SET_PREFIX = "@"
HASH_PREFIX = "hash:"
BUILT_IN_MODEL_SETS = ("preview", "free", "frontier", "expiring")
"""Sets that the catalogue defines; a model set of the same name replaces one."""

_HASH = re.compile(r"hash:[0-9a-fA-F]{64}")
_VARIANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_BEGINNING = re.compile(r"[\x00-)+->@-\x7f]*")
"""What every name that matches a glob begins with, whatever its case: ASCII up to the first wildcard."""

_AFTER_ASCII = "\x80"


def pattern_fault(dimension: str, pattern: str) -> str:
    """Why a pattern can match nothing on a dimension, or ""; sets are not looked up here."""
    if dimension == KEY_DIMENSION and pattern.startswith(HASH_PREFIX) and not _HASH.fullmatch(pattern):
        return f"{pattern!r} is no key hash: hash: is followed by exactly 64 hex digits"
    if dimension == MODEL_DIMENSION and not pattern.startswith(SET_PREFIX):
        base, colon, variant = pattern.partition(":")
        if colon and not (base and _VARIANT.fullmatch(variant)):
            return f"{pattern!r} names no variant: what follows the colon is a plain word such as batch"
    return ""


def expand(
    patterns: Iterable[str], sets: Mapping[str, tuple[str, ...]], keep: Container[str] = ()
) -> tuple[str, ...]:
    """The patterns with every ``@name`` replaced by what that set holds, each once, in order.

    Args:
        patterns: globs, hashes and references.
        sets: what each name stands for; sets may refer to others.
        keep: names whose reference stays as it is where ``sets`` lacks them.

    Raises:
        KeyError: with the name of a set that is in neither.
    """
    found: dict[str, None] = {}
    opened: set[str] = set()
    waiting = list(patterns)[::-1]
    while waiting:
        pattern = waiting.pop()
        name = pattern.removeprefix(SET_PREFIX)
        if name == pattern or (name not in sets and name in keep):
            found[pattern] = None
        elif name not in opened:
            opened.add(name)
            waiting += sets[name][::-1]
    return tuple(found)


class NameIndex:
    """The names of many members, in an order in which those that begin alike lie together."""

    def __init__(self, names: Sequence[frozenset[str]]) -> None:
        """Take the names of each member."""
        self.each = names
        pairs = [(name, number) for number, some in enumerate(names) for name in some]
        self._folded = sorted((name.lower(), number) for name, number in pairs if name.isascii())
        self._odd = [pair for pair in pairs if not pair[0].isascii()]

    def like(self, glob: str) -> Iterable[int]:
        """The number of every member of which some name matches; in no order, and some perhaps twice."""
        matches = _compiled((glob,)).fullmatch
        beginning = _BEGINNING.match(glob)[0].lower()  # type: ignore[index] # an empty text matches as well
        first = bisect_left(self._folded, (beginning,))
        last = bisect_left(self._folded, (beginning + _AFTER_ASCII,))
        near = self._folded[first:last] + self._odd
        return [number for name, number in near if matches(name)]


class _Remembering:
    """The base of a noun with cached properties: it has a ``__dict__`` beside its slots."""


@dataclass(frozen=True, slots=True)
class Patterns(_Remembering):
    """Patterns of one dimension of which one must match; sets are already expanded.

    Attributes:
        dimension: the API's name.
        texts: the patterns as written.
    """

    dimension: str
    texts: tuple[str, ...]

    @cached_property
    def variants(self) -> Mapping[str, tuple[str, ...]]:
        """Variant -> the model patterns, without their suffix, that match this variant alone."""
        found: dict[str, tuple[str, ...]] = {}
        if self.dimension == MODEL_DIMENSION:
            for text in self.texts:
                base, colon, variant = text.partition(":")
                if colon:
                    found[variant.lower()] = (*found.get(variant.lower(), ()), base)
        return found

    @cached_property
    def bare(self) -> tuple[str, ...]:
        """The patterns that hold for every variant; all of them where the dimension is not the model."""
        if self.dimension != MODEL_DIMENSION:
            return self.texts
        return tuple(text for text in self.texts if ":" not in text)

    @cached_property
    def hashes(self) -> frozenset[str]:
        """The key hashes, 64 lower-case hex digits each, that are named exactly."""
        if self.dimension != KEY_DIMENSION:
            return frozenset()
        return frozenset(text[len(HASH_PREFIX) :].lower() for text in self.texts if _HASH.fullmatch(text))

    def match(self, names: frozenset[str], variant: str | None = None) -> bool:
        """Whether any pattern matches any name, or, with its variant, the variant as well."""
        if self.dimension != MODEL_DIMENSION:
            return _any_match(self.bare, names)
        bases = frozenset(name.partition(":")[0] for name in names)
        if _any_match(self.bare, bases):
            return True
        if not self.variants:
            return False
        suffixes = {name.partition(":")[2] for name in names} - {""}
        wanted = suffixes if variant is None else {variant}
        return any(_any_match(self.variants.get(word.lower(), ()), bases) for word in wanted)

    def match_each(self, names: NameIndex) -> list[bool]:
        """``match`` of each of many members, each by all of its names, without a call for each."""
        if self.dimension == MODEL_DIMENSION:
            return [self.match(some) for some in names.each]
        matched = set(chain.from_iterable(map(names.like, self.bare)))
        return [number in matched for number in range(len(names.each))]


@dataclass(frozen=True, slots=True)
class Matcher:
    """A selector made ready: a member passes if it is included and not excluded.

    Attributes:
        include: what is meant, unless ``everything`` is.
        exclude: what is left out of that.
        everything: whether the selector includes all members; an empty set includes none.
    """

    include: Patterns
    exclude: Patterns
    everything: bool = False

    @classmethod
    def of(cls, selector: Selector, sets: Mapping[str, tuple[str, ...]]) -> Matcher:
        """The matcher of a policy's selector.

        Args:
            selector: what the policy says.
            sets: every set of the selector's dimension, built-in ones included.

        Raises:
            KeyError: with the name of a set that is not among ``sets``.
        """
        return cls(
            Patterns(selector.dimension, expand(selector.include, sets)),
            Patterns(selector.dimension, expand(selector.exclude, sets)),
            everything=not selector.include,
        )

    def matches(self, names: frozenset[str], variant: str | None = None) -> bool:
        """Whether a member is meant.

        Args:
            names: every name of the member; ``""`` stands for a member without one.
            variant: the model's variant where it is known; without it a suffix of the name counts,
                and a pattern with a variant matches nothing else.
        """
        included = self.everything or self.include.match(names, variant)
        return included and not self.exclude.match(names, variant)

    def matches_each(self, names: NameIndex) -> list[bool]:
        """``matches`` of each of many members whose variant is not known."""
        included = [True] * len(names.each) if self.everything else self.include.match_each(names)
        if not self.exclude.texts:
            return included
        return [
            one and not other for one, other in zip(included, self.exclude.match_each(names), strict=True)
        ]


def _any_match(patterns: tuple[str, ...], names: frozenset[str]) -> bool:
    if not patterns:
        return False
    return any(map(_compiled(patterns).fullmatch, names))


@lru_cache(maxsize=1024)
def _compiled(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(_expression(pattern) for pattern in patterns), re.IGNORECASE | re.DOTALL)


def _expression(glob: str) -> str:
    """A glob as a regular expression that takes linear time: a star never gives back what it took."""
    first, *rest = (_literal(part) for part in re.split(r"\*+", glob))
    if not rest:
        return first
    *middle, last = rest
    return first + "".join(f"(?>.*?{part})" for part in middle) + f".*{last}"


def _literal(text: str) -> str:
    return "".join("." if character == "?" else re.escape(character) for character in text)
