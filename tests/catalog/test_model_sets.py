from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from orpolicy.catalog.load import load_catalog
from orpolicy.catalog.model import Catalog, Model, Price
from orpolicy.catalog.sets import BUILT_IN_SETS, is_preview_name, members

NOW = datetime(2026, 8, 22, 12, tzinfo=UTC)
TEXT = frozenset({"text"})
SHARED = Path(__file__).parents[3] / "shared" / "data" / "models" / "models-2026-08-22.json"


def model(
    model_id: str, usd_per_mtok: float | None = 1.0, name: str = "", expires: date | None = None
) -> Model:
    price = None if usd_per_mtok is None else usd_per_mtok / 1e6
    return Model(
        model_id,
        model_id.partition(":")[0],
        name or model_id,
        Price(price, price),
        output_modalities=TEXT,
        expires=expires,
    )


def test_the_sets_of_the_language() -> None:
    assert BUILT_IN_SETS == ("preview", "free", "frontier", "expiring")
    with pytest.raises(KeyError):
        members("cheap", Catalog(()), NOW)


@pytest.mark.parametrize(
    "name",
    [
        "google/gemini-3-flash-preview",
        "google/gemini-2.5-pro-preview-05-06",
        "google/gemini-3-flash-preview:batch",
        "deepseek/deepseek-v3.2-exp",
        "google/gemini-exp-1206",
        "x/y-experimental",
        "openrouter/quasar-alpha",
        "openrouter/auto-beta",
        "x/beta2",
        "X/Y-PREVIEW",
        "stealth/ox",
        "~stealth/ox",
    ],
)
def test_preview_by_name(name: str) -> None:
    assert is_preview_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "acme/alphabet-1",
        "acme/alphafold",
        "acme/expert-7b",
        "acme/express",
        "acme/previews",
        "acme/stealth-1",
        "acme/rebeta",
        "",
    ],
)
def test_not_preview_by_name(name: str) -> None:
    assert not is_preview_name(name)


def test_preview_means_the_model_with_all_its_variants() -> None:
    catalog = Catalog(
        (
            model("b/two-preview:free"),
            model("b/two-preview"),
            model("mancer/weaver", name="Mancer: Weaver (alpha)"),
            model("a/plain"),
        )
    )
    assert members("preview", catalog, NOW) == ("b/two-preview", "mancer/weaver")


def test_free_means_the_free_variant_only() -> None:
    catalog = Catalog((model("a/one"), model("a/one:free", 0), model("a/gift", 0), model("a/router", None)))
    assert members("free", catalog, NOW) == ("a/gift", "a/one:free")


def test_expiring_by_day_past_ones_included() -> None:
    catalog = Catalog(
        (
            model("a/past", expires=date(2026, 1, 1)),
            model("a/in-60", expires=date(2026, 10, 21)),
            model("a/in-61", expires=date(2026, 10, 22)),
            model("a/one:free", expires=date(2026, 9, 1)),
            model("a/stays"),
        )
    )
    assert members("expiring", catalog, NOW) == ("a/in-60", "a/one:free", "a/past")


def test_frontier_is_the_top_tenth_by_output_price() -> None:
    models = [model(f"a/m{rank:02}", rank) for rank in range(11, 31)]
    assert members("frontier", Catalog(tuple(models)), NOW) == ("a/m28", "a/m29", "a/m30")


def test_frontier_is_not_cheaper_than_ten_dollars() -> None:
    models = [model(f"a/m{rank}", rank) for rank in range(1, 10)]
    assert members("frontier", Catalog(tuple(models)), NOW) == ()
    assert members("frontier", Catalog((*models, model("a/dear", 10))), NOW) == ("a/dear",)


def test_frontier_leaves_out_what_has_no_price_of_its_own() -> None:
    image = Model("a/image", "a/image", "", Price(1.0, 1.0), output_modalities=frozenset({"image"}))
    alias = Model("~a/x", "~a/x", "", Price(1.0, 1.0), output_modalities=TEXT, alias_of="a/y")
    catalog = Catalog((model("a/router", None), image, alias, model("a/y:batch", 50)))
    assert members("frontier", catalog, NOW) == ()


def test_the_real_catalogue() -> None:
    if not SHARED.exists():
        pytest.skip(f"public data is not here: {SHARED}")
    catalog = load_catalog(SHARED)
    preview = members("preview", catalog, NOW)
    assert {
        "google/gemini-3-flash-preview",
        "stealth/ox-alpha",
        "mancer/weaver",
        "openrouter/bodybuilder",
    } <= set(preview)
    assert len(preview) == 20
    assert members("expiring", catalog, NOW) == (
        "dots-studio/dots-3-note-preview:free",
        "inclusionai/ling-2.6-1t",
        "inclusionai/ling-2.6-flash",
        "inclusionai/ring-2.6-1t",
        "nvidia/nemotron-3-nano-30b-a3b:free",
        "nvidia/nemotron-nano-12b-v2-vl:free",
        "nvidia/nemotron-nano-9b-v2:free",
    )
    free = members("free", catalog, NOW)
    assert [name for name in free if not name.endswith(":free")] == ["openrouter/free", "stealth/ox-alpha"]
    assert len(free) == 20
    frontier = members("frontier", catalog, NOW)
    assert {"anthropic/claude-opus-5", "openai/gpt-5.5-pro"} <= set(frontier)
    assert not any(":" in name or name.startswith(("~", "openrouter/")) for name in frontier)
    assert all(found for name in frontier if (found := catalog.find(name)) and found.price.completion)
