"""The facts behind the demo account: who runs what, how much in May 2026, and at which price.

Every vendor, model, price, key and person is invented.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

FIRST_DAY = date(2025, 11, 1)
LAST_DAY = date(2026, 6, 9)
JUMP_DAY = date(2026, 5, 11)
NEW_DAY = date(2026, 5, 12)

PREVIEW = "northwind/atlas-3-pro-preview"
PRO = "northwind/atlas-3-pro"
FLASH = "northwind/atlas-3-flash"
FORGE = "cobalt/forge-5"
MINI = "cobalt/forge-5-mini"
OLD = "cobalt/forge-4"
PONDER = "larkspur/ponder-2"
QUILL = "larkspur/quill-2"
SWIFT = "meridian/swift-8b"
SCHOLAR = "meridian/scholar-70b"
MOSAIC = "tessera/mosaic-1"
CANVAS = "tessera/canvas-1"


@dataclass(frozen=True, slots=True)
class ModelFact:
    """One made-up model.

    Attributes:
        dated: the day in its permaslug and of its listing.
        price: prompt, completion, cache read, cache write; USD per million tokens, None where unpriced.
        index: intelligence index, or None.
        context: tokens.
        variants: suffix -> factor on every price.
        expires: ISO day of removal, or None.
    """

    id: str
    name: str
    dated: date
    price: tuple[float, float, float | None, float | None]
    index: float | None
    context: int
    provider: str
    variants: tuple[tuple[str, float], ...] = ()
    expires: str | None = None
    inputs: tuple[str, ...] = ("text",)
    output: str = "text"


MODELS = (
    ModelFact(
        PREVIEW,
        "Northwind: Atlas 3 Pro Preview",
        date(2025, 10, 14),
        (10, 80, 0.5, None),
        61.0,
        1_048_576,
        "Northwind",
        expires="2026-07-15",
        inputs=("text", "image"),
    ),
    ModelFact(
        PRO,
        "Northwind: Atlas 3 Pro",
        date(2025, 10, 28),
        (2.5, 15, 0.25, None),
        60.2,
        1_048_576,
        "Northwind",
        inputs=("text", "image"),
    ),
    ModelFact(
        FLASH,
        "Northwind: Atlas 3 Flash",
        date(2025, 10, 21),
        (0.5, 3, 0.05, None),
        58.7,
        1_048_576,
        "Northwind",
        variants=(("batch", 0.5),),
        inputs=("text", "image"),
    ),
    ModelFact(FORGE, "Cobalt: Forge 5", date(2025, 9, 30), (2, 10, 0.2, 2.5), 57.4, 400_000, "Cobalt"),
    ModelFact(
        MINI,
        "Cobalt: Forge 5 Mini",
        date(2025, 9, 30),
        (0.25, 1.25, 0.025, 0.3125),
        46.3,
        400_000,
        "Cobalt",
        variants=(("batch", 0.5),),
    ),
    ModelFact(
        OLD,
        "Cobalt: Forge 4",
        date(2025, 2, 6),
        (2.5, 12.5, 0.25, 3.125),
        44.1,
        200_000,
        "Cobalt",
        expires="2026-07-31",
    ),
    ModelFact(
        PONDER, "Larkspur: Ponder 2", date(2025, 8, 19), (1.2, 4.8, 0.12, None), 56.9, 262_144, "Stratus"
    ),
    ModelFact(
        QUILL, "Larkspur: Quill 2", date(2025, 8, 19), (0.2, 0.8, 0.02, None), 38.5, 262_144, "Stratus"
    ),
    ModelFact(
        SWIFT,
        "Meridian: Swift 8B",
        date(2025, 6, 3),
        (0.04, 0.1, None, None),
        21.7,
        131_072,
        "Stratus",
        variants=(("free", 0.0),),
    ),
    ModelFact(
        SCHOLAR, "Meridian: Scholar 70B", date(2025, 6, 3), (0.3, 0.6, None, None), 33.0, 131_072, "Hearth"
    ),
    ModelFact(
        MOSAIC, "Tessera: Mosaic 1", date(2025, 7, 8), (0.15, 0.6, None, None), 35.2, 131_072, "Hearth"
    ),
    ModelFact(
        CANVAS,
        "Tessera: Canvas 1",
        date(2025, 7, 8),
        (0.3, 30, None, None),
        None,
        32_768,
        "Tessera",
        output="image",
    ),
)

PLATFORM = "Platform"
RESEARCH = "Research"
WORKSPACES = {
    PLATFORM: "3f1c2a9e-7d40-4b61-9a53-0c8de27b1f01",
    RESEARCH: "b86e5d17-21f4-4c3a-8e90-5a1fd30c7e02",
}


@dataclass(frozen=True, slots=True)
class KeyFact:
    """One made-up key: where it lives, whose it is, which app uses it and how it is bounded."""

    name: str
    workspace: str
    user: str
    app: str
    limit_usd: int | None
    limit_reset: str | None = "monthly"
    expires_at: str | None = "2026-12-31T00:00:00Z"
    created_at: str = "2025-09-01T00:00:00Z"


KEYS = (
    KeyFact(
        "batch-pipeline",
        PLATFORM,
        "Tomas Lindqvist <tomas.lindqvist@example.com>",
        "Catalogue Pipeline",
        limit_usd=None,
        expires_at=None,
    ),
    KeyFact(
        "code-review", PLATFORM, "Mei Tanaka <mei.tanaka@example.com>", "Review Assistant", limit_usd=4_000
    ),
    KeyFact("data-science", RESEARCH, "Omar Haddad <omar.haddad@example.com>", "Notebooks", limit_usd=3_000),
    KeyFact("docs-indexer", PLATFORM, "Ines Moreau <ines.moreau@example.com>", "Docs Index", limit_usd=1_500),
    KeyFact(
        "internal-tools", PLATFORM, "Ines Moreau <ines.moreau@example.com>", "Back Office", limit_usd=800
    ),
    KeyFact("lead-scoring", PLATFORM, "Dana Petrov <dana.petrov@example.com>", "Growth", limit_usd=2_000),
    KeyFact("media-studio", PLATFORM, "Lucia Rossi <lucia.rossi@example.com>", "Studio", limit_usd=10_000),
    KeyFact("mobile-app", PLATFORM, "Kwame Mensah <kwame.mensah@example.com>", "Mobile", limit_usd=1_500),
    KeyFact(
        "nightly-evals",
        RESEARCH,
        "Omar Haddad <omar.haddad@example.com>",
        "Evals",
        limit_usd=6_000,
        limit_reset=None,
    ),
    KeyFact("prod-api", PLATFORM, "Priya Nair <priya.nair@example.com>", "Storefront", limit_usd=8_000),
    KeyFact(
        "release-notes",
        PLATFORM,
        "Mei Tanaka <mei.tanaka@example.com>",
        "Release Notes",
        limit_usd=600,
        created_at="2026-05-12T00:00:00Z",
    ),
    KeyFact("search-api", PLATFORM, "Priya Nair <priya.nair@example.com>", "Search", limit_usd=2_500),
    KeyFact(
        "support-bot", PLATFORM, "Kwame Mensah <kwame.mensah@example.com>", "Help Centre", limit_usd=5_000
    ),
    KeyFact("translation", PLATFORM, "Lucia Rossi <lucia.rossi@example.com>", "Localisation", limit_usd=900),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """The traffic of one key on one model and variant, as its totals of May 2026.

    Attributes:
        key: None for traffic without a key.
        requests: in May, likewise the token counts.
        hit: cached / prompt tokens.
        reasoning: reasoning / completion tokens.
        web: web search cost over inference cost, likewise ``fetch`` and ``file``.
        shape: ``steady``, ``jump`` (from ``JUMP_DAY`` on four times as much) or ``new`` (from ``NEW_DAY``).
        around_the_clock: whether weekends are like weekdays.
        usd: the exact spend of May; None: what the prices give.
    """

    key: str | None
    model: str
    requests: int
    prompt: int
    completion: int
    hit: float = 0.0
    reasoning: float = 0.0
    variant: str = "standard"
    web: float = 0.0
    fetch: float = 0.0
    file: float = 0.0
    shape: str = "steady"
    around_the_clock: bool = False
    usd: float | None = None


M = 1_000_000
CELLS = (
    Cell(
        "batch-pipeline", PREVIEW, 37_000, 59_340_000, 67_660_000, 0.0, 0.45, around_the_clock=True, usd=6067
    ),
    Cell("data-science", PREVIEW, 2_540, 83_750_000, 250_000, 0.9783, 0.4, usd=80),
    Cell("nightly-evals", PREVIEW, 1_310, 38_880_000, 120_000, 0.9768, 0.4, around_the_clock=True, usd=38),
    Cell("batch-pipeline", SWIFT, 640_000, 800 * M, 100 * M, around_the_clock=True),
    Cell("prod-api", FORGE, 300_000, 400 * M, 18 * M, 0.7, 0.2, web=0.0989),
    Cell("prod-api", FLASH, 900_000, 2_600 * M, 240 * M, 0.55, 0.25, web=0.0989),
    Cell("prod-api", MINI, 700_000, 900 * M, 95 * M, 0.5, 0.1, web=0.0989),
    Cell("prod-api", PRO, 150_000, 500 * M, 70 * M, 0.5, 0.35, web=0.0989),
    Cell("support-bot", FORGE, 250_000, 1_050 * M, 30 * M, 0.0, 0.15),
    Cell("support-bot", QUILL, 400_000, 600 * M, 62 * M, 0.4),
    Cell("search-api", QUILL, 1_200_000, 1_500 * M, 150 * M, 0.45, web=0.7, fetch=0.2),
    Cell("search-api", MINI, 1_000_000, 1_100 * M, 110 * M, 0.5, 0.1, web=0.7, fetch=0.2),
    Cell("docs-indexer", SWIFT, 2_400_000, 2_900 * M, 410 * M, around_the_clock=True),
    Cell("docs-indexer", SCHOLAR, 200_000, 700 * M, 110 * M, file=0.75, around_the_clock=True),
    Cell("nightly-evals", MINI, 300_000, 500 * M, 60 * M, 0.0, 0.1, "batch", around_the_clock=True),
    Cell("nightly-evals", FLASH, 200_000, 400 * M, 60 * M, 0.0, 0.25, "batch", around_the_clock=True),
    Cell("nightly-evals", SWIFT, 230_000, 300 * M, 34 * M, variant="free", around_the_clock=True),
    Cell("code-review", PONDER, 120_000, 650 * M, 310 * M, 0.4, 0.72),
    Cell("code-review", MINI, 100_000, 150 * M, 16 * M, 0.5, 0.1),
    Cell("data-science", PRO, 60_000, 300 * M, 45 * M, 0.3, 0.35),
    Cell("data-science", SCHOLAR, 100_000, 200 * M, 40 * M),
    Cell("lead-scoring", FLASH, 400_000, 700 * M, 150 * M, 0.3, 0.25, shape="jump", around_the_clock=True),
    Cell("lead-scoring", MINI, 350_000, 600 * M, 110 * M, 0.3, 0.1, shape="jump", around_the_clock=True),
    Cell("release-notes", PRO, 20_000, 80 * M, 12 * M, 0.3, 0.35, shape="new"),
    Cell("translation", MOSAIC, 900_000, 1_100 * M, 420 * M),
    Cell("mobile-app", OLD, 80_000, 120 * M, 14 * M, 0.35),
    Cell("mobile-app", FLASH, 600_000, 700 * M, 72 * M, 0.5, 0.25),
    Cell("media-studio", CANVAS, 9_300, 0, 0, usd=402),
    Cell("media-studio", MOSAIC, 100_000, 150 * M, 30 * M),
    Cell("internal-tools", PRO, 30_000, 90 * M, 14 * M, 0.3, 0.35),
    Cell(None, SCHOLAR, 40_000, 120 * M, 25 * M),
    Cell(None, FLASH, 30_000, 60 * M, 9 * M, 0.2, 0.25),
)
