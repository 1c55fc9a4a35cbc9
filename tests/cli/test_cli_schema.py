"""``orpolicy schema`` as it is run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from jsonschema import Draft202012Validator

from orpolicy.cli.main import run

if TYPE_CHECKING:
    import pytest


def test_the_schema_is_printed_and_works(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    policy = {"id": "a", "rule": "spend-limit", "fail_above": 100}
    assert validator.is_valid({"version": 1, "policies": [policy]})
    for wrong in ({**policy, "fail_below": 1}, {"id": "a", "rule": "spend-limit"}, {**policy, "rule": "x"}):
        assert not validator.is_valid({"version": 1, "policies": [wrong]})
