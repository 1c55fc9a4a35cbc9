"""``orpolicy explain``: a rule kind's manual, a policy in plain words, a finding step by step."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orpolicy.cli.options import load_policies, opened, parse_now
from orpolicy.codes import Code
from orpolicy.error_pages import error_page
from orpolicy.errors import PolicyError, Reason, UsageError
from orpolicy.manual import Manual, example_file, manual_of
from orpolicy.plugins import RULES
from orpolicy.policy.loader import load_texts
from orpolicy.policy.validation import near_miss
from orpolicy.policy_kinds import Kinds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orpolicy.policy.kinds import KindSchema
    from orpolicy.policy.model import Json, PolicySet, Thresholds
    from orpolicy.report import Report
    from orpolicy.rules.base import Rule

REPORT = Path("orpolicy-report.json")

_WIDTH = 92
_NARROWEST, _WIDEST = 60, 110


@dataclass(frozen=True, slots=True)
class Place:
    """Where a policy or a finding is looked for; the attributes are options."""

    paths: tuple[Path, ...]
    packs: tuple[str, ...]
    report: Path | None
    source: str | None
    now: str | None
    catalog: Path | None

    @property
    def is_about_policies(self) -> bool:
        """Whether the command line names policy files, and no figures."""
        return bool(self.paths or self.packs) and not self.is_about_findings

    @property
    def is_about_findings(self) -> bool:
        """Whether the command line names figures."""
        return self.report is not None or self.source is not None

    def policies(self) -> PolicySet | None:
        """The policies, or None where there are none and nobody named any.

        Raises:
            UsageError: if a path or pack that was named does not exist.
            PolicyError: if the files are wrong.
        """
        try:
            return load_policies(self.paths, self.packs)
        except UsageError:
            if self.paths or self.packs:
                raise
            return None

    def findings(self) -> Report | None:
        """The report, from its file or from a run in memory; None where there is neither.

        Raises:
            UsageError: if the file is no report, or the source cannot be opened.
            PolicyError: if the files are wrong.
        """
        if self.source is not None:
            return self._run(self.source)
        file = self.report or (REPORT if REPORT.is_file() else None)
        if file is None:
            return None
        from orpolicy.github.report_file import read_report

        return read_report(file)

    def _run(self, source: str) -> Report:
        from orpolicy.lint import lint
        from orpolicy.staging import Choice

        policies = load_policies(self.paths, self.packs, source)
        with opened(source, parse_now(self.now), self.catalog) as figures:
            return lint(policies, figures, Choice())


@click.command(name="explain")
@click.argument("subject", metavar="[RULE|CODE]", required=False)
def command(subject: str | None) -> None:
    """Say what a rule kind measures, or what a problem's code means.

    RULE is a kind such as model-ban; CODE is what stands at the end of a message, such as ORP010, or the
    reason of a policy that could not be judged, such as truncated. Without either it lists both.
    """
    if subject is None:
        lines = list(_contents())
    elif subject in RULES:
        lines = list(_manual(subject))
    elif (code := _code_of(subject)) is not None:
        lines = list(_error(error_page(code)))
    else:
        raise _unknown(subject)
    click.echo("\n".join(lines))


def _contents() -> Iterator[str]:
    """Every kind, then every code."""
    width = max(map(len, RULES))
    for name in RULES:
        yield f"{name:{width}}  {RULES[name].measures}"
    yield ""
    for code in Code:
        yield f"{code:{width}}  {error_page(code).title}"


def _code_of(subject: str) -> Code | None:
    """The code that a word stands for, in any case."""
    name = subject.upper()
    reasons = {reason.value: reason.code for reason in Reason}
    return Code(name) if name in set(Code) else reasons.get(subject.lower())


def _unknown(subject: str) -> UsageError:
    known = (*RULES, *Code, *Reason)
    if subject.upper().startswith("ORP"):
        return UsageError(
            f"there is no code {subject!r} (without one, all are listed)", code=Code.UNKNOWN_NAME
        )
    hint = near_miss(subject, known) or f"kinds: {', '.join(RULES)}"
    return UsageError(f"there is no rule kind {subject!r} ({hint})", code=Code.UNKNOWN_NAME)


def _error(page: ErrorPage) -> Iterator[str]:
    yield f"{page.code}: {page.title}"
    yield ""
    yield textwrap.fill(page.meaning, _WIDTH)
    for title, blocks in (("Wrong", page.wrong), ("Right", page.right)):
        for number, block in enumerate(blocks):
            named = f" ({block.file})" if block.file and len(blocks) > 1 else ""
            yield from ("", f"{title}{named}" if not number or named else "then")
            yield textwrap.indent(block.text.rstrip(), "  ")
    yield from ("", textwrap.fill(page.remedy, _WIDTH))


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
            yield f"  -> {problem.message}{f' ({problem.hint})' if problem.hint else ''}"
