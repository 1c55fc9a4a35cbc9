"""The shipped demo is what its script writes today."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

from orpolicy.sources.demo import FOLDER

SCRIPT = Path(__file__).parents[2] / "scripts" / "make_demo.py"


def test_the_script_writes_the_shipped_bytes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(SCRIPT), str(tmp_path)], check=True, timeout=60)
    assert (tmp_path / "models.json").read_bytes() == (FOLDER / "models.json").read_bytes()
    # Decompressed: how tightly gzip packs them may differ between builds of zlib.
    written, shipped = (
        gzip.decompress((folder / "account.json.gz").read_bytes()) for folder in (tmp_path, FOLDER)
    )
    assert written == shipped
    assert {path.name for path in tmp_path.iterdir()} == {"account.json.gz", "models.json"}
