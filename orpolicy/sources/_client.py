"""Asking the API: bounded in time and size, patient with what passes, final with what does not."""

from __future__ import annotations

import json
import logging
import random
import ssl
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

from orpolicy.errors import Reason, SourceError
from orpolicy.sources._json import BrokenJson, Json, parse_json
from orpolicy.sources._replies import Failure, error_status, one_line, refusal, retry_after_seconds
from orpolicy.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orpolicy.sources._clock import Clock
    from orpolicy.sources._endpoint import Endpoint
    from orpolicy.sources._pace import Pace

MAX_IN_FLIGHT = 4
_SHORTEST_SECONDS = 0.001
_READABLE_ENCODINGS = ("", "identity", "gzip", "deflate")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to try, and how much to read.

    Attributes:
        attempts: requests for one question, the first one included.
        heavy_attempts: the same for a query that is too heavy for the server, and may be asked in parts.
        connect_seconds: to open a connection.
        silence_seconds: without a byte from the server.
        question_seconds: for one question with all its attempts; waiting for the pace is not counted.
        run_seconds: for all questions from the first one on, every wait included.
        backoff_seconds: the upper bound of the first random wait; it doubles with every attempt.
        max_backoff_seconds: where the doubling ends.
        max_body_bytes: of one answer, decompressed.
    """

    attempts: int = 6
    heavy_attempts: int = 2
    connect_seconds: float = 10.0
    silence_seconds: float = 60.0
    question_seconds: float = 120.0
    run_seconds: float = 900.0
    backoff_seconds: float = 1.0
    max_backoff_seconds: float = 30.0
    max_body_bytes: int = 64 * 1024 * 1024

    def backoff(self, attempt: int) -> float:
        """A random wait after the attempt of that number, counted from 1: full jitter."""
        bound = min(self.backoff_seconds * 2 ** (attempt - 1), self.max_backoff_seconds)
        return random.uniform(0, bound)  # noqa: S311 - spreads load, protects nothing


@dataclass(frozen=True, slots=True)
class Question:
    """One request, however often it is sent.

    Attributes:
        path: below the API's base, with a query string where the server gave one.
        params: of the query string.
        body: JSON for a POST; None makes it a GET.
        allow_nan: whether NaN and Infinity in the answer become floats, for a decoder that names them.
    """

    path: str
    params: Mapping[str, str | int] | None = None
    body: Mapping[str, object] | None = None
    allow_nan: bool = False

    @property
    def method(self) -> str:
        """GET, or POST where there is a body."""
        return "GET" if self.body is None else "POST"

    @property
    def name(self) -> str:
        """What error messages call it."""
        return f"{self.method} {self.path.partition('?')[0]}"

    @property
    def content(self) -> bytes | None:
        """The body's bytes, pure ASCII, so that any name can be sent."""
        return None if self.body is None else json.dumps(self.body).encode()


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a question.

    Attributes:
        raw: its bytes, decompressed.
        payload: its JSON.
    """

    raw: bytes = field(repr=False)
    payload: Json = field(repr=False)


class Client:
    """Sends the questions of one run; safe to use from several threads."""

    def __init__(self, endpoint: Endpoint, pace: Pace, patience: Patience, clock: Clock) -> None:
        self._endpoint = endpoint
        self._pace = pace
        self._patience = patience
        self._clock = clock
        self._slots = threading.BoundedSemaphore(MAX_IN_FLIGHT)
        self._lock = threading.Lock()
        self._run_ends: float | None = None
        self._sent = 0
        self._http = _http(endpoint)

    @property
    def sent(self) -> int:
        """Requests sent so far, every attempt counted."""
        return self._sent

    def close(self) -> None:
        """Close the connections and end every wait."""
        self._clock.wake()
        self._http.close()

    def ask(self, question: Question) -> Reply:
        """The answer to a question.

        Raises:
            SourceError: if there is none; its text never holds the key.
        """
        outcome = self._try(question)
        if isinstance(outcome, Reply):
            return outcome
        detail = one_line(outcome.detail)
        advice = f". {outcome.advice}" if outcome.advice else ""
        text = f"{question.name}: {detail}{advice}"
        raise SourceError(outcome.reason, text, is_too_heavy=outcome.is_too_heavy)

    def _try(self, question: Question) -> Reply | Failure:
        seconds_left = self._patience.question_seconds
        attempt = 0
        while (left := self._run_seconds_left()) > 0 and self._pace.take(left):
            attempt += 1
            began = self._clock.monotonic()
            outcome = self._send(question, min(seconds_left, self._run_seconds_left()))
            if isinstance(outcome, Reply) or outcome.is_final or attempt == self._most(question, outcome):
                return outcome
            wait = outcome.retry_after_seconds
            wait = self._patience.backoff(attempt) if wait is None else wait
            seconds_left -= self._clock.monotonic() - began + wait
            if seconds_left <= 0 or wait >= self._run_seconds_left():
                return _out_of_time(outcome, wait)
            self._clock.sleep(wait)
        return Failure(Reason.DEADLINE, f"{self._patience.run_seconds:g} s for the whole run are over")

    def _most(self, question: Question, failure: Failure) -> int:
        """Attempts at a question that failed so: few at one that can be asked in parts instead."""
        is_divisible = failure.is_too_heavy and question.body is not None
        return self._patience.heavy_attempts if is_divisible else self._patience.attempts

    def _run_seconds_left(self) -> float:
        now = self._clock.monotonic()
        with self._lock:
            if self._run_ends is None:
                self._run_ends = now + self._patience.run_seconds
            return self._run_ends - now

    def _send(self, question: Question, seconds: float) -> Reply | Failure:
        with self._lock:
            self._sent += 1
        ends = self._clock.monotonic() + seconds
        try:
            with (
                self._slots,
                self._http.stream(
                    question.method,
                    self._endpoint.base_url + question.path,
                    params=question.params,
                    content=question.content,
                    timeout=self._timeout(seconds),
                ) as response,
            ):
                return self._read(question, response, ends)
        except httpx.TimeoutException as error:
            return Failure(Reason.DEADLINE, f"no answer in time ({type(error).__name__})")
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            return Failure(Reason.API_ERROR, f"the connection failed ({type(error).__name__}: {error})")

    def _timeout(self, seconds: float) -> httpx.Timeout:
        silence, connect = (
            max(min(most, seconds), _SHORTEST_SECONDS)
            for most in (self._patience.silence_seconds, self._patience.connect_seconds)
        )
        return httpx.Timeout(silence, connect=connect, pool=None)

    def _read(self, question: Question, response: httpx.Response, ends: float) -> Reply | Failure:
        raw = self._body(response, ends)
        if isinstance(raw, Failure):
            return raw
        retry_after = retry_after_seconds(response.headers.get("retry-after"), self._clock.time())
        try:
            payload = parse_json(raw, allow_nan=question.allow_nan)
        except BrokenJson as error:
            if response.status_code != httpx.codes.OK:
                return refusal(response.status_code, None, retry_after)
            return Failure(
                Reason.API_ERROR, f"the answer is no JSON ({error})", retry_after_seconds=retry_after
            )
        status = error_status(payload) if response.status_code == httpx.codes.OK else response.status_code
        return Reply(raw, payload) if status is None else refusal(status, payload, retry_after)

    def _body(self, response: httpx.Response, ends: float) -> bytes | Failure:
        """The bytes of a reply, without the key should the server repeat it."""
        encoding = response.headers.get("content-encoding", "").strip().lower()
        if encoding not in _READABLE_ENCODINGS:
            return Failure(Reason.API_ERROR, "the answer is in an encoding that was not asked for")
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > self._patience.max_body_bytes:
                limit = self._patience.max_body_bytes
                return Failure(
                    Reason.MALFORMED_ANSWER, f"the answer is larger than {limit} bytes", is_final=True
                )
            if self._clock.monotonic() > ends:
                return Failure(Reason.DEADLINE, "the answer came too slowly")
        return self._endpoint.key.scrub(bytes(body))


def _out_of_time(failure: Failure, wait: float) -> Failure:
    asked = failure.retry_after_seconds is not None
    why = f"the server asks to wait {wait:.0f} s" if asked else "no time is left to ask again"
    return Failure(Reason.DEADLINE, f"{failure.detail}; {why}", failure.advice)


def _http(endpoint: Endpoint) -> httpx.Client:
    """One connection pool with one TLS context.

    Plain http is for this machine alone: it gets no proxy, which would see the key, and a context that
    trusts nobody, as loading the trusted authorities takes longer than a request.
    """
    for name in ("httpcore", "httpx"):
        # They would log whatever headers a server makes up, the key among them if it pleases.
        logging.getLogger(name).setLevel(logging.WARNING)
    is_plain = endpoint.base_url.startswith("http:")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if is_plain else httpx.create_ssl_context()
    headers = {
        "Authorization": endpoint.key.bearer(),
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
        "Content-Type": "application/json",
        "User-Agent": f"orpolicy/{__version__}",
    }
    return httpx.Client(
        headers=headers,
        verify=context,
        trust_env=not endpoint.is_loopback,
        follow_redirects=False,
        limits=httpx.Limits(max_connections=MAX_IN_FLIGHT, max_keepalive_connections=MAX_IN_FLIGHT),
    )
