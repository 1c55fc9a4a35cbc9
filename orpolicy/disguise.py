"""A recording without names: pseudonyms stand for keys, users, apps and workspaces in every part of it.

A name's pseudonym is the one that ``--redact`` gives it in reports; a key's hash becomes another hash.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from orpolicy.account import Account, ApiKey, Directory, Guardrail
from orpolicy.binding import KEY, WORKSPACE, Sets
from orpolicy.errors import Reason, SourceError
from orpolicy.policy.patterns import HASH_PREFIX, Patterns, expand
from orpolicy.pseudonyms import NAMED_DIMENSIONS, Pseudonyms, hash_pseudonym, member_hash, pattern_digest
from orpolicy.query.model import Answer
from orpolicy.redaction import KINDS, cleaned, names_of, pseudonym
from orpolicy.sources._snapshot_model import Asked
from orpolicy.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orpolicy.policy.model import PolicySet
    from orpolicy.query.model import Filter, Query
    from orpolicy.sources._snapshot_model import Outcome, Recording
    from orpolicy.table import Member

WORDS_LEFT_OUT = "what the source said is left out with --redact, as it may hold names"


def disguised(recording: Recording, policies: PolicySet) -> Recording:
    """The recording with pseudonyms, and with whom the policies' selectors matched before.

    One that has pseudonyms already stays as it is.

    Raises:
        SourceError: if two names have one pseudonym, so that they could not be told apart.
    """
    if recording.pseudonyms is not None:
        return recording
    members = _members(recording)
    directory = recording.directory if isinstance(recording.directory, Directory) else Directory()
    _check_distinct(members)
    models = frozenset(recording.meta.dimensions) | _models(recording)
    mask = _Mask(directory, names_of(directory, members), models)
    return replace(
        recording,
        info=replace(recording.info, notes=mask.texts(recording.info.notes)),
        directory=mask.error(recording.directory)
        if isinstance(recording.directory, SourceError)
        else recording.directory and mask.accounts(recording.directory),
        catalogue=mask.error(recording.catalogue)
        if isinstance(recording.catalogue, SourceError)
        else recording.catalogue,
        answers=tuple(mask.asked(asked) for asked in recording.answers),
        pseudonyms=_matched(policies, members, Account(recording.meta, directory)),
        guardrails=mask.error(recording.guardrails)
        if isinstance(recording.guardrails, SourceError)
        else recording.guardrails and mask.guardrails(recording.guardrails),
    )


def _members(recording: Recording) -> dict[str, frozenset[str]]:
    """Dimension -> every name that the account or an answer holds, of dimensions that have names."""
    found: dict[str, set[str]] = {name: set() for name in NAMED_DIMENSIONS}
    for asked in recording.answers:
        if isinstance(asked.outcome, Answer):
            for name, column in asked.outcome.table.dimensions.items():
                if name in found:
                    found[name].update(member for member in set(column) if member)
    if isinstance(recording.directory, Directory):
        found[KEY].update(recording.directory.by_name)
        found[WORKSPACE].update(recording.directory.workspaces)
    return {name: frozenset(members - {""}) for name, members in found.items()}


def _models(recording: Recording) -> frozenset[str]:
    tables = [asked.outcome.table for asked in recording.answers if isinstance(asked.outcome, Answer)]
    return frozenset(member for table in tables for member in table.dimensions.get("model", ()) if member)


def _check_distinct(members: Mapping[str, frozenset[str]]) -> None:
    for dimension, names in members.items():
        uses = Counter(_masked(dimension, name) for name in names)
        if len(uses) < len(names):
            raise SourceError(
                Reason.AMBIGUOUS_KEY, f"two names of {dimension} have one pseudonym: record without --redact"
            )


def _masked(dimension: str, member: Member) -> Member:
    """A member's pseudonym, where its dimension has names."""
    if not member or dimension not in NAMED_DIMENSIONS:
        return member
    key_hash = member_hash(member)
    return HASH_PREFIX + hash_pseudonym(key_hash) if key_hash else pseudonym(KINDS[dimension], member)


