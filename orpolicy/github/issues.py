"""An issue for each owner of policies with open findings."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from orpolicy.errors import DeliveryError
from orpolicy.github.client import RefusedError
from orpolicy.github.shares import shares
from orpolicy.github.thread import marked
from orpolicy.github.told import Comparison, Told, compared
from orpolicy.github.words import (
    clean_notice,
    issue_body,
    issue_marker,
    issue_title,
    left_body,
    left_notice,
    mentions,
    notice,
)

if TYPE_CHECKING:
    from orpolicy.github.client import Client, JsonObject
    from orpolicy.github.shares import Share
    from orpolicy.github.thread import Author, Text
    from orpolicy.report import Report
    from orpolicy.sources._json import Json

LABEL = "orpolicy"
_COLOR = "0e8a16"
_DESCRIPTION = "Kept by orpolicy notify, which finds its issues by this label"


class Issues:
    """The issues of one run."""

    def __init__(self, client: Client, author: Author, report: Report, *, mention: bool) -> None:
        self._client = client
        self._path = f"{client.repository_path}/issues"
        self._author = author
        self._report = report
        self._mention = mention
        self._has_label = False

    def keep(self) -> None:
        """Open, edit, reopen or close the issue of every owner in the report.

        The issue of somebody who owns no policy in it is closed once the report judges every policy of the
        findings that it told, as they are others' now, or gone; until then it stays as it is.

        Raises:
            DeliveryError: if it could not be done.
        """
        found = self._found()
        for share in shares(self._report):
            issue = found.pop(issue_marker(share.owner), None)
            if issue is None:
                self._open(share)
            else:
                self._update(share, issue)
        for issue in found.values():
            self._leave(issue)

    def _found(self) -> dict[str, Text]:
        """First line -> the oldest issue that has it."""
        params = {"labels": LABEL, "state": "all", "sort": "created", "direction": "asc"}
        items = self._client.listed(self._path, params)
        found: dict[str, Text] = {}
        for issue in marked(items, "number", self._author, "<!-- orpolicy issue "):
            found.setdefault(issue.marker, issue)
        return found

    def _open(self, share: Share) -> None:
        if not share.findings:
            return
        self._make_label()
        now = compared(Told(), share.findings, self._report)
        issue: dict[str, Json] = {
            "title": issue_title(share.owner),
            "body": self._body(share, now),
            "labels": [LABEL],
        }
        made = self._client.write("POST", self._path, issue)
        if made and not _has_label(made):
            raise DeliveryError(
                f"issue #{made.get('number')} was opened without its label {LABEL}, and would not be found "
                "again: delete it, and give the token the permission to label issues"
            )

    def _update(self, share: Share, issue: Text) -> None:
        """Comments come before edits, which tell nobody: what fails in between is told twice.

        What somebody closed by hand stays closed until there is something new or worse.
        """
        now = compared(issue.told, share.findings, self._report)
        is_clean = not (share.findings or share.inconclusive or now.kept)
        if issue.is_open and is_clean:
            self._comment(issue, clean_notice(self._report))
        elif now.changes:
            self._comment(issue, notice(now.changes, self._mentions(share)))
        elif not issue.is_open and now.told == issue.told:
            return
        is_open = bool(now.changes) or (issue.is_open and not is_clean)
        self._edit(issue, self._body(share, now), is_open=is_open)

    def _leave(self, issue: Text) -> None:
        """Close the issue of somebody who owns nothing any more; what was told is forgotten with it."""
        told = issue.told
        is_known = bool(told.entries) and not told.left_out_usd
        if issue.is_open and is_known and not compared(told, (), self._report).kept:
            self._comment(issue, left_notice(self._report))
            self._edit(issue, left_body(issue.marker, self._report), is_open=False)

    def _edit(self, issue: Text, body: str, *, is_open: bool) -> None:
        changed = {} if issue.is_same(body) else {"body": body}
        if is_open != issue.is_open:
            changed |= {"state": "open"} if is_open else {"state": "closed", "state_reason": "completed"}
        if changed:
            self._client.write("PATCH", f"{self._path}/{issue.number}", changed)

    def _comment(self, issue: Text, body: str) -> None:
        self._client.write("POST", f"{self._path}/{issue.number}/comments", {"body": body})

    def _body(self, share: Share, now: Comparison) -> str:
        return issue_body(share, self._report, now, self._mentions(share))

    def _mentions(self, share: Share) -> str:
        return mentions([share.owner]) if self._mention else ""

    def _make_label(self) -> None:
        """An issue without it would never be found again."""
        if self._has_label or self._client.find(f"{self._client.repository_path}/labels/{LABEL}"):
            self._has_label = True
            return
        label = {"name": LABEL, "color": _COLOR, "description": _DESCRIPTION}
        try:
            self._client.write("POST", f"{self._client.repository_path}/labels", label)
        except RefusedError as error:
            if error.status != HTTPStatus.UNPROCESSABLE_ENTITY:  # another run made it meanwhile
                raise
        self._has_label = True


def _has_label(issue: JsonObject) -> bool:
    labels = issue.get("labels")
    names = (
        (label.get("name") for label in labels if isinstance(label, dict)) if isinstance(labels, list) else ()
    )
    return any(str(name).lower() == LABEL for name in names)
