from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from orpolicy.catalog.load import CatalogError, load_catalog, parse_catalog
from orpolicy.catalog.model import Price, PriceTier
from orpolicy.errors import UsageError

SHARED = Path(__file__).parents[3] / "shared" / "data" / "models"


def row(**changes: Any) -> dict[str, Any]:
    return {"id": "acme/one", "pricing": {"prompt": "0.000002", "completion": "0.00001"}} | changes


def pricing(**changes: Any) -> dict[str, Any]:
    return row(pricing={"prompt": "0.000002", "completion": "0.00001"} | changes)


def shared(name: str) -> Path:
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"public data is not here: {path}")
    return path


@pytest.mark.parametrize(
    ("name", "models", "renamed", "conditional", "cached"),
    [("models-2026-08-08.json", 400, 248, 57, 235), ("models-2026-08-22.json", 421, 267, 60, 251)],
)
def test_every_row_of_a_real_answer_is_read(
    name: str, models: int, renamed: int, conditional: int, cached: int
) -> None:
    catalog = load_catalog(shared(name))
    assert catalog.skipped == ()
    assert catalog.taken_at is None
    assert len(catalog.models) == models
    assert sum(model.id != model.permaslug for model in catalog.models) == renamed
    assert sum(bool(model.tiers) for model in catalog.models) == conditional
    assert sum(model.price.cache_read is not None for model in catalog.models) == cached
    assert sum(model.price.prompt is None for model in catalog.models) == 5


def test_benchmarks_expiry_and_aliases_of_the_real_answer() -> None:
    models = load_catalog(shared("models-2026-08-22.json")).models
    # 169 rows have an analysis; the index is null in 19 of them
    assert sum(model.intelligence_index is not None for model in models) == 150
    assert Counter(model.expires for model in models if model.expires) == {
        date(2026, 8, 24): 6,
        date(2026, 9, 30): 1,
        date(2026, 12, 31): 1,
    }
    assert sum(bool(model.alias_of) for model in models) == 12


def test_the_real_daily_windows_read_as_minutes_and_cover_the_day() -> None:
    catalog = load_catalog(shared("models-2026-08-22.json"))
    model = catalog.find("deepseek/deepseek-v4-flash-vision-exp")
    assert model is not None
    assert [(tier.utc_start, tier.utc_end, tier.price.prompt) for tier in model.tiers] == [
        (600, 60, 0.22e-6),
        (60, 240, 0.44e-6),
        (240, 360, 0.22e-6),
        (360, 600, 0.44e-6),
    ]


def test_a_full_row() -> None:
    catalog = parse_catalog(
        {
            "data": [
                {
                    "id": "acme/one:batch",
                    "canonical_slug": "acme/one-20260101",
                    "name": "Acme: One",
                    "created": 1767225600,
                    "context_length": 8000,
                    "architecture": {"input_modalities": ["text", "image"], "output_modalities": ["text"]},
                    "supported_parameters": ["tools"],
                    "expiration_date": "2026-08-24",
                    "benchmarks": {"artificial_analysis": {"intelligence_index": 42.3}},
                    "pricing": {
                        "prompt": "0.000002",
                        "completion": 0.00001,
                        "request": "0.5",
                        "input_cache_read": "0.0000002",
                        "input_cache_write": "0.0000025",
                        "overrides": [{"min_prompt_tokens": 200000, "prompt": "0.000004"}],
                    },
                }
            ]
        },
        datetime(2026, 8, 1, tzinfo=UTC),
    )
    (model,) = catalog.models
    assert catalog.taken_at == datetime(2026, 8, 1, tzinfo=UTC)
    assert (model.id, model.variant, model.permaslug) == ("acme/one:batch", "batch", "acme/one-20260101")
    assert (model.base_id, model.author, model.name) == ("acme/one", "acme", "Acme: One")
    assert model.created == datetime(2026, 1, 1, tzinfo=UTC)
    assert model.expires == date(2026, 8, 24)
    assert model.context_length == 8000
    assert model.input_modalities == {"text", "image"}
    assert model.parameters == {"tools"}
    assert model.intelligence_index == 42.3
    assert model.price == Price(2e-6, 1e-5, 2e-7, 2.5e-6, 0.5)
    assert model.tiers == (PriceTier(Price(4e-6, None), 200000),)


def test_a_bare_row_leaves_everything_else_unknown() -> None:
    (model,) = parse_catalog({"data": [row()]}, None).models
    assert (model.permaslug, model.name, model.context_length) == ("acme/one", "acme/one", 0)
    assert (model.created, model.expires, model.intelligence_index, model.alias_of) == (None, None, None, "")


@pytest.mark.parametrize("price", ["-1", -1, -1.0, None])
def test_a_router_price_is_unknown_not_free(price: object) -> None:
    (model,) = parse_catalog({"data": [pricing(prompt=price, completion=price)]}, None).models
    assert (model.price.prompt, model.price.completion) == (None, None)
    assert model.is_router
    assert not model.is_free


