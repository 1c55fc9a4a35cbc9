"""The long turn at a fuzz target: ``python tests/fuzz/fuzz.py policy|answer [SECONDS] [FOLDER]``.

Needs atheris (``pip install atheris``), which follows the code's branches and keeps inputs that reach new
ones in FOLDER. Stops at the first crash, or input that takes ten seconds, and leaves it behind there.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["orpolicy"]):
    from fuzz_targets import TARGETS


def main(name: str, seconds: str = "600", folder: str = "") -> None:
    """Fuzz one target for so many seconds."""
    target = TARGETS[name]
    corpus = Path(folder or tempfile.mkdtemp(prefix=f"fuzz-{name}-"))
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    words = corpus.with_suffix(".dict")
    escaped = ("".join(f"\\x{byte:02x}" for byte in token) for token in target.tokens if len(token) <= 64)
    words.write_text("".join(f'"{token}"\n' for token in escaped), encoding="ascii")
    options = [
        f"-max_total_time={seconds}",
        "-timeout=10",
        "-rss_limit_mb=1500",
        "-max_len=8192",
        f"-dict={words}",
        f"-artifact_prefix={corpus}.crash-",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus)], target.feed)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
