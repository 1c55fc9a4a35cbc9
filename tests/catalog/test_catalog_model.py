from __future__ import annotations

from pathlib import Path

import pytest

from orpolicy.catalog.load import load_catalog
from orpolicy.catalog.model import Catalog, Model, Price, PriceTier, prices_of_day, undated

SHARED = Path(__file__).parents[3] / "shared" / "data" / "models"
PRICE = Price(1e-6, 2e-6)


@pytest.fixture(params=["models-2026-08-08.json", "models-2026-08-22.json"])
def real(request: pytest.FixtureRequest) -> Catalog:
    path = SHARED / request.param
    if not path.exists():
        pytest.skip(f"public data is not here: {path}")
    return load_catalog(path)


def model(model_id: str, slug: str = "", alias_of: str = "") -> Model:
    return Model(model_id, slug or model_id.partition(":")[0], model_id, PRICE, alias_of=alias_of)


def test_every_real_row_is_found_by_id_and_by_slug_and_variant(real: Catalog) -> None:
    for item in real.models:
        if item.alias_of:
            target = real.find(item.id)
            assert target is not None
            assert target.id == item.alias_of
        else:
            assert real.find(item.id) is item
            assert real.find(item.permaslug, item.variant) is item
            assert real.find(item.base_id, item.variant) is item
            assert real.display(item.permaslug) == item.base_id


def test_real_names_lead_to_one_model_only(real: Catalog) -> None:
    for item in real.models:
        names = real.names_of(item.permaslug)
        assert {item.base_id, item.permaslug} <= names
        others = {other.base_id for other in real.models} & names - {item.base_id}
        assert others <= ({item.alias_of} if item.alias_of else set())


def test_an_undated_slug_that_is_another_model_is_not_a_name(real: Catalog) -> None:
    assert real.names_of("z-ai/glm-4.6-20251208") == {"z-ai/glm-4.6v", "z-ai/glm-4.6-20251208"}


def test_an_undated_slug_is_a_name(real: Catalog) -> None:
    assert real.names_of("anthropic/claude-fable-5") == {
        "anthropic/claude-fable-5",
        "anthropic/claude-5-fable",
        "anthropic/claude-5-fable-20260609",
    }


CATALOG = Catalog(
    (
        model("a/one", "a/one-20260101"),
        model("a/one:batch", "a/one-20260101"),
        model("a/only:free", "a/only-20260101"),
        model("~a/latest", alias_of="a/one"),
        model("~a/chain", alias_of="~a/latest"),
        model("~a/x", alias_of="~a/y"),
        model("~a/y", alias_of="~a/x"),
        model("~a/self", alias_of="~a/self"),
        model("~a/gone", alias_of="a/removed"),
        model("~a/batch", alias_of="a/one:batch"),
    )
)


@pytest.mark.parametrize(
    ("name", "variant", "found"),
    [
        ("a/one", "standard", "a/one"),
        ("a/one-20260101", "batch", "a/one:batch"),
        ("a/one-20260101:batch", "standard", "a/one:batch"),
        ("a/one:batch", "thinking", "a/one:batch"),
        ("a/one", "thinking", None),
        ("a/only-20260101", "standard", None),
        ("a/only-20260101", "free", "a/only:free"),
        ("a/none", "standard", None),
        ("", "standard", None),
        ("~a/latest", "standard", "a/one"),
        ("~a/latest", "batch", "a/one:batch"),
        ("~a/latest:batch", "standard", "a/one:batch"),
        ("~a/latest:free", "standard", None),
        ("~a/chain", "standard", "a/one"),
        ("~a/batch", "standard", "a/one:batch"),
        ("~a/gone", "standard", "~a/gone"),
        ("~a/gone:batch", "standard", None),
        ("~a/self", "standard", "~a/self"),
    ],
)
def test_find(name: str, variant: str, found: str | None) -> None:
    result = CATALOG.find(name, variant)
    assert (result.id if result else None) == found


