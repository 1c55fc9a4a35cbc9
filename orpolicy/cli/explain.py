"""``orpolicy explain``: a kind's manual, a code's page, a policy in plain words, a finding step by step."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orpolicy.cli.explained import REPORT, Place, explained_finding, explained_policy
from orpolicy.cli.options import catalog_option, now_option, policy_arguments
from orpolicy.codes import Code
from orpolicy.error_pages import code_of, error_page, page_lines
from orpolicy.errors import PolicyError, Reason, UsageError
from orpolicy.manual import Manual, example_file, manual_of
from orpolicy.plugins import RULES
from orpolicy.policy.loader import load_texts
from orpolicy.policy.validation import near_miss
from orpolicy.policy_kinds import Kinds
from orpolicy.reporters._words import plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orpolicy.policy.kinds import KindSchema
    from orpolicy.policy.model import Json, Thresholds
    from orpolicy.rules.base import Rule

_WIDTH = 92


@click.command(name="explain")
@click.argument("subject", metavar="[RULE|CODE|POLICY|FINGERPRINT]", required=False)
@policy_arguments
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=f"Where the finding is: what `check --format json=FILE` wrote. [default: {REPORT}, if it is there]",
)
@click.option(
    "--source", metavar="SOURCE", help="Where the finding is: these figures are judged now, as check does."
)
@now_option
@catalog_option
def command(
    subject: str | None,
    paths: tuple[Path, ...],
    packs: tuple[str, ...],
    report: Path | None,
    source: str | None,
    now: str | None,
    catalog: Path | None,
) -> None:
    """Explain a rule kind, a problem's code, a policy, or one finding from its rows to its dollars.

    RULE is a kind such as model-ban. CODE is what stands at the end of a message, such as ORP010, or the
    reason of a policy that could not be judged, such as truncated. Without any of these it lists both.

    POLICY is an id: it is put into plain words, with its queries. FINGERPRINT is a finding's, or at least
    four of its first characters. Names are looked for in this order; PATH or --pack put the policies first,
    --report or --source the findings.
    """
    place = Place(paths, packs, report, source, now, catalog)
    if subject is None and (place.names_figures or place.names_files):
        raise UsageError("name what to explain, such as a finding's fingerprint or a policy's id")
    lines = _contents() if subject is None else _about(subject, place)
    encoding = sys.stdout.encoding or "utf-8"
    click.echo("\n".join(lines).encode(encoding, "backslashreplace").decode(encoding))


def _about(subject: str, place: Place) -> Iterator[str]:
    """Whatever a word means: what the command line speaks of first.

    Raises:
        UsageError: if it means nothing.
        PolicyError: if the files are wrong.
    """
    seen: list[str] = []
    ways = {"manual": _looked_up, "policy": explained_policy, "finding": explained_finding}
    first = "finding" if place.names_figures else "policy" if place.names_files else "manual"
    for way in sorted(ways, key=lambda way: way != first):
        lines = ways[way](subject, place, seen)
        if lines is not None:
            return lines
    raise _unknown(subject, seen)


def _looked_up(subject: str, _place: Place, _seen: list[str]) -> Iterator[str] | None:
    """The manual of a kind or the page of a code, or None."""
    if subject in RULES:
        return _manual(subject)
    code = code_of(subject)
    return None if code is None else iter(page_lines(error_page(code), _WIDTH))


def _unknown(subject: str, seen: Sequence[str]) -> UsageError:
    """What there is instead; ``seen`` are the ids and fingerprints that were looked at."""
    from orpolicy.explaining.find import is_fingerprint

    hint = near_miss(subject, (*RULES, *Code, *Reason, *seen)) or f"kinds: {', '.join(RULES)}"
    if is_fingerprint(subject):
        findings = [one for one in seen if is_fingerprint(one)]
        near = near_miss(subject, findings) or f"none of the {plural(len(findings), 'finding')} begins so"
        hint = near if findings else "for a finding, say where it is: --report FILE or --source"
    message = f"there is no rule kind, policy, finding or code {subject!r} ({hint})"
    return UsageError(message, code=Code.UNKNOWN_NAME)


def _contents() -> Iterator[str]:
    """Every kind, then every code."""
    width = max(map(len, RULES))
    for name in RULES:
        yield f"{name:{width}}  {RULES[name].measures}"
    yield ""
    for code in Code:
        yield f"{code:{width}}  {error_page(code).title}"


def _manual(name: str) -> Iterator[str]:
    rule, kinds = RULES[name], Kinds()
    manual = manual_of(rule.__doc__ or "")
    yield f"{name}: {manual.summary}"
    yield from _prose(manual)
    yield ""
    yield from _facts(rule, kinds[name].schema)
    yield from _own_keys(kinds[name].schema)
    yield from ("", "Good example", textwrap.indent(manual.good, "  "))
    yield from ("", "Refused", textwrap.indent(manual.bad, "  "))
    yield from _refusal(manual, kinds)


def _prose(manual: Manual) -> Iterator[str]:
    for paragraph in filter(None, manual.prose.split("\n\n")):
        yield ""
        yield textwrap.fill(" ".join(paragraph.replace("``", "`").split()), _WIDTH)


def _facts(rule: type[Rule], schema: KindSchema) -> Iterator[str]:
    yield f"Measures    {rule.measures.replace('`', '')}{f' ({rule.unit})' if rule.unit else ''}"
    yield f"Default by  {', '.join(rule.default_by) or 'all traffic'}"
    default = _defaults(rule.default_thresholds) if schema.has_default else "at least one is needed"
    yield f"Thresholds  {', '.join(schema.thresholds)}: {default}"


def _defaults(thresholds: Thresholds) -> str:
    values = {
        "fail_above": thresholds.fail_above,
        "warn_above": thresholds.warn_above,
        "fail_below": thresholds.fail_below,
        "warn_below": thresholds.warn_below,
    }
    stated = ", ".join(f"{key} {value:g}" for key, value in values.items() if value is not None)
    return f"without any, {stated}"


def _own_keys(schema: KindSchema) -> Iterator[str]:
    if schema.keys:
        yield ""
        yield "Keys of its own"
    for key, fragment in schema.keys.items():
        facts = fragment if isinstance(fragment, dict) else {}
        needed = "required" if key in schema.required else "optional"
        yield textwrap.fill(
            f"{key} ({_type(facts)}, {needed}): {facts.get('description', '')}",
            _WIDTH,
            initial_indent="  ",
            subsequent_indent="    ",
        )


def _type(fragment: dict[str, Json]) -> str:
    """What a key takes, in words."""
    if str(fragment.get("$ref", "")).endswith("patterns"):
        return "pattern or list of patterns"
    choices = fragment.get("enum")
    if isinstance(choices, list):
        return " | ".join(str(choice) for choice in choices)
    items = fragment.get("items")
    if isinstance(items, dict):
        return f"list of {_type(items)}"
    words = {"string": "text", "object": "mapping", "array": "list", "boolean": "true or false"}
    return words.get(str(fragment.get("type")), str(fragment.get("type", "any")))


def _refusal(manual: Manual, kinds: Kinds) -> Iterator[str]:
    """Why the bad example is refused."""
    try:
        load_texts({"example": example_file(manual.bad).encode()}, kinds)
    except PolicyError as error:
        for problem in error.problems:
            yield textwrap.fill(
                f"-> {problem.said}",
                _WIDTH,
                initial_indent="  ",
                subsequent_indent="     ",
                break_long_words=False,
                break_on_hyphens=False,
            )
