"""What the action's steps say to GitHub, and how they run orpolicy."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SIGNALLED = 128
"""What a shell adds to the number of the signal that ended a process."""

SECRETS = ("INPUT_", "OPENROUTER_MANAGEMENT_KEY", "OPENROUTER_API_KEY", "GITHUB_TOKEN", "GH_TOKEN")
"""How the variables begin that a command gets only where it needs them."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command of orpolicy ended.

    Attributes:
        code: the exit code.
        said: what went to standard output, where it was asked for, else "".
        complaint: what went to standard error, without the secret.
    """

    code: int
    said: str
    complaint: str


def say(text: str) -> None:
    """One or more lines for the log, at once: the command's own lines go there as well."""
    sys.stdout.buffer.write(f"{text}\n".encode(errors="backslashreplace"))
    sys.stdout.flush()


def mask(secret: str) -> None:
    """Let GitHub hide a secret in whatever comes after."""
    for part in filter(None, secret.splitlines()):
        say(f"::add-mask::{data(part)}")


def data(text: str) -> str:
    """A workflow command's message, as ``escapeData`` of GitHub's own toolkit."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def field(text: str) -> str:
    """A workflow command's property, as ``escapeProperty`` of GitHub's own toolkit."""
    return data(text).replace(":", "%3A").replace(",", "%2C")


def orpolicy(
    arguments: Sequence[str], given: Mapping[str, str], *, secret: str = "", is_kept: bool = False
) -> Ended:
    """Run one command of orpolicy; what it prints goes to the log, where it commands nothing.

    Args:
        arguments: the command and its own; each stays one, whatever it holds.
        given: variables beside those of the step that are no secrets.
        secret: cut out of what the command complains of.
        is_kept: whether what it prints is wanted afterwards.
    """
    environ = {name: value for name, value in os.environ.items() if not name.startswith(SECRETS)}
    token = secrets.token_hex(16)
    say(f"::stop-commands::{token}")
    ended = subprocess.run(  # noqa: S603 - a list of arguments, no shell
        [sys.executable, "-I", "-m", "orpolicy", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if is_kept else None,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="backslashreplace",
        env={**environ, **given},
        check=False,
    )
    complaint = ended.stderr.replace(secret, "***") if secret else ended.stderr
    said = ended.stdout or ""
    say(f"{said}{complaint}\n::{token}::")
    code = ended.returncode if ended.returncode >= 0 else SIGNALLED - ended.returncode
    return Ended(code, said, complaint)
