"""Run the check that the action's inputs describe, and tell GitHub how it went.

No input passes a shell: each becomes one argument of the command, whatever it holds. What orpolicy prints is
shown with workflow commands switched off, as policies and names come from outside; annotations alone, which
orpolicy escapes, are shown with commands on.
"""

from __future__ import annotations

import html
import json
import os
import re
import shlex
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from action.comparison import Sides, compare
from action.console import data, field, mask, orpolicy, say
from action.tell import DestinationError, destinations

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

EXIT_FAILED, EXIT_USAGE = 1, 2
EXITS_WITH_A_REPORT = (0, 1, 3)

PROPOSALS = ("pull_request", "pull_request_target", "merge_group")
"""Events that propose a change: they may lack the key, and their policies are held against the base's."""

KEYLESS_COMMANDS = ("validate", "test")
"""What is run on them where there is no key."""

OWN_SOURCES = ("openrouter", "demo")
MOST_ANNOTATIONS, MOST_CHARACTERS = 10, 4_000
MOST_IN_SUMMARY = 100_000
"""Characters of a complaint; GitHub drops a whole summary of more than 1 MiB, and the log has the rest."""

_PROBLEM = re.compile(r"(?P<file>.+?):(?P<line>\d+):(?P<column>\d+): (?P<message>.+)")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


class InputError(Exception):
    """An input of the action is wrong."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """The action's inputs.

    Attributes:
        policies: paths from the root of the workspace; empty where orpolicy is to find them at the root.
        options: of ``orpolicy check``, outputs aside.
        packs: those of the options that ``orpolicy validate`` takes as well.
        key: the management key, or "".
        reports: format and file, for the files that the workflow asks for.
        is_weaker_fatal: whether a proposal that weakens the policies fails the step.
        comparing: options of ``orpolicy diff-policy`` that the others come to.
    """

    policies: tuple[str, ...]
    options: tuple[str, ...]
    packs: tuple[str, ...]
    source: str
    key: str
    reports: tuple[tuple[str, Path], ...]
    summary: bool
    annotations: bool
    is_weaker_fatal: bool
    comparing: tuple[str, ...]

    @property
    def needs_key(self) -> bool:
        """Whether the source asks for a key and there is none."""
        return self.source == "openrouter" and not self.key


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it went.

    Attributes:
        code: the exit code.
        complaint: what went to standard error, or why nothing was run.
        room: the folder of the reports, or None where no data was judged.
        note: why no data was judged although nothing is wrong.
        comparison: Markdown about what the policies are against those of the base, or "".
        missing: why there is none although nothing is wrong, or "".
    """

    code: int
    complaint: str = ""
    room: Path | None = None
    note: str = ""
    comparison: str = ""
    missing: str = ""


def main() -> int:
    """Read the inputs, run, tell; the exit code."""
    key = os.environ["INPUT_MANAGEMENT_KEY"].strip()
    mask(key)
    summary = True
    try:
        inputs = read_inputs(os.environ, key)
        summary = inputs.summary
        outcome = run(inputs, os.environ["GITHUB_EVENT_NAME"])
    except InputError as error:
        outcome = Outcome(EXIT_USAGE, str(error))
    if outcome.code not in EXITS_WITH_A_REPORT:
        for line in complaints(outcome):
            say(line)
    write_outputs(outcome)
    if summary:
        write_summary(outcome)
    return outcome.code


def read_inputs(environ: Mapping[str, str], key: str) -> Inputs:
    """The inputs as values.

    Raises:
        InputError: for one that cannot be understood; orpolicy itself judges the others.
    """

    def text(name: str) -> str:
        return environ[f"INPUT_{name}"].strip()

    _check_destinations(text("NOTIFY"))
    folder = Path(text("WORKING_DIRECTORY") or ".")
    if not folder.is_dir():
        raise InputError(f"working-directory: there is no folder {folder}")
    source = text("SOURCE") or "openrouter"
    extra = _words(text("EXTRA_ARGS"))
    baseline = _given("baseline", text("BASELINE") and str(folder / text("BASELINE")))
    reports = (("sarif", text("SARIF_FILE")), ("html", text("HTML_FILE")))
    return Inputs(
        policies=_policies(folder, text("POLICIES")),
        options=(
            f"--source={source if source in OWN_SOURCES or _SCHEME.match(source) else folder / source}",
            *_given("window", text("WINDOW")),
            *_given("fail-on", text("FAIL_ON")),
            *_given("on-inconclusive", text("ON_INCONCLUSIVE")),
            *baseline,
            *_given("history", text("HISTORY") and str(folder / text("HISTORY"))),
            *(f"--select={policy}" for policy in text("SELECT").replace(",", " ").split()),
            *extra,
        ),
        packs=_packs(extra),
        source=source,
        key=key,
        reports=tuple((name, folder / file) for name, file in reports if file),
        summary=_is_true("summary", text("SUMMARY")),
        annotations=_is_true("annotations", text("ANNOTATIONS")),
        is_weaker_fatal=_one_of("on-weaker", text("ON_WEAKER"), "fail", "warn"),
        comparing=(*baseline, *(word for word in extra if word == "--redact")),
    )


