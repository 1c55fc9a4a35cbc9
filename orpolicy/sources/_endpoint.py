"""Where the API is, and who asks: read from the environment."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from orpolicy.codes import Code
from orpolicy.errors import UsageError
from orpolicy.sources._secret import Secret

if TYPE_CHECKING:
    from urllib.parse import SplitResult

    from orpolicy.sources.base import Setting

DEFAULT_BASE_URL = "https://openrouter.ai"
_PATH = "/api/v1"
_KEYS = ("OPENROUTER_MANAGEMENT_KEY", "OPENROUTER_API_KEY")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One API as one account sees it.

    Attributes:
        base_url: with the API's path, without a slash at the end.
        host: with the port where there is one; what reports show.
        is_loopback: whether requests never leave this machine.
    """

    base_url: str
    host: str
    is_loopback: bool
    key: Secret


def read_endpoint(setting: Setting) -> Endpoint:
    """The endpoint that the environment variables describe.

    Raises:
        UsageError: if there is no key, or key or base URL cannot be used. No message tells the key.
    """
    key = _key(setting)
    parts = _parts(setting.environ.get("OPENROUTER_BASE_URL", "").strip() or DEFAULT_BASE_URL)
    path = parts.path.rstrip("/")
    path = path if path.endswith(_PATH) else path + _PATH
    return Endpoint(f"{parts.scheme}://{parts.netloc}{path}", parts.netloc, _is_loopback(parts), key)


def _key(setting: Setting) -> Secret:
    for name in _KEYS:
        key = Secret(setting.environ.get(name, "").strip())
        if key and not key.is_token:
            raise UsageError(
                f"{name} holds characters that no key has, such as spaces or control characters",
                code=Code.BAD_ENVIRONMENT,
            )
        if key:
            return key
    raise UsageError(
        "no key: set OPENROUTER_MANAGEMENT_KEY (or OPENROUTER_API_KEY) to a management key (inference keys "
        "are refused), or evaluate something else with --source",
        code=Code.BAD_ENVIRONMENT,
    )


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError:
        raise UsageError(
            "OPENROUTER_BASE_URL is no URL such as https://openrouter.ai", code=Code.BAD_ENVIRONMENT
        ) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_valid:
        raise UsageError(
            "OPENROUTER_BASE_URL needs scheme and host: https://openrouter.ai", code=Code.BAD_ENVIRONMENT
        )
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise UsageError(
            "OPENROUTER_BASE_URL must hold neither credentials nor a query nor a fragment",
            code=Code.BAD_ENVIRONMENT,
        )
    if parts.scheme == "http" and not _is_loopback(parts):
        raise UsageError(
            f"OPENROUTER_BASE_URL: plain http to {parts.hostname} would show the key; use https",
            code=Code.BAD_ENVIRONMENT,
        )
    return parts


def _is_loopback(parts: SplitResult) -> bool:
    host = parts.hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
