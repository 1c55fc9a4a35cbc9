"""The comment on a pull request that stays one."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from orpolicy.github.client import RefusedError
from orpolicy.github.thread import marked
from orpolicy.github.told import Told, compared, open_findings
from orpolicy.github.words import comment_body, mentions, notice
from orpolicy.reporters.markdown import MARKER

if TYPE_CHECKING:
    from orpolicy.github.client import Client
    from orpolicy.github.thread import Author, Text
    from orpolicy.report import Report

SUPERSEDED = "<!-- orpolicy superseded -->\nThe report is kept in another comment.\n"
"""What a second comment says once the first is known."""

_GONE = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)


def keep_comment(client: Client, author: Author, pull_request: int, report: Report, *, mention: bool) -> None:
    """Post the comment, or bring it up to date; what is new or worse gets a comment of its own.

    That one is posted first, as an edit tells nobody: what fails in between is told twice, never not at all.
    A report with nothing to tell is posted only where there is a comment already. Where two runs at once
    posted one each, the older is kept, and the other says so from now on.

    Raises:
        DeliveryError: if it could not be done.
    """
    comments = f"{client.repository_path}/issues/{pull_request}/comments"
    ours = [each for each in marked(client.listed(comments), "id", author, MARKER) if each.marker == MARKER]
    found = ours[0] if ours else None
    findings = open_findings(report)
    now = compared(found.told if found else Told(), findings, report)
    body = comment_body(report, now.told, _mentions(report) if mention else "")
    if found is None:
        if findings or report.inconclusive:
            client.write("POST", comments, {"body": body})
        return
    if now.changes:
        owners = {change.finding.owner for change in now.changes}
        client.write("POST", comments, {"body": notice(now.changes, mentions(owners) if mention else "")})
    if not found.is_same(body) and not _edited(client, found, body):
        client.write("POST", comments, {"body": body})
    for other in ours[1:]:
        _edited(client, other, SUPERSEDED)


def _edited(client: Client, comment: Text, body: str) -> bool:
    """Edit a comment; False where it went meanwhile."""
    try:
        client.write("PATCH", f"{client.repository_path}/issues/comments/{comment.number}", {"body": body})
    except RefusedError as error:
        if error.status not in _GONE:
            raise
        return False
    return True


def _mentions(report: Report) -> str:
    return mentions(finding.owner for finding in open_findings(report))
