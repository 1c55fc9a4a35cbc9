"""The study as GitHub's Markdown, for a comment on the pull request that adds a policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.backtest.words import DOLLARS, HOW, dollars, headline, legend, strip, worth
from orpolicy.reporters._markdown_text import code, escaped, row
from orpolicy.reporters._words import name, plural, prose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orpolicy.backtest.model import PolicyLine, Study

MOST_CHARACTERS = 60_000
"""GitHub refuses comments of more than 65,536."""

_ROWS = (200, 60, 20, 5)
"""So many policies are shown, the most for which everything fits; the rest are counted."""


def as_markdown(study: Study) -> str:
    """The study as a headline and a table; short enough for a comment."""
    texts = ("\n\n".join(_blocks(study, rows)) + "\n" for rows in _ROWS)
    return next((text for text in texts if len(text) <= MOST_CHARACTERS), _headline(study) + "\n")


def _headline(study: Study) -> str:
    return f"### orpolicy backtest: {escaped(headline(study))}"


def _blocks(study: Study, rows: int) -> Iterator[str]:
    yield _headline(study)
    yield escaped(worth(study))
    yield from (f"Note: {escaped(prose(notice))}" for notice in study.notices)
    head = ("Policy", "Weeks", "Fired", "Subjects", "Flaps", "Dollars", "What that means")
    lines = [row(*head), row(*("---" for _ in head)), *map(_row, study.policies[:rows])]
    yield "\n".join(lines)
    if len(study.policies) > rows:
        yield f"{plural(len(study.policies) - rows, 'more policy', 'more policies')} not shown."
    yield f"Signs: {escaped(legend())}. {HOW} {DOLLARS}"


def _row(policy: PolicyLine) -> str:
    caught = ", ".join(dollars(policy.dollars)) if policy.fired else ""
    return row(
        code(name(policy.id)),
        code(strip(policy.weeks)),
        _fired(policy),
        str(len(policy.subjects)),
        str(policy.flaps),
        escaped(caught),
        escaped(policy.noise),
    )


def _fired(policy: PolicyLine) -> str:
    """In how many weeks, and how many windows those look at where that is fewer."""
    weeks = f"{policy.fired} of {policy.judged}"
    return f"{weeks} ({plural(policy.windows, 'window')})" if policy.windows < policy.judged else weeks
