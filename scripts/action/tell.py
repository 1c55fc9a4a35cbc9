"""Tell people on GitHub what the check found; who cannot be told is a warning and fails nothing."""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from action.console import data, mask, orpolicy, say

DESTINATIONS = ("comment", "issues", "mention")
"""What ``notify`` may ask for; the last only adds to the others."""

MOST_CHARACTERS = 4_000


class DestinationError(Exception):
    """The input ``notify`` makes no sense."""


def destinations(text: str) -> frozenset[str]:
    """What is asked for, separated by commas, blanks or lines.

    Raises:
        DestinationError: for anything else, and for mentions alone.
    """
    asked = frozenset(text.replace(",", " ").split())
    if unknown := sorted(asked.difference(DESTINATIONS)):
        raise DestinationError(f"notify: {' or '.join(DESTINATIONS)}, not {unknown[0]!r}")
    if asked == {"mention"}:
        raise DestinationError("notify: mention adds to comment or issues, and tells nobody by itself")
    return asked


def main() -> int:
    """Deliver the report; always 0, as the check alone says how the step ends."""
    token = os.environ["INPUT_GITHUB_TOKEN"].strip()
    mask(token)
    asked = destinations(os.environ["INPUT_NOTIFY"])
    pull_request = os.environ["PULL_REQUEST"]
    if "comment" in asked and not pull_request:
        say("no pull request here: there is nothing to comment on")
        asked -= {"comment"}
    if not asked & {"comment", "issues"}:
        return 0
    if not token:
        warn("github-token is empty, as for any other secret in a pull request from a fork")
        return 0
    arguments = [f"--{word}" for word in DESTINATIONS if word in asked and word != "comment"]
    arguments += [f"--pull-request={pull_request}"] if "comment" in asked else []
    ended = orpolicy(
        ["notify", *arguments, "--", os.environ["REPORT"]], {"GITHUB_TOKEN": token}, secret=token
    )
    if ended.code:
        warn(ended.complaint.strip() or f"orpolicy notify ended with exit code {ended.code}")
    return 0


def warn(why: str) -> None:
    """Say why not everybody was told."""
    say(f"::warning title=orpolicy%3A not delivered::{data(why[:MOST_CHARACTERS])}")


if __name__ == "__main__":
    sys.exit(main())
