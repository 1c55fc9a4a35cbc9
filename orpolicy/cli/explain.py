"""``orpolicy explain``: a rule kind's manual, a policy in plain words, a finding step by step."""

from __future__ import annotations

import shutil
import textwrap
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orpolicy.binding import DEFAULT_WINDOW
from orpolicy.cli.options import load_policies, opened, parse_now
from orpolicy.codes import Code
from orpolicy.error_pages import code_of, error_page, page_lines
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
@click.argument("subject", metavar="[RULE|POLICY|FINGERPRINT|CODE]", required=False)
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@click.option("--pack", "packs", multiple=True, metavar="NAME", help="Policies that ship with orpolicy.")
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=f"Where the finding is: what `orpolicy check --format json=FILE` wrote. [default: {REPORT}]",
)
@click.option("--source", metavar="SOURCE", help="Judge these figures now, and explain what is found.")
@click.option("--now", metavar="TIME", help="Fix the clock: 2026-06-10 or 2026-06-10T00:00:00Z.")
@click.option(
    "--catalog", type=click.Path(path_type=Path), metavar="FILE", help="A saved /models answer, for --source."
)
def command(
    subject: str | None,
    paths: tuple[Path, ...],
    packs: tuple[str, ...],
    report: Path | None,
    source: str | None,
    now: str | None,
    catalog: Path | None,
) -> None:
    """Say what a rule kind measures, what a policy says, how a finding came about, or what a code means.

    RULE is a kind such as model-ban. POLICY is the id of a policy of PATH, of --pack, or of the policies
    here. FINGERPRINT is the beginning of a finding's, at least four digits. CODE is what stands at the end
    of a message, such as ORP010, or why a policy could not be judged, such as truncated. Without any it
    lists the kinds and the codes.
    """
    place = Place(paths, packs, report, source, now, catalog)
    lines = _contents() if subject is None else _about(subject, place)
    click.echo("\n".join(lines))


def _about(subject: str, place: Place) -> Iterator[str]:
    """Whatever a word means: first what the command line speaks of, then kind, code, policy, finding.

    Raises:
        UsageError: if it means nothing.
        PolicyError: if the files are wrong.
    """
    is_elsewhere = place.is_about_policies or place.is_about_findings
    if subject in RULES and not is_elsewhere:
        return _manual(subject)
    if (code := code_of(subject)) is not None:
        return page_lines(error_page(code), _WIDTH)
    found = _policy(subject, place) or _finding(subject, place)
    if found is None:
        raise _unknown(subject, place)
    return found


def _contents() -> Iterator[str]:
    """Every kind, then every code."""
    width = max(map(len, RULES))
    for name in RULES:
        yield f"{name:{width}}  {RULES[name].measures}"
    yield ""
    for code in Code:
        yield f"{code:{width}}  {error_page(code).title}"


def _policy(subject: str, place: Place) -> Iterator[str] | None:
    """A policy's page, or None where there is no policy of that id."""
    written = None if place.is_about_findings else place.policies()
    policy = next((item for item in written.policies if item.id == subject), None) if written else None
    if policy is None or written is None:
        return None
    from orpolicy.explaining.page import policy_page
    from orpolicy.period import parse_window
    from orpolicy.planning import Nobody, make_plan
    from orpolicy.staging import Choice

    clock = parse_now(place.now) or datetime.now(UTC)
    try:
        window = parse_window(policy.window or written.window or DEFAULT_WINDOW, clock)
    except ValueError:
        window = None
    plan = make_plan(written, Nobody(clock, None), Choice(select=(policy.id,)))
    return policy_page(policy, written, window, plan, _columns())


def _finding(subject: str, place: Place) -> Iterator[str] | None:
    """A finding's page, or None where there is no such finding."""
    from orpolicy.explaining.find import find, is_fingerprint

    report = place.findings() if is_fingerprint(subject) and not place.is_about_policies else None
    finding = find(report, subject) if report else None
    if finding is None or report is None:
        return None
    from orpolicy.explaining.page import finding_page

    return finding_page(finding, report, _columns())


def _columns() -> int:
    return min(max(shutil.get_terminal_size((_WIDTH, 24)).columns, _NARROWEST), _WIDEST)


def _unknown(subject: str, place: Place) -> UsageError:
    written = None if place.is_about_findings else place.policies()
    known = (*RULES, *(policy.id for policy in (written.policies if written else ())), *Code, *Reason)
    hint = near_miss(subject, known) or f"kinds: {', '.join(RULES)}"
    message = f"there is no rule kind, policy, finding or code {subject!r} ({hint})"
    return UsageError(message, code=Code.UNKNOWN_NAME)


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
