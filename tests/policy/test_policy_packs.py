"""Packs: found in a checkout and in an installed package."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import orpolicy
from orpolicy.errors import UsageError
from orpolicy.policy.loader import load
from orpolicy.policy.packs import pack_names, pack_path
from orpolicy.policy_kinds import Kinds

ROOT = Path(orpolicy.__file__).resolve().parent.parent


def test_the_packs_of_a_checkout_are_its_policies_folder() -> None:
    assert pack_names() == tuple(sorted(path.stem for path in (ROOT / "policies").glob("*.yaml")))


@pytest.mark.parametrize("name", pack_names() or [pytest.param("", marks=pytest.mark.skip("no pack yet"))])
def test_every_pack_is_valid(name: str) -> None:
    assert load([pack_path(name)], Kinds()).policies


def installed(tmp_path: Path, code: str) -> str:
    """What code prints in a process that imports a copy of the package with two packs inside it."""
    ignore = shutil.ignore_patterns("__pycache__", "packs")
    shutil.copytree(ROOT / "orpolicy", tmp_path / "orpolicy", ignore=ignore)
    packs = tmp_path / "orpolicy" / "data" / "packs"
    packs.mkdir(parents=True)
    for name in ("starter", "cost-review"):
        (packs / f"{name}.yaml").write_text("version: 1\n")
    command = [sys.executable, "-c", f"from orpolicy.policy.packs import *\n{code}"]
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout.strip()


def test_the_packs_of_a_wheel_are_inside_it(tmp_path: Path) -> None:
    printed = installed(tmp_path, "print(*pack_names(), pack_path('starter'))").split()
    assert printed[:2] == ["cost-review", "starter"]
    assert Path(printed[2]) == (tmp_path / "orpolicy" / "data" / "packs" / "starter.yaml").resolve()


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("startr", "did you mean starter?"),
        ("zzz", "packs: cost-review, starter"),
        ("../packs/starter", "starter"),
    ],
)
def test_an_unknown_pack_is_named_with_a_near_miss(tmp_path: Path, name: str, hint: str) -> None:
    code = f"try: pack_path({name!r})\nexcept Exception as error: print(type(error).__name__, error)"
    printed = installed(tmp_path, code)
    assert printed.startswith(f"UsageError there is no pack {name!r} (")
    assert hint in printed


def test_an_unknown_pack_is_an_error_of_use() -> None:
    with pytest.raises(UsageError, match="there is no pack 'no such pack'"):
        pack_path("no such pack")
