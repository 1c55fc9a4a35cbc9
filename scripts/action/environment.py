"""Say which environment the action needs: its folder, what goes into it, and its name in the cache."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from pathlib import Path

EXIT_USAGE = 2
CHECKOUT = Path(__file__).resolve().parents[2]
PARTS = ("pyproject.toml", "orpolicy", "policies", "examples")
"""What an installation is made of."""

WITHOUT_ENGINE = ("", "openrouter", "demo")
"""Sources that need no engine beside orpolicy itself; nothing stands for the first."""

_VERSION = re.compile(r"\d+(\.\d+)*((a|b|rc)\d+)?")


def main() -> int:
    """Write the step's outputs."""
    version = os.environ["INPUT_VERSION"].strip()
    if version and not _VERSION.fullmatch(version):
        sys.stdout.write("::error title=orpolicy::version must be a release such as 1.2.3\n")
        return EXIT_USAGE
    extra = "" if os.environ["INPUT_SOURCE"].strip() in WITHOUT_ENGINE else "[local]"
    requirement = f"orpolicy{extra}=={version}" if version else f"orpolicy{extra} @ {CHECKOUT.as_uri()}"
    platform = f"{os.environ['RUNNER_OS']}-{os.environ['RUNNER_ARCH']}"
    python = ".".join(map(str, sys.version_info[:3]))
    name = fingerprint(extra, version, sys.executable, sys.version)
    outputs = {
        "python": sys.executable,
        "requirement": requirement,
        "folder": Path(os.environ["RUNNER_TEMP"]) / f"orpolicy-environment-{name}",
        "key": f"orpolicy-{platform}-python-{python}-{name}",
    }
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as file:
        file.writelines(f"{key}={value}\n" for key, value in outputs.items())
    return 0


def fingerprint(*texts: str) -> str:
    """16 hex digits that differ where the texts or the installed files do."""
    digest = hashlib.sha256(repr(texts).encode())
    for file in sorted(_files(), key=str):
        digest.update(repr((file.relative_to(CHECKOUT).as_posix(), file.read_bytes())).encode())
    return digest.hexdigest()[:16]


def _files() -> list[Path]:
    parts = [CHECKOUT / part for part in PARTS]
    found = [part for part in parts if part.is_file()]
    found += [file for part in parts for file in part.rglob("*") if file.is_file()]
    return [file for file in found if "__pycache__" not in file.parts]


if __name__ == "__main__":
    sys.exit(main())
