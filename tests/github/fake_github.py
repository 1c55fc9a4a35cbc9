"""A small GitHub in memory, behind respx: comments, issues, labels and whose token it is."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

import httpx

API = "https://api.github.test"
REPOSITORY = "acme/app"
TOKEN = "ghs_0123456789abcdefTOKEN"  # noqa: S105 - nobody's
ROBOT = {"login": "github-actions[bot]", "type": "Bot"}
PAGE_DEFAULT = 30


@dataclass
class FakeGitHub:
    """Answers as GitHub does; ``log`` keeps every request, ``sent`` only those that change something.

    Attributes:
        login: the token's user; None for an app's token, which may not ask.
        answers: method and path -> responses given instead, the first one first.
    """

    login: str | None = None
    comments: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    issues: list[dict[str, Any]] = field(default_factory=list)
    labels: set[str] = field(default_factory=set)
    log: list[str] = field(default_factory=list)
    sent: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    answers: dict[str, list[httpx.Response | Exception]] = field(default_factory=dict)
    next_id: int = 100
    repository: str = REPOSITORY
    drops_labels: bool = False

    @property
    def user(self) -> dict[str, str]:
        return {"login": self.login, "type": "User"} if self.login else ROBOT

    def add_comment(self, number: int, body: str, user: dict[str, str] | None = None) -> dict[str, Any]:
        self.next_id += 1
        comment = {"id": self.next_id, "body": body, "user": user or self.user}
        self.comments.setdefault(number, []).append(comment)
        return comment

    def bodies(self, number: int) -> list[str]:
        return [comment["body"] for comment in self.comments.get(number, ())]

    def changes(self) -> list[str]:
        """What was changed since the last call: ``POST /issues/7/comments``."""
        found = [f"{method} {path}" for method, path, _ in self.sent]
        self.sent.clear()
        return found

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == f"Bearer {TOKEN}"
        assert request.headers["x-github-api-version"] == "2022-11-28"
        assert request.headers["accept"] == "application/vnd.github+json"
        path = request.url.path.removeprefix(f"/repos/{self.repository}")
        name = f"{request.method} {path}"
        self.log.append(name)
        if self.answers.get(name):
            answer = self.answers[name].pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        if request.method == "GET":
            return self._read(path, request)
        body = json.loads(request.content)
        self.sent.append((request.method, path, body))
        assert len(body.get("body", "")) <= 65_536
        return self._post(path, body) if request.method == "POST" else self._patch(path, body)

    def _read(self, path: str, request: httpx.Request) -> httpx.Response:
        if path == "/user":
            return (
                httpx.Response(200, json=self.user) if self.login else refused(403, "Resource not accessible")
            )
        if path.startswith("/labels/"):
            name = path.rpartition("/")[2]
            return (
                httpx.Response(200, json={"name": name}) if name in self.labels else refused(404, "Not Found")
            )
        if found := re.fullmatch(r"/issues/(\d+)/comments", path):
            return page(self.comments.get(int(found[1]), []), request)
        assert path == "/issues"
        params = request.url.params
        assert (params["state"], params["labels"]) == ("all", "orpolicy")
        assert (params["sort"], params["direction"]) == ("created", "asc")
        return page([issue for issue in self.issues if {"name": "orpolicy"} in issue["labels"]], request)

    def _post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        if found := re.fullmatch(r"/issues/(\d+)/comments", path):
            return httpx.Response(201, json=self.add_comment(int(found[1]), body["body"]))
        if path == "/labels":
            self.labels.add(body["name"])
            return httpx.Response(201, json=body)
        assert path == "/issues"
        assert set(body["labels"]) <= self.labels
        number = len(self.issues) + 1
        labels = [] if self.drops_labels else [{"name": name} for name in body["labels"]]
        issue = {**body, "labels": labels, "number": number, "state": "open", "user": self.user}
        self.issues.append(issue)
        return httpx.Response(201, json=issue)

    def _patch(self, path: str, body: dict[str, Any]) -> httpx.Response:
        if found := re.fullmatch(r"/issues/comments/(\d+)", path):
            for comment in (each for comments in self.comments.values() for each in comments):
                if comment["id"] == int(found[1]):
                    comment["body"] = body["body"]
                    return httpx.Response(200, json=comment)
            return refused(404, "Not Found")
        issue = self.issues[int(path.rpartition("/")[2]) - 1]
        issue.update(body)
        return httpx.Response(200, json=issue)


def refused(status: int, message: str, **headers: str) -> httpx.Response:
    return httpx.Response(status, json={"message": message}, headers=headers)


def page(items: list[dict[str, Any]], request: httpx.Request) -> httpx.Response:
    """One page with the links that GitHub sends."""
    size, number = int(request.url.params.get("per_page", PAGE_DEFAULT)), int(request.url.params["page"])
    assert size <= 100
    links = {"link": f'<{API}/somewhere?page={number + 1}>; rel="next"'} if number * size < len(items) else {}
    return httpx.Response(200, json=items[(number - 1) * size : number * size], headers=links)
