"""GitHub's REST API: a few requests one after the other, patient with limits, final with refusals."""

from __future__ import annotations

import logging
import ssl
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import httpx

from orpolicy.errors import DeliveryError
from orpolicy.github.refusal import Refusal, no_answer, refusal
from orpolicy.sources._json import BrokenJson, Json, parse_json
from orpolicy.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orpolicy.github.site import Site
    from orpolicy.sources._clock import Clock

API_VERSION = "2022-11-28"
PER_PAGE = 100
MOST_PAGES = 100
MOST_ATTEMPTS = 5
PATIENCE_SECONDS = 300.0
"""For all waits of a run together."""

SECONDS_BETWEEN_WRITES = 1.0
"""What GitHub asks for, lest its secondary limits set in."""

_TIMEOUT_SECONDS = 30.0
_BACKOFF_SECONDS = 1.0

JsonObject = dict[str, Json]


@dataclass(frozen=True, slots=True)
class Write:
    """A request that changes something.

    Attributes:
        method: POST or PATCH.
        path: below the API's address.
        body: its JSON.
    """

    method: str
    path: str
    body: Mapping[str, Json]


class Client:
    """Reads and writes one repository.

    Attributes:
        writes: what was sent so far, or would have been.
    """

    def __init__(self, site: Site, clock: Clock, *, dry_run: bool = False) -> None:
        self._site = site
        self._clock = clock
        self._dry_run = dry_run
        self._patience_seconds = PATIENCE_SECONDS
        self._wrote_at: float | None = None
        self.writes: list[Write] = []
        self._http = _http(site)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    @property
    def repository_path(self) -> str:
        """Where the repository's own resources are."""
        return f"/repos/{self._site.repository}"

    def login(self) -> str | None:
        """The user whose token it is; None for the token of an app, such as that of GitHub Actions.

        Raises:
            DeliveryError: if GitHub cannot be asked.
        """
        found = self.find("/user", none_for=(HTTPStatus.FORBIDDEN,))
        login = found.get("login") if found else None
        return login if isinstance(login, str) else None

    def find(
        self, path: str, none_for: tuple[HTTPStatus, ...] = (HTTPStatus.NOT_FOUND,)
    ) -> JsonObject | None:
        """One object, or None for a refusal with one of some statuses.

        Raises:
            DeliveryError: for any other refusal.
        """
        if not self._site.token:
            return None
        try:
            return _object(self._ask("GET", path)[0], path)
        except RefusedError as error:
            if error.status not in none_for or error.is_limit:
                raise
            return None

    def listed(self, path: str, params: Mapping[str, str] | None = None) -> Iterator[JsonObject]:
        """Every object of a list, page by page; none without a token.

        Raises:
            DeliveryError: if there is no end to it, or a page cannot be had.
        """
        if not self._site.token:
            return
        for page in range(1, MOST_PAGES + 1):
            query = {**(params or {}), "per_page": str(PER_PAGE), "page": str(page)}
            payload, has_next = self._ask("GET", path, params=query)
            if not isinstance(payload, list):
                raise DeliveryError(f"GET {path}: the answer is no list")
            yield from (_object(item, path) for item in payload)
            if not has_next:
                return
        raise DeliveryError(f"GET {path}: more than {MOST_PAGES} pages")

    def write(self, method: str, path: str, body: Mapping[str, Json]) -> JsonObject:
        """Change something; what GitHub answers, nothing where the run only shows what it would do.

        Raises:
            RefusedError: if GitHub will not have it.
            DeliveryError: if it is not known whether it was done.
        """
        if self._dry_run:
            self.writes.append(Write(method, path, body))
            return {}
        if self._wrote_at is not None:
            self._clock.sleep(max(self._wrote_at + SECONDS_BETWEEN_WRITES - self._clock.monotonic(), 0))
        answer = _object(self._ask(method, path, body=body)[0], path)
        self._wrote_at = self._clock.monotonic()
        self.writes.append(Write(method, path, body))
        return answer

    def _ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Json] | None = None,
    ) -> tuple[Json, bool]:
        """The answer's JSON, and whether there is a next page."""
        attempt = 0
        while True:
            attempt += 1
            try:
                response = self._http.request(method, self._site.api_url + path, params=params, json=body)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                failed = no_answer(error)
            else:
                if response.is_success:
                    return self._payload(method, path, response), "next" in response.links
                failed = refusal(response, self._text(response), self._clock.time())
            wait = failed.wait_seconds(_BACKOFF_SECONDS * 2 ** (attempt - 1), is_repeatable=method != "POST")
            if wait is None or attempt == MOST_ATTEMPTS:
                raise RefusedError(f"{method} {path}", failed)
            if wait > self._patience_seconds:
                raise RefusedError(f"{method} {path}", failed, f"; GitHub asks to wait {wait:.0f} s")
            self._patience_seconds -= wait
            self._clock.sleep(wait)

    def _payload(self, method: str, path: str, response: httpx.Response) -> Json:
        try:
            return parse_json(self._text(response))
        except BrokenJson:
            raise DeliveryError(f"{method} {path}: the answer is no JSON") from None

    def _text(self, response: httpx.Response) -> bytes:
        """An answer's bytes, without the token should GitHub repeat it."""
        return self._site.token.scrub(response.content)


class RefusedError(DeliveryError):
    """GitHub's no.

    Attributes:
        status: of HTTP; None where no answer came.
        is_limit: whether it only came too soon.
    """

    def __init__(self, request: str, failed: Refusal, more: str = "") -> None:
        self.status = failed.status
        self.is_limit = failed.limit_seconds is not None
        advice = f". {failed.advice}" if failed.advice else ""
        super().__init__(f"{request}: {failed.detail}{more}{advice}")


def _object(value: Json, path: str) -> JsonObject:
    if not isinstance(value, dict):
        raise DeliveryError(f"{path}: the answer is no object")
    return value


def _http(site: Site) -> httpx.Client:
    for name in ("httpcore", "httpx"):
        # They would log whatever headers a server makes up, the token among them if it pleases.
        logging.getLogger(name).setLevel(logging.WARNING)
    headers = {
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": API_VERSION,
        "User-Agent": f"orpolicy/{__version__}",
    }
    if site.token:
        headers["Authorization"] = site.token.bearer()
    is_plain = site.api_url.startswith("http:")
    return httpx.Client(
        headers=headers,
        timeout=_TIMEOUT_SECONDS,
        verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if is_plain else httpx.create_ssl_context(),
        trust_env=not site.is_loopback,
        follow_redirects=False,
    )
