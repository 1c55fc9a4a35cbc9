"""``orpolicy explain`` as it is run."""

from __future__ import annotations

import pytest

from orpolicy.cli.main import run
from orpolicy.codes import Code
from orpolicy.plugins import RULES


def test_without_a_kind_all_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain"]) == 0
    lines = capsys.readouterr().out.splitlines()
    kinds, codes = lines[: len(RULES.names)], lines[len(RULES.names) + 1 :]
    assert [line.split()[0] for line in kinds] == list(RULES)
    assert all(RULES[name].measures in line for name, line in zip(RULES, kinds, strict=True))
    assert [line.split()[0] for line in codes] == list(Code)


@pytest.mark.parametrize("word", ["ORP205", "orp205", "truncated"])
def test_a_code_is_explained_by_its_number_or_its_reason(
    capsys: pytest.CaptureFixture[str], word: str
) -> None:
    assert run(["explain", word]) == 0
    assert capsys.readouterr().out.startswith("ORP205: rows are missing\n\n")


def test_a_kind_is_explained_from_its_own_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "model-ban"]) == 0
    text = capsys.readouterr().out
    for expected in (
        "model-ban: Spend on models that are banned here.\n",
        "\nMeasures    spend on models that are banned here (USD)\n",
        "\nDefault by  api_key_id, model\n",
        "\nThresholds  fail_above, warn_above: without any, fail_above 0\n",
        "\n  models (pattern or list of patterns, required): ",
        "\nGood example\n  id: no-preview-on-batch\n",
        "\nRefused\n  id: no-preview-on-batch\n",
        "\n  -> models is missing\n",
    ):
        assert expected in text


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("blended-multiple", "Thresholds  fail_above, warn_above: at least one is needed\n"),
        ("surcharge-share", "Default by  all traffic\n"),
        ("surcharge-share", "  components (list of web | web_fetch | file, required): "),
        ("cache-hit-rate", "  prompt_heavy (mapping, optional): "),
        ("metric", "  expression (text, required): "),
        ("metric", " (write\n     cached_tokens / tokens_prompt instead)\n"),
        ("metric", "Measures    an arithmetic expression over metrics, e.g. usage_web / total_usage\n"),
    ],
)
def test_the_facts_are_those_of_the_kind(
    capsys: pytest.CaptureFixture[str], kind: str, expected: str
) -> None:
    assert run(["explain", kind]) == 0
    assert expected in capsys.readouterr().out


@pytest.mark.parametrize("kind", RULES.names)
def test_every_kind_is_explained_within_a_terminal(capsys: pytest.CaptureFixture[str], kind: str) -> None:
    assert run(["explain", kind]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{kind}: ")
    assert any(line.startswith("  -> ") for line in lines)


@pytest.mark.parametrize(
    ("kind", "hint"), [("model-bn", "did you mean model-ban?"), ("zzz", f"kinds: {', '.join(RULES)}")]
)
def test_an_unknown_kind_is_exit_2_with_a_near_miss(
    capsys: pytest.CaptureFixture[str], kind: str, hint: str
) -> None:
    assert run(["explain", kind]) == 2
    assert capsys.readouterr().err == (
        f"orpolicy: there is no rule kind, policy, finding or code {kind!r} ({hint}) [ORP103]\n"
    )