@pytest.mark.parametrize("day", ["2098-12-31", "2098-12-31T00:00:00Z", "2100-01-01", None])
def test_far_away_means_never(day: str | None) -> None:
    assert parse_catalog({"data": [row(expiration_date=day)]}, None).models[0].expires is None


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        ("a string", "row 2: the row: an object is expected"),
        ({"pricing": {}}, "row 2: id: a text is expected"),
        (row(id=""), "row 2: id: a text is expected"),
        (row(id=7), "row 2: id: a text is expected"),
        (row(id="b", pricing=None), "b: pricing: an object is expected"),
        (pricing(prompt="cheap"), "prompt: 'cheap' is not a number"),
        (pricing(prompt=""), "prompt: '' is not a number"),
        (pricing(prompt=True), "prompt: True is not a number"),
        (pricing(prompt=[1]), "prompt: [1] is not a number"),
        (pricing(completion="NaN"), "completion: 'NaN' is not a finite number"),
        (pricing(completion=float("inf")), "completion: inf is not a finite number"),
        (pricing(completion=10**400), "is not a number"),
        (pricing(input_cache_read="-0.5"), "input_cache_read: a price of '-0.5'"),
        (pricing(overrides={}), "overrides: a list is expected"),
        (pricing(overrides=[3]), "overrides: an object is expected"),
        (pricing(overrides=[{"prompt": "1"}]), "a price without a condition that is known"),
        (pricing(overrides=[{"prompt": "1", "utc_start": 100}]), "utc_start and utc_end belong together"),
        (pricing(overrides=[{"utc_start": 160, "utc_end": 200}]), "160 is not a time of day"),
        (pricing(overrides=[{"utc_start": 100, "utc_end": 2401}]), "2401 is not a time of day"),
        (pricing(overrides=[{"min_prompt_tokens": -5}]), "min_prompt_tokens: -5 is not a count"),
        (pricing(overrides=[{"min_prompt_tokens": 0.5}]), "min_prompt_tokens: 0.5 is not a count"),
        (row(expiration_date="soon"), "expiration_date: 'soon' is not a day"),
        (row(created="today"), "created: 'today' is not a time"),
        (row(created=1e30), "created: 1e+30 is not a time"),
        (row(supported_parameters="tools"), "supported_parameters: a list is expected"),
        (row(benchmarks={"artificial_analysis": {"intelligence_index": "high"}}), "'high' is not a number"),
        (row(alias_target={"name": "x"}), "alias_target: a text is expected"),
    ],
)
def test_a_malformed_row_is_named_and_the_rest_kept(bad: Any, complaint: str) -> None:
    if isinstance(bad, dict) and bad.get("id") == "acme/one":
        bad = bad | {"id": "acme/bad"}
    catalog = parse_catalog({"data": [row(), bad]}, None)
    assert [model.id for model in catalog.models] == ["acme/one"]
    assert len(catalog.skipped) == 1
    assert complaint in catalog.skipped[0]


def test_a_model_listed_twice_counts_once() -> None:
    catalog = parse_catalog({"data": [row(name="first"), row(name="second")]}, None)
    assert [model.name for model in catalog.models] == ["first"]
    assert catalog.skipped == ("acme/one: listed twice, the first counts",)


@pytest.mark.parametrize("payload", [None, [], "x", {}, {"data": {}}, {"error": {"code": 401}}])
def test_something_else_is_no_catalogue(payload: object) -> None:
    with pytest.raises(CatalogError, match="not an answer of GET /models"):
        parse_catalog(payload, None)


def test_no_valid_row_is_an_error() -> None:
    with pytest.raises(CatalogError, match="the list is empty"):
        parse_catalog({"data": []}, None)
    with pytest.raises(CatalogError, match=r"no model can be read from it \(acme/one: pricing"):
        parse_catalog({"data": [row(pricing=None)]}, None)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-08-08T10:00:00Z", datetime(2026, 8, 8, 10, tzinfo=UTC)),
        ("2026-08-08T12:00:00+02:00", datetime(2026, 8, 8, 10, tzinfo=UTC)),
        ("2026-08-08", datetime(2026, 8, 8, tzinfo=UTC)),
    ],
)
def test_a_file_may_say_when_it_was_taken(tmp_path: Path, text: str, moment: datetime) -> None:
    path = tmp_path / "models.json"
    path.write_text(json.dumps({"taken_at": text, "data": [row()]}))
    assert load_catalog(path).taken_at == moment


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"{", "not JSON"),
        (b"", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[" * 200_000, "not JSON"),
        (b"[]", "not an answer of GET /models"),
        (b'{"data": []}', "the list is empty"),
        (b'{"data": [], "taken_at": "yesterday"}', "taken_at: 'yesterday' is not a time"),
        (b'{"data": [], "taken_at": 5}', "taken_at: 5 is not a time"),
    ],
)
def test_a_wrong_file_is_the_users_error_and_named(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "models.json"
    path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        load_catalog(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert complaint in str(caught.value)


def test_a_missing_file_is_the_users_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"absent\.json: cannot be read: No such file"):
        load_catalog(tmp_path / "absent.json")
