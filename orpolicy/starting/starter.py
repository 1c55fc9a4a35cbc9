"""The starter policy file as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.binding import DEFAULT_WINDOW, KEY, MODEL
from orpolicy.reporters._figures import money, rate, span, tokens
from orpolicy.reporters._words import plural
from orpolicy.starting.batch import candidates
from orpolicy.starting.budgets import budgets, sudden_growth
from orpolicy.starting.figures import plain
from orpolicy.starting.naming import exact
from orpolicy.starting.prose import comment, commented, scalar
from orpolicy.starting.sections import (
    BATCH_SET,
    blended_outlier,
    cache_prompt_heavy,
    floor_of,
    no_preview_on_batch,
    paid_extras,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orpolicy.starting.batch import Candidate
    from orpolicy.starting.sections import Section
    from orpolicy.starting.survey import Survey

MODELINE = "# yaml-language-server: $schema=./orpolicy.schema.json"
MOST_NAMED = 40
"""So many batch keys are written one by one; with more, a pattern of names does better."""

_USUAL_NAMES = ("batch-*", "*-batch", "*-pipeline", "nightly-*", "cron-*")
_EXAMPLE_BUDGET = (
    "- id: key-budget",
    "  title: Every key keeps to its budget",
    "  rule: spend-limit",
    "  by: [api_key_id]",
    "  fail_above: 5000 # USD a month",
    "  why: A key that passes its budget should be noticed before the invoice arrives.",
)


def starter(
    survey: Survey | None, source: str, window: str | None = None, left_out: Mapping[str, str] | None = None
) -> str:
    """The file.

    Args:
        survey: the account's figures; None, or one without traffic, gives the usual thresholds.
        source: what the figures are from, for people.
        window: the window that policies have where they name none; None for last month.
        left_out: policy id -> why it is only written as a comment.
    """
    known = survey if survey and survey.has_traffic else None
    lines = [MODELINE, "#", *_head(survey, source), "", "version: 1", ""]
    lines += [*_defaults(known, window), "", *_key_sets(known), "", "policies:"]
    for section in sections(known):
        lines += [*_written(section, (left_out or {}).get(section.id)), ""]
    if known is None:
        lines += comment("Worth adding, with your own figure: what a key may spend a month.", 2)
        lines += [f"  {line}" for line in commented(_EXAMPLE_BUDGET)]
    return "\n".join(lines).rstrip("\n") + "\n"


def sections(known: Survey | None) -> list[Section]:
    """The policies of the file."""
    return [
        blended_outlier(known),
        no_preview_on_batch(known),
        cache_prompt_heavy(known),
        paid_extras(known),
        sudden_growth(known),
        *budgets(known),
    ]


def _head(survey: Survey | None, source: str) -> list[str]:
    lines = comment(
        "Cost rules for LLM spend. `orpolicy validate` checks this file, `orpolicy check` the spend."
    )
    if survey is None:
        return [
            *lines,
            *comment("`orpolicy init --source openrouter` proposes thresholds from your own figures."),
        ]
    if not survey.has_traffic:
        why = "; ".join(dict.fromkeys(str(error) for error in survey.untold))
        said = why or f"there was no spend in {span(survey.window)}"
        return [*lines, *comment(f"The thresholds are the usual ones: {source} told no figures ({said}).")]
    lines += ["#", *comment(f"Proposed from {source}, {span(survey.window)}: {_totals(survey)}.")]
    lines += comment("Each threshold says which figures it comes from. They are yours to change.")
    for name, error in survey.unknown.items():
        lines += comment(f"Not known: {_QUESTIONS[name]} ({error}).")
    return lines


_QUESTIONS = {
    "models": "what each model costs",
    "cells": "which key uses which model",
    "keys": "what each key spends",
    "days": "how keys fare from day to day",
    "web": "what web search cost",
    "web-fetch": "what web fetch cost",
    "file": "what file parsing cost",
}


def _totals(survey: Survey) -> str:
    traffic = survey.traffic
    parts = [
        money(traffic.spend_usd),
        f"{tokens(traffic.tokens)} {'token' if traffic.tokens == 1 else 'tokens'}",
    ]
    if survey.blended is not None:
        parts.append(f"{rate(survey.blended * 1e6)} blended")
    for name, dimension, noun in (("keys", KEY, "key"), ("models", MODEL, "model")):
        if name in survey.tables:
            members = survey.tables[name].dimensions[dimension]
            parts.append(plural(sum(member is not None for member in members), noun))
    return ", ".join(parts)


def _defaults(known: Survey | None, window: str | None) -> list[str]:
    floor, said = floor_of(known)
    return [
        "defaults:",
        f"  window: {scalar((window or DEFAULT_WINDOW).strip())}",
        *comment(said, 2),
        f"  floor: {{spend: {plain(floor)}}}",
    ]


def _key_sets(known: Survey | None) -> list[str]:
    found = candidates(known) if known else ()
    named = [(one, _pattern(known, one)) for one in found[:MOST_NAMED] if known]
    strong = [(one, pattern) for one, pattern in named if one.is_strong and pattern]
    weak = [(one, pattern) for one, pattern in named if not (one.is_strong and pattern)]
    lines = ["key_sets:", *comment("Keys that run without a person waiting.", 2), f"  {BATCH_SET}:"]
    for one, pattern in strong:
        lines += [*comment(_evidence(known, one, pattern), 4), f"    - {scalar(str(pattern))}"]
    if not strong:
        said = "No key's name or traffic says so here. " if known else ""
        lines += comment(f"{said}Patterns of key names: write your own.", 4)
        lines += [f'    - "{name}"' for name in _USUAL_NAMES]
    if weak:
        lines += comment("The evidence is weak: take the # away before the dash where it is true.", 4)
    for one, doubtful in weak:
        lines += [*comment(_evidence(known, one, doubtful), 4), *_weak_entry(doubtful)]
    if len(found) > MOST_NAMED:
        lines += comment(
            f"{len(found) - MOST_NAMED} more look like it: a pattern of names would hold them.", 4
        )
    return lines


def _weak_entry(pattern: str | None) -> list[str]:
    if pattern is None:
        return comment("(no pattern names this key alone: it shares its name with another)", 4)
    return [f"    # - {scalar(pattern)}"]


def _pattern(known: Survey | None, one: Candidate) -> str | None:
    return exact(one.member, known.stage.scene.account, known.key_members) if known else None


def _evidence(known: Survey | None, one: Candidate, pattern: str | None) -> str:
    """What speaks for a key; its name too where the pattern does not show it."""
    signs = ", ".join(one.signs)
    usd = f"{money(one.spend_usd)}: {signs}"
    name = known.key_name(one.member) if known else one.member
    return usd if pattern == name else f"{name}, {usd}"


def _written(section: Section, why_not: str | None) -> Sequence[str]:
    remarks = [line for remark in section.remarks for line in comment(remark, 2)]
    if why_not is None:
        return [*remarks, *(f"  {line}" for line in section.lines)]
    remarks += comment(
        f"Left out, as it could not be judged today ({why_not}); take the # away once it can.", 2
    )
    return [*remarks, *(f"  {line}" for line in commented(section.lines))]
