"""Charts as tables with bars, and one as columns, in inline SVG that scales without a script."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orpolicy.reporters._figures import money, multiple, rate, share, span, tokens
from orpolicy.reporters._headline import CENT
from orpolicy.reporters._html_markup import Markup, element, markup, outside
from orpolicy.reporters._trend_words import trend_rows, trend_sentence
from orpolicy.reporters._words import plural, subject
from orpolicy.verdict import Status, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orpolicy.finding import Subject
    from orpolicy.report import PeriodSpend, Report, SubjectSpend

MOST_BARS = 10
"""So many bars; what is left is one more."""

_TREND_LEFT = 14.0
"""Percent of the width left of the columns, for the scale."""
_MOST_LABELS = 6
_MOST_USD = 1e15
"""Nobody spends this; a scale for it would run out of numbers."""
_LEAST_WIDTH = 0.6
"""Percent that a bar which stands for something never falls short of."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a chart.

    Attributes:
        start: left end of the bar in percent of the room; likewise ``width``.
        figure: what the bar stands for, in words.
        detail: more about it.
        verdict: the worst of the subject's open findings, or None.
        is_marked: whether the verdict also stands as a word behind the label.
    """

    label: Markup
    start: float
    width: float
    figure: str
    detail: str
    verdict: Verdict | None = None
    is_marked: bool = True


def charts(report: Report) -> Markup:
    """Every chart that the run has figures for; "" if there is none."""
    drawn = [
        _spend_chart(report, report.spend.by_model, report.spend.models, "model"),
        _spend_chart(report, report.spend.by_key, report.spend.keys, "key"),
        _multiples_chart(report),
        _trend_chart(report.spend.by_period),
        _history_chart(report),
    ]
    shown = [chart for chart in drawn if chart]
    if not shown:
        return Markup("")
    heading = element("h2", "Where the money goes", id="money")
    return element("section", heading, element("div", *shown, class_="charts"), aria_labelledby="money")


def _spend_chart(report: Report, items: Sequence[SubjectSpend], number: int, noun: str) -> Markup:
    if report.baseline is None or not any(item.spend_usd >= CENT for item in items):
        return Markup("")
    total_usd = report.baseline.spend_usd
    largest_usd = max(item.spend_usd for item in items)
    found = _open_verdicts(report, noun)
    bars = [
        Bar(
            _label(item.subject),
            0,
            _width(item.spend_usd / largest_usd),
            money(item.spend_usd),
            _share(item.spend_usd, total_usd),
            _verdict(found, item.subject),
        )
        for item in items[:MOST_BARS]
    ]
    rest_usd = total_usd - sum(item.spend_usd for item in items[:MOST_BARS])
    if number > len(bars) and rest_usd >= CENT:
        others = markup(plural(number - len(bars), f"other {noun}"))
        width = _width(min(rest_usd / largest_usd, 1))
        bars.append(Bar(others, 0, width, money(rest_usd), _share(rest_usd, total_usd)))
    caption = f"{money(total_usd)} in {span(report.baseline.window)}, {plural(number, noun)}"
    return bar_chart(f"Spend by {noun}", caption, (noun.capitalize(), "Spend", "Share"), bars)


def _share(part_usd: float, whole_usd: float) -> str:
    return share(min(part_usd / whole_usd, 1.0)) if whole_usd > 0 else ""


def _width(part: float) -> float:
    return max(part * 100, _LEAST_WIDTH) if part > 0 else 0.0


def _multiples_chart(report: Report) -> Markup:
    """$/Mtok of the dearest models by spend against the blended rate, on a logarithmic scale."""
    blended = report.baseline.blended_usd_per_mtok if report.baseline else None
    if not blended:
        return Markup("")
    rated = [
        (item, ratio)
        for item in report.spend.by_model[:MOST_BARS]
        if 0 < (ratio := (item.usd_per_mtok or 0.0) / blended) < math.inf
    ]
    if not rated:
        return Markup("")
    rated.sort(key=lambda each: -each[1])
    found = _open_verdicts(report, "model")
    logs = [math.log10(ratio) for _, ratio in rated]
    low, high = min(*logs, -0.5), max(*logs, 0.5)
    one = -low / (high - low) * 100
    bars = []
    for (item, ratio), log in zip(rated, logs, strict=True):
        end = (log - low) / (high - low) * 100
        bars.append(
            Bar(
                _label(item.subject),
                min(one, end),
                max(abs(end - one), _LEAST_WIDTH),
                multiple(ratio),
                rate(item.usd_per_mtok or 0.0).removesuffix(" $/Mtok"),
                _verdict(found, item.subject),
            )
        )
    caption = f"The line is our blended rate, {rate(blended)}; to its right is dearer. Logarithmic scale."
    return bar_chart(
        "Price against the blended rate", caption, ("Model", "Multiple", "$/Mtok"), bars, line=one
    )


def _label(members: Subject) -> Markup:
    return outside(subject(members))


def _open_verdicts(report: Report, noun: str) -> dict[str, Verdict]:
    """The worst open verdict by the names of the subjects that a chart shows."""
    dimension = {"model": "model", "key": "api_key_id"}[noun]
    worst: dict[str, Verdict] = {}
    for finding in report.findings:
        member = finding.subject.get(dimension)
        if finding.status is Status.OPEN and member is not None:
            known = worst.get(member, Verdict.PASS)
            worst[member] = max(known, finding.verdict, key=lambda verdict: verdict.rank)
    return worst


def _verdict(found: dict[str, Verdict], members: Subject) -> Verdict | None:
    first = next(iter(members.values()), None)
    return found.get(first) if first is not None else None


def bar_chart(
    title: str, caption: str, columns: tuple[str, str, str], bars: Sequence[Bar], line: float | None = None
) -> Markup:
    """A table whose rows have bars.

    Args:
        title: above it.
        caption: below the title.
        columns: titles of the label, the figure and the detail.
        bars: the rows.
        line: percent of the room at which a line crosses all bars, or None.
    """
    noun, figure, detail = columns
    head = element(
        "tr",
        element("th", noun, scope="col"),
        element("th", figure, scope="col"),
        element("th", detail, scope="col"),
    )
    rows = [
        element(
            "tr",
            element("th", bar.label, *_mark(bar), _drawn(bar, line), scope="row"),
            element("td", bar.figure),
            element("td", bar.detail, class_="faint"),
        )
        for bar in bars
    ]
    table = element(
        "table",
        element("thead", head),
        element("tbody", *rows),
        class_="bars",
        aria_label=f"{title}: {caption}",
    )
    return _figure(title, caption, table)


def _mark(bar: Bar) -> tuple[Markup, ...]:
    if bar.verdict is None or not bar.is_marked:
        return ()
    return (markup(" "), element("span", bar.verdict, class_=f"mark {bar.verdict}"))


def _drawn(bar: Bar, line: float | None) -> Markup:
    shapes = [
        element("rect", class_="room", width="100%", height="100%"),
        element("rect", class_="bar", x=_percent(bar.start), width=_percent(bar.width), height="100%"),
    ]
    if line is not None:
        shapes.append(element("line", class_="one", x1=_percent(line), x2=_percent(line), y1="0", y2="100%"))
    kind = f"draw {bar.verdict}" if bar.verdict else "draw"
    return element("svg", *shapes, class_=kind, aria_hidden="true", focusable="false")


def _percent(value: float) -> str:
    return f"{value:.2f}%"


def _figure(title: str, caption: str, content: Markup) -> Markup:
    return element("figure", element("figcaption", element("h3", title), element("p", caption)), content)


def _history_chart(report: Report) -> Markup:
    """Spend and net savings of the runs before, where a history knows them."""
    rows = trend_rows(report)
    largest_usd = max((spend for _, spend, _ in rows), default=0.0)
    if largest_usd < CENT:
        return Markup("")
    bars = [
        Bar(markup(when), 0, _width(spend / largest_usd), money(spend), money(net))
        for when, spend, net in rows
    ]
    return bar_chart("Run by run", trend_sentence(report), ("Window", "Spend", "To save a month"), bars)


def _trend_chart(periods: Sequence[PeriodSpend]) -> Markup:
    largest_usd = max((period.spend_usd for period in periods), default=0.0)
    if len(periods) < 2 or not CENT <= largest_usd < _MOST_USD:  # noqa: PLR2004 - one is no trend
        return Markup("")
    weekly = periods[-1].window.is_calendar_week
    noun = "week" if weekly else "month"
    step = _step(largest_usd)
    top = step * math.ceil(largest_usd / step)
    caption = f"The last {noun} {money(periods[-1].spend_usd)}{_change(periods)}"
    slot = (100 - _TREND_LEFT) / len(periods)
    drawing = element(
        "svg",
        *(_gridline(step * number, top) for number in range(round(top / step) + 1)),
        *(_column(period, at, slot, top, last=at == len(periods) - 1) for at, period in enumerate(periods)),
        *_dates(periods, slot),
        class_="trend",
        role="img",
        aria_label=f"Spend by {noun}: {caption}",
    )
    rows = [
        element(
            "tr",
            element("th", span(period.window), scope="row"),
            element("td", money(period.spend_usd)),
            element("td", tokens(period.tokens_total)),
        )
        for period in periods
    ]
    head = [element("th", title, scope="col") for title in (noun.capitalize(), "Spend", "Tokens")]
    table = element("table", element("thead", element("tr", *head)), element("tbody", *rows), class_="plain")
    figures = element("details", element("summary", "The figures"), table)
    return _figure(f"Spend by {noun}", caption, markup(drawing, figures))


def _change(periods: Sequence[PeriodSpend]) -> str:
    """How the last period compares with the one before: ``, up 9.3 % on the one before``."""
    last, before = periods[-1].spend_usd, periods[-2].spend_usd
    if before < CENT:
        return ""
    return f", {'up' if last >= before else 'down'} {share(abs(last / before - 1))} on the one before"


def _step(largest: float) -> float:
    """A round step of which three to six reach the largest."""
    size: float = 10.0 ** math.floor(math.log10(largest / 3))
    return next(size * factor for factor in (1, 2, 5, 10) if size * factor >= largest / 5)


def _gridline(usd: float, top: float) -> Markup:
    y = _percent(100 - 100 * usd / top)
    line = element("line", class_="grid", x1="0", x2="100%", y1=y, y2=y)
    return markup(line, element("text", money(usd), x="0", y=y, dy="-4"))


def _column(period: PeriodSpend, at: int, slot: float, top: float, *, last: bool) -> Markup:
    height = 100 * period.spend_usd / top
    bar = element(
        "rect",
        class_="column last" if last else "column",
        x=_percent(_TREND_LEFT + slot * (at + 0.14)),
        y=_percent(100 - height),
        width=_percent(slot * 0.72),
        height=_percent(height),
    )
    return element("g", element("title", f"{span(period.window)}: {money(period.spend_usd)}"), bar)


def _dates(periods: Sequence[PeriodSpend], slot: float) -> list[Markup]:
    """The first days of the last period and of as many before it as there is room for."""
    every = math.ceil(len(periods) / _MOST_LABELS)
    return [
        element(
            "text",
            f"{period.window.start:%b} {period.window.start.day}"
            if period.window.is_calendar_week
            else f"{period.window.start:%b %Y}",
            class_="date",
            x=_percent(_TREND_LEFT + slot * (at + 0.5)),
            y="100%",
            dy="18",
        )
        for at, period in enumerate(periods)
        if (len(periods) - 1 - at) % every == 0
    ]
