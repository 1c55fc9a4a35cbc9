"""The demo tells the story that it promises, with figures that add up."""

from __future__ import annotations

import statistics
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from orpolicy.errors import UsageError
from orpolicy.period import Window, parse_window
from orpolicy.plugins import SOURCES
from orpolicy.query.model import Filter, Granularity, Operator, Query
from orpolicy.query.vocabulary import BASE_METRICS
from orpolicy.sources import demo as module
from orpolicy.sources.base import Setting, Source
from orpolicy.totals import Totals

if TYPE_CHECKING:
    from pathlib import Path

    from orpolicy.table import Member

SURCHARGES = ("usage_file", "usage_web", "usage_web_fetch")
METRICS = tuple(sorted({*BASE_METRICS, *SURCHARGES, "usage_cache", "usage_upstream"}))
PREVIEW = "northwind/atlas-3-pro-preview-20251014"


@pytest.fixture(scope="module")
def demo() -> Source:
    return SOURCES["demo"].open(Setting("demo", {}))


def ask(demo: Source, *dimensions: str, window: str = "last-month") -> dict[tuple[Member, ...], Totals]:
    return within(demo, parse_window(window, demo.now), *dimensions)


def within(demo: Source, window: Window, *dimensions: str) -> dict[tuple[Member, ...], Totals]:
    table = demo.answer(Query(METRICS, dimensions, window)).table
    return {table.row_key(row): Totals.of_row(table, row) for row in range(len(table))}


def extras(totals: Totals) -> float:
    return sum(totals.get(name) for name in SURCHARGES)


def test_the_clock_stands_still_unless_told() -> None:
    assert SOURCES["demo"].open(Setting("demo", {})).now == datetime(2026, 6, 10, tzinfo=UTC)
    other = datetime(2026, 3, 1, tzinfo=UTC)
    assert SOURCES["demo"].open(Setting("demo", {}, now=other)).now == other


def test_the_preview_model_costs_25_times_the_blended_rate(demo: Source) -> None:
    whole = ask(demo)[()]
    preview = ask(demo, "model")[(PREVIEW,)]
    batch = ask(demo, "api_key_id", "model")[("batch-pipeline", PREVIEW)]
    assert (preview.spend_usd, preview.tokens) == (6185.0, 250_000_000)
    assert (batch.spend_usd, batch.tokens, batch.requests) == (6067.0, 127_000_000, 37_000)
    assert round((batch.usd_per_mtok or 0), 2) == 47.77
    assert 21_800 < whole.spend_usd < 22_100
    assert 22.0e9 < whole.tokens < 22.5e9
    assert 24.5 < (preview.usd_per_mtok or 0) / (whole.usd_per_mtok or 1) < 25.5


def test_the_other_models_and_keys_are_ordinary(demo: Source) -> None:
    blended = ask(demo)[()].usd_per_mtok or 0
    models = ask(demo, "model")
    keys = ask(demo, "api_key_id")
    assert len(models) == 12
    assert len(keys) == 15
    multiples = {key[0]: (totals.usd_per_mtok or 0) / blended for key, totals in models.items()}
    assert max(value for name, value in multiples.items() if name != PREVIEW) < 5
    assert (None,) in keys


def test_one_key_never_caches_what_another_caches_well(demo: Source) -> None:
    cells = ask(demo, "api_key_id", "model")
    forge = "cobalt/forge-5-20250930"
    support, prod = cells[("support-bot", forge)], cells[("prod-api", forge)]
    assert support.cache_hit_rate == 0
    assert support.prompt_tokens / support.completion_tokens > 30
    assert prod.cache_hit_rate == pytest.approx(0.7, abs=0.001)
    whole = ask(demo, "model")[(forge,)]
    assert (whole.cache_hit_rate or 0) < 0.3
    heavy = {
        model
        for (model,), totals in ask(demo, "model").items()
        if totals.completion_tokens
        and totals.prompt_tokens / totals.completion_tokens > 10
        and (totals.cache_hit_rate or 0) < 0.3
    }
    assert heavy == {forge}


def test_surcharges(demo: Source) -> None:
    whole = ask(demo)[()]
    prod = ask(demo, "api_key_id")[("prod-api",)]
    assert 0.05 < extras(whole) / whole.spend_usd < 0.055
    assert prod.get("usage_web") / prod.spend_usd == pytest.approx(0.09, abs=0.001)
    assert prod.values["usage_file"] is None
    assert ask(demo, "api_key_id")[("support-bot",)].values["usage_web"] is None


def test_one_model_thinks_a_lot(demo: Source) -> None:
    shares = {
        key: totals.reasoning_tokens / totals.completion_tokens
        for key, totals in ask(demo, "api_key_id", "model").items()
        if totals.completion_tokens
    }
    assert shares.pop(("code-review", "larkspur/ponder-2-20250819")) == pytest.approx(0.72, abs=0.005)
    assert max(shares.values()) < 0.5


