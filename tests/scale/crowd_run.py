"""A run over the crowded account: ``python crowd_run.py PACK`` prints what came of it as JSON.

The environment leads to the server. Waiting for the pace takes no time here, as the run's clock is turned.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from loopback.client import TurnedClock, impatient
from world import KINDS, NOW

from orpolicy.lint import lint
from orpolicy.policy.loader import load_texts
from orpolicy.policy.packs import pack_path
from orpolicy.sources.base import Setting
from orpolicy.sources.openrouter import OpenRouter
from orpolicy.staging import Choice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orpolicy.policy.model import PolicySet
    from orpolicy.query.model import Answer, Query
    from orpolicy.report import Report

PATIENT = impatient(silence_seconds=60, question_seconds=99_999, run_seconds=99_999)
UNLIMITED = 10**9


class Unlimited(OpenRouter):
    """A client that asks for every row at once, for a server that has no cap."""

    def answer(self, query: Query) -> Answer:
        return replace(super().answer(replace(query, limit=UNLIMITED)), query=query)


def pack(name: str) -> PolicySet:
    return load_texts({f"{name}.yaml": pack_path(name).read_bytes()}, KINDS)


def checked(policies: PolicySet, environ: Mapping[str, str], kind: type[OpenRouter] = OpenRouter) -> Report:
    setting = Setting("openrouter", environ, now=NOW, use_cache=False)
    source = kind(setting, patience=PATIENT, clock=TurnedClock())
    try:
        return lint(policies, source, Choice())
    finally:
        source.close()


def essence(report: Report) -> dict[str, Any]:
    """What must not depend on how the rows arrived: verdicts, findings, and what each is worth."""
    return {
        "policies": [[item.id, item.verdict.value] for item in report.policies],
        "findings": sorted(
            [
                item.policy,
                "|".join(str(member) for member in item.subject.values()),
                item.fingerprint,
                item.verdict.value,
                round(item.measure.value, 9),
                round(item.spend_usd, 6),
            ]
            for item in report.findings
        ),
    }


if __name__ == "__main__":
    report = checked(pack(sys.argv[1]), os.environ)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    asked = [[one.request, one.rows, one.complete_because, one.error] for one in report.queries]
    reasons = [[item.policy, item.reason.value, item.detail] for item in report.inconclusive]
    json.dump(
        essence(report) | {"requests": report.source.requests, "peak_mb": peak_mb, "reasons": reasons,
                           "queries": asked},
        sys.stdout,
    )  # fmt: skip
