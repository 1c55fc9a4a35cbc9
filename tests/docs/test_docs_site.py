"""The built site: every link leads somewhere, and nothing comes from another host."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest
from make_docs import DOCS, ROOT, SETTINGS

if TYPE_CHECKING:
    from pathlib import Path

if find_spec("zensical") is None:
    pytest.skip("the extra `docs` is not installed", allow_module_level=True)

LOADED = re.compile(
    r"<(?:script|link|img|iframe|source|use)\b[^>]*?\b(?:src|href|srcset)=[\"']?(?:https?:)?//[^\"' >]+"
)
IMPORTED = re.compile(r"@import|url\(\s*[\"']?(?:https?:)?//")


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict"],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(DOCS, folder / "docs")
    shutil.copy(SETTINGS, folder)
    return folder


@pytest.fixture(scope="module")
def site(sources: Path) -> Path:
    built = build(sources)
    assert built.returncode == 0, built.stderr
    return sources / "site"


def test_every_page_is_built(site: Path) -> None:
    for page in DOCS.rglob("*.md"):
        name = page.relative_to(DOCS).with_suffix("")
        target = site / (name.parent if name.name == "index" else name) / "index.html"
        assert target.exists(), name


def test_nothing_is_loaded_from_another_host(site: Path) -> None:
    for page in site.rglob("*.html"):
        assert LOADED.findall(page.read_text(encoding="utf-8")) == [], page.relative_to(site)
    for sheet in site.rglob("*.css"):
        assert IMPORTED.findall(sheet.read_text(encoding="utf-8")) == [], sheet.relative_to(site)


def test_a_link_that_leads_nowhere_fails_the_build(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/index.md").write_text("# Here\n\n[there](there.md)\n", encoding="utf-8")
    (tmp_path / "zensical.toml").write_text('[project]\nsite_name = "x"\n', encoding="utf-8")
    broken = build(tmp_path)
    assert broken.returncode != 0
    assert "page does not exist" in broken.stderr


def test_the_readme_and_the_makefile_lead_here() -> None:
    assert "(docs/index.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert "zensical build --strict" in (ROOT / "Makefile").read_text(encoding="utf-8")
