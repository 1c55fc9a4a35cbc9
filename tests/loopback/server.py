"""The loopback server: an account, over HTTP, with a log and a script of faults."""

from __future__ import annotations

import functools
import threading
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from loopback import analytics, listings
from loopback.faults import Fault
from loopback.handler import Handler
from loopback.wire import Json, Refusal

if TYPE_CHECKING:
    from loopback.account import LoopbackAccount
    from loopback.handler import LoggedRequest


class LoopbackServer:
    """Serves an account on a free port of the loopback interface, as a context manager.

    Attributes:
        account: may be changed while the server runs.
        requests: every request so far, in the order of arrival.
        most_in_flight: the most requests that were under way at one moment.
    """

    def __init__(self, account: LoopbackAccount) -> None:
        self.account = account
        self.requests: list[LoggedRequest] = []
        self.most_in_flight = 0
        self._in_flight = 0
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        """Scheme, host and port, without a path."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def environ(self) -> dict[str, str]:
        """The environment variables that lead a client here, with the management key."""
        return {"OPENROUTER_BASE_URL": self.url, "OPENROUTER_MANAGEMENT_KEY": self.account.management_key}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def fail_next(self, count: int = 1, **fault: Any) -> None:
        """Let the next ``count`` requests go wrong; see ``Fault`` for the ways. Scripts queue up."""
        with self._lock:
            self._faults += [Fault(**fault)] * count

    def paths(self) -> list[str]:
        """The paths asked so far, in order."""
        return [request.path for request in self.requests]

    def arrive(self, request: LoggedRequest) -> Fault | None:
        """Log a request; the fault that is in store for it."""
        with self._lock:
            self.requests.append(request)
            self._in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self._in_flight)
            for fault in self._faults:
                if fault.path in (None, request.path):
                    self._faults.remove(fault)
                    return fault
        return None

    def leave(self) -> None:
        """Note that a request was answered, one way or another."""
        with self._lock:
            self._in_flight -= 1

    def answer(self, request: LoggedRequest) -> tuple[int, Json]:
        """Status and body of an undisturbed answer."""
        try:
            return 200, self._route(request)
        except Refusal as refusal:
            return refusal.status, refusal.body()

    def _route(self, request: LoggedRequest) -> Json:
        if (request.method, request.path) == ("GET", "/models"):
            return listings.models(self.account, request.query)
        self._authorise(request.headers.get("authorization", ""))
        if (request.method, request.path) == ("POST", "/analytics/query"):
            return analytics.query(self.account, request.body or {})
        listed = listings.LISTS.get(request.path) if request.method == "GET" else None
        if listed is None:
            raise Refusal(404, "Not Found")
        return listed(self.account, request.query)

    def _authorise(self, header: str) -> None:
        key = header.removeprefix("Bearer ")
        if not header:
            raise Refusal(401, "Missing Authentication header")
        if key == self.account.inference_key:
            raise Refusal(403, "Only management keys can perform this operation")
        if key != self.account.management_key:
            raise Refusal(401, "User not found.")
