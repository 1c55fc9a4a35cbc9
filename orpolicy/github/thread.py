"""Texts on GitHub that are ours: found again by their first line and their author."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orpolicy.errors import DeliveryError
from orpolicy.github.told import Told

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orpolicy.github.client import Client, JsonObject
    from orpolicy.sources._json import Json

_BOT = "Bot"


@dataclass(frozen=True, slots=True)
class Author:
    """Whose texts are ours.

    Attributes:
        login: None where the token is an app's, which GitHub does not name: then any bot's, as no person
            can write as one.
    """

    login: str | None

    @classmethod
    def of(cls, client: Client, login: str | None) -> Author:
        """The one that is named, else the one whose token it is."""
        return cls(login or client.login())

    def wrote(self, item: JsonObject) -> bool:
        """Whether a comment or an issue is theirs."""
        user = item.get("user")
        if not isinstance(user, dict):
            return False
        if self.login is None:
            return user.get("type") == _BOT
        return str(user.get("login")).lower() == self.login.lower()


@dataclass(frozen=True, slots=True)
class Text:
    """A comment or an issue of ours.

    Attributes:
        number: a comment's id, or an issue's number.
        title: of an issue; "" for a comment.
        body: with plain line ends.
        is_open: whether an issue is; True for a comment.
    """

    number: int
    title: str
    body: str
    is_open: bool

    @classmethod
    def of(cls, item: JsonObject, key: str) -> Text:
        """What GitHub sent of it, numbered by the member of that name.

        Raises:
            DeliveryError: if it has no number.
        """
        state = item.get("state", "open")
        return cls(number_of(item, key), _text(item.get("title")), body_of(item), state == "open")

    @property
    def marker(self) -> str:
        """Its first line."""
        return self.body.partition("\n")[0].rstrip()

    @property
    def told(self) -> Told:
        """What its second line keeps; nothing where that cannot be read."""
        lines = self.body.split("\n", 2)
        return (Told.read(lines[1].rstrip()) if len(lines) > 1 else None) or Told()

    def is_same(self, body: str) -> bool:
        """Whether its body is this one, but for blanks at its ends."""
        return self.body.strip() == body.strip()


def marked(items: Iterable[JsonObject], key: str, author: Author, start: str) -> Iterator[Text]:
    """Those of some comments or issues that are ours and whose first line starts so."""
    for item in items:
        if body_of(item).startswith(start) and author.wrote(item) and "pull_request" not in item:
            yield Text.of(item, key)


def number_of(item: JsonObject, key: str) -> int:
    """An id or a number.

    Raises:
        DeliveryError: if there is none.
    """
    number = item.get(key)
    if not isinstance(number, int):
        raise DeliveryError(f"GitHub sent something without {key}")
    return number


def body_of(item: JsonObject) -> str:
    """The body, with line ends as they were sent."""
    return _text(item.get("body")).replace("\r\n", "\n")


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""
