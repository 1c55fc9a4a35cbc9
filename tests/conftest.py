"""Fixtures that every part of the tests may use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from loopback.account import LoopbackAccount
from loopback.server import LoopbackServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def loopback() -> Iterator[LoopbackServer]:
    """A running server with an empty account, to be filled through ``loopback.account``."""
    with LoopbackServer(LoopbackAccount()) as server:
        yield server
