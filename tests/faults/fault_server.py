"""The loopback server with answers that go wrong by script, for as long as the script says."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from fault_file import content
from loopback.faults import Fault
from loopback.server import LoopbackServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from loopback.account import LoopbackAccount
    from loopback.handler import LoggedRequest
    from loopback.wire import Json


@dataclass(slots=True)
class Script:
    """How the answers to some requests change.

    Attributes:
        path: of the requests, such as ``/analytics/query``.
        when: what their bodies hold; for a GET, their query strings.
        times: how many requests it lasts for, or None: for all.
        raw: an answer of its own: ``status``, ``body`` (see ``content``), ``headers`` and the other
            attributes of ``loopback.faults.Fault``.
        set: place in the usual answer -> value; ``*`` in a place stands for every item of a list.
        remove: places that are taken away where they are.
        keep: place of a list -> how many of its items stay; negative: so many last ones go.
        again: place of a list -> how often it is there in all.
        ignores: parameters of the query string that the server does not look at.
    """

    path: str
    when: Mapping[str, Any] = field(default_factory=dict)
    times: int | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)
    set: Mapping[str, Any] = field(default_factory=dict)
    remove: Sequence[str] = ()
    keep: Mapping[str, int] = field(default_factory=dict)
    again: Mapping[str, int] = field(default_factory=dict)
    ignores: Sequence[str] = ()
    _fault: Fault | None = None

    def takes(self, request: LoggedRequest) -> bool:
        """Whether a request is meant, and the script has not run out."""
        asked = request.body if request.body is not None else request.query
        meant = request.path == self.path and all(asked.get(key) == is_ for key, is_ in self.when.items())
        if not meant or self.times == 0:
            return False
        self.times = None if self.times is None else self.times - 1
        return True

    def fault(self) -> Fault:
        """The answer of its own, made once: some are large."""
        if self._fault is None:
            body = {"body": content(self.raw["body"])} if "body" in self.raw else {}
            self._fault = Fault(path=self.path, **{**self.raw, **body})
        return self._fault

    def heard(self, request: LoggedRequest) -> LoggedRequest:
        """The request without what the server ignores."""
        query = {name: value for name, value in request.query.items() if name not in self.ignores}
        return replace(request, query=query)

    def changed(self, answer: Json) -> Json:
        """The usual answer as the script has it."""
        changed = copy.deepcopy(answer)
        for place, value in self.set.items():
            for owner, step in _owners(changed, place):
                owner[step] = copy.deepcopy(value)
        for place in self.remove:
            for owner, step in _owners(changed, place):
                owner.pop(step, None)
        self._resize(changed)
        return changed

    def _resize(self, answer: Json) -> None:
        for place, count in self.keep.items():
            for owner, step in _owners(answer, place):
                owner[step] = owner[step][:count]
        for place, count in self.again.items():
            for owner, step in _owners(answer, place):
                owner[step] = owner[step] * count


def _owners(value: Any, place: str) -> Iterator[tuple[Any, Any]]:
    """What holds a place, and under which key or index."""
    first, dot, rest = place.partition(".")
    if first == "*":
        steps: list[Any] = list(range(len(value)))
    else:
        steps = [int(first) if isinstance(value, list) else first]
    for step in steps:
        if dot:
            yield from _owners(value[step], rest)
        else:
            yield value, step


class FaultyServer(LoopbackServer):
    """The loopback server with scripts; the first that takes a request has it."""

    def __init__(self, account: LoopbackAccount, scripts: Sequence[Script]) -> None:
        super().__init__(account)
        self.scripts = list(scripts)

    def arrive(self, request: LoggedRequest) -> Fault | None:
        """Log a request; the raw answer that is in store for it."""
        super().arrive(request)
        return next((item.fault() for item in self.scripts if item.raw and item.takes(request)), None)

    def answer(self, request: LoggedRequest) -> tuple[int, Json]:
        """The usual answer, as the first script that takes the request has it."""
        script = next((item for item in self.scripts if not item.raw and item.takes(request)), None)
        status, answer = super().answer(script.heard(request) if script else request)
        return status, script.changed(answer) if script else answer
