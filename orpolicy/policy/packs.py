"""The packs: policies that ship with orpolicy."""

from __future__ import annotations

from pathlib import Path

from orpolicy.codes import Code
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
    if (path := find_pack(name)) is not None:
        return path
    raise UsageError(f"there is no pack {name!r} ({other_packs(name)})", code=Code.UNKNOWN_NAME)


def find_pack(name: str) -> Path | None:
    """The file of a pack, or None if there is none of that name."""
    return _folder() / f"{name}.yaml" if name in pack_names() else None


def other_packs(name: str) -> str:
    """What a wrong name may have meant: the nearest one, else all."""
    names = pack_names()
    return near_miss(name, names) or f"packs: {', '.join(names) or 'none'}"


def _folder() -> Path:
    """Inside the package where it was installed from a wheel, beside it in a checkout."""
    installed = _PACKAGE / "data" / "packs"
    return installed if installed.is_dir() else _PACKAGE.parent / "policies"
