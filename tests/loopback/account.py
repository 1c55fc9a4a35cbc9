"""The account behind the loopback server: keys, people, models and what they used."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

MANAGEMENT_KEY = "sk-or-v1-loopback-management-0123456789abcdef"
INFERENCE_KEY = "sk-or-v1-loopback-inference-0123456789abcdef"
NO_KEY = "Chatroom"
"""How the API names traffic without a key."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace; its id is what filters take, its name is what rows show."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Key:
    """An API key; ``number`` and ``key_hash`` are both accepted by filters, rows show the name."""

    key_hash: str
    name: str
    workspace_id: str
    number: int
    disabled: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class User:
    """A member; either of name and e-mail may be missing."""

    id: str
    name: str | None
    email: str | None


@dataclass(frozen=True, slots=True)
class App:
    """An app that sends requests."""

    id: str
    title: str


@dataclass(frozen=True, slots=True)
class Record:
    """Some requests of one moment, added up.

    Attributes:
        members: dimension -> identifier as filters take it; absent is none.
        metrics: additive metric -> value; absent is null.
    """

    at: datetime
    members: dict[str, str]
    metrics: dict[str, int | float]


@dataclass
class LoopbackAccount:
    """Everything the server answers from. Builders return what was built, so that tests can name it.

    Attributes:
        now: the server's clock; it matters only where a query names no time range.
        models: rows of ``GET /models``, as they go over the wire.
        models_per_page: the page size of ``GET /models``, or None for one page without ``links``.
        rows_outside: whether answers by time bucket also hold the day before the window, as seen live.
        numbers_as_strings: whether dollars and rates arrive as strings too, as one project saw.
        cached_at: what answers carry as ``cachedAt``, or None.
        hidden: metrics and dimensions that this account's meta does not list, and refuses.
        guardrails: rows of ``GET /guardrails``, as they go over the wire.
        assignments: ``keys`` and ``members`` -> rows of ``GET /guardrails/assignments/...``.
    """

    now: datetime = datetime(2026, 6, 10, tzinfo=UTC)
    management_key: str = MANAGEMENT_KEY
    inference_key: str = INFERENCE_KEY
    models: list[dict[str, Any]] = field(default_factory=list)
    models_per_page: int | None = None
    rows_outside: bool = True
    numbers_as_strings: bool = False
    cached_at: float | None = None
    hidden: frozenset[str] = frozenset()
    workspaces: list[Workspace] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)
    users: list[User] = field(default_factory=list)
    apps: list[App] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    guardrails: list[dict[str, Any]] = field(default_factory=list)
    assignments: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.workspaces:
            self.add_workspace("Default")

    @property
    def default_workspace(self) -> Workspace:
        """The one whose keys ``GET /keys`` lists when it is told nothing."""
        return self.workspaces[0]

    def add_workspace(self, name: str) -> Workspace:
        """One more workspace; names need not be unique."""
        identity = str(uuid.uuid5(uuid.NAMESPACE_URL, f"workspace-{len(self.workspaces)}"))
        self.workspaces.append(Workspace(identity, name))
        return self.workspaces[-1]

    def add_key(
        self,
        name: str,
        *,
        workspace: Workspace | None = None,
        key_hash: str | None = None,
        disabled: bool = False,
        **settings: Any,
    ) -> Key:
        """One more key, by default in the default workspace; names need not be unique.

        Settings go over the wire as they are.
        """
        number = 1_000 + len(self.keys)
        made = key_hash or hashlib.sha256(f"key-{number}".encode()).hexdigest()
        home = workspace or self.default_workspace
        self.keys.append(Key(made, name, home.id, number, disabled, settings))
        return self.keys[-1]

    def add_user(self, name: str | None = None, email: str | None = None) -> User:
        """One more member."""
        self.users.append(User(f"user_{len(self.users):04d}", name, email))
        return self.users[-1]

    def add_app(self, title: str) -> App:
        """One more app."""
        self.apps.append(App(str(500 + len(self.apps)), title))
        return self.apps[-1]

    def add_model(self, permaslug: str, **fields: Any) -> dict[str, Any]:
        """One more row of the catalogue; ``id`` is the permaslug unless given, like every other field."""
        row: dict[str, Any] = {
            "id": permaslug,
            "canonical_slug": permaslug,
            "name": permaslug,
            "created": 1_760_000_000,
            "description": "",
            "architecture": {
                "input_modalities": ["text"],
                "output_modalities": ["text"],
                "instruct_type": None,
                "modality": "text->text",
                "tokenizer": "Other",
            },
            "context_length": 128_000,
            "default_parameters": None,
            "expiration_date": None,
            "knowledge_cutoff": None,
            "links": {"details": f"/api/v1/models/{permaslug}/endpoints"},
            "per_request_limits": None,
            "pricing": {"prompt": "0.000001", "completion": "0.000004"},
            "supported_parameters": ["temperature", "max_tokens"],
            "supported_voices": None,
            "top_provider": {"context_length": 128_000, "is_moderated": False, "max_completion_tokens": None},
        } | fields
        self.models.append(row)
        return row

    def spend(
        self,
        day: date | datetime,
        *,
        model: str,
        usd: float,
        key: Key | None = None,
        requests: int = 1,
        prompt: int = 0,
        completion: int = 0,
        reasoning: int = 0,
        cached: int = 0,
        user: User | None = None,
        app: App | None = None,
        variant: str = "standard",
        provider: str = "OpenAI",
        generation: str | None = None,
        **metrics: float,
    ) -> Record:
        """Usage of one day, at noon, or of one moment; further metrics by their API names."""
        at = day if isinstance(day, datetime) else datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        members = {"model": model, "variant": variant, "provider": provider, "streamed": "true"}
        members["workspace"] = key.workspace_id if key else self.default_workspace.id
        members |= {"api_key_id": key.key_hash} if key else {}
        members |= {"user": user.id} if user else {}
        members |= {"app": app.id} if app else {}
        members |= {"generation_id": generation} if generation else {}
        counts = {
            "request_count": requests,
            "tokens_total": prompt + completion,
            "tokens_prompt": prompt,
            "tokens_completion": completion,
            "reasoning_tokens": reasoning,
            "cached_tokens": cached,
        }
        self.records.append(Record(at, members, {"total_usage": usd, **counts, **metrics}))
        return self.records[-1]

    def spend_daily(self, first: date, days: int, **usage: Any) -> None:
        """The same usage on each of so many days."""
        for offset in range(days):
            self.spend(first + timedelta(days=offset), **usage)

    def label(self, dimension: str, member: str | None) -> str | None:
        """How rows show a member: names for keys, apps and workspaces, the rest as it is."""
        if dimension == "api_key_id":
            return next((key.name for key in self.keys if key.key_hash == member), NO_KEY)
        if dimension == "workspace":
            return next((item.name for item in self.workspaces if item.id == member), None)
        if dimension == "app":
            return next((item.title for item in self.apps if item.id == member), None)
        return member

    def user(self, member: str | None) -> User:
        """The member behind an id; nameless if there is none."""
        return next((user for user in self.users if user.id == member), User("", None, None))
