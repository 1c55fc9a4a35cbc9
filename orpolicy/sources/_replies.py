"""What a reply means: an answer, a refusal that is final, or a reason to ask again."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from orpolicy.errors import Reason

if TYPE_CHECKING:
    from orpolicy.sources._json import Json

_RETRIED = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
_DENIED_ADVICE = {
    HTTPStatus.UNAUTHORIZED: "Check OPENROUTER_MANAGEMENT_KEY: the key is wrong, disabled or expired",
    HTTPStatus.FORBIDDEN: "Set OPENROUTER_MANAGEMENT_KEY to a management key: inference keys may not do this",
}
_MESSAGE_LENGTH = 300


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a request has no answer.

    Attributes:
        reason: for reports, should this be the last word.
        detail: what happened; foreign text that may say anything.
        advice: our own sentence about what to do, or "".
        is_final: whether asking again is pointless.
        retry_after_seconds: how long the server asks to wait, or None.
        is_too_heavy: whether the server gave up on the question as such.
    """

    reason: Reason
    detail: str
    advice: str = ""
    is_final: bool = False
    retry_after_seconds: float | None = None
    is_too_heavy: bool = False


def refusal(status: int, payload: Json, retry_after_seconds: float | None = None) -> Failure:
    """The failure that an answer with an error status, or with an error for a body, stands for."""
    detail = f"HTTP {status}: {_message(payload) or 'no message'}"
    if status in _DENIED_ADVICE:
        advice = _DENIED_ADVICE[HTTPStatus(status)]
        return Failure(Reason.ACCESS_DENIED, detail, advice, is_final=True)
    advice = ""
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        advice = "Redirects are not followed: check OPENROUTER_BASE_URL"
    is_too_heavy = status == HTTPStatus.REQUEST_TIMEOUT
    reason = Reason.DEADLINE if is_too_heavy else Reason.API_ERROR
    is_final = status not in _RETRIED and status < HTTPStatus.INTERNAL_SERVER_ERROR
    return Failure(reason, detail, advice, is_final, retry_after_seconds, is_too_heavy)


def error_status(payload: Json) -> int | None:
    """The status that an error in the body of a 200 names; None if the body tells of none.

    An error beside rows is still one: nobody knows what the rows lack.
    """
    if not isinstance(payload, dict) or not payload.get("error"):
        return None
    error = payload["error"]
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) and code >= HTTPStatus.BAD_REQUEST else HTTPStatus.BAD_GATEWAY


def retry_after_seconds(header: str | None, now: float) -> float | None:
    """The wait that a ``Retry-After`` header asks for, in seconds or as an HTTP date; None for nonsense.

    Args:
        header: its value, or None.
        now: seconds since the epoch.
    """
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        seconds = _until(header, now)
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def _until(date: str, now: float) -> float:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return math.nan
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now


def _message(payload: Json) -> str:
    error = payload.get("error") if isinstance(payload, dict) else None
    text = error.get("message") if isinstance(error, dict) else error
    return text if isinstance(text, str) else ""


def one_line(text: str) -> str:
    """Foreign text as part of a sentence: printable, on one line, of bounded length."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= _MESSAGE_LENGTH else line[:_MESSAGE_LENGTH] + "…"
