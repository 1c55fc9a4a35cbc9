"""What the action says of a pull request that changes policies."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from action.act_runs import head_of, make_repository
from action.gate_runs import Gate

if TYPE_CHECKING:
    from pathlib import Path

POLICY = """
version: 1
policies:
  - {id: outlier, rule: blended-multiple, floor: {spend: 10}, fail_above: 15}
"""
WEAKER = POLICY.replace("15", "1000")
WARNING = "::warning title=orpolicy%3A policies weakened::"


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    """A checkout whose base has one policy."""
    made = Gate.set_up(tmp_path)
    make_repository(tmp_path / "workspace", {"policies/cost.yaml": POLICY})
    return made


def base(gate: Gate) -> dict[str, str]:
    return {"BASE_COMMIT": head_of(gate.folder / "workspace")}


def test_what_weakens_is_in_the_summary_and_fails_nothing(gate: Gate) -> None:
    gate.write("policies/cost.yaml", WEAKER)
    ended = gate.run("pull_request", base(gate))
    assert (ended.code, ended.outputs) == (0, {"exit-code": "0"})
    assert ended.summary.startswith("## orpolicy: valid\n")
    assert "**Weakens**" in ended.summary
    assert "policies/cost.yaml:4 -> policies/cost.yaml:4" in ended.summary
    warning, notice = ended.commands
    assert warning.startswith(f"{WARNING}1 change against ")
    assert notice.startswith("::notice title=orpolicy::No data was judged")


def test_what_weakens_fails_where_that_is_asked_for(gate: Gate) -> None:
    gate.write("policies/cost.yaml", WEAKER)
    ended = gate.run("pull_request", base(gate), on_weaker="fail")
    assert (ended.code, ended.outputs) == (1, {"exit-code": "1"})
    assert [line for line in ended.commands if line.startswith("::error title=orpolicy%3A policies")]
    assert "**Weakens**" in ended.summary


def test_no_tag_can_stand_for_the_base(gate: Gate) -> None:
    before = base(gate)
    gate.write("policies/cost.yaml", WEAKER)
    make_commit(gate)
    tag = ["git", "tag", before["BASE_COMMIT"][:12]]
    subprocess.run(tag, cwd=gate.folder / "workspace", check=True)
    ended = gate.run("pull_request", before, on_weaker="fail")
    assert ended.code == 1
    assert f"1 change against {before['BASE_COMMIT'][:12]} (" in ended.summary


def test_a_checkout_of_somebody_else_is_said(gate: Gate) -> None:
    foreign = {**base(gate), "GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}
    ended = gate.run("pull_request", foreign, on_weaker="fail")
    assert ended.code == 2
    assert "setting safe.directory" in ended.summary


def test_figures_are_judged_as_well(gate: Gate) -> None:
    gate.write("policies/cost.yaml", WEAKER)
    ended = gate.run("pull_request", base(gate), source="demo", on_weaker="fail")
    assert (ended.code, ended.outputs["verdict"]) == (1, "pass")
    assert ended.outputs["exit-code"] == "1"
    assert ended.summary.startswith("<!-- orpolicy report -->\n## PASS")
    assert "**Weakens**" in ended.summary


def test_nothing_weaker_is_no_annotation(gate: Gate) -> None:
    gate.write("policies/cost.yaml", POLICY.replace("15", "9"))
    ended = gate.run("merge_group", base(gate), on_weaker="fail")
    assert (ended.code, len(ended.commands)) == (0, 1)
    assert "**Strengthens**" in ended.summary


def test_a_schedule_has_no_base(gate: Gate) -> None:
    gate.write("policies/cost.yaml", WEAKER)
    ended = gate.run("schedule", base(gate), source="demo", on_weaker="fail")
    assert (ended.code, ended.commands) == (0, [])
    assert "Weakens" not in ended.summary


@pytest.mark.parametrize(
    ("commit", "why"),
    [
        ("", "the event names no base commit"),
        ("HEAD; touch pwned", "the event names no base commit"),
        ("0" * 40, "the checkout lacks the base commit 000000000000: give actions/checkout fetch-depth: 0"),
    ],
)
def test_a_base_that_is_not_there_is_said(gate: Gate, commit: str, why: str) -> None:
    ended = gate.run("pull_request", {"BASE_COMMIT": commit})
    assert ended.code == 0
    (notice,) = ended.commands
    assert f"not compared with the base's: {why}." in notice
    assert why in ended.summary
    ended = gate.run("pull_request", {"BASE_COMMIT": commit}, on_weaker="fail")
    assert (ended.code, ended.outputs) == (2, {"exit-code": "2"})
    assert any(f"on-weaker is fail. The policies were not compared with the base's: {why}." in line
               for line in ended.commands)  # fmt: skip


def test_policies_that_are_new_weaken_nothing(gate: Gate) -> None:
    gate.write("more/cost.yaml", POLICY.replace("outlier", "new"))
    ended = gate.run("pull_request", base(gate), policies="more", on_weaker="fail")
    assert ended.code == 0
    assert "has no policies there: all are new" in ended.summary


def test_a_baseline_that_accepts_more_weakens(gate: Gate) -> None:
    gate.write("team/accepted", f"orpolicy-baseline 1\n{'0' * 32} outlier x<=1 spend_usd_per_month<=50.00\n")
    gate.write("team/orpolicy.yaml", POLICY)
    make_commit(gate)
    before = base(gate)
    gate.write("team/accepted", f"orpolicy-baseline 1\n{'0' * 32} outlier x<=1 spend_usd_per_month<=70.00\n")
    ended = gate.run("pull_request", before, working_directory="team", baseline="accepted", on_weaker="fail")
    assert ended.code == 1
    assert "1 entry loosened" in ended.summary


def test_pseudonyms_are_for_the_comparison_too(gate: Gate) -> None:
    gate.write("policies/cost.yaml", POLICY.replace("rule", "where: {api_key_id: acme-prod}, rule"))
    ended = gate.run("pull_request", base(gate), extra_args="--redact")
    assert "acme" not in ended.summary + ended.log
    assert "key-" in ended.summary


def test_packs_alone_have_nothing_to_be_compared_with(gate: Gate) -> None:
    ended = gate.run("pull_request", {"BASE_COMMIT": "0" * 40}, extra_args="--pack strict", on_weaker="fail")
    assert (ended.code, len(ended.commands)) == (0, 1)


def test_a_comparison_that_breaks_off_is_said(gate: Gate) -> None:
    (gate.folder / "workspace" / "linked").symlink_to("policies")
    make_commit(gate)
    ended = gate.run("pull_request", base(gate), policies="linked", on_weaker="fail")
    assert ended.code == 2
    assert "is a link or a submodule" in ended.summary
    ended = gate.run("pull_request", base(gate), policies="linked")
    assert ended.code == 0
    assert "is a link or a submodule" in ended.commands[0]


def test_names_in_a_base_command_nothing(gate: Gate) -> None:
    owner = '"a\\n::error::evil\\n</pre><img src=x>"'
    gate.write("policies/cost.yaml", POLICY.replace("outlier,", f"outlier, owner: {owner},"))
    make_commit(gate)
    changed = base(gate)
    gate.write("policies/cost.yaml", WEAKER)
    ended = gate.run("pull_request", changed)
    assert [line.partition(" ")[0] for line in ended.commands] == ["::warning", "::notice"]
    assert "<img" not in ended.summary


def make_commit(gate: Gate) -> None:
    who = ("-c", "user.name=Tester", "-c", "user.email=tester@example.com", "-c", "commit.gpgsign=false")
    for arguments in (("add", "--all"), (*who, "commit", "--quiet", "--message", "More")):
        subprocess.run(["git", *arguments], cwd=gate.folder / "workspace", check=True)  # noqa: S607 - as users have it
