"""What passes is waited for, what does not is final, and everything ends in time."""

from __future__ import annotations

import gzip
import zlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import respx
from loopback.client import IMPATIENT, NOW, QUERY, TurnedClock, impatient, opened

from orpolicy.errors import Reason, SourceError
from orpolicy.sources._client import Patience

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loopback.server import LoopbackServer

ENVIRON = {"OPENROUTER_MANAGEMENT_KEY": "sk-or-v1-0123"}
URL = "https://openrouter.ai/api/v1/analytics/meta"
META: dict[str, Any] = {"data": {"metrics": [], "dimensions": []}}


@pytest.fixture
def route() -> Iterator[respx.Route]:
    with respx.mock:
        yield respx.get(URL)


def failed(environ: dict[str, str], *, clock: Any = None, patience: Patience = IMPATIENT) -> SourceError:
    with opened(environ, clock=clock, patience=patience) as source, pytest.raises(SourceError) as caught:
        source.meta()
    return caught.value


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 529])
def test_statuses_that_pass_are_asked_again(route: respx.Route, status: int) -> None:
    route.side_effect = [httpx.Response(status, html="<html>busy</html>"), httpx.Response(200, json=META)]
    with opened(ENVIRON, clock=TurnedClock()) as source:
        assert source.meta().metrics == {}
        assert source.info().requests == 2


@pytest.mark.parametrize("status", [400, 402, 404, 413, 422])
def test_refusals_are_final_and_carry_the_message(route: respx.Route, status: int) -> None:
    route.respond(
        status, json={"error": {"code": status, "message": "metrics:\n no \x1b[31msuch\x07 metric"}}
    )
    error = failed(ENVIRON)
    assert error.reason is Reason.API_ERROR
    assert error.detail == f"GET /analytics/meta: HTTP {status}: metrics: no [31msuch metric"
    assert route.call_count == 1


@pytest.mark.parametrize(
    "body", [{}, [], {"error": None}, {"error": {"message": 7}}, {"error": ["a"]}, "text", None]
)
def test_refusals_without_a_message(route: respx.Route, body: Any) -> None:
    route.respond(404, json=body)
    assert failed(ENVIRON).detail == "GET /analytics/meta: HTTP 404: no message"


def test_a_plain_error_text_and_a_long_one(route: respx.Route) -> None:
    route.respond(400, json={"error": "x" * 5000})
    detail = failed(ENVIRON).detail
    assert "xxx" in detail
    assert len(detail) < 400


def test_redirects_are_not_followed(route: respx.Route) -> None:
    route.respond(302, headers={"Location": "https://elsewhere.example/"})
    error = failed(ENVIRON)
    assert error.reason is Reason.API_ERROR
    assert "OPENROUTER_BASE_URL" in error.detail
    assert route.call_count == 1


@pytest.mark.parametrize(
    ("code", "calls"), [(400, 1), (403, 1), (429, 6), (503, 6), (None, 6), ("400", 6), (7, 6)]
)
def test_an_error_inside_a_200(route: respx.Route, code: Any, calls: int) -> None:
    route.respond(200, json={"error": {"code": code, "message": "not today"}})
    assert "not today" in failed(ENVIRON, clock=TurnedClock()).detail
    assert route.call_count == calls


def test_an_error_text_inside_a_200(route: respx.Route) -> None:
    route.respond(200, json={"error": "not today"})
    assert "HTTP 502: not today" in failed(ENVIRON, clock=TurnedClock()).detail


@pytest.mark.parametrize("body", [b"", b"<html>oops</html>", b'{"data":', b"[" * 100_000, b'{"data": NaN}'])
def test_broken_bodies_are_asked_again(route: respx.Route, body: bytes) -> None:
    route.side_effect = [httpx.Response(200, content=body), httpx.Response(200, json=META)]
    with opened(ENVIRON, clock=TurnedClock()) as source:
        assert source.meta().metrics == {}
    route.side_effect = None
    route.respond(200, content=body)
    error = failed(ENVIRON, clock=TurnedClock())
    assert error.reason is Reason.API_ERROR
    assert "no JSON" in error.detail


