"""What the environment says about key and host."""

from __future__ import annotations

import pytest
from loopback.client import opened

from orpolicy.errors import UsageError

KEY = "sk-or-v1-0123"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("", "openrouter.ai"),
        ("https://openrouter.ai", "openrouter.ai"),
        ("https://openrouter.ai/", "openrouter.ai"),
        (" https://openrouter.ai/api/v1/ ", "openrouter.ai"),
        ("https://gateway.example:8443/llm", "gateway.example:8443"),
        ("http://localhost:8080", "localhost:8080"),
        ("http://127.0.0.9", "127.0.0.9"),
        ("http://[::1]:99/api/v1", "[::1]:99"),
    ],
)
def test_hosts(url: str, host: str) -> None:
    with opened({"OPENROUTER_MANAGEMENT_KEY": KEY, "OPENROUTER_BASE_URL": url}) as source:
        assert source.info().host == host


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("openrouter.ai", "scheme"),
        ("ftp://openrouter.ai", "scheme"),
        ("https://", "scheme"),
        ("https://host:0", "scheme"),
        ("https://host:port", "no URL"),
        ("https://[::1", "no URL"),
        ("http://openrouter.ai", "use https"),
        ("http://127.0.0.1.example.com", "use https"),
        ("https://user:hunter2@openrouter.ai", "credentials"),
        ("https://openrouter.ai/api/v1?key=hunter2", "credentials"),
        ("https://openrouter.ai/#hunter2", "credentials"),
    ],
)
def test_hosts_that_are_refused(url: str, said: str) -> None:
    with (
        pytest.raises(UsageError, match=said) as caught,
        opened({"OPENROUTER_MANAGEMENT_KEY": KEY, "OPENROUTER_BASE_URL": url}),
    ):
        pass
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("environ", [{}, {"OPENROUTER_MANAGEMENT_KEY": " \n", "OPENROUTER_API_KEY": ""}])
def test_no_key(environ: dict[str, str]) -> None:
    with pytest.raises(UsageError, match=r"OPENROUTER_MANAGEMENT_KEY.*management key"), opened(environ):
        pass


@pytest.mark.parametrize("key", ["a b", "a\x00b", "a\nb", "“quoted”", 'a"b', "clé"])
def test_keys_that_no_header_can_carry(key: str) -> None:
    with (
        pytest.raises(UsageError, match="OPENROUTER_API_KEY holds") as caught,
        opened({"OPENROUTER_API_KEY": key}),
    ):
        pass
    assert key not in str(caught.value)


def test_the_management_key_wins_and_is_stripped(loopback_environ: dict[str, str]) -> None:
    with opened(loopback_environ | {"OPENROUTER_API_KEY": "sk-other"}) as source:
        assert source.meta().dimensions


@pytest.fixture
def loopback_environ(request: pytest.FixtureRequest) -> dict[str, str]:
    environ: dict[str, str] = request.getfixturevalue("loopback").environ
    return environ | {"OPENROUTER_MANAGEMENT_KEY": f"  {environ['OPENROUTER_MANAGEMENT_KEY']}\n"}
