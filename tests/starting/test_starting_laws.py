"""What holds for every account: the files are valid, the same twice, and green for what was there."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from start_world import daily, everyday, listed, office
from world import KINDS, NOW, catalog, memory, model, table

from orpolicy.baseline import Ratchet
from orpolicy.baseline_update import anew
from orpolicy.errors import Reason, SourceError, UsageError
from orpolicy.lint import lint
from orpolicy.period import parse_window
from orpolicy.policy.loader import load_texts
from orpolicy.query.model import Query
from orpolicy.sources.base import Setting
from orpolicy.sources.memory import Memory
from orpolicy.staging import Choice
from orpolicy.starting.memo import Memo
from orpolicy.starting.proposal import propose
from orpolicy.verdict import Status, Verdict

if TYPE_CHECKING:
    from orpolicy.account import Directory

LETTERS = 'ab*?@h:"\\\n#é\x1b\u2028😀 -'
WORDS = ("batch", "nightly-x", "app", "prod", "Batch", "@batch", "hash:1", "cron job")
MODELS = ("acme/steady", "acme/x-preview", "z/img", "q/emb", "y/big")


def some_account(seed: int) -> Memory:
    """Keys of all names and habits, on models of all prices; one sells pictures, not tokens."""
    chance = random.Random(seed)  # noqa: S311 - the same account every time
    names = sorted(
        {
            chance.choice(WORDS)
            if chance.random() < 0.5
            else "".join(chance.choices(LETTERS, k=chance.randint(1, 6)))
            for _ in range(chance.randint(1, 7))
        }
    )
    records: list[dict[str, Any]] = []
    for name in [*names, *([None] if chance.random() < 0.3 else [])]:
        for used in chance.sample(MODELS, chance.randint(1, 4)):
            pictures = {"tokens_total": 0, "tokens_prompt": 0, "tokens_completion": 0}
            values: dict[str, Any] = (
                pictures if used == "z/img" else {"cached_tokens": chance.choice([0, 9_000])}
            )
            habit = chance.choice([office, everyday])
            usd = chance.choice([0.0, 0.0001, 0.01, 1, 30])
            records += daily(name, habit, usd, used, **values)[chance.choice([0, 0, 40, 60]) :]
    known = catalog(model("acme/steady", 1, 4), model("acme/x-preview", 8, 30))
    return memory(
        records,
        keys=listed(names) if chance.random() < 0.6 else (),
        catalogue=known if chance.random() < 0.5 else None,
    )


@pytest.mark.parametrize("seed", range(24))
def test_old_sins_pass(seed: int) -> None:
    account = some_account(seed)
    window = (None, "last-30d", "this-month", "last-week")[seed % 4]
    proposal = propose(account, "records", window, "cost.yaml")
    assert propose(account, "records", window, "cost.yaml").text == proposal.text
    policies = load_texts({"cost.yaml": proposal.text.encode()}, KINDS)
    assert proposal.is_whole
    if proposal.report is None:
        assert not proposal.survey.has_traffic
        return
    ratchet = anew(Ratchet(), proposal.report).ratchet
    report = lint(policies, account, Choice(), ratchet=ratchet)
    assert [finding for finding in report.findings if finding.status is Status.OPEN] == []
    assert report.verdict is Verdict.PASS


def test_a_fixed_window_is_looked_at_and_not_kept() -> None:
    account = memory(daily("app"))
    proposal = propose(account, "records", "2026-05-04..2026-05-11", "cost.yaml")
    assert "2026-05-04 to 2026-05-10 (7 days)" in proposal.text
    assert "window: last-month" in proposal.text


def test_many_batch_keys_are_not_all_written() -> None:
    account = memory([record for number in range(45) for record in daily(f"batch-{number:02}")[:30]])
    text = propose(account, "records", None, "cost.yaml").text
    assert text.count("    - batch-") == 40
    assert "5 more look like it" in text


def test_extras_and_dear_models_are_told() -> None:
    dear = daily("app", office, 1.0, "y/dear")
    cheap = [record for name in "abcd" for record in daily("app", office, 0.1, f"x/{name}")]
    account = memory([{**record, "usage_web": record["total_usage"] * 0.2} for record in [*dear, *cheap]])
    proposal = propose(account, "records", None, "cost.yaml")
    assert "web, is 20 % of all spend" in " ".join(proposal.text.split())
    assert "fail_above: 0.05 # of all spend" in proposal.text
    assert proposal.report
    failing = {finding.policy for finding in proposal.report.findings}
    assert failing >= {"paid-extras", "blended-outlier"}


def test_nothing_paid_beside_tokens_is_worth_one_percent() -> None:
    text = propose(memory([{**record, "usage_web": 0.0} for record in daily("app")]), "x", None, "f").text
    assert "Nothing was paid beside tokens" in text
    assert "fail_above: 0.01 # of all spend" in text


@pytest.mark.parametrize(("cached", "key"), [(9_000, "fail_below: 0.5"), (0, "warn_below: 0.3")])
def test_caching_is_held_to_its_own_median(cached: int, key: str) -> None:
    heavy: dict[str, Any] = {"tokens_prompt": 900_000, "tokens_completion": 1_000}
    heavy["cached_tokens"] = cached * 100
    account = memory([record for name in "abcd" for record in daily(name, office, **heavy)])
    assert f"    {key}\n" in propose(account, "records", None, "cost.yaml").text


def test_a_memo_answers_from_memory_what_it_knows() -> None:
    account = memory(daily("app"))
    memo = Memo(account)
    window = parse_window("last-month", NOW)
    wide = Query(("request_count", "total_usage"), ("api_key_id",), window)
    narrow = Query(("total_usage",), ("api_key_id",), window)
    assert list(memo.answer(wide).table.metrics) == ["request_count", "total_usage"]
    assert memo.answer(narrow) == account.answer(narrow)
    assert memo.queries == 1


class Locked(Memory):
    """An account that does not list its keys."""

    def directory(self) -> Directory:
        raise SourceError(Reason.ACCESS_DENIED, "keys are not for you")


def test_what_a_source_refuses_is_named_and_the_rest_is_proposed() -> None:
    records = table([record for name in "abcde" for record in daily("app", office, 0.1, f"x/{name}")])
    proposal = propose(Locked(records, now=NOW), "records", None, "cost.yaml")
    said = " ".join(proposal.text.replace("#", "").split())
    assert not proposal.is_whole
    assert "Your 5 models above the floor" in said
    assert "Not known: what each key spends (access-denied: keys are not for you)" in said
    assert "key-budget" not in proposal.text
    assert load_texts({"cost.yaml": proposal.text.encode()}, KINDS).policies


def test_a_memo_has_no_address() -> None:
    with pytest.raises(UsageError):
        Memo.open(Setting("memo", {}))


def test_a_memo_passes_errors_on_and_forgets_them() -> None:
    memo = Memo(memory(daily("app")))
    window = parse_window("last-month", NOW)
    for _ in range(2):
        with pytest.raises(SourceError):
            memo.answer(Query(("total_usage",), ("country",), window))
    assert memo.queries == 2
