"""The page in a real browser that is cut off from every network."""

from __future__ import annotations

import re
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from poison import EVIL, poisoned
from samples import LONG_NAME, SAMPLES, finding, policy, report, story, two_hundred, waivers_of_all_states

from orpolicy.finding import Measure
from orpolicy.plugins import REPORTERS
from orpolicy.reporters.base import Style

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from orpolicy.report import Report

api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

WIDTHS = (1280, 768, 360)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    arguments = ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND"]
    with api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield chromium
        chromium.close()


class Visit:
    """An open page with what it asked for and complained of."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))

    def shown(self) -> list[str]:
        """The last hex digits of the findings that can be seen, in order."""
        seen = self.page.locator("tbody.finding:visible").evaluate_all("nodes => nodes.map(node => node.id)")
        return [name[-3:].lstrip("0") for name in seen]


@contextmanager
def visit(browser: Any, folder: Path, value: Report, width: int = 1280, **options: Any) -> Iterator[Visit]:
    file = folder / "report.html"
    file.write_text(REPORTERS["html"]().render(value, Style()), encoding="utf-8")
    context = browser.new_context(viewport={"width": width, "height": 800}, **options)
    context.set_default_timeout(5_000)
    opened = Visit(context.new_page())
    opened.page.goto(file.as_uri())
    yield opened
    context.close()
    sent = {url.partition("#")[0] for url in opened.requests}
    assert sent <= {file.as_uri(), "data:,"}, sent


@pytest.mark.parametrize("name", SAMPLES)
def test_pages_load_nothing_complain_of_nothing_and_fit(browser: Any, tmp_path: Path, name: str) -> None:
    with visit(browser, tmp_path, SAMPLES[name]()) as opened:
        for width in WIDTHS:
            opened.page.set_viewport_size({"width": width, "height": 800})
            assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
        opened.page.eval_on_selector_all("details", "nodes => nodes.forEach(node => { node.open = true })")
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= WIDTHS[-1]
        assert opened.complaints == []


def test_the_style_applies(browser: Any, tmp_path: Path) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    with visit(browser, tmp_path, story(), color_scheme="light") as opened:
        assert opened.page.evaluate(paper) == "rgb(246, 247, 249)"
    with visit(browser, tmp_path, story(), color_scheme="dark") as opened:
        assert opened.page.evaluate(paper) == "rgb(17, 21, 28)"


def test_bars_are_drawn_to_scale(browser: Any, tmp_path: Path) -> None:
    with visit(browser, tmp_path, story()) as opened:
        chart = opened.page.locator("table.bars").first
        lengths = [
            bar.evaluate("bar => bar.getBoundingClientRect().width / bar.ownerSVGElement.clientWidth")
            for bar in chart.locator("rect.bar").all()
        ]
        assert lengths == pytest.approx(
            [1, 812.4 / 4390.8, 501.3 / 4390.8, 30.5 / 4390.8, 450 / 4390.8], abs=0.001
        )


def test_a_click_on_a_heading_sorts(browser: Any, tmp_path: Path) -> None:
    with visit(browser, tmp_path, story()) as opened:
        assert opened.shown() == ["1", "3", "2", "4", "5"]
        heading = opened.page.locator(".findings th[scope=col]", has_text="Spend")
        heading.locator("button").click()
        assert opened.shown() == ["2", "1", "3", "4", "5"]
        assert heading.get_attribute("aria-sort") == "descending"
        heading.locator("button").press("Enter")
        assert opened.shown() == ["5", "4", "3", "1", "2"]
        assert heading.get_attribute("aria-sort") == "ascending"
        opened.page.get_by_role("button", name="Adds to net").click()
        assert opened.shown()[:3] == ["1", "3", "2"]  # those without a figure come last
        assert heading.get_attribute("aria-sort") is None


def test_policies_sort_by_name_and_verdict(browser: Any, tmp_path: Path) -> None:
    with visit(browser, tmp_path, story()) as opened:
        section = opened.page.locator("section[aria-labelledby=policies]")
        names = section.locator("tbody .who")
        section.get_by_role("button", name="Policy").click()
        assert names.all_inner_texts() == [
            "blended-outlier",
            "cache-prompt-heavy",
            "key-budget",
            "no-preview-on-batch",
            "no-retired-models",
            "web-search-cap",
            "weekly-growth",
        ]
        section.get_by_role("button", name="Verdict").click()
        assert names.all_inner_texts()[3] == "no-retired-models"
        section.get_by_role("button", name="Verdict").click()
        assert names.all_inner_texts()[-4] == "no-retired-models"


def test_filters_narrow_and_say_so(browser: Any, tmp_path: Path) -> None:
    with visit(browser, tmp_path, story()) as opened:
        page, status = opened.page, opened.page.get_by_role("status")
        assert status.inner_text() == "5 of 5 shown, $3,309 net a month"
        page.get_by_label("Verdict", exact=True).select_option("waived")
        assert (opened.shown(), status.inner_text()) == (["5"], "1 of 5 shown, $0 net a month")
        page.get_by_label("Verdict", exact=True).select_option("")
        page.get_by_label("Policy", exact=True).select_option("no-preview-on-batch")
        assert opened.shown() == ["1", "5"]
        page.get_by_label("Search").fill("BATCH-PIPELINE on")
        assert (opened.shown(), status.inner_text()) == (["1"], "1 of 5 shown, $3,121 net a month")
        page.get_by_label("Policy", exact=True).select_option("")
        page.get_by_label("Owner").select_option("web")
        assert opened.shown() == []
        page.get_by_label("Search").fill("")
        assert opened.shown() == ["4"]


def test_two_hundred_findings_filter(browser: Any, tmp_path: Path) -> None:
    with visit(browser, tmp_path, two_hundred()) as opened:
        opened.page.get_by_label("Search").fill("batch-123")
        assert opened.shown() == ["7b"]


def test_a_link_opens_its_finding(browser: Any, tmp_path: Path) -> None:
    with visit(browser, tmp_path, story()) as opened:
        opened.page.get_by_label("Search").fill("nothing has this")
        assert opened.shown() == []
        opened.page.locator(".first a").first.click()
        opened.page.locator("#f-00000000000000000000000000000001 details[open]").wait_for()
        assert opened.shown() == ["1"]
        assert opened.page.get_by_text("spend_usd falls to 0").first.is_visible()
        opened.page.goto(opened.page.url.partition("#")[0] + "#findings")
        assert opened.complaints == []


def test_everything_is_there_without_the_script(browser: Any, tmp_path: Path) -> None:
    with visit(browser, tmp_path, story(), java_script_enabled=False) as opened:
        assert opened.page.locator("tbody.finding").count() == 5
        for row in opened.page.locator("tbody.finding").all():
            assert row.is_visible()
        assert not opened.page.locator(".controls").is_visible()
        assert opened.page.locator("th button").count() == 0
        opened.page.locator("tbody.finding summary").first.click()
        assert opened.page.get_by_text("spend_usd falls to 0").first.is_visible()


def test_paper_shows_the_details_and_no_controls(browser: Any, tmp_path: Path) -> None:
    with visit(browser, tmp_path, story(), color_scheme="dark") as opened:
        page = opened.page
        page.locator("tbody.finding summary").first.click()
        page.emulate_media(media="print")
        assert not page.locator(".controls").is_visible()
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        assert page.locator("tbody.finding details[open]").count() == 5
        page.evaluate("window.dispatchEvent(new Event('afterprint'))")
        assert page.locator("tbody.finding details[open]").count() == 1
        pdf = page.pdf(format="A4")
        assert pdf.startswith(b"%PDF")
        assert 1 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 8


@pytest.mark.parametrize("evil", EVIL)
def test_hostile_names_do_nothing(browser: Any, tmp_path: Path, evil: str) -> None:
    with visit(browser, tmp_path, poisoned(waivers_of_all_states(), evil)) as opened:
        page = opened.page
        page.locator("summary").first.click()
        page.locator("section").first.hover()
        assert page.title().endswith(": LLM spend in June 2026") or "hacked" not in page.title()
        assert page.locator("script").count() == 1
        assert page.locator("img, iframe, b, main svg[onload]").count() == 0
        assert opened.complaints == []


@pytest.mark.parametrize(
    "attack",
    [
        "document.body.setAttribute('onclick', 'document.title = 1')",
        "document.body.innerHTML = '<img src=x onerror=alert(1)>'",
        "window.setTimeout('document.title = 1')",
    ],
)
def test_injected_script_would_be_refused(browser: Any, tmp_path: Path, attack: str) -> None:
    with visit(browser, tmp_path, story()) as opened:
        with pytest.raises(api.Error, match="Trusted"):
            opened.page.evaluate(f"() => {{ {attack} }}")
        assert opened.page.title() == "FAIL: LLM spend in May 2026"


def test_long_names_wrap_on_a_phone(browser: Any, tmp_path: Path) -> None:
    wide = report(
        policies=(policy(LONG_NAME, findings=1, owner=LONG_NAME, title=LONG_NAME),),
        findings=(
            finding(
                policy=LONG_NAME,
                owner=LONG_NAME,
                measure=Measure("x", 1e300, 1e-300, LONG_NAME[:60]),
                spend_usd=1e300,
                tokens_total=10**300,
            ),
        ),
    )
    with visit(browser, tmp_path, wide, 360) as opened:
        opened.page.eval_on_selector_all("details", "nodes => nodes.forEach(node => { node.open = true })")
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= 360