@pytest.mark.parametrize("fault", [httpx.ConnectError, httpx.ReadError, httpx.RemoteProtocolError])
def test_connections_that_break_are_tried_again(
    route: respx.Route, fault: type[httpx.TransportError]
) -> None:
    route.side_effect = [fault("gone"), httpx.Response(200, json=META)]
    with opened(ENVIRON, clock=TurnedClock()) as source:
        assert source.meta().metrics == {}
    route.side_effect = fault("gone")
    error = failed(ENVIRON, clock=TurnedClock())
    assert error.reason is Reason.API_ERROR
    assert "gone" in error.detail


@pytest.mark.parametrize(
    "fault", [httpx.ConnectTimeout("slow"), httpx.ReadTimeout("slow"), httpx.Response(408)]
)
def test_what_takes_too_long_is_a_deadline(route: respx.Route, fault: Any) -> None:
    route.side_effect = [fault] * 6
    assert failed(ENVIRON, clock=TurnedClock()).reason is Reason.DEADLINE
    assert route.call_count == 6


@pytest.mark.parametrize(
    ("header", "waits"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("-3", 0.0),
        (format_datetime(NOW + timedelta(seconds=9), usegmt=True), 9.0),
        ((NOW + timedelta(seconds=9)).strftime("%a, %d %b %Y %H:%M:%S"), 9.0),
        (format_datetime(NOW - timedelta(days=9), usegmt=True), 0.0),
    ],
)
def test_retry_after_comes_first(route: respx.Route, header: str, waits: float) -> None:
    route.side_effect = [httpx.Response(429, headers={"Retry-After": header}), httpx.Response(200, json=META)]
    clock = TurnedClock()
    with opened(ENVIRON, clock=clock) as source:
        source.meta()
    assert clock.naps == [pytest.approx(waits)]


@pytest.mark.parametrize("header", [None, "soon", "nan", "inf", ""])
def test_without_it_the_wait_is_random_within_a_growing_bound(route: respx.Route, header: str | None) -> None:
    headers = {} if header is None else {"Retry-After": header}
    route.respond(503, headers=headers)
    clock = TurnedClock()
    patience = Patience(backoff_seconds=2, max_backoff_seconds=10)
    assert failed(ENVIRON, clock=clock, patience=patience).reason is Reason.API_ERROR
    assert len(clock.naps) == 5
    assert all(0 <= nap <= bound for nap, bound in zip(clock.naps, (2, 4, 8, 10, 10), strict=True))
    assert len(set(clock.naps)) > 1


def test_a_wait_beyond_the_budget_is_not_begun(route: respx.Route) -> None:
    route.respond(429, json={"error": {"message": "Rate limit exceeded"}}, headers={"Retry-After": "3600"})
    clock = TurnedClock()
    error = failed(ENVIRON, clock=clock)
    assert error.reason is Reason.DEADLINE
    assert "Rate limit exceeded; the server asks to wait 3600 s" in error.detail
    assert clock.naps == []


def test_the_budget_of_a_question(route: respx.Route) -> None:
    route.respond(503, headers={"Retry-After": "5"})
    clock = TurnedClock()
    assert failed(ENVIRON, clock=clock, patience=impatient(question_seconds=12)).reason is Reason.DEADLINE
    assert clock.naps == [5, 5]


def test_the_budget_of_a_run() -> None:
    clock = TurnedClock()
    with respx.mock, opened(ENVIRON, clock=clock, patience=impatient(run_seconds=8)) as source:
        route = respx.post("https://openrouter.ai/api/v1/analytics/query")
        route.side_effect = [httpx.Response(503, headers={"Retry-After": "5"})] * 2
        with pytest.raises(SourceError, match=r"^deadline.*no message; the server asks to wait 5 s"):
            source.answer(QUERY)
        clock.sleep(5)
        with pytest.raises(SourceError, match="8 s for the whole run are over"):
            source.answer(QUERY)
        assert route.call_count == 2


