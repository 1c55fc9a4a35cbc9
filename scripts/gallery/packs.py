"""The pages of the packs: their policies, what they say of the demo, the file itself."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from gallery.console import page_folder
from gallery.markdown import fenced, page, prose, table, terms
from orpolicy.policy.loader import load_texts
from orpolicy.policy_kinds import Kinds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orpolicy.policy.model import PolicySet

FOLDER = Path(__file__).resolve().parents[2] / "policies"


def pack_names() -> tuple[str, ...]:
    """Every pack, sorted."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


def packs_of(kind: str) -> Iterator[str]:
    """The packs that have a policy of a kind."""
    for name in pack_names():
        if any(policy.rule == kind for policy in _policies(name).policies):
            yield name


def pack_pages() -> Iterator[tuple[str, str]]:
    """Path and text of the index and of a page a pack."""
    rows = ([f"[`{name}`]({name}.md)", prose(_opening(name)[0])] for name in pack_names())
    use = (
        "A pack is a policy file that ships with orpolicy. Look at one with "
        "`orpolicy check --pack NAME --source demo`; build on it with `extends: [pack:NAME]`."
    )
    yield "reference/packs/index.md", page("Packs", use, table(("pack", "for"), rows))
    for name in pack_names():
        yield f"reference/packs/{name}.md", _pack_page(name)


def _pack_page(name: str) -> str:
    title, *rest = _opening(name)
    policies = (
        (
            f"`{policy.id}` ([{policy.rule}](../kinds/{policy.rule}.md))",
            prose(f"{policy.title}. {policy.why}"),
        )
        for policy in _policies(name).policies
    )
    runs = (f"orpolicy check --source demo --pack {name} -q", f"orpolicy test --pack {name} -q")
    return page(
        name,
        prose(title),
        *map(prose, rest),
        "## Policies",
        terms(policies),
        "## On the demo account",
        fenced("console", "\n".join(_ran(command) for command in runs)),
        "## The file",
        f'??? example "{name}.yaml"\n\n'
        + textwrap.indent(fenced("yaml", _text(name), f"{name}.yaml"), "    "),
    )


def _ran(command: str) -> str:
    with page_folder() as session:
        return "\n".join([f"$ {command}", *session.ran(command)])


def _text(name: str) -> str:
    return (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")


def _policies(name: str) -> PolicySet:
    return load_texts({f"{name}.yaml": _text(name).encode()}, Kinds())


def _opening(name: str) -> list[str]:
    """The paragraphs of the comment at the head of a pack, without its command lines."""
    head = _text(name).partition("\n\n")[0]
    lines = [line.removeprefix("#").removeprefix(" ") for line in head.splitlines()]
    told = [line for line in lines if not line.startswith("  ")]
    text = "\n".join(told).replace("To look first:", "")
    paragraphs = [" ".join(part.split()) for part in text.split("\n\n")]
    first = paragraphs[0].partition(": ")[2]
    return [first[:1].upper() + first[1:], *filter(None, paragraphs[1:])]
