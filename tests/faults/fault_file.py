"""One fault, as its file tells it: what is wrong, where it is put, and how the run must end."""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).parent
GROUPS = ("policies", "answers", "catalogue", "clock", "files", "environment")
HARMLESS = "harmless"
OPEN = "open"
"""Faults that nothing notices yet."""


@dataclass(frozen=True, slots=True)
class FaultFile:
    """One file of the register; the keys of the file are these attributes.

    Attributes:
        name: group and file name.
        wrong: what is wrong, in a sentence.
        exit: the exit code that the run must have; of a harmless fault it is the clean run's.
        says: what the output must hold, white space aside.
        edit: text of the clean policy file -> what replaces it; each must be there.
        policies: the policy file as a whole, instead of the clean one.
        files: path -> content, see ``content``, or ``{link: target}`` or ``{folder: true}``.
        account: attributes of the loopback account, and ``keys`` and ``spend`` to add; a key is named, or
            numbered from 0 where several have its name.
        answers: how answers change, see ``fault_server.Script``.
        environ: variables; null takes one away. ``{url}`` and ``{key}`` stand for the server's.
        args: the command line; ``{url}`` as above.
        before: a command line that is run first, in the same folder, without the ``answers``.
        spoil: files that are changed between the two: glob -> content.
        shell: runs the command line as ``"$@"`` in a process of its own.
        needs: a path that the machine must have.
        alone: whether exit 0 without ``account`` and ``answers`` shows that they are what matters.
    """

    name: str
    wrong: str
    exit: int = -1
    says: str = ""
    edit: Mapping[str, str] = field(default_factory=dict)
    policies: str | None = None
    files: Mapping[str, Any] = field(default_factory=dict)
    account: Mapping[str, Any] = field(default_factory=dict)
    answers: tuple[Mapping[str, Any], ...] = ()
    environ: Mapping[str, str | None] = field(default_factory=dict)
    args: tuple[str, ...] = ("check", "policies", "--now", "2026-06-10")
    before: tuple[str, ...] = ()
    spoil: Mapping[str, Any] = field(default_factory=dict)
    shell: str = ""
    needs: str = ""
    alone: bool = True


def read_fault(path: Path) -> FaultFile:
    """The fault in a file.

    Raises:
        ValueError: if it has a key that no fault has.
    """
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    unknown = set(data) - {item.name for item in fields(FaultFile)}
    if unknown:
        raise ValueError(f"{path}: no fault has {sorted(unknown)}")
    lists = {key: tuple(data[key]) for key in ("answers", "args", "before") if key in data}
    return FaultFile(**{**data, **lists, "name": f"{path.parent.name}/{path.stem}"})


def faults_of(*groups: str) -> list[FaultFile]:
    """Every fault of some groups, by name."""
    return [read_fault(path) for group in groups for path in sorted((FOLDER / group).glob("*.yaml"))]


def content(spec: Any) -> bytes:
    """The bytes that a file of the register describes.

    Text is UTF-8. A mapping has ``text`` with ``encoding``, or ``hex``, or ``repeat`` with ``times``,
    ``before`` and ``after``; with ``gzip: true`` they are packed.
    """
    if isinstance(spec, str):
        return spec.encode()
    if "hex" in spec:
        raw = bytes.fromhex(spec["hex"])
    elif "repeat" in spec:
        raw = (spec.get("before", "") + spec["repeat"] * spec["times"] + spec.get("after", "")).encode()
    else:
        raw = spec["text"].encode(spec.get("encoding", "utf-8"))
    return gzip.compress(raw) if spec.get("gzip") else raw
