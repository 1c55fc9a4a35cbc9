"""The account behind the answers: who a member of a dimension is, and what it is called."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING

from orpolicy.catalog.model import undated
from orpolicy.catalog.sets import is_preview_name
from orpolicy.nouns import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orpolicy.catalog.model import Catalog
    from orpolicy.pseudonyms import Pseudonyms
    from orpolicy.query.model import Meta
    from orpolicy.table import Member

HASH_PREFIX = "hash:"
PREVIEW_BY_NAME = "(preview by name)"
"""One more name of models that the catalogue does not list and whose own name says preview."""

_USER = re.compile(r"(.*) <([^<>]+)>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """The settings of a key and its own counters, as ``GET /keys`` has them; None where it has null.

    Attributes:
        limit_usd: the most the key may spend in each period.
        limit_reset: after what the limit begins anew, such as ``monthly``.
        usage_usd: what it has spent so far.
        created_at: ISO 8601.
        expires_at: ISO 8601.
        byok_usage_usd: what it has spent so far with provider keys of one's own.
        counts_byok: whether that counts toward the limit.
    """

    limit_usd: float | None = None
    limit_reset: str | None = None
    usage_usd: float | None = None
    created_at: str | None = None
    expires_at: str | None = None
    byok_usage_usd: float | None = None
    counts_byok: bool | None = None


@dataclass(frozen=True, slots=True)
class Guardrail:
    """One guardrail as ``GET /guardrails`` lists it.

    Attributes:
        name: what people see.
        is_assigned: whether it holds for some key or member, or for all of its workspace.
        limit_usd: its budget in each period, or None.
        counts_byok: whether spend with provider keys of one's own counts toward the budget.
    """

    name: str
    is_assigned: bool
    limit_usd: float | None = None
    counts_byok: bool = False


@dataclass(frozen=True, slots=True, order=True)
class ApiKey:
    """One API key as ``GET /keys`` lists it; never the secret itself.

    Attributes:
        name: what people see; neither unique nor stable.
        key_hash: 64 hex digits; the key's identity.
        workspace_id: the workspace's UUID.
        workspace: the workspace's name.
        disabled: whether the key is switched off.
        facts: what else is listed, never the label, which holds a part of the secret; None where the source
            does not say it, or says what makes no sense.
    """

    name: str
    key_hash: str
    workspace_id: str = ""
    workspace: str = ""
    disabled: bool = False
    facts: KeyFacts | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Directory:
    """The keys of all workspaces.

    Attributes:
        keys: sorted; empty where a source knows keys by name only.
        workspaces: workspace name -> its UUIDs, as names are not unique either.
    """

    keys: tuple[ApiKey, ...] = ()
    workspaces: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def by_hash(self) -> dict[str, ApiKey]:
        """Key hash -> key."""
        return {key.key_hash: key for key in self.keys}

    @cached_property
    def by_name(self) -> dict[str, tuple[ApiKey, ...]]:
        """Key name -> every key of that name."""
        names: dict[str, tuple[ApiKey, ...]] = {}
        for key in self.keys:
            names[key.name] = (*names.get(key.name, ()), key)
        return names

    @cached_property
    def shared_names(self) -> frozenset[str]:
        """Names that several keys have."""
        return frozenset(name for name, keys in self.by_name.items() if len(keys) > 1)


@dataclass(frozen=True, slots=True)
class Listing:
    """What of the account itself a policy is about.

    Attributes:
        directory: all keys.
        keys: those that ``where`` selects, used or not.
        guardrails: as ``Account`` has them.
    """

    directory: Directory
    keys: tuple[ApiKey, ...]
    guardrails: tuple[Guardrail, ...] | None = None

    def key(self, member: Member) -> ApiKey | None:
        """The listed key behind a member, if there is but one."""
        if member is None:
            return None
        if member.startswith(HASH_PREFIX):
            return self.directory.by_hash.get(member.removeprefix(HASH_PREFIX))
        keys = self.directory.by_name.get(member, ())
        return keys[0] if len(keys) == 1 else None


@dataclass(frozen=True)
class Account:
    """What is known of the account before the first query.

    Attributes:
        meta: what can be asked.
        directory: the keys and workspaces.
        catalogue: the models and prices, or None where there is no such answer.
        pseudonyms: what stands for the names of its members, or None where they have their own.
        guardrails: sorted by name; None where nobody asked, or the source does not list them.
    """

    meta: Meta
    directory: Directory
    catalogue: Catalog | None = None
    pseudonyms: Pseudonyms | None = None
    guardrails: tuple[Guardrail, ...] | None = None

    def names(self, dimension: str, member: Member) -> frozenset[str]:
        """Every text by which a pattern may match a member; "" stands for a member without a name."""
        if member is None:
            return frozenset({""})
        if dimension == "api_key_id":
            return self._key_names(member)
        if dimension == "model":
            return self._model_names(member)
        if dimension == "user" and (parts := _USER.fullmatch(member)):
            return frozenset({member, parts[1], parts[2]})
        return frozenset({member})

    def _key_names(self, member: str) -> frozenset[str]:
        if member.startswith(HASH_PREFIX):
            key = self.directory.by_hash.get(member.removeprefix(HASH_PREFIX))
            return frozenset({member, key.name}) if key else frozenset({member})
        keys = self.directory.by_name.get(member, ())
        return frozenset({member, HASH_PREFIX + keys[0].key_hash} if len(keys) == 1 else {member})

    def _model_names(self, member: str) -> frozenset[str]:
        if self.catalogue is None:
            return frozenset({member, undated(member)})
        names = self.catalogue.names_of(member) | {member}
        left = self.catalogue.find(member) is None
        return names | {PREVIEW_BY_NAME} if left and is_preview_name(member) else names

    def identity(self, dimension: str, member: Member) -> str:
        """What stays when names change: a key's hash where known, else the member itself."""
        if dimension == "api_key_id" and member is not None:
            keys = self.directory.by_name.get(member, ())
            return HASH_PREFIX + keys[0].key_hash if len(keys) == 1 else member
        return member or ""

    def display(self, subject: Mapping[str, Member]) -> dict[str, str | None]:
        """The subject as a person sees it.

        Models show the id that callers send. A key whose name is not unique also shows its workspace,
        and, where that does not tell it apart either, ``key_hash``.
        """
        shown: dict[str, str | None] = {}
        for dimension, member in subject.items():
            if dimension == "model" and member is not None and self.catalogue is not None:
                shown[dimension] = self.catalogue.display(member)
            elif dimension == "api_key_id" and member is not None and member.startswith(HASH_PREFIX):
                shown |= self._display_key(member.removeprefix(HASH_PREFIX))
            else:
                shown[dimension] = member
        return shown

    def _display_key(self, key_hash: str) -> dict[str, str | None]:
        key = self.directory.by_hash.get(key_hash)
        if key is None:
            return {"api_key_id": HASH_PREFIX + key_hash}
        namesakes = self.directory.by_name[key.name]
        shown: dict[str, str | None] = {"api_key_id": key.name}
        if len(namesakes) > 1:
            shown["workspace"] = key.workspace or key.workspace_id or None
            if Counter(other.workspace for other in namesakes)[key.workspace] > 1:
                shown["key_hash"] = key.key_hash
        return shown
