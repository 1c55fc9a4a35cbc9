"""Findings of kinds that look at more than the subject's own figures, looked at again a month later."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from world import catalog, memory, model, row, run

from orpolicy.verifying.model import Standing
from orpolicy.verifying.verify import verify

if TYPE_CHECKING:
    from orpolicy.verifying.model import Checked

JULY = datetime(2026, 7, 8, tzinfo=UTC)
LEAVING = catalog(model("acme/old", 20, 20, expiration_date="2026-07-15"), model("acme/new", 1, 1))


def used(day: str, name: str, usd: float, **more: Any) -> dict[str, Any]:
    return row(date=day, api_key_id="app", model=name, total_usage=usd, usage_cache=0.0, user="Ada", **more)


def again(policy: str, before: list[dict[str, Any]], june: list[dict[str, Any]]) -> Checked:
    report = run(f"policies: [{{id: p, {policy}}}]", memory(before, catalogue=LEAVING))
    source = memory([*before, *june], catalogue=LEAVING, now=JULY)
    (checked,) = verify(report, source, report.findings, window=None, deployed=None).checked
    return checked


@pytest.mark.parametrize(("usd", "standing"), [(100.0, Standing.UNCHANGED), (40.0, Standing.PARTLY)])
@pytest.mark.parametrize("policy", ["rule: expiring-model", "rule: new-model-on-key"])
def test_a_model_that_was_found_is_verified_by_what_is_still_spent_on_it(
    policy: str, usd: float, standing: Standing
) -> None:
    """June has 30 days and May 31: as a month each counts as it is."""
    before = [used("2026-02-10", "acme/new", 1.0), used("2026-05-10", "acme/old", 100.0)]
    found = again(policy, before, [used("2026-06-10", "acme/old", usd)])
    assert found.standing is standing
    assert found.value == pytest.approx(usd)


def test_a_model_that_is_left_is_gone() -> None:
    before = [used("2026-05-10", "acme/old", 100.0)]
    found = again("rule: expiring-model", before, [used("2026-06-10", "acme/new", 10.0)])
    assert found.standing is Standing.GONE


@pytest.mark.parametrize(
    ("loss", "standing"), [(12.0, Standing.UNCHANGED), (4.0, Standing.PARTLY), (-3.0, Standing.FIXED)]
)
def test_a_loss_by_caching_is_measured_again(loss: float, standing: Standing) -> None:
    before = [used("2026-05-10", "acme/new", 100.0) | {"usage_cache": 12.0}]
    june = [used("2026-06-10", "acme/new", 100.0) | {"usage_cache": loss}]
    found = again("rule: cache-net-loss", before, june)
    assert found.standing is standing
    assert found.value == pytest.approx(loss)


@pytest.mark.parametrize(
    "policy",
    [
        "rule: unattributed-spend, without: [user], fail_above: 0.1",
        "rule: spend-coverage, fail_below: 0.9",
    ],
)
def test_what_takes_more_than_a_subjects_figures_is_not_answered(policy: str) -> None:
    before = [used("2026-05-10", "acme/new", 100.0) | {"user": None}]
    found = again(policy, before, [used("2026-06-10", "acme/new", 100.0)])
    assert found.standing is Standing.INCONCLUSIVE
    assert found.value is None