def test_a_question_that_out_of_time_says_so(route: respx.Route) -> None:
    clock = TurnedClock()

    def slow(_: httpx.Request) -> httpx.Response:
        clock.sleep(50)
        return httpx.Response(503)

    route.side_effect = slow
    error = failed(ENVIRON, clock=clock)
    assert error.reason is Reason.DEADLINE
    assert "no time is left to ask again" in error.detail


def test_compressed_answers(route: respx.Route) -> None:
    raw = b'{"data": {"metrics": [], "dimensions": []}}'
    for encoding, body in (("gzip", gzip.compress(raw)), ("deflate", zlib.compress(raw)), ("identity", raw)):
        route.respond(200, content=body, headers={"Content-Encoding": encoding})
        with opened(ENVIRON) as source:
            assert source.meta().metrics == {}
    assert route.calls.last.request.headers["accept-encoding"] == "gzip"


def test_an_encoding_that_was_not_asked_for(loopback: LoopbackServer) -> None:
    loopback.fail_next(9, body=b"{}", headers={"Content-Encoding": "gzip, gzip"})
    assert "encoding that was not asked for" in failed(loopback.environ).detail


def test_an_endless_body_is_cut(loopback: LoopbackServer) -> None:
    bomb = gzip.compress(bytes(5_000_000))
    loopback.fail_next(body=bomb, headers={"Content-Encoding": "gzip"})
    error = failed(loopback.environ, patience=impatient(max_body_bytes=1_000_000))
    assert error.reason is Reason.MALFORMED_ANSWER
    assert "larger than 1000000 bytes" in error.detail
    assert len(loopback.requests) == 1


def test_lies_about_compression_are_tried_again(loopback: LoopbackServer) -> None:
    loopback.fail_next(body=b"not gzip", headers={"Content-Encoding": "gzip"})
    with opened(loopback.environ) as source:
        assert source.meta().metrics
    assert len(loopback.requests) == 2


def test_drops_and_cuts_on_the_wire(loopback: LoopbackServer) -> None:
    loopback.fail_next(drop=True)
    loopback.fail_next(cut=True)
    loopback.fail_next(status=500, body=b"<html>")
    with opened(loopback.environ) as source:
        assert source.meta().metrics
        assert source.info().requests == 4
    assert loopback.paths() == ["/analytics/meta"] * 4


def test_a_drip_does_not_outlast_the_budget(loopback: LoopbackServer) -> None:
    loopback.fail_next(body=b" " * 1000, drip_seconds=0.02)
    began = datetime.now(UTC)
    error = failed(loopback.environ, patience=impatient(question_seconds=0.2))
    assert error.reason is Reason.DEADLINE
    assert "too slowly" in error.detail
    assert datetime.now(UTC) - began < timedelta(seconds=5)


def test_silence_is_bounded(loopback: LoopbackServer) -> None:
    loopback.fail_next(2, delay_seconds=0.5)
    error = failed(loopback.environ, patience=impatient(silence_seconds=0.05, attempts=2))
    assert error.reason is Reason.DEADLINE
    assert len(loopback.requests) == 2


def test_nobody_there() -> None:
    environ = ENVIRON | {"OPENROUTER_BASE_URL": "http://127.0.0.1:9"}
    assert failed(environ).reason is Reason.API_ERROR


def test_closing_ends_every_wait(loopback: LoopbackServer) -> None:
    loopback.fail_next(status=503, headers={"Retry-After": "15"})
    with opened(loopback.environ) as source:
        source.close()
        with pytest.raises((SourceError, RuntimeError)):
            source.meta()


def test_a_proxy_is_not_used_for_this_machine(
    loopback: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with opened(loopback.environ) as source:
        assert source.meta().metrics
