"""One connection to the loopback server: reading requests, and answering as well as the script allows."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from loopback.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from loopback.wire import Json

_PREFIX = "/api/v1"


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One request as it came in.

    Attributes:
        path: without the API's prefix and the query string.
        headers: by lower-case name.
        body: parsed, or None where there was none.
        at: ``time.monotonic()`` of its arrival, seconds.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Json | None
    at: float


class Owner(Protocol):
    """What a connection asks of its server."""

    def arrive(self, request: LoggedRequest) -> Fault | None:
        """Log a request; the fault that is in store for it."""

    def leave(self) -> None:
        """Note that a request was answered, one way or another."""

    def answer(self, request: LoggedRequest) -> tuple[int, Json]:
        """Status and body of an undisturbed answer."""


class Handler(BaseHTTPRequestHandler):
    """Serves one connection on behalf of its owner."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(self, owner: Owner, *connection: Any) -> None:
        self._owner = owner
        super().__init__(*connection)

    def log_message(self, *_: object) -> None:
        """Say nothing: the log is a list."""

    def handle(self) -> None:
        """Serve until the client has had enough, however rudely it leaves."""
        with suppress(ConnectionError):
            super().handle()

    def _serve(self) -> None:
        request = self._logged()
        fault = self._owner.arrive(request)
        try:
            self._reply(request, fault or Fault())
        finally:
            self._owner.leave()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - http.server's names

    def _logged(self) -> LoggedRequest:
        at = time.monotonic()
        parts = urlsplit(self.path)
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        return LoggedRequest(
            self.command,
            parts.path.removeprefix(_PREFIX) if parts.path.startswith(_PREFIX) else f"outside:{parts.path}",
            dict(parse_qsl(parts.query)),
            {name.lower(): value for name, value in self.headers.items()},
            json.loads(raw) if raw else None,
            at,
        )

    def _reply(self, request: LoggedRequest, fault: Fault) -> None:
        time.sleep(fault.delay_seconds)
        if fault.drop:
            self.close_connection = True
            return
        status, answer = (fault.status, {}) if fault.status else self._owner.answer(request)
        raw = json.dumps(answer).encode() if fault.body is None else fault.body
        self.send_response(status)
        for name, value in ({"Content-Type": "application/json"} | dict(fault.headers)).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self._send(raw, fault)

    def _send(self, raw: bytes, fault: Fault) -> None:
        if fault.cut:
            self.wfile.write(raw[: len(raw) // 2])
            self.close_connection = True
        elif fault.drip_seconds:
            for byte in raw:
                self.wfile.write(bytes([byte]))
                time.sleep(fault.drip_seconds)
        else:
            self.wfile.write(raw)
