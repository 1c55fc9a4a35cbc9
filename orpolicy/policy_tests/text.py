"""The outcome for people in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.policy_tests import words
from orpolicy.policy_tests.outcome import Ending
from orpolicy.reporters._page import GAP, Ink, Page, Piece, place, sticky
from orpolicy.reporters._words import columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orpolicy.location import Location
    from orpolicy.policy_tests.outcome import Outcome, Result
    from orpolicy.policy_tests.thresholds import Threshold
    from orpolicy.reporters.base import Style

_WORDS = {
    Ending.OK: Piece(sticky("ok    "), Ink.PASS),
    Ending.FAILED: Piece("FAILED", Ink.FAIL),
    Ending.TODO: Piece(sticky("todo  "), Ink.WARN),
    Ending.FIXED: Piece(sticky("FIXED "), Ink.FAIL),
}
_INDENT, _HANG = 8, 10
_MINUS, _PLUS = "- ", "+ "
_INKS = {_MINUS: Ink.FAIL, _PLUS: Ink.PASS}


def as_text(outcome: Outcome, style: Style) -> str:
    """A line a test, a diff where it did not come as expected, and the thresholds that lack a test."""
    page = Page(style.width, style.color)
    if style.verbosity >= 0:
        for result in outcome.results:
            _put_result(page, result, verbose=style.verbosity > 0)
        page.blank()
        _put_coverage(page, outcome, verbose=style.verbosity > 0)
    _put_verdict(page, outcome, alone=style.verbosity < 0)
    return page.text()


def _put_result(page: Page, result: Result, *, verbose: bool) -> None:
    page.put(
        _WORDS[result.ending], GAP, place(result.case.location), GAP, result.case.name, hang=_INDENT
    )  # fmt: skip
    if result.ending is Ending.FIXED:
        page.put(words.FIXED, indent=_INDENT)
    if result.ending is Ending.FAILED or (verbose and result.ending is Ending.TODO):
        _put_diff(page, result)
    if verbose:
        for expectation, _ in result.comparison.met:
            page.put(
                Piece("= ", Ink.FAINT),
                Piece(words.expected(expectation), Ink.FAINT),
                indent=_INDENT,
                hang=_HANG,
            )


def _put_diff(page: Page, result: Result) -> None:
    for mark, text, where in _diff(result):
        ink, hang = _INKS.get(mark, Ink.PLAIN), _INDENT if mark else _HANG
        beside = (GAP, place(where)) if where else ()
        page.put(Piece(f"{mark}{text}", ink), *beside, indent=hang, hang=_HANG)


def diff_lines(result: Result) -> Iterator[str]:
    """The diff of a test as plain lines; none where all came as expected."""
    if result.ending is Ending.FIXED:
        yield words.FIXED
    for mark, text, where in _diff(result):
        beside = f"  {where.file}:{where.line}" if where else ""
        yield f"{mark or '  '}{text}{beside}"


def _diff(result: Result) -> Iterator[tuple[str, str, Location | None]]:
    """Mark, text and place of each line.

    Every expectation that did not come true stands next to what came nearest; then comes what nobody
    expected.
    """
    for missing in result.comparison.missing:
        yield _MINUS, words.expected(missing.expectation), missing.expectation.location
        first, *others = words.got(missing)
        yield _PLUS, first, None
        for text in others:
            yield "", text, None
    for finding in result.comparison.others:
        yield _PLUS, f"{words.found(finding)} is not expected", None


def _put_coverage(page: Page, outcome: Outcome, *, verbose: bool) -> None:
    coverage = outcome.coverage
    if coverage is None:
        return
    listed = [each for each in coverage.thresholds if verbose or not each.is_crossed]
    if listed:
        _put_thresholds(page, listed, verbose=verbose)
        page.blank()


def _put_thresholds(page: Page, listed: Sequence[Threshold], *, verbose: bool) -> None:
    page.put("Thresholds:" if verbose else "Thresholds without a judged subject on each side:")
    cells = [
        (f"{each.location.file}:{each.location.line}", each.policy, f"{each.key} {words.figure(each.limit)}")
        for each in listed
    ]
    widths = [max(map(columns, column)) for column in zip(*cells, strict=True)]
    for each, row in zip(listed, cells, strict=True):
        padded = [cell + " " * (width - columns(cell)) for cell, width in zip(row, widths, strict=True)]
        ink = Ink.FAINT if each.is_crossed else Ink.WARN
        where = Piece(sticky(padded[0]), Ink.PLACE)
        rest = (Piece(sticky(text)) for text in padded[1:])
        parts = [part for piece in rest for part in (GAP, piece)]
        page.put(where, *parts, GAP, Piece(sticky(words.gap(each)), ink), indent=2, hang=4)


def _put_verdict(page: Page, outcome: Outcome, *, alone: bool) -> None:
    word = Piece("PASS", Ink.PASS) if outcome.passes else Piece("FAIL", Ink.FAIL)
    facts = [words.tally(outcome)]
    if outcome.coverage is not None and not (alone and outcome.is_covered):
        facts.append(words.covered(outcome.coverage, outcome.least_percent))
    page.put(word, GAP, "; ".join(facts), hang=6)
