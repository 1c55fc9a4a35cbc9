"""A value that must not be shown."""

from __future__ import annotations

import hashlib

_SHOWN = "[key]"


class Secret:
    """A management key: its value leaves this object only through ``bearer``.

    Neither its repr, nor a traceback that shows local variables, nor a pickle tells the value.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def __repr__(self) -> str:
        return f"Secret({_SHOWN!r})"

    def __bool__(self) -> bool:
        return bool(self._value)

    def __reduce__(self) -> str:
        raise TypeError("a secret is not for pickling")

    @property
    def is_sendable(self) -> bool:
        """Whether it can go into a header as it is: visible ASCII characters only."""
        return self._value.isascii() and self._value.isprintable() and " " not in self._value

    def bearer(self) -> str:
        """The value of the ``Authorization`` header."""
        return f"Bearer {self._value}"

    def account(self) -> str:
        """32 hex digits that stand for the account; the key cannot be computed from them."""
        return hashlib.blake2b(
            b"account", key=hashlib.sha256(self._value.encode()).digest(), digest_size=16
        ).hexdigest()

    def scrub(self, text: str) -> str:
        """The text without the value."""
        return text.replace(self._value, _SHOWN)

    def is_in(self, raw: bytes) -> bool:
        """Whether the value occurs in some bytes."""
        return self._value.encode() in raw
