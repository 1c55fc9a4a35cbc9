"""What the schema finds wrong with a document."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, cast

from orpolicy.policy import schema
from orpolicy.policy.admission import Admission

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from jsonschema import Draft202012Validator

    from orpolicy.policy.document import Document, Flaw
    from orpolicy.policy.kinds import Kind
    from orpolicy.policy.model import Json

CUTOFF = 0.6
"""How like a known word another must be to be taken for it, 0 to 1."""


def near_miss(word: str, known: Iterable[str]) -> str:
    """``did you mean ...?`` where a known word is close in whatever case, else ""."""
    from difflib import get_close_matches  # noqa: PLC0415 - only those who err pay for it

    folded: dict[str, str] = {}
    for name in known:
        folded.setdefault(name.casefold(), name)
    close = get_close_matches(word.casefold(), folded, n=1, cutoff=CUTOFF)
    return f"did you mean {folded[close[0]]}?" if close else ""


class Validator:
    """The schema, ready to check documents."""

    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        """Take every rule kind by name; only those that documents name are looked at."""
        self._kinds = kinds
        self._admission = Admission(schema.outline(kinds), self._definition)

    @cached_property
    def _whole(self) -> dict[str, Json]:
        return schema.build(kind.schema for kind in self._kinds.values())

    def _definition(self, name: str) -> Json:
        """One that takes a kind, or all of them."""
        kind = name.removeprefix(schema.KIND_PREFIX)
        if kind != name and kind in self._kinds:
            return schema.kind_definition(self._kinds[kind].schema)
        return cast("dict[str, Json]", self._whole["$defs"]).get(name)

    @cached_property
    def _explains(self) -> Draft202012Validator:
        from jsonschema import Draft202012Validator  # noqa: PLC0415 - only those with a flaw pay for it

        return Draft202012Validator(self._whole)

    def flaws(self, document: Document) -> tuple[Flaw, ...]:
        """Everything the schema refuses, once each; nothing that follows from the document's own flaws."""
        if self._admission.admits(document.data):
            return ()
        from orpolicy.policy.wording import flaws_of  # noqa: PLC0415 - as above

        known = {flaw.trail for flaw in document.flaws}
        found: dict[Flaw, None] = {}
        for error in self._explains.iter_errors(document.data):
            for flaw in flaws_of(document, error):
                if flaw.trail not in known:
                    found[flaw] = None
        return tuple(found)
