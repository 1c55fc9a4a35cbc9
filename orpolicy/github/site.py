"""Where to write, and as whom: read from the environment."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from orpolicy.codes import Code
from orpolicy.errors import UsageError
from orpolicy.sources._secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping
    from urllib.parse import SplitResult

DEFAULT_API_URL = "https://api.github.com"
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,38}/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")


@dataclass(frozen=True, slots=True)
class Site:
    """One repository on one GitHub.

    Attributes:
        api_url: without a slash at the end.
        repository: ``owner/name``.
        token: false where there is none.
        is_loopback: whether requests never leave this machine.
    """

    api_url: str
    repository: str
    token: Secret
    is_loopback: bool


def read_site(environ: Mapping[str, str], repository: str | None, *, needs_token: bool) -> Site:
    """The site that the command line and the environment describe.

    Args:
        environ: with ``GITHUB_TOKEN``, ``GITHUB_API_URL`` and ``GITHUB_REPOSITORY``.
        repository: instead of ``GITHUB_REPOSITORY``.
        needs_token: whether it is an error that there is none.

    Raises:
        UsageError: if something is missing or cannot be used. No message tells the token.
    """
    token = _token(environ, needs_token=needs_token)
    parts = _parts(environ.get("GITHUB_API_URL", "").strip() or DEFAULT_API_URL)
    url = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
    return Site(url, _repository(environ, repository), token, _is_loopback(parts))


def _token(environ: Mapping[str, str], *, needs_token: bool) -> Secret:
    token = Secret(environ.get("GITHUB_TOKEN", "").strip())
    if token and not token.is_token:
        raise UsageError(
            "GITHUB_TOKEN holds characters that no token has, such as spaces or control characters",
            code=Code.BAD_ENVIRONMENT,
        )
    if needs_token and not token:
        raise UsageError(
            "no token: set GITHUB_TOKEN, as in  env: {GITHUB_TOKEN: ${{ github.token }}}",
            code=Code.BAD_ENVIRONMENT,
        )
    return token


def _repository(environ: Mapping[str, str], repository: str | None) -> str:
    name = environ.get("GITHUB_REPOSITORY", "") if repository is None else repository
    if not name:
        raise UsageError(
            "no repository: give --repository owner/name, or set GITHUB_REPOSITORY", code=Code.BAD_ENVIRONMENT
        )
    if not _REPOSITORY.fullmatch(name):
        raise UsageError(f"{name!r} is no repository such as owner/name", code=Code.BAD_ENVIRONMENT)
    return name


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError:
        raise UsageError(
            f"GITHUB_API_URL is no URL such as {DEFAULT_API_URL}", code=Code.BAD_ENVIRONMENT
        ) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_valid:
        raise UsageError(
            f"GITHUB_API_URL needs scheme and host: {DEFAULT_API_URL}", code=Code.BAD_ENVIRONMENT
        )
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise UsageError(
            "GITHUB_API_URL must hold neither credentials nor a query nor a fragment",
            code=Code.BAD_ENVIRONMENT,
        )
    if parts.scheme == "http" and not _is_loopback(parts):
        raise UsageError(
            f"GITHUB_API_URL: plain http to {parts.hostname} would show the token; use https",
            code=Code.BAD_ENVIRONMENT,
        )
    return parts


def _is_loopback(parts: SplitResult) -> bool:
    host = parts.hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
