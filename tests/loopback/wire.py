"""Refusals, and the shapes in which they travel."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


class Refusal(Exception):  # noqa: N818 - what the API does, not a fault of the server
    """An answer with an error status.

    Attributes:
        status: the HTTP status, repeated in the body.
        message: what the body says.
    """

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        self.message = message
        super().__init__(message)

    def body(self) -> Json:
        """The JSON of an error."""
        return {"error": {"code": self.status, "message": self.message}}


def refuse(message: str) -> Refusal:
    """A 400 with the server's message."""
    return Refusal(400, message)
