"""One self-contained page: its style and script inside, and a policy that admits nothing else."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING

from orpolicy.reporters._html_markup import Markup, element

if TYPE_CHECKING:
    from orpolicy.reporters._html_markup import Child


def page(title: str, *content: Child, has_script: bool) -> str:
    """A whole document around what its body holds; the same content gives the same bytes.

    Args:
        title: for the browser's tab.
        content: of the body.
        has_script: whether the script that sorts and filters is part of it; without it none may run.
    """
    scripts = (element("script", Markup(_data("report.js"))),) if has_script else ()
    document = element(
        "html", _head(title, has_script=has_script), element("body", *content, *scripts), lang="en"
    )
    return f"<!DOCTYPE html>\n{document}\n"


def _head(title: str, *, has_script: bool) -> Markup:
    css = _data("report.css")
    rules = (
        "default-src 'none'",
        f"style-src '{_hash(css)}'",
        f"script-src '{_hash(_data('report.js'))}'" if has_script else "script-src 'none'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",
    )
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content="; ".join(rules)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("link", rel="icon", href="data:,"),
        element("style", Markup(css)),
    )


def _data(name: str) -> str:
    return files("orpolicy").joinpath("data", name).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    return f"sha256-{b64encode(sha256(content.encode()).digest()).decode()}"