def _given(option: str, value: str) -> tuple[str, ...]:
    return (f"--{option}={value}",) if value else ()


def _is_true(name: str, value: str) -> bool:
    return _one_of(name, value, "true", "false")


def _one_of(name: str, value: str, yes: str, no: str) -> bool:
    if value not in (yes, no):
        raise InputError(f"{name}: {yes} or {no}, not {value!r}")
    return value == yes


def _check_destinations(text: str) -> None:
    try:
        destinations(text)
    except DestinationError as error:
        raise InputError(str(error)) from error


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise InputError(f"extra-args: {error}") from error


def _packs(words: Sequence[str]) -> tuple[str, ...]:
    found: list[str] = []
    for index, word in enumerate(words):
        if word == "--pack":
            found += words[index : index + 2]
        elif word.startswith("--pack="):
            found.append(word)
    return tuple(found)


def _policies(folder: Path, text: str) -> tuple[str, ...]:
    """The paths that are named, else the first of orpolicy's own that a folder below the root has."""
    named = [line.strip() for line in text.splitlines()]
    if any(named):
        return tuple(str(folder / name) for name in named if name)
    if folder == Path():
        return ()
    usual = [folder / name for name in ("policies", "orpolicy.yaml", "orpolicy.yml")]
    return (str(next((path for path in usual if path.exists()), usual[0])),)


def run(inputs: Inputs, event: str) -> Outcome:
    """Judge the data or the policies; a proposal's policies are then held against the base's.

    Raises:
        InputError: as for ``judge``.
    """
    outcome = judge(inputs, event)
    if event in PROPOSALS and outcome.code in EXITS_WITH_A_REPORT:
        outcome = compared(outcome, inputs)
    if notes := [text for text in (outcome.note, outcome.missing) if text]:
        say(f"::notice title=orpolicy::{data(' '.join(notes))}")
    return outcome


def compared(outcome: Outcome, inputs: Inputs) -> Outcome:
    """The outcome with what the proposal weakens; a policy that failed stays the reason of a failure."""
    sides = Sides(os.environ.get("BASE_COMMIT", ""), inputs.policies, inputs.packs, inputs.comparing)
    found = compare(sides, is_gate=inputs.is_weaker_fatal)
    code = outcome.code if outcome.code == EXIT_FAILED else found.code or outcome.code
    outcome = replace(outcome, code=code, comparison=found.markdown)
    if not found.missing:
        return outcome
    missing = f"The policies were not compared with the base's: {found.missing}."
    if found.code:
        return replace(outcome, complaint=f"on-weaker is fail. {missing}")
    return replace(outcome, missing=missing)


def judge(inputs: Inputs, event: str) -> Outcome:
    """Judge the data, or the policies alone where an event cannot have the key.

    Raises:
        InputError: if the key is missing on an event that should have it, or as for ``check``.
    """
    if not inputs.needs_key:
        return check(inputs)
    if event not in PROPOSALS:
        raise InputError(
            f"management-key is empty on {event}: pass a secret that holds an OpenRouter management key, "
            "or name a source that needs none"
        )
    for command in KEYLESS_COMMANDS:
        outcome = call([command, *inputs.packs, "--", *inputs.policies], inputs)
        if outcome.code:
            return outcome
    note = (
        "No data was judged: there is no management key here, as for any pull request from a fork. "
        "The policy files are valid."
    )
    return Outcome(0, note=note)


