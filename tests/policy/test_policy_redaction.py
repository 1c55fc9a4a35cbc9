"""What files change is listed in every format, and with --redact without a name."""

from __future__ import annotations

from pathlib import Path

import pytest

from orpolicy.cli.main import run
from orpolicy.plugins import REPORTERS

BASE = """\
version: 1
key_sets: {quiet: [acme-internal-tool]}
policies:
  - {id: cap, rule: spend-limit, where: {api_key_id: batch-pipeline}, fail_above: 100}
"""
TOP = """\
version: 1
extends: base.yaml
key_sets: {quiet: [hush-hush-key, "night-owl-*"]}
override:
  cap:
    where: {api_key_id: ["*", {not: [hush-hush-key, "night-owl-?", "@quiet"]}], model: {not: "preview-lab/*"}}
    fail_above: 50
"""
TOLD = {"text", "markdown", "html"}


@pytest.mark.parametrize("redact", [False, True])
def test_names_in_overrides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, redact: bool) -> None:
    monkeypatch.chdir(tmp_path)
    Path("base.yaml").write_text(BASE)
    Path("top.yaml").write_text(TOP)
    formats = [word for name in REPORTERS for word in ("--format", f"{name}=out.{name}")]
    assert run(["check", "top.yaml", "--source", "demo", "-v", *formats, *["--redact"] * redact]) in {0, 1}
    written = {name: Path(f"out.{name}").read_text(encoding="utf-8") for name in REPORTERS}
    assert {name for name, text in written.items() if "top.yaml:3" in text or name not in TOLD} == set(
        written
    )
    names = {"hush-hush-key", "acme-internal-tool", "night-owl", "batch-pipeline"}
    for name, text in written.items():
        found = {word for word in names if word in text}
        assert found == (set() if redact else found), name
        assert redact or name not in TOLD or {"hush-hush-key", "acme-internal-tool"} <= found, name
    assert "preview-lab/*" in written["json"]
