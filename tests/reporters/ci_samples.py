"""What the formats for CI are held against: golden files, hostile texts, other people's validators."""

from __future__ import annotations

import os
import unicodedata
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from samples import GOLDEN, SAMPLES, hostile, waivers_of_all_states

from orpolicy.plugins import REPORTERS
from orpolicy.report import Report
from orpolicy.reporters.base import Style

ENDINGS = {"sarif": "sarif", "junit": "xml", "github": "txt", "markdown": "md"}
"""Format -> how its golden files end."""

TOO_LONG = {("sarif", "two-hundred"), ("junit", "two-hundred")}
"""Nobody would look through these."""

CASES = [(form, sample) for form in ENDINGS for sample in SAMPLES if (form, sample) not in TOO_LONG]

ATTACKS = (
    "%0A::error::pwned",
    "x\n::error file=a::pwned",
    "::stop-commands::x",
    "##[error]pwned",
    "</testcase>",
    "]]>",
    "<![CDATA[x]]>",
    "&lt;b&gt; &#64;everyone &amp;",
    "`",
    "a`b``c",
    "```\n# x",
    "a|b",
    "a\\|b",
    "\\",
    "@everyone",
    "cc @org/team, someone@evil.example",
    "#1 and owner/repo#2 and GH-3",
    "https://evil.example/x?a=b&c=d",
    "www.evil.example",
    "mailto:a@evil.example",
    "[a](https://evil.example)",
    "![a](https://evil.example/x.png)",
    "[a]: https://evil.example",
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "<!-- orpolicy report -->",
    "</details>",
    "**b** _i_ ~~s~~ $x$ $`y`$ :tada: [^1]",
    "- x",
    "1. x",
    "# x",
    "> [!NOTE]",
    "===",
    "    x",
    "{0} [x](1)",
    "safe\u202egnp.exe\u2066",
    "\x1b[31mred\x1b]8;;https://evil.example\x07",
    "lone \ud83d \udce9",
    "\ufffe\uffff\x00\x0b",
    "\u0301" * 50,
    "x" * 10_000,
    "\U000e0041" * 1_000,
    "@" * 10_000,
    "a b\u00a0c  d",
    " ",
    "",
)

nasty = st.one_of(
    st.sampled_from([text for text in ATTACKS if len(text) < 1_000]),
    st.text("`|*_[]()<>!&#@~$\\:/.-+=% \n\r\t{}'\",;0aw\u202e\ud83d\x1b\x00\uffff\u0301é批", max_size=40),
    st.text(st.characters(), max_size=40),
)


def attacked(text: str, base: Report | None = None) -> Report:
    """A report in which every text from outside is this one."""
    found = _attacked(base or hostile(), text)
    assert isinstance(found, Report)
    return found


def _attacked(value: Any, text: str) -> Any:
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return text
    if isinstance(value, tuple):
        return tuple(_attacked(item, text) for item in value)
    if isinstance(value, dict):
        return {key: _attacked(item, text) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        kept = {"fingerprint", "version", "window"}
        changes = {
            field.name: _attacked(getattr(value, field.name), text)
            for field in fields(value)
            if field.name not in kept
        }
        return replace(value, **changes)
    return value


def everywhere(text: str) -> list[Report]:
    """Reports that between them hold everything that a report can, all of it this text."""
    return [attacked(text), attacked(text, waivers_of_all_states()), attacked(text, SAMPLES["story"]())]


def all_attacks() -> Report:
    """One report with every hostile text, each in findings, policies, waivers and notices of its own."""
    parts = [attacked(text) for text in ATTACKS]
    return replace(
        parts[0],
        policies=tuple(each for part in parts for each in part.policies),
        findings=tuple(each for part in parts for each in part.findings),
        inconclusive=tuple(each for part in parts for each in part.inconclusive),
        waivers=tuple(each for part in parts for each in part.waivers),
        notices=tuple(each for part in parts for each in part.notices),
    )


def unsafe(text: str, but: str = "\n") -> list[str]:
    """Characters that move the cursor, hide or reorder text, or are no characters."""
    return [
        char
        for char in text
        if char not in but and unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
    ]


def rendered(form: str, report: Report) -> str:
    return REPORTERS[form]().render(report, Style())


def cents(usd: float) -> str:
    return f"${usd:,.2f}"


def golden(form: str, sample: str) -> Path:
    return GOLDEN / form / f"{sample}.{ENDINGS[form]}"


def outside_tool(path: str) -> Path:
    """A file of an npm package that CI unpacks beside the repository, or wherever the variable says."""
    folder = Path(os.environ.get("ORPOLICY_TOOLS") or Path(__file__).parents[2] / ".tools")
    found = folder / "node_modules" / path
    if not found.is_file():
        pytest.skip(f"{path} is not in {folder}/node_modules: .ci/run says how to get it")
    return found


def main() -> None:
    for form, sample in CASES:
        path = golden(form, sample)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(rendered(form, SAMPLES[sample]()), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
