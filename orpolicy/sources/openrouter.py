"""OpenRouter itself: analytics, keys and catalogue over HTTP."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Generic, Self, TypeVar

from orpolicy.account import Directory
from orpolicy.catalog.load import CatalogError, load_catalog, parse_catalog
from orpolicy.errors import SourceError
from orpolicy.sources._cache import AnswerCache
from orpolicy.sources._client import MAX_IN_FLIGHT, Client, Patience, Question
from orpolicy.sources._clock import SystemClock
from orpolicy.sources._columns import malformed
from orpolicy.sources._decode import decode_answer
from orpolicy.sources._endpoint import read_endpoint
from orpolicy.sources._folder import cache_folder
from orpolicy.sources._json import BrokenJson, parse_json
from orpolicy.sources._listings import PAGE, decode_guardrail, decode_key, decode_meta, walk, walk_links
from orpolicy.sources._pace import Pace
from orpolicy.sources.base import Source, SourceInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from orpolicy.account import Guardrail
    from orpolicy.catalog.model import Catalog
    from orpolicy.query.generation import Generation
    from orpolicy.query.model import Answer, Meta, Query
    from orpolicy.sources._clock import Clock
    from orpolicy.sources._json import Json
    from orpolicy.sources._listings import Item
    from orpolicy.sources.base import Setting

SETTLED_AFTER = timedelta(hours=48)
"""How long after its end a window's figures may still change."""

T = TypeVar("T")
R = TypeVar("R")


