"""A made-up account, and the script that recorded it: ``python tests/sources/snapshot_sample.py FILE``.

``snapshots/version-1.orpolicy`` was recorded by version 1 and stays as it is: old snapshots must be read.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from world import catalog, hash_of, memory, model, policies, row

from orpolicy.account import ApiKey, KeyFacts
from orpolicy.recording import record
from orpolicy.sources._snapshot_file import write_file
from orpolicy.sources._snapshot_json import encode
from orpolicy.staging import Choice

if TYPE_CHECKING:
    from orpolicy.sources.memory import Memory

VERSION_1 = Path(__file__).parent / "snapshots" / "version-1.orpolicy"

POLICIES = """
defaults: {floor: {spend: 1}}
policies:
  - {id: outlier, rule: blended-multiple, fail_above: 3}
  - {id: nightly, rule: spend-limit, where: {api_key_id: "night*"}, fail_above: 50}
  - {id: growth, rule: spend-growth, by: [model]}
waivers:
  - {policy: outlier, where: {model: "acme/dear"}, until: 2026-12-31, reason: agreed, owner: us}
"""
DAYS = ("2025-11-20", "2025-12-20", "2026-01-20", "2026-02-20", "2026-03-20", "2026-04-20", "2026-05-15")
HOSTILE = "line\nbreak \ud800 ☃"


def account() -> Memory:
    """Three keys, two models, and a month in which one of them grew."""
    keys = [
        ApiKey("nightly", hash_of(1), "w-1", "Home", facts=KeyFacts(100, "monthly", 90.5, "2026-01-02")),
        ApiKey("prod", hash_of(2), "w-1", "Home", disabled=True),
        ApiKey(HOSTILE, hash_of(3), "w-2", "Away"),
    ]
    rows = [row(date=day, api_key_id="prod", model="acme/plain-20260101", total_usage=20.0) for day in DAYS]
    rows += [
        row(api_key_id="nightly", model="acme/dear-20260101", total_usage=100.0, tokens_total=100_000),
        row(api_key_id=HOSTILE, model="acme/plain-20260101", total_usage=0.1 + 0.2),
        row(date="2026-05-16", api_key_id="prod", model="acme/plain-20260101", total_usage=200.0),
        row(api_key_id=None, model="acme/plain-20260101", total_usage=0.0625),
    ]
    rows = [{"variant": "standard"} | item for item in rows]
    models = catalog(
        model("acme/plain", 1, 2, canonical_slug="acme/plain-20260101", created=1_700_000_000),
        model("acme/dear", 100, 200, canonical_slug="acme/dear-20260101", expiration_date="2026-12-01"),
    )
    return memory(rows, keys=keys, catalogue=models)


def main() -> None:
    """Record the account."""
    recorded = record(policies(POLICIES), account(), Choice())
    write_file(Path(sys.argv[1]), encode(recorded.recording))


if __name__ == "__main__":
    main()
