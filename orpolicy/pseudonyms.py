"""What stands for names in an account whose names were taken away, and how policies still find them.

A pattern such as ``batch-*`` matches no pseudonym. So whoever takes the names away writes down, for each
pattern in use, whom it matched; of the pattern itself only a digest is kept, as it may be a name.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING

from orpolicy.nouns import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orpolicy.table import Member

NAMED_DIMENSIONS = frozenset({"api_key_id", "workspace", "app", "user", "user_email", "external_user"})
"""The dimensions whose members are names."""

_HASH_PREFIX = "hash:"
_HASH = re.compile(r"hash:([0-9a-fA-F]{64})")


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Whom patterns matched before the names were taken away.

    Attributes:
        matched: digest of a pattern -> the pseudonyms of those it matched, sorted; "" is who has no name.
    """

    matched: Mapping[str, tuple[str, ...]]

    def patterns(self, dimension: str, pattern: str) -> tuple[str, ...]:
        """What a pattern is among pseudonyms.

        Raises:
            KeyError: if nobody wrote down whom it matched.
        """
        by_hash = _HASH.fullmatch(pattern) if dimension == "api_key_id" else None
        if by_hash:
            return (_HASH_PREFIX + hash_pseudonym(by_hash[1]),)
        return self.matched[pattern_digest(dimension, pattern)]


def pattern_digest(dimension: str, pattern: str) -> str:
    """What is kept of a pattern: 32 hex digits."""
    return _digest("pattern", dimension, pattern)[:32]


def hash_pseudonym(key_hash: str) -> str:
    """The 64 hex digits that stand for a key's hash."""
    return _digest("hash", key_hash.lower())


def member_hash(member: Member) -> str | None:
    """The hash of a key that is known by it, else None."""
    found = _HASH.fullmatch(member or "")
    return found[1] if found else None


def _digest(*parts: str) -> str:
    return hashlib.sha256(json.dumps(["orpolicy snapshot", *parts]).encode()).hexdigest()
