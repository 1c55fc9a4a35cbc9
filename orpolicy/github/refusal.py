"""What an answer of GitHub's that is no success means, and whether to ask again."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

import httpx

from orpolicy.sources._json import BrokenJson, parse_json
from orpolicy.sources._replies import one_line, retry_after_seconds

_LEAST_LIMIT_SECONDS = 60.0
"""What GitHub asks for after a secondary limit that says nothing else."""

_LIMIT_STATUSES = (HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS)
_ADVICE = {
    HTTPStatus.UNAUTHORIZED: "Check GITHUB_TOKEN: it is wrong, revoked or expired",
    HTTPStatus.FORBIDDEN: "The token needs the permission pull-requests: write for a comment, issues: write "
    "for issues, and a locked conversation takes comments from its maintainers only",
    HTTPStatus.NOT_FOUND: "There is no such repository, pull request or issue, or the token may not see it",
    HTTPStatus.GONE: "It was deleted, or the repository has no issues",
}
_MOVED = "Redirects are not followed: the repository has moved, or GITHUB_API_URL is wrong"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request was not answered with success.

    Attributes:
        status: of HTTP; None where no answer came.
        detail: what happened, foreign words made safe to show.
        advice: our own sentence about what to do, or "".
        is_passing: whether it may pass by itself.
        is_undone: whether it is sure that nothing was changed.
        limit_seconds: how long a limit asks to wait; None where none was hit.
    """

    status: int | None
    detail: str
    advice: str = ""
    is_passing: bool = False
    is_undone: bool = True
    limit_seconds: float | None = None

    def wait_seconds(self, backoff_seconds: float, *, is_repeatable: bool) -> float | None:
        """How long to wait before asking again; None where that is no use, or could do it twice."""
        if self.limit_seconds is not None:
            return self.limit_seconds
        return backoff_seconds if self.is_passing and (self.is_undone or is_repeatable) else None


def refusal(response: httpx.Response, raw: bytes, now: float) -> Refusal:
    """The refusal that a response stands for.

    Args:
        response: one without success.
        raw: its body.
        now: seconds since the epoch.
    """
    status = response.status_code
    message = _message(raw)
    detail = f"HTTP {status}: {message or 'no message'}"
    if status in _LIMIT_STATUSES and (limit := _limit_seconds(response, message, now)) is not None:
        return Refusal(status, detail, limit_seconds=limit)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return Refusal(status, detail, _MOVED)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Refusal(status, detail, is_passing=True, is_undone=False)
    return Refusal(status, detail, _ADVICE[HTTPStatus(status)] if status in _ADVICE else "")


def no_answer(error: httpx.HTTPError | httpx.InvalidURL) -> Refusal:
    """The refusal that a failed connection stands for."""
    is_undone = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
    detail = f"the connection failed ({type(error).__name__})"
    return Refusal(None, detail, is_passing=True, is_undone=is_undone)


def _limit_seconds(response: httpx.Response, message: str, now: float) -> float | None:
    """Retry-After, else the reset of the primary limit, else a minute where a limit names no time."""
    asked = retry_after_seconds(response.headers.get("retry-after"), now)
    if asked is not None:
        return asked
    if response.headers.get("x-ratelimit-remaining") == "0":
        reset = response.headers.get("x-ratelimit-reset", "")
        return max(int(reset) - now, 0.0) if reset.isdecimal() else _LEAST_LIMIT_SECONDS
    is_limit = response.status_code == HTTPStatus.TOO_MANY_REQUESTS or "rate limit" in message.lower()
    return _LEAST_LIMIT_SECONDS if is_limit else None


def _message(raw: bytes) -> str:
    """GitHub's message with the errors of its fields, on one line."""
    try:
        payload = parse_json(raw)
    except BrokenJson:
        return ""
    if not isinstance(payload, dict):
        return ""
    errors = payload.get("errors")
    parts = [payload.get("message"), *(errors if isinstance(errors, list) else ())]
    texts = [part.get("message") if isinstance(part, dict) else part for part in parts]
    return one_line("; ".join(text for text in texts if isinstance(text, str)))