def check(inputs: Inputs) -> Outcome:
    """Judge the data; the reports stay, however it ends.

    Raises:
        InputError: if there can be no folder for a report.
    """
    room = Path(tempfile.mkdtemp(prefix="orpolicy-", dir=os.environ["RUNNER_TEMP"]))
    files = [
        ("json", room / "report.json"),
        ("github", room / "annotations"),
        ("markdown", room / "summary.md"),
    ]
    make_folders([file.parent for _, file in inputs.reports])
    formats = [f"--format={name}={file}" for name, file in (*files, *inputs.reports)]
    outcome = call(["check", *formats, *inputs.options, "--", *inputs.policies], inputs)
    if outcome.code not in EXITS_WITH_A_REPORT:
        return outcome
    if inputs.annotations:
        say((room / "annotations").read_text(encoding="utf-8").rstrip("\n"))
    return Outcome(outcome.code, outcome.complaint, room)


def make_folders(folders: Sequence[Path]) -> None:
    """Make the folders of the reports that the workflow asks for.

    Raises:
        InputError: for one that cannot be made.
    """
    try:
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"sarif-file, html-file: cannot make {error.filename}: {error.strerror}") from error


def call(arguments: Sequence[str], inputs: Inputs) -> Outcome:
    """Run one command of orpolicy, with its output in the log."""
    given = {} if "ORPOLICY_CACHE_DIR" in os.environ else {"ORPOLICY_CACHE_DIR": answers_folder()}
    if inputs.source == "openrouter" and inputs.key:
        given["OPENROUTER_MANAGEMENT_KEY"] = inputs.key
    ended = orpolicy(arguments, given, secret=inputs.key)
    return Outcome(ended.code, ended.complaint)


def answers_folder() -> str:
    """Where answers are kept for the job alone."""
    return str(Path(os.environ["RUNNER_TEMP"], "orpolicy-answers"))


def write_outputs(outcome: Outcome) -> None:
    """Set the action's outputs; those that say nothing stay empty."""
    outputs = {"exit-code": str(outcome.code)}
    if outcome.room:
        file = outcome.room / "report.json"
        report = json.loads(file.read_text(encoding="utf-8"))
        outputs["verdict"] = report["verdict"]
        outputs["findings"] = str(sum(finding["status"] == "open" for finding in report["findings"]))
        outputs["net-savings"] = f"{report['savings_usd_per_month']['net']['expected']:.2f}"
        outputs["spend"] = f"{report['baseline']['spend_usd']:.2f}" if report["baseline"] else ""
        outputs["report-file"] = str(file)
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as output:
        output.writelines(f"{name}={value}\n" for name, value in outputs.items())


def write_summary(outcome: Outcome) -> None:
    """Append to the job's summary."""
    parts = [outcome.comparison]
    if outcome.room:
        parts.insert(0, (outcome.room / "summary.md").read_text(encoding="utf-8"))
    elif outcome.note:
        parts.insert(0, f"## orpolicy: valid\n\n{outcome.note}\n")
    else:
        parts.insert(0, f"## orpolicy: not run, exit code {outcome.code}\n")
    if outcome.missing or outcome.code not in EXITS_WITH_A_REPORT:
        parts.append(f"<pre>{html.escape(_cut((outcome.missing or outcome.complaint).strip()))}</pre>\n")
    with Path(os.environ["GITHUB_STEP_SUMMARY"]).open(
        "a", encoding="utf-8", errors="backslashreplace"
    ) as file:
        file.write("\n".join(filter(None, parts)))


def _cut(text: str) -> str:
    """A text's first lines, as many as there is room for; what is left out is counted."""
    if len(text) <= MOST_IN_SUMMARY:
        return text
    shown = text[:MOST_IN_SUMMARY].rpartition("\n")[0] or text[:MOST_IN_SUMMARY]
    return f"{shown}\n... {len(text) - len(shown):,} more characters are in the log"


def complaints(outcome: Outcome) -> Iterator[str]:
    """Annotations for what stopped a run: on the lines of the policy files where they are named."""
    lines = outcome.complaint.splitlines()
    found = [match for line in lines if (match := _PROBLEM.fullmatch(line))]
    for match in found[:MOST_ANNOTATIONS]:
        place = f"file={field(match['file'])},line={match['line']},col={match['column']}"
        yield f"::error {place},title=orpolicy::{data(match['message'])}"
    if not found:
        text = outcome.complaint.strip() or f"orpolicy ended with exit code {outcome.code}"
        yield f"::error title=orpolicy::{data(text[:MOST_CHARACTERS])}"


if __name__ == "__main__":
    sys.exit(main())
