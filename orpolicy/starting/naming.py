"""How a policy names one key and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.account import HASH_PREFIX
from orpolicy.binding import KEY
from orpolicy.policy.patterns import SET_PREFIX, Patterns

if TYPE_CHECKING:
    from collections.abc import Collection

    from orpolicy.account import Account
    from orpolicy.table import Member

_ANY = "?"


def exact(member: Member, account: Account, others: Collection[Member]) -> str | None:
    """The pattern that matches one key and none of the others; None where there is none.

    That is its name, as long as it is unique and holds nothing that means more than itself; else its hash;
    else, where keys are known by name only, its name with a ``?`` for each such character.

    Args:
        member: the key as answers name it; None is traffic without a key.
        account: whose keys they are.
        others: every key with usage.
    """
    if not member:
        return None
    if member.startswith(HASH_PREFIX) and member.removeprefix(HASH_PREFIX) in account.directory.by_hash:
        return member
    keys = account.directory.by_name.get(member, ())
    pattern, hashed = literal(member), [HASH_PREFIX + keys[0].key_hash] if len(keys) == 1 else []
    others_names = [
        account.names(KEY, other) | {other}
        for other in {*others, *account.directory.by_name} - {member, None}
        if other
    ]
    for choice in (pattern, *hashed) if pattern == member else (*hashed, pattern):
        test = Patterns(KEY, (choice,))
        if test.match(account.names(KEY, member)) and not any(map(test.match, others_names)):
            return choice
    return None


def literal(name: str) -> str:
    """A name as a pattern: what would mean more than itself, or YAML cannot hold, becomes ``?``."""
    pattern = "".join(char if char.isprintable() and char not in "*?" else _ANY for char in name)
    is_special = pattern.startswith((SET_PREFIX, HASH_PREFIX))
    return _ANY + pattern[1:] if is_special else pattern
