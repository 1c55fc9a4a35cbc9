"""The packs' own tests: they pass, they cross every threshold, and they notice what changes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from pack_runs import PACKS

from orpolicy.cli.main import run
from orpolicy.policy.packs import pack_path

if TYPE_CHECKING:
    from pathlib import Path

NUMBER = re.compile(r"[0-9.]+")
THRESHOLD = re.compile(r"\b(?:fail|warn)_(?:above|below): ([0-9.]+)")


def mutants() -> list[tuple[str, int]]:
    """Each threshold that a pack sets: the pack, and where the number begins."""
    return [
        (pack, found.start(1))
        for pack in PACKS
        for found in THRESHOLD.finditer(policies_of(pack_path(pack).read_text(encoding="utf-8")))
    ]


def policies_of(text: str) -> str:
    """A pack without comments that look like thresholds, and without its tests; places stay as they are."""
    head = text.partition("\ntests:\n")[0]
    return re.sub(r"#.*", lambda comment: " " * len(comment[0]), head)


@pytest.mark.parametrize("pack", PACKS)
def test_every_threshold_is_crossed_from_both_sides(pack: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["test", "--pack", pack, "--min-coverage", "100"]) == 0
    assert "100 % of" in capsys.readouterr().out


def test_packs_are_tested_together(capsys: pytest.CaptureFixture[str]) -> None:
    packs = [argument for pack in PACKS for argument in ("--pack", pack)]
    assert run(["test", *packs, "--min-coverage", "100", "-q"]) == 0
    assert capsys.readouterr().out.startswith("PASS  30 tests: 30 ok")


@pytest.mark.parametrize("is_raised", [False, True])
@pytest.mark.parametrize(("pack", "start"), mutants())
def test_a_threshold_that_is_moved_fails_a_test(
    pack: str, start: int, is_raised: bool, tmp_path: Path
) -> None:
    text = pack_path(pack).read_text(encoding="utf-8")
    found = NUMBER.match(text, start)
    assert found
    number = float(found[0])
    if number == 0 and not is_raised:
        pytest.skip("nothing is below a threshold of 0")
    share = 0 < number < 1
    moved = (1.0 if share else 1e6) if is_raised else number / 100
    file = tmp_path / "pack.yaml"
    file.write_text(f"{text[: found.start()]}{moved:f}{text[found.end() :]}", encoding="utf-8")
    if run(["validate", str(file)]) == 0:  # a warning that a failure hides is refused before any test
        assert run(["test", str(file), "-q"]) == 1
