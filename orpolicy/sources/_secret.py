"""A value that must not be shown."""

from __future__ import annotations

import hashlib
import re

_SHOWN = b"[key]"
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")


class Secret:
    """A management key: its value leaves this object only through ``bearer``.

    Neither its repr, nor a traceback that shows local variables, nor a pickle tells the value.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def __repr__(self) -> str:
        return f"Secret({_SHOWN.decode()})"

    def __bool__(self) -> bool:
        return bool(self._value)

    def __reduce__(self) -> str:
        raise TypeError("a secret is not for pickling")

    @property
    def is_token(self) -> bool:
        """Whether it is what RFC 6750 lets a bearer token be: no spaces, quotes or control characters."""
        return _TOKEN.fullmatch(self._value) is not None

    def bearer(self) -> str:
        """The value of the ``Authorization`` header."""
        return f"Bearer {self._value}"

    def account(self) -> str:
        """32 hex digits that stand for the account; the key cannot be computed from them."""
        secret = hashlib.sha256(self._value.encode()).digest()
        return hashlib.blake2b(b"orpolicy account", key=secret, digest_size=16).hexdigest()

    def scrub(self, raw: bytes) -> bytes:
        """Some bytes without the value, should they repeat it."""
        return raw.replace(self._value.encode(), _SHOWN)
