"""``orpolicy schema`` as it is run."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from orpolicy.cli.main import run


def test_the_schema_is_printed_and_works(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    policy = {"id": "a", "rule": "spend-limit", "fail_above": 100}
    assert validator.is_valid({"version": 1, "policies": [policy]})
    for wrong in ({**policy, "fail_below": 1}, {"id": "a", "rule": "spend-limit"}, {**policy, "rule": "x"}):
        assert not validator.is_valid({"version": 1, "policies": [wrong]})


@pytest.mark.parametrize(
    ("what", "id_"),
    [
        ("report", "urn:orpolicy:report:1.0"),
        ("policy-diff", "urn:orpolicy:policy-diff:1.0"),
        ("compare", "urn:orpolicy:compare:1.0"),
    ],
)
def test_what_commands_write_has_a_schema_too(
    what: str, id_: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["schema", what]) == 0
    schema = json.loads(capsys.readouterr().out)
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == id_


def test_there_is_no_other_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", "reports"]) == 2
    assert "'policies', 'report', 'policy-diff', 'compare'" in capsys.readouterr().err