@pytest.mark.parametrize("name", ["~a/x", "~a/y", "~a/x:batch"])
def test_alias_cycles_end(name: str) -> None:
    result = CATALOG.find(name)
    assert result is None or result.id in {"~a/x", "~a/y"}


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a/one-20260101", "a/one"),
        ("a/one-20260101:batch", "a/one:batch"),
        ("a/one:batch", "a/one:batch"),
        ("a/only-20260101", "a/only"),
        ("~a/latest", "~a/latest"),
        ("b/unknown:free", "b/unknown:free"),
    ],
)
def test_display_is_the_id_that_a_caller_sends(name: str, shown: str) -> None:
    assert CATALOG.display(name) == shown


def test_an_alias_also_has_its_targets_names_but_not_the_other_way_round() -> None:
    assert CATALOG.names_of("~a/chain") == {"~a/chain", "a/one", "a/one-20260101"}
    assert CATALOG.names_of("a/one") == {"a/one", "a/one-20260101"}
    assert CATALOG.names_of("a/one-20260101") == CATALOG.names_of("a/one")


def test_an_unlisted_model_has_its_own_name_with_and_without_date() -> None:
    assert CATALOG.names_of("b/two-20250101") == {"b/two-20250101", "b/two"}


def test_variants_without_a_standard_row_keep_all_names() -> None:
    assert CATALOG.names_of("a/only-20260101:free") == {"a/only-20260101", "a/only"}


@pytest.mark.parametrize(
    ("slug", "short"),
    [("a/b-20260217", "a/b"), ("a/b-2507", "a/b-2507"), ("a/b-20260217-x", "a/b-20260217-x")],
)
def test_undated(slug: str, short: str) -> None:
    assert undated(slug) == short


def test_free_and_router_and_author() -> None:
    assert Model("a/b", "a/b", "", Price(0, 0)).is_free
    assert not Model("a/b", "a/b", "", Price(0, 1e-6)).is_free
    song = Model("a/b", "a/b", "", Price(0, 0), output_modalities=frozenset({"text", "audio"}))
    assert not song.is_free
    assert Model("a/b:free", "a/b", "", PRICE).is_free
    assert Model("openrouter/free", "openrouter/free", "", Price(0, 0)).is_router
    assert model("~acme/latest").author == "acme"


TIER = PriceTier(Price(4e-6, None), 200_000)


@pytest.mark.parametrize(("tokens", "prompt"), [(199_999, 1e-6), (200_000, 1e-6), (200_000.5, 4e-6)])
def test_a_tier_begins_above_its_threshold(tokens: float, prompt: float) -> None:
    assert prices_of_day(PRICE, (TIER,), tokens) == ((1.0, Price(prompt, 2e-6)),)


def test_later_tiers_win_field_by_field() -> None:
    tiers = (TIER, PriceTier(Price(None, 9e-6, 5e-7), 100))
    assert prices_of_day(PRICE, tiers, 300_000) == ((1.0, Price(4e-6, 9e-6, 5e-7)),)


def test_a_window_that_wraps_midnight() -> None:
    night = PriceTier(Price(5e-7, None), utc_start=22 * 60, utc_end=4 * 60)
    assert prices_of_day(PRICE, (night,), 1) == (
        (240 / 1440, Price(5e-7, 2e-6)),
        (1080 / 1440, PRICE),
        (120 / 1440, Price(5e-7, 2e-6)),
    )


def test_a_window_up_to_midnight_and_one_of_the_whole_day() -> None:
    evening = PriceTier(Price(5e-7, None), utc_start=720, utc_end=1440)
    assert prices_of_day(PRICE, (evening,), 1) == ((0.5, PRICE), (0.5, Price(5e-7, 2e-6)))
    always = PriceTier(Price(5e-7, None), utc_start=0, utc_end=0)
    assert prices_of_day(PRICE, (always,), 1) == ((1.0, Price(5e-7, 2e-6)),)


def test_both_conditions_must_hold() -> None:
    both = PriceTier(Price(5e-7, None), 100, utc_start=0, utc_end=720)
    assert prices_of_day(PRICE, (both,), 100) == ((0.5, PRICE), (0.5, PRICE))
    assert prices_of_day(PRICE, (both,), 101) == ((0.5, Price(5e-7, 2e-6)), (0.5, PRICE))
