"""What can go wrong on the way, by script."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Fault:
    """How one request goes wrong.

    Attributes:
        status: the answer's status, or None to answer as usual (after ``delay_seconds``).
        body: the answer's raw body; with no status it replaces the usual body of a 200.
        headers: further headers.
        delay_seconds: before anything is sent.
        drop: close the connection without an answer.
        cut: announce the whole body, send half and close.
        drip_seconds: between the bytes of the body.
        path: the path it applies to, such as ``/analytics/query``; None for any.
    """

    status: int | None = None
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0
    drop: bool = False
    cut: bool = False
    drip_seconds: float = 0.0
    path: str | None = None