class OpenRouter(Source):
    """The account behind a management key. GETs and analytics queries are all that is ever sent."""

    kind: ClassVar[str] = "openrouter"

    def __init__(
        self, setting: Setting, *, patience: Patience | None = None, clock: Clock | None = None
    ) -> None:
        """Read the environment; no request is sent.

        Raises:
            UsageError: if there is no usable key or host, or the catalogue file cannot be read.
        """
        self._clock = clock or SystemClock()
        self._now = setting.now or datetime.fromtimestamp(int(self._clock.time()), UTC)
        self._endpoint = read_endpoint(setting)
        saved = load_catalog(setting.catalogue) if setting.catalogue else None
        folder = cache_folder(setting.environ)
        self._cache = AnswerCache(folder if setting.use_cache else None, self._endpoint)
        pace_file = folder and folder / f"pace-{self._endpoint.key.account()}"
        self._listener = setting.listener
        pace = Pace(pace_file, self._clock, on_wait=self._listener.waiting)
        self._client = Client(self._endpoint, pace, patience or Patience(), self._clock)
        self._done = self._total = 0
        self._cached = 0
        self._lock = threading.Lock()
        self._meta = _Once(self._ask_meta)
        self._workspaces = _Once(self._ask_workspaces)
        self._directory = _Once(self._ask_directory)
        self._guardrails = _Once(self._ask_guardrails)
        self._catalogue = _Once(lambda: saved or self._ask_catalogue())

    @classmethod
    def open(cls, setting: Setting) -> Self:
        """The source that the environment describes.

        Raises:
            UsageError: if there is no usable key or host, or the catalogue file cannot be read.
        """
        return cls(setting)

    @property
    def now(self) -> datetime:
        """The clock of the run, aware, UTC, whole seconds."""
        return self._now

    def info(self) -> SourceInfo:
        """The host, the requests sent (every attempt counted) and the answers taken from the cache."""
        return SourceInfo(self.kind, self._endpoint.host, self._client.sent, self._cached)

    def meta(self) -> Meta:
        """The metrics and dimensions of the account; asked once."""
        return self._meta.get()

    def directory(self) -> Directory:
        """The keys of all workspaces, disabled ones included; asked once."""
        return self._directory.get()

    def guardrails(self) -> tuple[Guardrail, ...]:
        """The guardrails of all workspaces, and whether anybody is bound by them; asked once."""
        return self._guardrails.get()

    def catalogue(self) -> Catalog:
        """The models and their prices, from the setting's file or else from the API; asked once."""
        return self._catalogue.get()

    def answer(self, query: Query) -> Answer:
        """The answer to one query, from the cache where its window closed 48 hours ago."""
        is_settled = query.window.end + SETTLED_AFTER <= min(self._now, self._wall_time())
        kept = self._kept(query) if is_settled else None
        if kept is not None:
            return kept
        began = self._clock.monotonic()
        reply = self._client.ask(Question("/analytics/query", body=query.body(), allow_nan=True))
        elapsed_ms = round((self._clock.monotonic() - began) * 1000)
        answer = decode_answer(query, reply.payload)
        if is_settled and not answer.truncated and not answer.warnings:
            self._cache.put(query.body(), reply.raw, self._clock.time())
        return replace(answer, elapsed_ms=elapsed_ms)

    def answers(self, queries: Sequence[Query]) -> list[Answer | SourceError]:
        """One answer or error a query, in the queries' order, up to four asked at a time."""
        with self._lock:
            self._total += len(queries)
        return self._each(self._answer_or_error, queries)

    def generations(self, ids: Sequence[str]) -> list[Generation | SourceError]:
        """The metadata of each request, asked one by one at the common pace; never their content."""
        return self._each(self._generation_or_error, ids)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _answer_or_error(self, query: Query) -> Answer | SourceError:
        try:
            return self.answer(query)
        except SourceError as error:
            return error
        finally:
            with self._lock:
                self._done += 1
                self._listener.answered(self._done, self._total)

    def _generation_or_error(self, generation_id: str) -> Generation | SourceError:
        from orpolicy.sources._generation import decode_generation  # noqa: PLC0415 - one command asks for it

        try:
            reply = self._client.ask(Question("/generation", {"id": generation_id}))
            return decode_generation(generation_id, reply.payload)
        except SourceError as error:
            return error

    def _wall_time(self) -> datetime:
        return datetime.fromtimestamp(self._clock.time(), UTC)

    def _kept(self, query: Query) -> Answer | None:
        kept = self._cache.get(query.body())
        if kept is None:
            return None
        try:
            answer = decode_answer(query, parse_json(kept.raw, allow_nan=True))
        except (BrokenJson, SourceError):
            return None
        with self._lock:
            self._cached += 1
        return replace(answer, from_cache=True, cached_at=answer.cached_at or kept.stored_at)

    def _each(self, act: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """What comes of every item, in order; the work is shared by a few threads."""
        with ThreadPoolExecutor(MAX_IN_FLIGHT) as pool:
            try:
                return list(pool.map(act, items))
            except KeyboardInterrupt:
                self.close()
                raise

    def _ask_meta(self) -> Meta:
        return decode_meta(self._client.ask(Question("/analytics/meta")).payload)

    def _ask_directory(self) -> Directory:
        """One request for the workspaces, then one for each 100 keys of each workspace."""
        names = {str(item["id"]): str(item.get("name") or "") for item in self._workspaces.get()}
        lists = self._each(self._keys, self._scopes())
        workspaces: dict[str, tuple[str, ...]] = {}
        for identity, name in names.items():
            workspaces[name] = (*workspaces.get(name, ()), identity)
        keys = {key.key_hash: key for items in lists for key in (decode_key(item, names) for item in items)}
        return Directory(tuple(sorted(keys.values())), workspaces)

    def _ask_workspaces(self) -> list[Item]:
        return walk(lambda offset: self._page("/workspaces", {"offset": offset, "limit": PAGE}), "id")

    def _scopes(self) -> list[dict[str, str | int]]:
        """What tells each workspace's list; where there is but one workspace, the plain list is its own."""
        scopes: list[dict[str, str | int]] = [
            {"workspace_id": str(item["id"])} for item in self._workspaces.get()
        ]
        return scopes if len(scopes) > 1 else [{}]

    def _ask_guardrails(self) -> tuple[Guardrail, ...]:
        """The lists of each workspace, and who is assigned to what; a workspace's default needs nobody."""
        lists = self._each(lambda scope: self._listed("/guardrails", scope), self._scopes())
        found = {str(item["id"]): item for items in lists for item in items}
        if not found:
            return ()
        paths = ("/guardrails/assignments/keys", "/guardrails/assignments/members")
        assigned = {str(item.get("guardrail_id")) for path in paths for item in self._listed(path, {})}
        defaults = {str(item.get("default_guardrail_id")) for item in self._workspaces.get()}
        guardrails = [decode_guardrail(item, frozenset(assigned | defaults)) for item in found.values()]
        return tuple(sorted(guardrails, key=lambda item: (item.name, item.is_assigned)))

    def _listed(self, path: str, scope: dict[str, str | int]) -> list[Item]:
        return walk(lambda offset: self._page(path, {**scope, "offset": offset, "limit": PAGE}), "id")

    def _keys(self, scope: dict[str, str | int]) -> list[Item]:
        return walk(
            lambda offset: self._page("/keys", {**scope, "offset": offset, "include_disabled": "true"}),
            "hash",
        )

    def _page(self, path: str, params: dict[str, str | int]) -> Json:
        return self._client.ask(Question(path, params)).payload

    def _ask_catalogue(self) -> Catalog:
        payload = walk_links(
            lambda path: self._client.ask(Question(path)).payload, "/models", self._endpoint.base_url
        )
        try:
            return parse_catalog(payload, self._wall_time().replace(microsecond=0))
        except CatalogError as error:
            raise malformed(f"GET /models: {error}") from None


class _Once(Generic[T]):
    """A question that is asked at most once; an error is an answer too."""

    def __init__(self, ask: Callable[[], T]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._outcome: tuple[T] | SourceError | None = None

    def get(self) -> T:
        """The answer.

        Raises:
            SourceError: the same whenever it is asked.
        """
        with self._lock:
            if self._outcome is None:
                self._outcome = self._settle()
        if isinstance(self._outcome, SourceError):
            raise SourceError(self._outcome.reason, self._outcome.detail)
        return self._outcome[0]

    def _settle(self) -> tuple[T] | SourceError:
        try:
            return (self._ask(),)
        except SourceError as error:
            return error