@pytest.mark.parametrize(("window", "periods"), [("last-month", 6), ("last-week", 8)])
def test_one_key_jumps_and_one_is_new(demo: Source, window: str, periods: int) -> None:
    this = parse_window(window, demo.now)
    before = [within(demo, period, "api_key_id") for period in this.previous(periods)]
    ratios = {}
    for key, totals in within(demo, this, "api_key_id").items():
        past = [period[key].spend_usd if key in period else 0.0 for period in before]
        ratios[key[0]] = totals.spend_usd / statistics.median(past) if statistics.median(past) else None
        if window == "last-month" and key == ("release-notes",):
            assert past == [0.0] * periods
    assert 2.8 < (ratios.pop("lead-scoring") or 0) < 3.6
    ratios.pop("release-notes")
    assert all(ratio is not None and 0.9 < ratio < 1.2 for ratio in ratios.values())


def test_variants_images_and_missing_keys(demo: Source) -> None:
    variants = ask(demo, "variant")
    assert set(variants) == {("standard",), ("batch",), ("free",)}
    assert variants[("free",)].spend_usd == 0
    assert variants[("free",)].tokens > 0
    images = ask(demo, "model")[("tessera/canvas-1-20250708",)]
    assert (images.spend_usd, images.tokens) == (402.0, 0)


def test_every_cell_costs_what_the_catalogue_says(demo: Source) -> None:
    catalogue = demo.catalogue()
    assert catalogue is not None
    table = demo.answer(Query(METRICS, ("model", "variant"), parse_window("last-month", demo.now))).table
    for row in range(len(table)):
        slug, variant = table.row_key(row)
        model = catalogue.find(slug or "", variant or "")
        assert model is not None
        totals = Totals.of_row(table, row)
        if totals.tokens:
            price, cached = model.price, totals.cached_tokens
            read = price.prompt if price.cache_read is None else price.cache_read
            listed = (
                (totals.prompt_tokens - cached) * (price.prompt or 0)
                + cached * (read or 0)
                + totals.completion_tokens * (price.completion or 0)
            )
            assert listed * 0.99 <= totals.spend_usd - extras(totals) <= listed * 1.06


def test_components_are_parts_of_the_bill(demo: Source) -> None:
    for totals in ask(demo, "api_key_id", "model", window="2025-11-01..2026-06-10").values():
        assert totals.get("usage_upstream") + extras(totals) == pytest.approx(totals.spend_usd, abs=1e-6)
        assert totals.prompt_tokens + totals.completion_tokens == totals.tokens
        assert totals.cached_tokens <= totals.prompt_tokens
        assert totals.reasoning_tokens <= totals.completion_tokens


def test_every_day_since_november_is_there(demo: Source) -> None:
    window = parse_window("2025-01-01..2027-01-01", demo.now)
    table = demo.answer(Query(METRICS, (), window, granularity=Granularity.DAY)).table
    days = sorted(str(day) for day in table.dimensions["date"])
    assert (days[0], days[-1], len(days)) == ("2025-11-01", "2026-06-09", 221)


def test_the_catalogue_has_one_of_everything(demo: Source) -> None:
    catalogue = demo.catalogue()
    assert catalogue is not None
    assert catalogue.taken_at == datetime(2026, 6, 9, 6, tzinfo=UTC)
    assert catalogue.skipped == ()
    models = {model.id: model for model in catalogue.models}
    assert [name for name, model in models.items() if model.is_router] == ["crossroads/auto"]
    assert models["~northwind/atlas-flash-latest"].alias_of == "northwind/atlas-3-flash"
    assert {model.variant for model in catalogue.models} == {"standard", "batch", "free"}
    assert {name for name, model in models.items() if model.expires} == {
        "northwind/atlas-3-pro-preview",
        "cobalt/forge-4",
    }
    preview, flash = models["northwind/atlas-3-pro-preview"], models["northwind/atlas-3-flash"]
    assert (flash.intelligence_index or 0) > 0.95 * (preview.intelligence_index or 0)
    assert preview.permaslug == PREVIEW


def test_keys_of_two_workspaces_can_be_filtered_by_hash(demo: Source) -> None:
    directory = demo.directory()
    assert len(directory.keys) == 14
    assert set(directory.workspaces) == {"Platform", "Research"}
    (key,) = directory.by_name["nightly-evals"]
    assert (key.workspace, key.workspace_id) == ("Research", directory.workspaces["Research"][0])
    window = parse_window("last-month", demo.now)
    picked = Filter("api_key_id", Operator.IN, (key.key_hash,))
    answer = demo.answer(Query(METRICS, ("api_key_id",), window, (picked,)))
    assert answer.table.dimensions == {"api_key_id": ["nightly-evals"]}
    assert not answer.warnings


def test_another_catalogue_replaces_its_own(tmp_path: Path) -> None:
    path = tmp_path / "models.json"
    path.write_text('{"data": [{"id": "acme/one", "pricing": {"prompt": "0.1", "completion": "0.2"}}]}')
    catalogue = SOURCES["demo"].open(Setting("demo", {}, catalogue=path)).catalogue()
    assert catalogue is not None
    assert [model.id for model in catalogue.models] == ["acme/one"]
    with pytest.raises(UsageError):
        SOURCES["demo"].open(Setting("demo", {}, catalogue=tmp_path / "none.json"))


def test_it_is_small_and_quick() -> None:
    assert sum(path.stat().st_size for path in module.FOLDER.iterdir()) < 300_000
    took = []
    for _ in range(3):
        start = time.process_time()
        ask(SOURCES["demo"].open(Setting("demo", {})), "api_key_id", "model")
        took.append(time.process_time() - start)
    assert min(took) < 0.2
