"""What every pack promises to whoever copies it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pack_runs import PACKS

import orpolicy
from orpolicy.cli.main import run
from orpolicy.policy.loader import load, load_texts
from orpolicy.policy.packs import pack_names, pack_path
from orpolicy.policy_kinds import Kinds
from orpolicy.verdict import Severity

if TYPE_CHECKING:
    from orpolicy.policy.model import PolicySet

ROOT = Path(orpolicy.__file__).resolve().parent.parent
PREFIX = {"cost-review": "review-", "starter": "", "strict": "strict-"}
OWN = b"""
version: 1
defaults: {window: last-month, floor: {spend: 1}, owner: me, severity: note}
key_sets: {batch: ["x"], nightly: ["y"]}
model_sets: {retired: ["z/*"], banned: ["w/*"]}
policies:
- {id: mine, rule: usd-per-mtok, where: {api_key_id: "@batch", model: "@retired"}, fail_above: 1}
"""


def packs(*names: str) -> PolicySet:
    return load([pack_path(name) for name in names], Kinds())


def test_there_are_three_packs() -> None:
    assert pack_names() == PACKS


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_stands_on_its_own(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["validate", "--pack", name]) == 0
    assert "no problems" in capsys.readouterr().out


def test_all_packs_can_be_run_together() -> None:
    together = packs(*PACKS).policies
    assert len(together) == sum(len(packs(name).policies) for name in PACKS)
    assert len({policy.id for policy in together}) == len(together)


@pytest.mark.parametrize("name", PACKS)
def test_the_ids_of_a_pack_tell_where_they_come_from(name: str) -> None:
    others = tuple(prefix for prefix in PREFIX.values() if prefix)
    for policy in packs(name).policies:
        assert policy.id.startswith(PREFIX[name])
        assert PREFIX[name] or not policy.id.startswith(others)


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_claims_no_name_that_a_user_would_take(name: str) -> None:
    texts = {"pack.yaml": pack_path(name).read_bytes(), "own.yaml": OWN}
    assert "mine" in {policy.id for policy in load_texts(texts, Kinds()).policies}


@pytest.mark.parametrize("name", PACKS)
def test_every_policy_says_what_it_is_and_why_in_one_sentence(name: str) -> None:
    for policy in packs(name).policies:
        assert re.fullmatch(r"[A-Z][^.\n]{10,60}", policy.title), policy.title
        assert re.fullmatch(r"[A-Z].{30,110}[a-z]\.", policy.why), policy.why


@pytest.mark.parametrize("name", PACKS)
def test_no_pack_proposes_a_vendor_or_leads_elsewhere(name: str) -> None:
    assert [policy.id for policy in packs(name).policies if policy.replacement or policy.link] == []


def test_the_review_advises_and_the_gates_fail() -> None:
    assert {policy.severity for policy in packs("cost-review").policies} == {Severity.WARNING}
    assert {policy.severity for policy in packs("starter", "strict").policies} == {Severity.ERROR}
    for policy in packs("cost-review").policies:
        assert (policy.thresholds.fail_above, policy.thresholds.fail_below) == (None, None)


def test_the_starter_leaves_small_accounts_alone() -> None:
    floors = {policy.id: policy.floor.spend_usd for policy in packs("starter").policies}
    assert floors.pop("paid-extras") == 0  # it judges all traffic at once
    assert set(floors.values()) == {50}


@pytest.mark.parametrize("name", PACKS)
def test_where_keys_are_picked_by_name_finding_none_is_a_pass(name: str) -> None:
    picking = [policy for policy in packs(name).policies if policy.where]
    assert picking
    assert all(policy.allow_empty for policy in picking)


@pytest.mark.parametrize("name", PACKS)
def test_growth_names_a_window_that_can_be_compared(name: str) -> None:
    """A run's default may be any span of days; growth needs whole weeks or months."""
    (growth,) = (policy for policy in packs(name).policies if policy.rule == "spend-growth")
    assert growth.window in {"last-week", "last-month"}


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_names_the_command_that_shows_it(name: str) -> None:
    text = pack_path(name).read_text(encoding="utf-8")
    assert f"orpolicy check --pack {name} --source demo" in text
    assert text.startswith(f"# {name}: ")


def test_what_a_pack_shows_in_comments_works_when_it_is_taken_in() -> None:
    text = pack_path("starter").read_text(encoding="utf-8")
    shown, behind = text.split("# Worth adding", 1)
    added = re.sub(r"^#", "", behind.partition("\n#\n")[2], flags=re.MULTILINE)
    written = load_texts({"starter.yaml": f"{shown}{added}".encode()}, Kinds())
    assert written.policies[-1].id == "key-budget"
    assert written.policies[-1].thresholds.fail_above == 5000
