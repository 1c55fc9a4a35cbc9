"""The policies of a starter file, each with the figures that its thresholds come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orpolicy.binding import KEY, MODEL
from orpolicy.catalog.sets import is_preview_name
from orpolicy.policy.model import Selector
from orpolicy.reporters._figures import money, multiple, share
from orpolicy.reporters._words import plural
from orpolicy.starting.figures import FEWEST, Point, Spread, plain, round_up
from orpolicy.starting.prose import listing
from orpolicy.starting.survey import LEAST_FLOOR_USD

if TYPE_CHECKING:
    from orpolicy.starting.survey import Survey

BLENDED = (5.0, 15.0)
CACHED = 0.30
EXTRAS = 0.05
GROWTH = 2.0
PROMPT_HEAVY = 10
BATCH_SET = "batch"

_PREVIEW_WORDS = '["*preview*", "*experimental*", "*-exp", "*-exp-*", "*alpha*", "*beta*"]'
_LEAST_MULTIPLE = 2.0
_LEAST_EXTRAS = 0.01
_MOST_CACHED = 0.50
_LEAST_CACHED = 0.05
_MOST_SAID = 4


@dataclass(frozen=True, slots=True)
class Section:
    """One policy as it is written.

    Attributes:
        id: the policy's.
        remarks: paragraphs of comment above it.
        lines: its YAML, the first of them with ``- ``.
    """

    id: str
    remarks: tuple[str, ...]
    lines: tuple[str, ...]


def blended_outlier(survey: Survey | None) -> Section:
    """Models far above the account's own rate."""
    warn: float | None
    warn, fail = BLENDED
    remark = "Times what a token costs on average over all traffic; 5 and 15 suit most teams."
    if survey and survey.blended:
        spread = Spread.of(multiples(survey, survey.blended))
        if spread.is_known:
            warn, fail = spread.limits(_LEAST_MULTIPLE)
        remark = _multiples_said(spread)
    thresholds = [f"  warn_above: {plain(warn)}"] if warn else []
    return Section(
        "blended-outlier",
        (remark,),
        (
            "- id: blended-outlier",
            "  title: No model far above our own rate",
            "  rule: blended-multiple",
            "  by: [model]",
            *thresholds,
            f"  fail_above: {plain(fail)}",
            "  why: A model that costs many times our average per token is the first place to look.",
        ),
    )


def multiples(survey: Survey, blended: float) -> list[Point]:
    """Each model's price over the account's own, of those above the floor."""
    return [
        Point(survey.model_name(members[MODEL]), totals.spend_usd / totals.tokens / blended, totals.spend_usd)
        for members, totals in survey.rows("models")
        if totals.tokens and totals.spend_usd >= survey.floor_usd
    ]


def _multiples_said(spread: Spread) -> str:
    count = len(spread.points)
    if count < FEWEST:
        few = f"Only {plural(count, 'model')}" if count else "No model"
        return f"{few} above the floor, so the usual 5 and 15 times our own rate."
    top, outliers = spread.top, spread.outliers()
    dearest = f"{listing([top.name])}, at {multiple(top.value)} ({money(top.spend_usd)})"
    text = (
        f"Your {count} models above the floor: median {multiple(spread.quantile(0.5))}, 90 % at most "
        f"{multiple(spread.quantile(0.9))} your own rate; the dearest is {dearest}."
    )
    if not outliers:
        return f"{text} None stands out, so the limits lie above them all."
    names = listing([point.name for point in reversed(outliers)])
    ordinary = spread.points[len(spread.points) - len(outliers) - 1].value
    text = f"{text} What stands out: {names}; the limits lie above the others, which end at"
    return f"{text} {multiple(ordinary)}."


def no_preview_on_batch(survey: Survey | None) -> Section:
    """Preview models on batch keys."""
    remarks, models = [], '["@preview"]'
    if survey:
        remarks = [_previews_said(survey)]
        if survey.stage.scene.account.catalogue is None:
            models = _PREVIEW_WORDS
            remarks.append(
                'Without a model catalogue "@preview" is not known here, so the names must say it.'
            )
    return Section(
        "no-preview-on-batch",
        tuple(remarks),
        (
            "- id: no-preview-on-batch",
            "  title: No preview models on batch keys",
            "  rule: model-ban",
            f'  where: {{api_key_id: "@{BATCH_SET}"}}',
            f"  models: {models}",
            "  allow_empty: true # a month without batch traffic is a pass",
            "  why: Previews are dear, change without notice and get removed; jobs rarely need them.",
        ),
    )


def _previews_said(survey: Survey) -> str:
    used = [
        (totals.spend_usd, survey.key_name(members[KEY]), survey.model_name(members[MODEL]))
        for members, totals in survey.rows("cells")
        if is_preview(survey, members[MODEL]) and totals.spend_usd > 0
    ]
    if not used:
        return "No key uses a preview model today."
    used.sort(key=lambda item: (-item[0], item[1:]))
    by_key = [f"{listing([model])} on {listing([key])} ({money(usd)})" for usd, key, model in used]
    rest = f" and {len(by_key) - _MOST_SAID} more" if len(by_key) > _MOST_SAID else ""
    return f"Preview models in use: {', '.join(by_key[:_MOST_SAID])}{rest}."


