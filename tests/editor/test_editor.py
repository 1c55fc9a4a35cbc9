"""The schema in an editor, over the protocol that editors speak to yaml-language-server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from language_server import LanguageServer, server_file

from orpolicy.cli.main import run
from orpolicy.plugins import RULES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEAD = "# yaml-language-server: $schema=./orpolicy.schema.json\nversion: 1\n"
POLICY = f"{HEAD}policies:\n  - id: mine\n    rule: "
KIND_LINE = 4


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanguageServer]:
    """A server in a folder that ``orpolicy init`` has set up: the schema lies beside the policies."""
    program = server_file()
    if program is None:
        pytest.skip("no yaml-language-server (npm) or no node: .ci/run says how to get it")
    folder = tmp_path_factory.mktemp("repository")
    assert run(["init", str(folder)]) == 0
    with LanguageServer(program, folder / "policies") as found:
        yield found


def completions(server: LanguageServer, name: str, text: str) -> dict[str, Any]:
    """Label -> item of what could follow the text."""
    uri = server.open(f"{name}.yaml", text)
    lines = text.split("\n")
    found = server.at("completion", uri, len(lines) - 1, len(lines[-1]))
    return {item["label"]: item for item in (found["items"] if isinstance(found, dict) else found)}


def words(item: dict[str, Any]) -> str:
    documentation = item.get("documentation") or ""
    return str(documentation["value"] if isinstance(documentation, dict) else documentation)


def test_what_init_writes_has_no_problem(server: LanguageServer) -> None:
    uri = server.open("cost.yaml", (server.folder / "cost.yaml").read_text(encoding="utf-8"))
    assert server.diagnostics[uri] == []


def test_after_rule_come_the_kinds_each_with_its_meaning(server: LanguageServer) -> None:
    found = completions(server, "kinds", POLICY)
    assert set(found) == set(RULES)
    assert all(words(item) for item in found.values())
    assert words(found["model-ban"]) == "Spend on models that are banned here."


@pytest.mark.parametrize(
    ("kind", "own", "others"),
    [
        ("cache-hit-rate", {"prompt_heavy", "fail_below", "warn_below"}, {"fail_above", "components"}),
        ("surcharge-share", {"components", "fail_above", "warn_above"}, {"fail_below", "models"}),
        ("spend-growth", {"baseline_periods", "fail_above"}, {"prompt_heavy", "fail_below"}),
    ],
)
def test_a_kinds_keys_are_offered_and_no_others(
    server: LanguageServer, kind: str, own: set[str], others: set[str]
) -> None:
    found = set(completions(server, kind, f"{POLICY}{kind}\n    "))
    assert own | {"title", "why", "by", "where", "floor", "window"} <= found
    assert not others & found
    assert not {"id", "rule"} & found


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("severity", f"{POLICY}spend-limit\n    severity: ", {"error", "warning", "note"}),
        ("window", f"{HEAD}defaults:\n  window: ", {"last-month", "last-week", "this-month"}),
        ("parts", f"{POLICY}surcharge-share\n    components:\n      - ", {"web", "web_fetch", "file"}),
        ("where", f"{POLICY}spend-limit\n    where:\n      ", {"api_key_id", "model", "workspace"}),
        ("top", HEAD, {"policies", "key_sets", "model_sets", "waivers", "defaults", "tests"}),
    ],
)
def test_values_and_sections_are_offered(
    server: LanguageServer, name: str, text: str, expected: set[str]
) -> None:
    assert expected <= set(completions(server, f"value-{name}", text))


@pytest.mark.parametrize("kind", list(RULES))
def test_a_policy_begins_with_an_example_of_its_kind(
    server: LanguageServer, kind: str, tmp_path: Path
) -> None:
    item = completions(server, f"new-{kind}", f"{HEAD}policies:\n  - ")[f"a {kind} policy"]
    text = item["textEdit"]["newText"] if "textEdit" in item else item["insertText"]
    policy = yaml.safe_load("\n".join(line.removeprefix("  ") for line in text.split("\n")))
    assert policy["rule"] == kind
    file = tmp_path / "orpolicy.yaml"
    sets = {"key_sets": {"batch": ["a"]}} if "@batch" in text else {}
    file.write_text(yaml.safe_dump({"version": 1, **sets, "policies": [policy]}), encoding="utf-8")
    assert run(["validate", str(file)]) == 0


@pytest.mark.parametrize(
    ("line", "character", "said"),
    [
        (4, 5, "What is measured: the rule kind."),
        (4, 14, "The share of prompt tokens read from cache"),
        (5, 6, "A value below this fails the policy."),
        (6, 8, "Which rows are judged."),
        (3, 5, "The policy's name, unique over all files"),
    ],
)
def test_pointing_at_a_key_or_a_kind_explains_it(
    server: LanguageServer, line: int, character: int, said: str
) -> None:
    heavy = "{prompt_per_completion_above: 10}"
    text = f"{POLICY}cache-hit-rate\n    fail_below: 0.3\n    prompt_heavy: {heavy}\n"
    uri = server.open(f"hover-{line}-{character}.yaml", text)
    assert said in server.at("hover", uri, line, character)["contents"]["value"]


def test_a_wrong_key_is_marked_where_it_stands(server: LanguageServer) -> None:
    uri = server.open("wrong.yaml", f"{POLICY}spend-limit\n    fail_above: 3\n    fail_abov: 3\n")
    (problem,) = server.diagnostics[uri]
    assert problem["message"] == "Property fail_abov is not allowed."
    assert problem["range"]["start"] == {"line": KIND_LINE + 2, "character": 4}


def test_an_unknown_kind_and_a_wrong_value_are_marked(server: LanguageServer) -> None:
    other = "  - id: b\n    rule: spend-limit\n    fail_above: much\n"
    uri = server.open("kind.yaml", f"{POLICY}spnd-limit\n{other}")
    lines = sorted(problem["range"]["start"]["line"] for problem in server.diagnostics[uri])
    assert lines == [KIND_LINE, KIND_LINE + 3]


def test_without_the_modeline_nothing_is_known(server: LanguageServer) -> None:
    """What the tests above see comes by the line at the top of the file."""
    uri = server.open("plain.yaml", "version: 1\npolicies:\n  - id: a\n    rule: spnd-limit\n")
    assert server.diagnostics[uri] == []
