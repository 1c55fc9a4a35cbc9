"""Rewrite the generated parts of README.md: the table of rule kinds and the table of formats.

Usage: python scripts/make_readme.py [README.md]
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from orpolicy.plugins import REPORTERS, RULES

README = Path(__file__).resolve().parent.parent / "README.md"


def kinds() -> str:
    """The rule kinds, in the order of their names."""
    lines = ["| kind | measures | default `by` |", "|---|---|---|"]
    for name in RULES:
        rule = RULES[name]
        by = ", ".join(f"`{dimension}`" for dimension in rule.default_by) or "(all traffic)"
        lines.append(f"| `{name}` | {rule.measures} | {by} |")
    return "\n".join(lines)


def formats() -> str:
    """The output formats, in the order of their names."""
    lines = ["| `--format` | for |", "|---|---|"]
    lines += [f"| `{name}` | {REPORTERS[name].summary} |" for name in REPORTERS]
    return "\n".join(lines)


def rewritten(text: str) -> str:
    """The text with what stands between each pair of markers made anew."""
    for name, made in (("kinds", kinds()), ("formats", formats())):
        head, tail = f"<!-- {name}: made by scripts/make_readme.py -->\n", f"<!-- /{name} -->"
        pattern = re.compile(f"({re.escape(head)}).*?({re.escape(tail)})", re.DOTALL)
        text = pattern.sub(rf"\g<1>{made.replace(chr(92), chr(92) * 2)}\n\g<2>", text)
    return text


def main() -> None:
    """Rewrite the file in place."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else README
    path.write_text(rewritten(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