def is_preview(survey: Survey, model: str | None) -> bool:
    """Whether a model is in the built-in set, or, without a catalogue, its name says so."""
    scene = survey.stage.scene
    if model is None:
        return False
    if scene.account.catalogue is None:
        return is_preview_name(model)
    place = survey.stage.policies[0].location
    return scene.sets.matcher(Selector(MODEL, ("@preview",), (), place)).matches(
        scene.account.names(MODEL, model)
    )


def cache_prompt_heavy(survey: Survey | None) -> Section:
    """Long prompts without a cache."""
    key, limit = "fail_below", CACHED
    remark = "Cached tokens over prompt tokens, where ten tokens or more are read for each one written."
    if survey:
        key, limit, remark = _cache_limit(Spread.of(hit_rates(survey)))
    return Section(
        "cache-prompt-heavy",
        (remark,),
        (
            "- id: cache-prompt-heavy",
            "  title: Long prompts are cached",
            "  rule: cache-hit-rate",
            "  by: [api_key_id, model]",
            f"  prompt_heavy: {{prompt_per_completion_above: {PROMPT_HEAVY}}}",
            f"  {key}: {plain(limit)}",
            "  why: Sending the same long prompt again without caching pays the full price again.",
        ),
    )


def hit_rates(survey: Survey) -> list[Point]:
    """The cache hit rate of each key and model above the floor that reads far more than it writes."""
    return [
        Point(
            f"{survey.key_name(members[KEY])} on {survey.model_name(members[MODEL])}",
            totals.cached_tokens / totals.prompt_tokens,
            totals.spend_usd,
        )
        for members, totals in survey.rows("cells")
        if totals.spend_usd >= survey.floor_usd
        and totals.prompt_tokens > PROMPT_HEAVY * totals.completion_tokens
    ]


def _cache_limit(spread: Spread) -> tuple[str, float, str]:
    """The threshold's key, its value, and where it comes from."""
    count = len(spread.points)
    if not count:
        return "fail_below", CACHED, "No prompt-heavy traffic above the floor today; 0.3 suits most teams."
    lowest, middle = spread.points[0], spread.quantile(0.5)
    said = (
        f"Your prompt-heavy traffic above the floor, {plural(count, 'key and model', 'keys and models')}: "
        f"median {share(middle)} cached; least, {listing([lowest.name])}, with {share(lowest.value)} "
        f"({money(lowest.spend_usd)})."
    )
    if count < FEWEST:
        return "fail_below", CACHED, f"{said} Too few to tell what is ordinary, so the usual 0.3."
    limit = min(int(middle / 2 / _LEAST_CACHED + 1e-9) * _LEAST_CACHED, _MOST_CACHED)
    if limit < _LEAST_CACHED:
        return "warn_below", CACHED, f"{said} Hardly anything is cached, so this only warns for now."
    return "fail_below", round(limit, 2), f"{said} The limit is half the median, rounded down."


def paid_extras(survey: Survey | None) -> Section:
    """Web search and file parsing."""
    components, limit = "web, web_fetch, file", EXTRAS
    remark = "Each extra is held on its own against all spend; 5 % suits most teams."
    if survey and survey.surcharges:
        largest = max(survey.surcharges, key=lambda name: (survey.surcharges[name], name))
        part = survey.surcharges[largest] / survey.traffic.spend_usd
        limit = min(max(round_up(2 * part), _LEAST_EXTRAS), EXTRAS) if part else _LEAST_EXTRAS
        components = ", ".join(survey.surcharges)
        remark = _extras_said(survey, largest, part)
    return Section(
        "paid-extras",
        (remark,),
        (
            "- id: paid-extras",
            "  title: Web search and file parsing stay small",
            "  rule: surcharge-share",
            f"  components: [{components}]",
            f"  fail_above: {plain(limit)} # of all spend",
            "  why: Web search and file parsing are billed on top of tokens; a forgotten plugin adds up.",
        ),
    )


def _extras_said(survey: Survey, largest: str, part: float) -> str:
    if not part:
        return "Nothing was paid beside tokens, so 1 % is where somebody should look."
    amounts = ", ".join(f"{name} {money(usd)}" for name, usd in survey.surcharges.items())
    rule = "twice that, rounded up, but 5 % at most" if 2 * part > _LEAST_EXTRAS else "1 %"
    return (
        f"Paid beside tokens: {amounts}; the largest, {largest}, is {share(part)} of all spend. "
        f"The limit is {rule}."
    )


def floor_of(survey: Survey | None) -> tuple[float, str]:
    """The floor in USD, and where it comes from."""
    if not survey:
        return 50.0, "USD in the window: smaller keys and models are counted, not judged."
    rows = [totals.spend_usd for _, totals in survey.rows("cells")]
    small = [usd for usd in rows if usd < survey.floor_usd]
    said = "USD in the window"
    if survey.floor_usd > LEAST_FLOOR_USD:
        said = f"{said}, about 0.2 % of your {money(survey.traffic.spend_usd)}"
    if not small:
        return survey.floor_usd, f"{said}: smaller keys and models are counted, not judged. None is today."
    cells = plural(len(rows), "pair")
    return survey.floor_usd, (
        f"{said}: of {cells} of key and model, {plural(len(small), 'is', 'are')} smaller, "
        f"{money(sum(small))} in all; such rows are counted, not judged."
    )
