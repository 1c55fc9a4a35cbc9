"""The formats for CI as they were looked at; `python tests/reporters/ci_samples.py` writes them anew."""

from __future__ import annotations

import pytest
from ci_samples import CASES, ENDINGS, golden, rendered
from samples import GOLDEN, SAMPLES


@pytest.mark.parametrize(("form", "sample"), CASES)
def test_golden(form: str, sample: str) -> None:
    assert rendered(form, SAMPLES[sample]()) == golden(form, sample).read_text(encoding="utf-8")


@pytest.mark.parametrize("form", ENDINGS)
def test_no_golden_file_is_left_over(form: str) -> None:
    expected = {golden(form, sample) for each, sample in CASES if each == form}
    assert set((GOLDEN / form).iterdir()) == expected
