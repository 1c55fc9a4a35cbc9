"""The crowded account over HTTP, honest or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loopback.server import LoopbackServer
from loopback.wire import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from crowd import Crowd
    from loopback.handler import LoggedRequest
    from loopback.wire import Json

    Lie = Callable[[Json, Json], Json]
    """What an answer becomes on its way out: from the question's body and the answer's ``data``."""


class CrowdServer(LoopbackServer):
    """Lists as the loopback server gives them; queries are answered by the crowd's engine.

    Attributes:
        lie: what becomes of each answer to a query; None for an honest server.
    """

    def __init__(self, crowd: Crowd, lie: Lie | None = None) -> None:
        super().__init__(crowd.account)
        self.crowd = crowd
        self.lie = lie

    def answer(self, request: LoggedRequest) -> tuple[int, Json]:
        """Status and body of an undisturbed answer."""
        if request.path != "/analytics/query" or request.method != "POST":
            return super().answer(request)
        try:
            self._authorise(request.headers.get("authorization", ""))
            body = request.body or {}
            answer = self.crowd.query(body)
        except Refusal as refusal:
            return refusal.status, refusal.body()
        return 200, {"data": self.lie(body, answer["data"])} if self.lie else answer


def rows_dropped(body: Json, data: Json) -> Json:
    """Every fortieth row of grouped answers is lost, and nothing says so."""
    rows = data["data"]
    kept = [row for number, row in enumerate(rows) if number % 40 != 3] if body["dimensions"] else rows
    return data | {"data": kept, "metadata": data["metadata"] | {"row_count": len(kept)}}


def never_truncated(body: Json, data: Json) -> Json:
    """Answers are cut off, and said to be whole."""
    del body
    return data | {"metadata": data["metadata"] | {"truncated": False}}
