"""Fixtures that every part of the tests may use."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from loopback.account import LoopbackAccount
from loopback.server import LoopbackServer

if TYPE_CHECKING:
    from collections.abc import Iterator


settings.register_profile("suite", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("suite")
"""A slow machine is no failure, and CI tries the same examples every time; elsewhere new ones are tried."""


@pytest.fixture
def loopback() -> Iterator[LoopbackServer]:
    """A running server with an empty account, to be filled through ``loopback.account``."""
    with LoopbackServer(LoopbackAccount()) as server:
        yield server
