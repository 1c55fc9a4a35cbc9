"""What people were told already, kept in a hidden line of the text that told them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orpolicy.verdict import Status, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orpolicy.finding import Finding
    from orpolicy.period import Window
    from orpolicy.report import Report

WORSE_RATIO = 1.1
WORSE_USD = 10.0
"""A finding is worse when it costs more than both allow, per month, beyond what was told."""

MOST_USD = 1e300
"""More is taken for this much, so that figures stay finite."""

_LINE = re.compile(r"<!-- orpolicy told 1 ([A-Za-z0-9+/=]*) -->")
_HEAD = struct.Struct(">d")
_ENTRY = struct.Struct(">8s4sd?")
_ROOM_AROUND = len("<!-- orpolicy told 1  -->")


@dataclass(frozen=True, slots=True)
class Entry:
    """One finding as it was told.

    Attributes:
        finding: the last 8 bytes of its fingerprint.
        policy: 4 bytes of a hash of its policy's id.
        usd_per_month: what its subject spends, the least since it was told, to the cent.
        is_failure: whether it fails rather than warns.
    """

    finding: bytes
    policy: bytes
    usd_per_month: float
    is_failure: bool

    @classmethod
    def of(cls, finding: Finding, window: Window | None) -> Entry:
        """A finding of a policy with that window as it is now; dollars as they are where there is none."""
        factor = window.monthly_factor if window else 1.0
        return cls(
            bytes.fromhex(finding.fingerprint)[-8:],
            policy_hash(finding.policy),
            min(round(finding.spend_usd * factor, 2), MOST_USD),
            finding.verdict is Verdict.FAIL,
        )

    def is_worse_than(self, told: Entry) -> bool:
        """Whether it is worth telling again: it fails by now, or costs 10 % and 10 dollars more."""
        least = max(told.usd_per_month * WORSE_RATIO, told.usd_per_month + WORSE_USD)
        return self.usd_per_month > least or (self.is_failure and not told.is_failure)


@dataclass(frozen=True, slots=True)
class Told:
    """Everything that was told.

    Attributes:
        entries: the dearest first.
        left_out_usd: a month, of the dearest finding that had no room; 0 where all had.
    """

    entries: tuple[Entry, ...] = ()
    left_out_usd: float = 0.0

    @classmethod
    def read(cls, line: str) -> Told | None:
        """What a line keeps; None if it is no such line, or was tampered with."""
        found = _LINE.fullmatch(line)
        if found is None:
            return None
        try:
            raw = base64.b64decode(found[1], validate=True)
            (left_out,) = _HEAD.unpack_from(raw)
            entries = tuple(Entry(*each) for each in _ENTRY.iter_unpack(raw[_HEAD.size :]))
        except (binascii.Error, struct.error):
            return None
        figures = (left_out, *(entry.usd_per_month for entry in entries))
        return cls(entries, left_out) if all(map(math.isfinite, figures)) else None

    def line(self, room: int) -> str:
        """The line that keeps it, of at most so many characters where that is possible.

        The cheapest findings are left out first; 36 characters are the least.
        """
        most = max((room - _ROOM_AROUND) // 4 * 3 - _HEAD.size, 0) // _ENTRY.size
        kept, dropped = self.entries[:most], self.entries[most:]
        left_out = max([self.left_out_usd, *(entry.usd_per_month for entry in dropped)])
        raw = _HEAD.pack(left_out) + b"".join(
            _ENTRY.pack(entry.finding, entry.policy, entry.usd_per_month, entry.is_failure) for entry in kept
        )
        return f"<!-- orpolicy told 1 {base64.b64encode(raw).decode()} -->"


@dataclass(frozen=True, slots=True)
class Change:
    """A finding that is new, or worse than was told.

    Attributes:
        told_usd_per_month: what was told; None where nothing was.
    """

    finding: Finding
    usd_per_month: float
    told_usd_per_month: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A report against what was told.

    Attributes:
        changes: what is new or worse, in the report's order.
        told: what will have been told once the changes are.
        kept: how many findings were told whose policies this report does not judge.
    """

    changes: tuple[Change, ...]
    told: Told
    kept: int


def compared(told: Told, findings: Iterable[Finding], report: Report) -> Comparison:
    """Open findings of a report against what was told of them.

    Entries of policies that the report does not judge stay: nobody knows whether they still hold.
    """
    known = {entry.finding: entry for entry in told.entries}
    changes: list[Change] = []
    entries: dict[bytes, Entry] = {}
    windows = {policy.id: policy.window for policy in report.policies}
    for finding in findings:
        now = Entry.of(finding, windows.get(finding.policy))
        before = known.get(now.finding)
        if before is None and (not told.left_out_usd or now.usd_per_month > told.left_out_usd):
            changes.append(Change(finding, now.usd_per_month, None))
        elif before is not None and now.is_worse_than(before):
            changes.append(Change(finding, now.usd_per_month, before.usd_per_month))
        elif before is not None:
            now = _lesser(now, before)
        entries[now.finding] = now
    judged = {
        policy_hash(policy.id) for policy in report.policies if policy.verdict is not Verdict.INCONCLUSIVE
    }
    kept = {key: entry for key, entry in known.items() if key not in entries and entry.policy not in judged}
    ordered = sorted((entries | kept).values(), key=lambda entry: (-entry.usd_per_month, entry.finding))
    return Comparison(tuple(changes), Told(tuple(ordered)), len(kept))


def _lesser(now: Entry, before: Entry) -> Entry:
    """Found again and no worse: from the lower figure on it would be."""
    usd = min(now.usd_per_month, before.usd_per_month)
    return Entry(now.finding, now.policy, usd, now.is_failure)


def open_findings(report: Report) -> tuple[Finding, ...]:
    """The findings that count."""
    return tuple(finding for finding in report.findings if finding.status is Status.OPEN)


def policy_hash(policy: str) -> bytes:
    """Four bytes that stand for a policy."""
    return hashlib.sha256(policy.encode("utf-8", "surrogatepass")).digest()[:4]
