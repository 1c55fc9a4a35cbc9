"""Who a report's subject is today: keys by their hash where known, also where they were renamed.

A redacted report has pseudonyms, of names and of hashes. They are made from the names alone, so that those
of the account as it is today can be held against them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from orpolicy.account import HASH_PREFIX
from orpolicy.binding import KEY, MODEL, WORKSPACE
from orpolicy.nouns import dataclass
from orpolicy.redaction import KINDS, pseudonym

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orpolicy.account import Account, ApiKey
    from orpolicy.table import Member, Table
    from orpolicy.verifying.question import Question

_PSEUDONYM = re.compile(r"(?:key|hash|user|app|workspace)-[0-9a-f]{10}")
_HASH = re.compile(r"[0-9a-f]{64}|hash-[0-9a-f]{10}")


@dataclass(frozen=True, slots=True)
class Identity:
    """One member of a subject.

    Attributes:
        dimension: what it is a member of.
        shown: as the report has it.
        identifier: what the report filters it by, or "".
    """

    dimension: str
    shown: str | None
    identifier: str = ""

    def members(self, table: Table, account: Account) -> frozenset[Member]:
        """Those of a table's members that it is; a key that was deleted goes by its name."""
        present = table.rows_by(self.dimension)
        if self.shown is None:
            return frozenset({None}) & frozenset(present)
        if self.dimension == KEY:
            return frozenset(self._keys(present, account))
        if self.dimension == MODEL:
            return frozenset(member for member in present if self._is_model(member, account))
        wanted = {self.shown, *self._workspaces(account)}
        kind = KINDS.get(self.dimension, "")
        return frozenset(
            member
            for member in present
            if member is not None and (member in wanted or (kind and pseudonym(kind, member) == self.shown))
        )

    def is_deleted(self, account: Account) -> bool:
        """Whether it is a key that had a hash, and is not listed any more."""
        had_hash = self.dimension == KEY and bool(_HASH.fullmatch(self.identifier))
        return had_hash and bool(account.directory.keys) and self._listed(account) is None

    def filter_value(self, account: Account) -> str:
        """What the source filters it by today; "" where that is not known."""
        if self.dimension == KEY and account.directory.keys:
            key = self._listed(account)
            return key.key_hash if key else ""
        if self.dimension == WORKSPACE and account.directory.workspaces:
            return self.identifier if self._workspaces(account) else ""
        return self.identifier

    def _is_model(self, member: Member, account: Account) -> bool:
        if member is None:
            return False
        return member == self.identifier or (
            not self.identifier and self.shown in account.names(MODEL, member)
        )

    def _workspaces(self, account: Account) -> set[str]:
        return {name for name, uuids in account.directory.workspaces.items() if self.identifier in uuids}

    def _keys(self, present: Iterable[Member], account: Account) -> set[Member]:
        names = {member for member in present if member is not None}
        directory = account.directory
        key = self._listed(account)
        if key is None:
            return {name for name in names if self.shown in {name, pseudonym(KINDS[KEY], name)}}
        own: set[Member] = {HASH_PREFIX + key.key_hash}
        if key.name not in directory.shared_names:
            own.add(key.name)
        if self.shown not in directory.by_name:
            own.add(self.shown)
        return own & names

    def _listed(self, account: Account) -> ApiKey | None:
        """The key by its hash, or by the pseudonym of it."""
        known = account.directory.by_hash.get(self.identifier)
        if known is not None or not _PSEUDONYM.fullmatch(self.identifier):
            return known
        return next(
            (
                key
                for key in account.directory.keys
                if pseudonym(KINDS["key_hash"], key.key_hash) == self.identifier
            ),
            None,
        )


def identities(question: Question) -> tuple[Identity, ...]:
    """The members of a question's subject."""
    return tuple(
        Identity(name, question.subject[name], question.identifiers.get(name, ""))
        for name in question.dimensions
    )


def is_redacted(question: Question) -> bool:
    """Whether the subject, or what narrows it, are pseudonyms."""
    names = [name for name in question.subject.values() if name is not None]
    values = [value for item in question.filters for value in item.values]
    return any(_PSEUDONYM.fullmatch(text) for text in (*names, *values, *question.identifiers.values()))


def rows_of(table: Table, members: tuple[Identity, ...], account: Account) -> Table:
    """The rows of a subject."""
    wanted = {item.dimension: item.members(table, account) for item in members}
    return table.matching({name: chosen.__contains__ for name, chosen in wanted.items()})