@dataclass(frozen=True, slots=True)
class _Mask:
    """Values in, values without names out.

    Attributes:
        directory: with the names.
        names: name -> pseudonym, for sentences.
        models: words that stay in sentences.
    """

    directory: Directory
    names: Mapping[str, str]
    models: frozenset[str]

    def texts(self, texts: Iterable[str]) -> tuple[str, ...]:
        """Sentences."""
        return cleaned(texts, self.names, self.models)

    def error(self, error: SourceError) -> SourceError:
        """An error; of what the other side said, no words are kept, as it may name whom nobody here knows."""
        detail = WORDS_LEFT_OUT
        if error.reason is Reason.NOT_ANSWERABLE:
            (detail,) = self.texts([error.detail])
        return SourceError(error.reason, detail, is_too_heavy=error.is_too_heavy)

    def accounts(self, directory: Directory) -> Directory:
        """The keys and workspaces."""
        workspaces = {
            str(_masked(WORKSPACE, name)): tuple(str(_masked(WORKSPACE, uuid)) for uuid in uuids)
            for name, uuids in directory.workspaces.items()
        }
        return Directory(tuple(sorted(map(self.key, directory.keys))), dict(sorted(workspaces.items())))

    def guardrails(self, guardrails: tuple[Guardrail, ...]) -> tuple[Guardrail, ...]:
        """The guardrails, whose names may hold those of keys, people and workspaces."""
        names = self.texts(item.name for item in guardrails)
        return tuple(replace(item, name=name) for item, name in zip(guardrails, names, strict=True))

    def key(self, key: ApiKey) -> ApiKey:
        """One key."""
        return replace(
            key,
            name=str(_masked(KEY, key.name)),
            key_hash=hash_pseudonym(key.key_hash),
            workspace_id=str(_masked(WORKSPACE, key.workspace_id)),
            workspace=str(_masked(WORKSPACE, key.workspace)),
        )

    def asked(self, asked: Asked) -> Asked:
        """A question with what came of it."""
        query = self.query(asked.query)
        return Asked.of(query, self.outcome(query, asked.outcome))

    def outcome(self, query: Query, outcome: Outcome) -> Outcome:
        """What came of a question that is masked already."""
        if isinstance(outcome, SourceError):
            return self.error(outcome)
        dimensions = {
            name: [_masked(name, member) for member in column]
            for name, column in outcome.table.dimensions.items()
        }
        table = Table(dimensions, outcome.table.metrics)
        return replace(outcome, query=query, table=table, warnings=(WORDS_LEFT_OUT,) * len(outcome.warnings))

    def query(self, query: Query) -> Query:
        """A question, for its filters."""
        return replace(query, filters=tuple(sorted(self.filter(item) for item in query.filters)))

    def filter(self, item: Filter) -> Filter:
        """A condition."""
        return replace(item, values=tuple(sorted(self.value(item.field, value) for value in item.values)))

    def value(self, dimension: str, value: str) -> str:
        """What a dimension is filtered by: keys by their hash where the account lists it."""
        if dimension == KEY and value in self.directory.by_hash:
            return hash_pseudonym(value)
        return str(_masked(dimension, value))


def _matched(policies: PolicySet, members: Mapping[str, frozenset[str]], account: Account) -> Pseudonyms:
    """Whom every pattern of the policies and waivers matches."""
    sets = Sets(policies.key_sets, {})
    wheres = [item.where for item in policies.policies] + [item.where for item in policies.waivers]
    named = [one for where in wheres for one in where if one.dimension in NAMED_DIMENSIONS]
    patterns = {
        (selector.dimension, text)
        for selector in named
        for text in expand((*selector.include, *selector.exclude), sets.of(selector.dimension))
    }
    return Pseudonyms(
        {
            pattern_digest(dimension, text): _whom(dimension, text, members[dimension], account)
            for dimension, text in sorted(patterns)
        }
    )


def _whom(dimension: str, text: str, names: Iterable[str], account: Account) -> tuple[str, ...]:
    pattern = Patterns(dimension, (text,))
    matched = [name for name in ("", *names) if pattern.match(account.names(dimension, name or None))]
    return tuple(sorted(str(_masked(dimension, name)) for name in matched))
