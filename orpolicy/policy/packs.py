"""The packs: policies that ship with orpolicy."""

from __future__ import annotations

from pathlib import Path

from orpolicy.errors import UsageError
from orpolicy.policy.validation import near_miss

_PACKAGE = Path(__file__).resolve().parent.parent


def pack_names() -> tuple[str, ...]:
    """The names of all packs, sorted."""
    return tuple(sorted(path.stem for path in _folder().glob("*.yaml")))


def pack_path(name: str) -> Path:
    """The file of a pack.

    Raises:
        UsageError: if there is no pack of that name.
    """
    names = pack_names()
    if name not in names:
        hint = near_miss(name, names) or f"packs: {', '.join(names) or 'none'}"
        raise UsageError(f"there is no pack {name!r} ({hint})")
    return _folder() / f"{name}.yaml"


def _folder() -> Path:
    """Inside the package where it was installed from a wheel, beside it in a checkout."""
    installed = _PACKAGE / "data" / "packs"
    return installed if installed.is_dir() else _PACKAGE.parent / "policies"
